package controlplane

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

func TestMinor(t *testing.T) {
	assert.Equal(t, "1.36", minorOf("v1.36.3"))
	assert.Equal(t, "1.36", minorOf("v1.36"))
}

// After a reboot the numbers in the pid files are somebody else's.
func TestStrangersAreNotOurs(t *testing.T) {
	t.Setenv(home.DirVariable, t.TempDir())
	dir, err := file("saas")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "pids"), 0o755))
	stranger := pidFile(dir, "etcd")
	require.NoError(t, os.WriteFile(stranger, []byte(strconv.Itoa(os.Getpid())), 0o644))

	names, err := List()
	require.NoError(t, err)
	assert.Equal(t, []string{"saas"}, names)
	running, err := Running("saas")
	require.NoError(t, err)
	assert.False(t, running)
	require.NoError(t, dropStalePIDs("saas"))
	assert.NoFileExists(t, stranger)
	_, err = Config("saas")
	assert.ErrorContains(t, err, "there is no control plane saas", "half made")
}
