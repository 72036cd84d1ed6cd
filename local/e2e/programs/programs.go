// Package programs runs the real programs that the platform's pods run, with the very files that the pods run, for tests: each pod is a
// process with an address of the loopback range. `make test` installs the programs first.
package programs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

// Command is what a container runs: program, arguments, and all of its environment but PATH.
type Command struct {
	// Name is for the test's log.
	Name string
	Args []string
	Env  []string
	// Names are what it gets from DNS; nil is the machine's own.
	Names *Names
	// Run is the folder that it has as /run, and so what it finds under /var/run; empty is the machine's own. It needs Names.
	Run string
	// Dir is its working folder; empty is the test's.
	Dir string
}

// Tool is the path of an installed program.
func Tool(t *testing.T, name string) string {
	t.Helper()
	tools := os.Getenv(home.ToolsVariable)
	require.NotEmpty(t, tools, "this suite is run by `make test`, which installs its programs first")
	path := filepath.Join(tools, name)
	require.FileExists(t, path, "%s is not installed: it belongs to TEST_FAMILIES of the Makefile", name)
	return path
}

// prepare makes the process, which ends with the test whatever happens. It leads a group of its own, as a container's first process does.
func (c Command) prepare(t *testing.T) *exec.Cmd {
	t.Helper()
	args, attributes := c.Args, &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if c.Names != nil {
		if c.Run != "" {
			args = mounted(c.Run, "/run", args)
		}
		args = c.Names.resolve(args)
		attributes.Unshareflags = syscall.CLONE_NEWNS
		if os.Getuid() != 0 { // who is nobody special may mount in a user namespace only
			attributes.Cloneflags = syscall.CLONE_NEWUSER
			attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.SysProcAttr = c.Dir, attributes
	cmd.Env = append([]string{"PATH=" + strings.Join([]string{os.Getenv(home.ToolsVariable), os.Getenv("PATH")}, string(os.PathListSeparator))}, c.Env...)
	return cmd
}

// Run runs a command to its end, within a time, and gives what it printed; it may fail.
func Run(t *testing.T, within time.Duration, c Command) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := c.prepare(t)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	late := time.AfterFunc(within, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	if !late.Stop() {
		err = errors.Join(errors.New("it was still running after "+within.String()), err)
	}
	return out.String(), err
}

// Process is a command that goes on beside the test.
type Process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// Start runs a command beside the test, until it is stopped or the test ends. A failed test shows the end of its log.
func Start(t *testing.T, c Command) *Process {
	t.Helper()
	p := &Process{cmd: c.prepare(t), log: filepath.Join(t.TempDir(), "log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	require.NoError(t, err)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	require.NoError(t, p.cmd.Start(), c.Name)
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
		// What it has started ends with it, as in a container. Later its number may be another's: numbers come again within minutes.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		log.Close()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			lines := strings.Split(p.Log(t), "\n")
			t.Logf("the log of %s ends:\n%s", c.Name, strings.Join(lines[max(0, len(lines)-12):], "\n"))
		}
	})
	return p
}

// Kill ends it and all that it has started at once, as a power cut does.
func (p *Process) Kill() {
	if !p.Ended() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	<-p.ended
}

// Signal is sent to the container's first process, as the kubelet and `kill` in a container do.
func (p *Process) Signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(signal))
}

// Children are the processes that the container's first process has started, and that run.
func (p *Process) Children(t *testing.T) (pids []int) {
	t.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", p.cmd.Process.Pid))
	require.NoError(t, err)
	for _, word := range strings.Fields(string(list)) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// Terminate asks it to end, as the kubelet does, and kills it after the grace; it gives how long that took, and whether it had to be killed.
func (p *Process) Terminate(t *testing.T, grace time.Duration) (took time.Duration, killed bool) {
	t.Helper()
	began := time.Now()
	p.Signal(t, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(grace):
		p.Kill()
		killed = true
	}
	return time.Since(began), killed
}

// Ended tells whether it has ended by itself.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Log is all that it has printed so far.
func (p *Process) Log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	require.NoError(t, err)
	return string(text)
}
