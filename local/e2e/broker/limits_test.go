package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// At the limit of memory who enqueues is told so, and what was taken is run.
func TestD8AFullBrokerRefusesTasksAndLosesNone(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 31, "BROKER_MAXMEMORY=16777216")
	c := newClient(t, g.names, password, nil)
	c.runs(t, `work.delay("process", kills="once")`)
	enqueuer := c.enqueue(t, "full", 100_000, 50_000, 1, 0)
	until(t, "somebody is refused", enqueuer.Ended)
	log := enqueuer.Log(t)
	require.Len(t, told(t, enqueuer, "refused"), 1)
	assert.Contains(t, log, "BrokerFull(")
	primary, _ := g.agreed(t, g.pods...)
	used := primary.ask(t, "INFO", "memory")
	until(t, "the brake on", func() bool { return programs.Has(primary.sentinel.Log(t), "new tasks are refused") })

	// Whoever put the brake on has gone, and comes back when there is room again.
	primary.sentinel.Kill()
	later := c.enqueue(t, "later", 50, 50_000, 1000, 0)
	c.worker(t, "full")
	until(t, "a task whose process was killed has run again, which a full broker takes back", func() bool { return c.noted(t, "ended")["process"] == 1 })
	until(t, "nothing waiting", func() bool { return primary.length(t) == 0 })
	assert.Empty(t, told(t, later, "taken"), "the brake is still on")
	primary.sentinel = programs.Start(t, primary.script("sentinel.sh"))
	until(t, "tasks taken again", later.Ended)
	for _, e := range []*programs.Process{enqueuer, later} {
		g.nothingLost(t, c, e)
	}
	field := func(name string) string {
		return strings.TrimSpace(strings.SplitN(strings.SplitN(used, name+":", 2)[1], "\n", 2)[0])
	}
	t.Logf("%s of %s in use when tasks were refused; %d tasks of 67 kB were taken by then, and all have run", field("used_memory_human"), field("maxmemory_human"), len(told(t, enqueuer, "taken")))
}

func TestS2TheBrokersPasswordIsAskedForShownNowhereAndChangedWithoutAStop(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 32)
	for _, p := range g.pods {
		for _, port := range []int{6379, 26379} {
			assert.Contains(t, p.asks(t, port, "wrong", "PING"), "NOAUTH", "%s %d", p.name, port)
			assert.Equal(t, "PONG", p.asks(t, port, password, "PING"))
		}
	}
	refused := newClient(t, g.names, "wrong", nil).enqueue(t, "wrong", 1, 10, 1, 0)
	until(t, "refused", refused.Ended)
	assert.Empty(t, told(t, refused, "taken"))
	assert.Len(t, told(t, refused, "refused"), 1)

	c := newClient(t, g.names, password, nil)
	c.worker(t, "old")
	before := c.enqueued(t, "before", 20, 0)
	const next = "of-the-broker-later"
	for _, p := range g.pods {
		p.tell(t, next)
	}
	for _, p := range g.pods {
		until(t, "the new password in use", func() bool { return programs.Has(p.sentinel.Log(t), "uses the new password") })
		for _, port := range []int{6379, 26379} {
			assert.Equal(t, "PONG", p.asks(t, port, next, "PING"))
			assert.Equal(t, "PONG", p.asks(t, port, password, "PING"), "until the pod starts again")
		}
	}
	later := newClient(t, g.names, next, nil)
	after := later.enqueued(t, "after", 20, 0)
	g.nothingLost(t, c, before)
	g.nothingLost(t, c, after)

	primary, _ := g.agreed(t, g.pods...)
	primary.kill()
	g.announce(t, primary)
	g.agreed(t, g.others(primary)...)
	g.announce(t)
	primary.start()
	until(t, "all in step", func() bool {
		_, err := primary.run(t, "ready.sh")
		return err == nil
	})
	assert.Contains(t, primary.asks(t, 6379, password, "PING"), "NOAUTH", "a new start knows the new one only")

	for _, p := range g.pods {
		for _, process := range []*programs.Process{p.redis, p.sentinel} {
			assert.NotContains(t, process.Log(t), password)
		}
	}
	assert.Empty(t, shown(t, password), "in no command line")
}

// shown are the command lines of this machine's processes that have a text in them.
func shown(t *testing.T, text string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), text) {
			found = append(found, string(line))
		}
	}
	return found
}
