package controlplane

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTwoClustersNeverShareAPort(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	var lock sync.Mutex
	var all []int
	var wait sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		wait.Go(func() {
			ports, err := reservePorts(filepath.Join(folder, name), 6)
			assert.NoError(t, err)
			lock.Lock()
			defer lock.Unlock()
			all = append(all, ports...)
		})
	}
	wait.Wait()
	slices.Sort(all)
	assert.Len(t, slices.Compact(all), 4*6)
}

func TestPortsAreAClustersUntilItIsGone(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	stopped := filepath.Join(folder, "stopped")
	require.NoError(t, os.Mkdir(stopped, 0o755))
	mine, err := reservePorts(stopped, 2)
	require.NoError(t, err)
	others, err := reservePorts(filepath.Join(folder, "other"), 2)
	require.NoError(t, err)
	assert.NotContains(t, others, mine[0], "it may be started again")
	again, err := reservePorts(stopped, 2)
	require.NoError(t, err)
	assert.Equal(t, mine, again, "a cluster that is made anew")
}
