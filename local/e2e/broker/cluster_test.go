package broker

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// refusal is what a node of a cluster answers who does not know that it is one, as Python shows it: a connection that fails is none.
var refusal = regexp.MustCompile(`(?m)^redis\.exceptions\.(MovedError|ClusterCrossSlotError|ExecAbortError): (.*)$`)

// The same worker on a Redis Cluster, which the platform has, too: why the broker is another Redis (docs/decisions.md, D8). Whichever master it
// is told, it does not run the task that waits there.
func TestD8ARedisClusterIsNoBroker(t *testing.T) {
	t.Parallel()
	names := programs.NewNames(t)
	own := programs.AddressesIn(62, 41, 4)
	nodes, single := own[:3], own[3]
	for _, address := range own {
		clustered := map[bool]string{true: "no", false: "yes"}[address == single]
		programs.Start(t, programs.Command{Name: "master " + address, Dir: t.TempDir(), Names: names, Args: []string{
			programs.Tool(t, "redis-server"), "--bind", address, "--bind-source-addr", address, "--cluster-announce-ip", address, "--port", "6379",
			"--cluster-enabled", clustered, "--protected-mode", "no", "--save", "",
		}})
	}
	cli := func(args ...string) string {
		out, _ := programs.Run(t, limit, programs.Command{Names: names, Args: append([]string{"redis-cli"}, args...)}) // what it says is looked at
		return out
	}
	for _, address := range own {
		until(t, "a master is up", func() bool { return cli("-h", address, "PING") == "PONG\n" })
	}
	create := []string{"--cluster", "create", "--cluster-yes"}
	for _, node := range nodes {
		create = append(create, node+":6379")
	}
	made := cli(create...)
	assert.Contains(t, made, "All 16384 slots covered")
	for _, node := range nodes {
		until(t, "the cluster formed", func() bool { return programs.Has(cli("-h", node, "CLUSTER", "INFO"), "cluster_state:ok") })
	}

	// A task that a worker runs where it finds it: it waits in the cluster, too.
	c := newClientOf(t, names, "redis://"+single+":6379/0", "{}")
	enqueuer := c.enqueue(t, "single", 1, 10, 1, 0)
	until(t, "the end of who enqueues", enqueuer.Ended)
	task := strings.TrimSpace(cli("-h", single, "LINDEX", queue, "0"))
	require.Equal(t, "1\n", cli("-c", "-h", nodes[0], "LPUSH", queue, task))
	worker := c.worker(t, "at-"+single)
	until(t, "one Redis will do", func() bool { return c.noted(t, "ended")["single-0"] == 1 })
	worker.Kill()

	for _, node := range nodes {
		c := newClientOf(t, names, "redis://"+node+":6379/0", "{}")
		worker := c.worker(t, "at-"+node)
		enqueuer := c.enqueue(t, "clustered", 1, 10, 1, 0)
		until(t, "the end of who enqueues", enqueuer.Ended)
		assert.Len(t, told(t, enqueuer, "refused"), 1)
		assert.Empty(t, told(t, enqueuer, "taken"))
		until(t, "the worker refused", func() bool { return refusal.MatchString(worker.Log(t)) })
		said := refusal.FindStringSubmatch(worker.Log(t))
		t.Logf("told %s, the worker fails with %s %q", node, said[1], said[2])
		worker.Kill()
		assert.Empty(t, c.noted(t, "began"))
		assert.Equal(t, "1\n", cli("-c", "-h", node, "LLEN", queue), "the task waits on")
	}
}
