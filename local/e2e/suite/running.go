package suite

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Running is a command that goes on beside the test. The test does not end before it: what it wrote later would be in the next one's way.
type Running struct {
	ended  chan struct{}
	result Result
}

// Start runs the engine beside the test.
func Start(t *testing.T, args ...string) *Running {
	t.Helper()
	return start(t, engineCommand(t, args))
}

// Start runs a command of a rehearsal beside the test.
func (r *Rehearsal) Start(t *testing.T, command string) *Running {
	t.Helper()
	return start(t, r.shell(t, command))
}

func start(t *testing.T, c *command) *Running {
	t.Helper()
	r := &Running{ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.result = c.run(t)
	}()
	t.Cleanup(func() { <-r.ended })
	return r
}

// Wait gives what the command printed, when it has ended.
func (r *Running) Wait() Result {
	<-r.ended
	return r.result
}

// Until waits for something that happens while the command runs, as long as it runs: how long that is depends on the machine.
func (r *Running) Until(t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	var last error
	for done := false; !done; {
		select {
		case <-r.ended:
			require.FailNow(t, "the command is over: "+what, "%v; it printed:\n%s", last, Tail(r.result.Output, 40))
		case <-look.C:
			done, last = condition(t.Context())
		}
	}
}

// command is one that a test runs, under the name that the test's log has for it.
type command struct {
	name string
	*exec.Cmd
}

// newCommand prepares one that ends in good order with the test: without its state half written, and without a pulumi that goes on alone.
func newCommand(t *testing.T, name, program string, args ...string) *command {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return &command{name: name, Cmd: cmd}
}
