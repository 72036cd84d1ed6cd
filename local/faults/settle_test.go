package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

// engineVariable makes this test's program a plugin of the engine with that process number, until its input ends.
const engineVariable = "TEST_PLUGIN_OF"

func TestMain(m *testing.M) {
	if engine, err := strconv.Atoi(os.Getenv(engineVariable)); err == nil {
		if _, err := attend(engine); err != nil {
			panic(err)
		}
		fmt.Println("attending")
		_, _ = fmt.Scanln()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// plugin starts a process that attends, and gives a function that lets it end.
func plugin(t *testing.T, engine int, address string) (end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], address)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", engineVariable, engine))
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	_, err = fmt.Fscanln(out, new(string))
	require.NoError(t, err)
	go func() { _ = cmd.Wait() }()
	return func() { _ = in.Close() }
}

// dead is the number of a process that has ended.
func dead(t *testing.T) int {
	t.Helper()
	over := exec.Command("true")
	require.NoError(t, over.Run())
	return over.Process.Pid
}

func TestPluginsOfAnEngineThatLivesAreLetAlone(t *testing.T) {
	t.Setenv(home.DirVariable, t.TempDir())
	busy, err := Settle(t.Context())
	require.NoError(t, err)
	assert.False(t, busy, "nobody was ever there")
	plugin(t, os.Getpid(), "127.0.0.1:1")
	busy, err = Settle(t.Context())
	require.NoError(t, err)
	assert.True(t, busy)
}

func TestPluginsOfAKilledEngineAreWaitedForAndItsOthersEnded(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(home.DirVariable, folder)
	const address = "127.0.0.1:65536" // no port that any engine has
	host := exec.Command("sh", "-c", "read forever", "sh", address)
	forever, err := host.StdinPipe()
	require.NoError(t, err)
	defer func() { _ = forever.Close() }()
	require.NoError(t, host.Start())
	end := plugin(t, dead(t), address)

	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = Settle(short)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the plugin is still at work")
	end()
	busy, err := Settle(t.Context())
	require.NoError(t, err)
	assert.False(t, busy)
	assert.ErrorContains(t, host.Wait(), "killed", "what else the engine had started")
	left, err := filepath.Glob(filepath.Join(folder, "plugins", "*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}
