// Package e2e runs the whole program on the local engine: the real Pulumi CLI, the real EKS component, a real Kubernetes control plane.
// What it shows is the proof of a requirement. `make test` builds what it needs.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/home"
)

// root is the project's folder, engine the command line that the Makefile runs.
var root, engine string

// TestMain gives the suite a local engine of its own, so that it never touches the one that a developer has running.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		panic(err)
	}
	if engine = os.Getenv("ALPHAPULSE_ENGINE"); engine == "" || os.Getenv(home.ToolsVariable) == "" {
		fmt.Fprintln(os.Stderr, "this suite is run by `make test`, which builds the engine and its tools first")
		return 1
	}
	folder, err := os.MkdirTemp("", "alphapulse-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	if err := os.Setenv(home.DirVariable, folder); err != nil {
		panic(err)
	}
	defer func() {
		if out, err := exec.Command(engine, "--root", root, "reset").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "resetting the suite's engine: %v\n%s", err, out)
		}
	}()
	return m.Run()
}

// result is what one command printed, and the figures of its last line: "up: stack=local resources=109 changes=0 ...".
type result struct {
	output  string
	figures map[string]string
	err     error
}

func (r result) figure(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(r.figures[name])
	require.NoError(t, err, "the summary has no number %q; the command printed:\n%s", name, tail(r.output, 40))
	return n
}

var figure = regexp.MustCompile(`([a-z]+)=(\S+)`)

// try runs the engine and gives what it printed; the command may fail.
func try(t *testing.T, args ...string) result {
	t.Helper()
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), engine, append([]string{"--root", root}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Stdin = nil
	r := result{figures: map[string]string{}}
	r.err = cmd.Run()
	r.output = out.String()
	lines := strings.Split(strings.TrimSpace(r.output), "\n")
	for _, pair := range figure.FindAllStringSubmatch(lines[len(lines)-1], -1) {
		r.figures[pair[1]] = pair[2]
	}
	t.Logf("%s: %.0f s: %s", strings.Join(args, " "), time.Since(began).Seconds(), lines[len(lines)-1])
	return r
}

// do runs the engine and wants success.
func do(t *testing.T, args ...string) result {
	t.Helper()
	r := try(t, args...)
	require.NoError(t, r.err, "%v printed:\n%s", args, tail(r.output, 60))
	return r
}

// fresh throws away what earlier tests left.
func fresh(t *testing.T) {
	t.Helper()
	do(t, "reset")
}

// client reaches a stack's cluster.
func client(t *testing.T, stack string) kubernetes.Interface {
	t.Helper()
	config, err := controlplane.Config("alphapulse-" + stack)
	require.NoError(t, err)
	c, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	return c
}

// eventually waits for a condition; what is wrong meanwhile is shown when time is up.
func eventually(t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		done, err := condition(ctx)
		last = err
		return done, nil
	})
	require.NoError(t, err, "%s: %v", what, last)
}

// changed writes a copy of a committed stack file with some text replaced.
func changed(t *testing.T, stack string, replacements ...string) string {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "Pulumi."+stack+".yaml"))
	require.NoError(t, err)
	defer file.Close()
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	for i := 0; i < len(replacements); i += 2 {
		require.Contains(t, string(data), replacements[i])
	}
	path := filepath.Join(t.TempDir(), "Pulumi."+stack+".yaml")
	require.NoError(t, os.WriteFile(path, []byte(strings.NewReplacer(replacements...).Replace(string(data))), 0o600))
	return path
}

func tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
