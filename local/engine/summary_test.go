package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// pulumi takes the last of two: who asked for the events would find none.
func TestEventsGoWhereTheCallerWantsThem(t *testing.T) {
	own := filepath.Join(t.TempDir(), "events.json")
	require.NoError(t, os.WriteFile(own, nil, 0o600))
	for _, args := range [][]string{{"preview", "--event-log", own}, {"--event-log=" + own}} {
		path, remove, err := eventLog(args)
		require.NoError(t, err)
		require.Equal(t, own, path)
		remove()
		require.FileExists(t, own, "it is theirs")
	}
	path, remove, err := eventLog([]string{"preview", "--diff"})
	require.NoError(t, err)
	require.NotEqual(t, own, path)
	remove()
	require.NoDirExists(t, filepath.Dir(path))
}
