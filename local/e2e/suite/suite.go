// Package suite is what the suites share that run the whole program on the local engine: the real Pulumi CLI, the real EKS component,
// a real Kubernetes control plane. `make test` builds what they need.
package suite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/home"
)

// Root is the project's folder, engine the command line that the Makefile runs.
var Root, engine string

// Killable has the rest of a test's runs write their state after every step, as they do outside of tests, or no longer: only what is killed
// needs it.
func Killable(t *testing.T, yes bool) {
	t.Helper()
	t.Setenv(home.StateVariable, map[bool]string{false: home.StateAtEnd}[yes])
}

// Main gives a package of tests a local engine of its own, so that it never touches the one that a developer has running.
func Main(m *testing.M) (status int) {
	if err := os.Setenv(home.StateVariable, home.StateAtEnd); err != nil { // which halves the time of a run
		panic(err)
	}
	folder, err := filepath.Abs(".")
	if err != nil {
		panic(err)
	}
	for Root = folder; ; Root = filepath.Dir(Root) {
		if _, err := os.Stat(filepath.Join(Root, "Pulumi.yaml")); err == nil {
			break
		}
		if Root == filepath.Dir(Root) {
			panic("no Pulumi.yaml above " + folder)
		}
	}
	if engine = os.Getenv(home.EngineVariable); engine == "" || os.Getenv(home.ToolsVariable) == "" {
		fmt.Fprintln(os.Stderr, "this suite is run by `make test`, which builds the engine and its tools first")
		return 1
	}
	if err := removeAbandoned(); err != nil {
		panic(err)
	}
	own, err := newFolder()
	if err != nil {
		panic(err)
	}
	defer func() {
		if err := own.remove(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = max(status, 1)
		}
	}()
	if err := os.Setenv(home.DirVariable, own.path); err != nil {
		panic(err)
	}
	return m.Run()
}

// Result is what one command printed, and the figures of its last line: "up: stack=local resources=109 changes=0 ...".
type Result struct {
	Output  string
	Figures map[string]string
	Err     error
}

// Figure is a number of the last line.
func (r Result) Figure(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(r.Figures[name])
	require.NoError(t, err, "the summary has no number %q; the command printed:\n%s", name, Tail(r.Output, 40))
	return n
}

// AllReady wants every pod of the stack ready, as its command's last line says.
func AllReady(t *testing.T, r Result) {
	t.Helper()
	ready, all, found := strings.Cut(r.Figures["pods"], "/")
	require.True(t, found && all != "0", "the command printed:\n%s", Tail(r.Output, 40))
	assert.Equal(t, all, ready, "every pod is ready")
}

var figure = regexp.MustCompile(`([a-z]+)=(\S+)`)

// Try runs the engine and gives what it printed; the command may fail.
func Try(t *testing.T, args ...string) Result {
	t.Helper()
	return engineCommand(t, args).run(t)
}

func engineCommand(t *testing.T, args []string) *command {
	t.Helper()
	return newCommand(t, strings.Join(args, " "), engine, append([]string{"--root", Root}, args...)...)
}

// Do runs the engine and wants success.
func Do(t *testing.T, args ...string) Result {
	t.Helper()
	r := Try(t, args...)
	require.NoError(t, r.Err, "%v printed:\n%s", args, Tail(r.Output, 60))
	return r
}

func (c *command) run(t *testing.T) Result {
	t.Helper()
	began := time.Now()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	r := Result{Figures: map[string]string{}}
	r.Err = c.Run()
	r.Output = out.String()
	lines := strings.Split(strings.TrimSpace(r.Output), "\n")
	for _, pair := range figure.FindAllStringSubmatch(lines[len(lines)-1], -1) {
		r.Figures[pair[1]] = pair[2]
	}
	t.Logf("%s: %.0f s: %s", c.name, time.Since(began).Seconds(), lines[len(lines)-1])
	return r
}

// Fresh throws away what earlier tests left.
func Fresh(t *testing.T) {
	t.Helper()
	Do(t, "reset")
}

// Client reaches a stack's cluster.
func Client(t *testing.T, stack string) kubernetes.Interface {
	t.Helper()
	config, err := controlplane.Config("alphapulse-" + stack)
	require.NoError(t, err)
	c, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	return c
}

// Eventually waits a minute for a condition; what is wrong meanwhile is shown when time is up.
func Eventually(t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	Within(t, time.Minute, what, condition)
}

// Within waits so long for a condition.
func Within(t *testing.T, limit time.Duration, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, limit, true, func(ctx context.Context) (bool, error) {
		done, err := condition(ctx)
		last = err
		return done, nil
	})
	require.NoError(t, err, "%s: %v", what, last)
}

// Platform is what a committed stack file says.
func Platform(t *testing.T, stack string) config.Platform {
	t.Helper()
	raw, err := config.FromFile(filepath.Join(Root, "Pulumi."+stack+".yaml"))
	require.NoError(t, err)
	platform, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	return platform
}

// Changed writes a copy of a committed stack file with some text replaced.
func Changed(t *testing.T, stack string, replacements ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Root, "Pulumi."+stack+".yaml"))
	require.NoError(t, err)
	for i := 0; i < len(replacements); i += 2 {
		require.Contains(t, string(data), replacements[i])
	}
	path := filepath.Join(t.TempDir(), "Pulumi."+stack+".yaml")
	require.NoError(t, os.WriteFile(path, []byte(strings.NewReplacer(replacements...).Replace(string(data))), 0o600))
	return path
}

// Tail is the last lines of a text.
func Tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
