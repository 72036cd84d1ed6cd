package broker

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// The same worker on a Redis Cluster, which the platform has, too: why the broker is another Redis (docs/decisions.md, D8).
func TestD8ARedisClusterIsNoBroker(t *testing.T) {
	names := programs.NewNames(t)
	var nodes []string
	for _, address := range programs.AddressesIn(62, 41, 3) {
		programs.Start(t, programs.Command{Name: "node " + address, Dir: t.TempDir(), Names: names, Args: []string{
			"redis-server", "--bind", address, "--bind-source-addr", address, "--cluster-announce-ip", address, "--port", "6379", "--cluster-enabled", "yes", "--protected-mode", "no", "--save", "",
		}})
		nodes = append(nodes, address+":6379")
	}
	cli := func(args ...string) string {
		out, _ := programs.Run(t, limit, programs.Command{Names: names, Args: append([]string{"redis-cli"}, args...)})
		return out
	}
	until(t, "the cluster made", func() bool {
		return programs.Has(cli(append(append([]string{"--cluster", "create"}, nodes...), "--cluster-yes")...), "All 16384 slots covered") ||
			programs.Has(cli("-h", "127.62.41.1", "CLUSTER", "INFO"), "cluster_state:ok")
	})
	seen := map[string]bool{}
	for _, node := range nodes {
		c := newClientOf(t, names, "redis://"+node+"/0", "{}")
		worker := c.worker(t, node)
		until(t, "the worker's complaint", func() bool {
			for _, what := range []string{"MOVED", "CROSSSLOT", "ready."} {
				if programs.Has(worker.Log(t), what) {
					seen[what] = true
				}
			}
			return seen["MOVED"] || seen["CROSSSLOT"]
		})
		enqueuer := c.enqueue(t, "clustered", 1, 10, 1, 0)
		until(t, "the end of who enqueues", enqueuer.Ended)
		t.Logf("%s: %s", node, enqueuer.Log(t))
		worker.Kill()
	}
	_ = fmt.Sprint
	_ = time.Second
	assert.NotEmpty(t, seen)
	require.NotNil(t, seen)
	t.Log(seen)
}
