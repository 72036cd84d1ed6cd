package broker

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// refusal is an answer that Redis gives, as Python shows it.
var refusal = regexp.MustCompile(`(?m)^redis\.exceptions\.(\w+): (.*)$`)

// The same worker on a Redis Cluster, which the platform has, too: why the broker is another Redis (docs/decisions.md, D8). Whichever master it
// is told, it does not run a task.
func TestD8ARedisClusterIsNoBroker(t *testing.T) {
	t.Parallel()
	names := programs.NewNames(t)
	var nodes []string
	for _, address := range programs.AddressesIn(62, 41, 3) {
		programs.Start(t, programs.Command{Name: "master " + address, Dir: t.TempDir(), Names: names, Args: []string{
			programs.Tool(t, "redis-server"), "--bind", address, "--bind-source-addr", address, "--cluster-announce-ip", address, "--port", "6379",
			"--cluster-enabled", "yes", "--protected-mode", "no", "--save", "",
		}})
		nodes = append(nodes, address)
	}
	cli := func(args ...string) string {
		out, _ := programs.Run(t, limit, programs.Command{Names: names, Args: append([]string{"redis-cli"}, args...)}) // what it says is looked at
		return out
	}
	until(t, "three masters up", func() bool {
		return cli("-h", nodes[0], "PING")+cli("-h", nodes[1], "PING")+cli("-h", nodes[2], "PING") == "PONG\nPONG\nPONG\n"
	})
	create := []string{"--cluster", "create", "--cluster-yes"}
	for _, node := range nodes {
		create = append(create, node+":6379")
	}
	made := cli(create...)
	assert.Contains(t, made, "All 16384 slots covered")
	for _, node := range nodes {
		until(t, "the cluster formed", func() bool { return programs.Has(cli("-h", node, "CLUSTER", "INFO"), "cluster_state:ok") })
	}

	for _, node := range nodes {
		c := newClientOf(t, names, "redis://"+node+":6379/0", "{}")
		worker := c.worker(t, "at-"+node)
		enqueuer := c.enqueue(t, "clustered", 1, 10, 1, 0)
		until(t, "the end of who enqueues", enqueuer.Ended)
		until(t, "the worker refused", func() bool { return refusal.MatchString(worker.Log(t)) })
		said := refusal.FindStringSubmatch(worker.Log(t))
		assert.Empty(t, c.noted(t, "began"))
		t.Logf("told %s, the worker fails with %s %q; a task enqueued there: taken %t", node, said[1], said[2], len(told(t, enqueuer, "taken")) == 1)
		worker.Kill()
	}
}
