package traefik

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// redis is a Redis Cluster of three masters; how the platform's own is made and heals is the matter of another suite.
type redis struct {
	addresses []string
	password  string
	folders   []string
	nodes     []*programs.Process
}

func startRedis(t *testing.T, addresses []string, password string) *redis {
	t.Helper()
	r := &redis{addresses: addresses, password: password}
	for range addresses {
		r.folders = append(r.folders, t.TempDir())
	}
	r.start(t)
	create := []string{programs.Tool(t, "redis-cli"), "--cluster", "create"}
	for _, address := range addresses {
		create = append(create, address+":6379")
	}
	out, err := programs.Run(t, limit, programs.Command{Name: "redis-cli", Args: append(create, "--cluster-yes"), Env: []string{"REDISCLI_AUTH=" + password}})
	require.NoError(t, err, out)
	r.isWhole(t)
	return r
}

// start starts all nodes, with what they kept.
func (r *redis) start(t *testing.T) {
	t.Helper()
	r.nodes = nil
	for i, address := range r.addresses {
		settings := filepath.Join(r.folders[i], "redis.conf")
		require.NoError(t, os.WriteFile(settings, fmt.Appendf(nil, "bind %[1]s\nbind-source-addr %[1]s\nport 6379\ndir %[2]s\ncluster-enabled yes\ncluster-node-timeout 5000\nrequirepass %[3]s\nmasterauth %[3]s\nsave \"\"\n",
			address, r.folders[i], r.password), 0o600))
		r.nodes = append(r.nodes, programs.Start(t, programs.Command{Name: "redis " + address, Args: []string{programs.Tool(t, "redis-server"), settings}}))
	}
	for _, address := range r.addresses {
		r.eventually(t, address, "PONG", "ping")
	}
}

func (r *redis) isWhole(t *testing.T) {
	t.Helper()
	for _, address := range r.addresses {
		r.eventually(t, address, "cluster_state:ok", "cluster", "info")
	}
}

func (r *redis) eventually(t *testing.T, address, want string, command ...string) {
	t.Helper()
	var out string
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		out, _ = programs.Run(t, limit, programs.Command{
			Name: "redis-cli", Args: append([]string{programs.Tool(t, "redis-cli"), "-h", address}, command...), Env: []string{"REDISCLI_AUTH=" + r.password},
		})
		return strings.Contains(out, want), nil
	}), "%s of %s: %s", strings.Join(command, " "), address, out)
}

func (r *redis) kill() {
	for _, node := range r.nodes {
		node.Kill()
	}
}

// signal reaches all nodes: SIGSTOP makes them take connections and answer nothing, until SIGCONT.
func (r *redis) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	for _, node := range r.nodes {
		node.Signal(t, signal)
	}
}

// forget empties all buckets: the parts of a test do not use up each other's.
func (r *redis) forget(t *testing.T) {
	t.Helper()
	for _, address := range r.addresses {
		r.eventually(t, address, "OK", "flushall")
	}
}
