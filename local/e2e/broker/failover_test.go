package broker

import (
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// failoverWithin is what is promised when a primary dies: five seconds until it is missed, and some for the election.
const failoverWithin = 15 * time.Second

func TestD8TasksSurviveWhateverHappensToThePrimary(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 1)
	require.Equal(t, g.pods[0], g.primary(t, g.pods...), "the first pod begins")
	_ = t.Run("it dies", g.dies) && t.Run("it is stopped", g.stops) && t.Run("it hangs", g.hangs) && t.Run("it is cut off", g.cutOff)
}

func (g *group) dies(t *testing.T) {
	c, enqueuer := g.flow(t, "died")
	before := len(told(t, enqueuer, "taken"))
	first, _ := g.agreed(t, g.pods...)
	died := time.Now()
	first.kill()
	g.announce(t, first)
	second, failover := g.agreed(t, g.others(first)...)
	goesOn(t, enqueuer, before)
	silent := time.Since(died)
	assert.Less(t, failover, failoverWithin)
	overdue, again := g.nothingLost(t, c, enqueuer)
	t.Logf("primary killed: another one after %.1f s, tasks taken again after %.1f s, %d tasks and none lost (%d with nobody to finish them, %d run twice)",
		failover.Seconds(), silent.Seconds(), len(told(t, enqueuer, "taken")), overdue, again)
	g.announce(t)
	first.start()
	require.Equal(t, second, g.whole(t), "who comes back follows")
}

func (g *group) stops(t *testing.T) {
	c, enqueuer := g.flow(t, "stopped")
	before := len(told(t, enqueuer, "taken"))
	first, _ := g.agreed(t, g.pods...)
	began := time.Now()
	said := first.stop(t)
	handed := time.Since(began)
	g.announce(t, first)
	goesOn(t, enqueuer, before)
	silent := time.Since(began)
	assert.Contains(t, said, "handed over to")
	second, _ := g.agreed(t, g.others(first)...)
	overdue, again := g.nothingLost(t, c, enqueuer)
	t.Logf("primary stopped: handed over in %.1f s, tasks taken again after %.1f s, none lost (%d with nobody to finish them, %d run twice)",
		handed.Seconds(), silent.Seconds(), overdue, again)
	g.announce(t)
	first.start()
	require.Equal(t, second, g.whole(t), "who comes back follows")
}

// A primary that hangs says nothing, not even that its connections are gone.
func (g *group) hangs(t *testing.T) {
	c, enqueuer := g.flow(t, "hung")
	before := len(told(t, enqueuer, "taken"))
	first, _ := g.agreed(t, g.pods...)
	hung := time.Now()
	first.redis.Signal(t, syscall.SIGSTOP)
	second, failover := g.agreed(t, g.others(first)...)
	assert.Less(t, failover, failoverWithin)
	goesOn(t, enqueuer, before)
	silent := time.Since(hung)
	first.redis.Signal(t, syscall.SIGCONT)
	woken := until(t, "who wakes up following", func() bool { return strings.HasPrefix(first.ask(t, "ROLE"), "slave") })
	overdue, again := g.nothingLost(t, c, enqueuer)
	require.Equal(t, second, g.whole(t))
	t.Logf("primary hung: another one after %.1f s, tasks taken again after %.1f s, none lost (%d with nobody to finish them, %d run twice); woken up, it followed after %.1f s",
		failover.Seconds(), silent.Seconds(), overdue, again, woken.Seconds())
}

// A primary that hears no replica may have been replaced: it refuses tasks before that can be. Workers wait until it takes their word again.
func (g *group) cutOff(t *testing.T) {
	c, enqueuer := g.flow(t, "cut-off")
	primary, _ := g.agreed(t, g.pods...)
	signal := func(signal syscall.Signal) {
		for _, p := range g.others(primary) {
			p.redis.Signal(t, signal)
			p.sentinel.Signal(t, signal)
		}
	}
	signal(syscall.SIGSTOP)
	took := until(t, "the primary refusing", func() bool { return programs.Has(primary.ask(t, "LPUSH", "probe", "x"), "NOREPLICAS") })
	assert.Less(t, took, 10*time.Second)
	signal(syscall.SIGCONT)
	g.whole(t)
	goesOn(t, enqueuer, len(told(t, enqueuer, "taken")))
	overdue, again := g.nothingLost(t, c, enqueuer)
	t.Logf("a primary without replicas took nothing more after %.1f s; when they were back none was lost (%d with nobody to finish them, %d run twice)",
		took.Seconds(), overdue, again)
}

// flow are tasks that somebody enqueues all the time, and a worker that runs them.
func (g *group) flow(t *testing.T, name string) (*client, *programs.Process) {
	t.Helper()
	c := newClient(t, g.names, password, nil)
	c.worker(t, name)
	enqueuer := c.enqueue(t, name, 100_000, 500, 1000, 10*time.Millisecond)
	until(t, "a task run", func() bool { return len(c.noted(t, "ended")) > 0 })
	return c, enqueuer
}

// goesOn waits until more tasks are taken than before.
func goesOn(t *testing.T, enqueuer *programs.Process, before int) {
	t.Helper()
	until(t, "tasks taken again", func() bool { return len(told(t, enqueuer, "taken")) >= before+10 })
}

// nothingLost ends who enqueues, and waits until every task that was taken has run. Those that a worker has, but will never finish, come back
// after a quarter of an hour: that is not waited for. It gives how many there were, and how many tasks ran more than once.
func (g *group) nothingLost(t *testing.T, c *client, enqueuer *programs.Process) (overdue, again int) {
	t.Helper()
	if !enqueuer.Ended() {
		enqueuer.Signal(t, syscall.SIGTERM)
	}
	until(t, "the last task taken", enqueuer.Ended)
	until(t, "no task waiting or running", func() bool {
		primary := g.primary(t, g.pods...)
		began, ended := c.noted(t, "began"), c.noted(t, "ended")
		for task, times := range c.noted(t, "killed") {
			ended[task] += times
		}
		return primary != nil && primary.length(t) == 0 && maps.Equal(began, ended)
	})
	primary, _ := g.agreed(t, g.pods...)
	overdue = primary.overdue(t)
	tasks := told(t, enqueuer, "taken")
	until(t, "every task run", func() bool { return len(c.missing(t, tasks)) == 0 })
	for task := range tasks {
		if c.noted(t, "ended")[task] > 1 {
			again++
		}
	}
	return overdue, again
}
