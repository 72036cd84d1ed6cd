package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

// A pulumi that was killed leaves its lock behind; one that runs keeps it.
func TestOnlyLocksOfTheDeadAreRemoved(t *testing.T) {
	root := t.TempDir()
	t.Setenv(home.DirVariable, root)
	folder := filepath.Join(root, "state", ".pulumi", "locks", "organization", "alphapulse", "local")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	over := exec.Command("true")
	require.NoError(t, over.Run())
	pulumi := filepath.Join(root, "pulumi")
	require.NoError(t, os.WriteFile(pulumi, []byte("#!/bin/sh\nread -r _\n"), 0o700))
	runs := exec.Command(pulumi)
	_, err := runs.StdinPipe() // it ends with the test, at the latest
	require.NoError(t, err)
	require.NoError(t, runs.Start())
	t.Cleanup(func() { _ = runs.Process.Kill(); _ = runs.Wait() })
	locks := map[string]int{"dead.json": over.Process.Pid, "another-has-its-number.json": os.Getpid(), "alive.json": runs.Process.Pid}
	for name, pid := range locks {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), fmt.Appendf(nil, `{"pid":%d}`, pid), 0o600))
	}

	running, err := (&Engine{stack: "local"}).releaseLocks()
	require.NoError(t, err)
	assert.Equal(t, runs.Process.Pid, running, "what is pending is its own")
	assert.NoFileExists(t, filepath.Join(folder, "dead.json"))
	assert.NoFileExists(t, filepath.Join(folder, "another-has-its-number.json"))
	assert.FileExists(t, filepath.Join(folder, "alive.json"))
	require.ErrorContains(t, (&Engine{stack: "other"}).reset(t.Context(), nil), fmt.Sprintf("another pulumi (process %d) is at work on stack local", runs.Process.Pid))
	assert.FileExists(t, filepath.Join(folder, "alive.json"), "nothing is removed")
	running, err = (&Engine{stack: "never-made"}).releaseLocks()
	require.NoError(t, err)
	assert.Zero(t, running)
}

// What up would do, read from the log of events that pulumi writes.
func TestChangesAreCountedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"preludeEvent":{"config":{}}}
{"summaryEvent":{"resourceChanges":{"create":2,"update":3,"replace":1,"delete":4,"same":90,"read":1}}}
`), 0o600))
	found, err := readChanges(path)
	require.NoError(t, err)
	assert.Equal(t, 10, found.total(), "what stays as it is does not count")
	assert.Equal(t, 1, found.replaced())

	none, err := readChanges(filepath.Join(t.TempDir(), "never-written.json"))
	require.NoError(t, err)
	assert.Zero(t, none.total())
}
