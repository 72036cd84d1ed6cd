package broker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

func TestW3TasksOutliveTheirWorkers(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 21)
	t.Run("a worker is stopped", g.stopsAWorker)
	t.Run("a process is killed", g.killsAProcess)
	t.Run("a task hangs", g.endsWhatHangs)
	t.Run("a worker is killed", g.killsAWorker)
	t.Run("a task kills its process each time", g.putsAside)
}

// A worker that is told to go finishes what it runs, and gives the rest back at once (W3).
func (g *group) stopsAWorker(t *testing.T) {
	c := newClient(t, g.names, password, nil)
	first := c.worker(t, "first")
	c.runs(t, `for task in "abcdefgh": work.delay(task, seconds=5)`)
	until(t, "four tasks running", func() bool { return len(c.noted(t, "began")) == 4 })
	took, killed := first.Terminate(t, 110*time.Second)
	require.False(t, killed)
	assert.Equal(t, c.noted(t, "began"), c.noted(t, "ended"), "what ran was finished")
	primary, _ := g.agreed(t, g.pods...)
	finished, given := len(c.noted(t, "ended")), primary.length(t)
	assert.Equal(t, 8, finished+given, "what did not run waits for another worker")
	assert.Less(t, finished, 8)
	assert.NotContains(t, primary.ask(t, "LRANGE", queue, "0", "-1"), "x-delivery-count", "who gives back what it has not begun has lost nothing")
	c.worker(t, "second")
	took2 := until(t, "the rest run", func() bool { return len(c.noted(t, "ended")) == 8 })
	for task, times := range c.noted(t, "ended") {
		assert.Equal(t, 1, times, task)
	}
	t.Logf("worker stopped with 8 tasks of 5 s: it went after %.1f s with %d finished, %d given back; another one had run those %.1f s later",
		took.Seconds(), finished, given, took2.Seconds())
}

// A task whose process dies, for want of memory for instance, goes back to its queue at once.
func (g *group) killsAProcess(t *testing.T) {
	c := newClient(t, g.names, password, nil)
	c.worker(t, "kept")
	c.runs(t, `work.delay("process", kills="once")`)
	until(t, "its process", func() bool { return c.noted(t, "began")["process"] >= 1 })
	took := until(t, "the task run to its end", func() bool { return c.noted(t, "ended")["process"] == 1 })
	assert.Equal(t, 2, c.noted(t, "began")["process"])
	t.Logf("a task whose process was killed had run again %.1f s later", took.Seconds())

	c.runs(t, `work.apply_async(("anew",), {"kills": "once", "retried": True}, headers={"x-delivery-count": 4})`)
	until(t, "a task that was tried anew, whose process was killed then, run to its end", func() bool { return c.noted(t, "ended")["anew"] == 1 })
}

// A task that takes longer than it may is ended, and has failed: nobody runs it again, and its process is free.
func (g *group) endsWhatHangs(t *testing.T) {
	c := newClient(t, g.names, password, nil)
	worker := c.worker(t, "patient")
	c.runs(t, `work.apply_async(("hanging",), {"seconds": 600}, time_limit=1)`) // ten minutes as shipped
	until(t, "the task ended", func() bool { return programs.Has(worker.Log(t), "TimeLimitExceeded") })
	c.runs(t, `for task in "abcd": work.delay(task)`)
	until(t, "four others run", func() bool { return len(c.noted(t, "ended")) == 4 })
	assert.Equal(t, 1, c.noted(t, "began")["hanging"])
	primary, _ := g.agreed(t, g.pods...)
	until(t, "nothing that waits to be given back", func() bool { return primary.ask(t, "HLEN", "unacked") == "0" })
	assert.Empty(t, g.deadLetters(t))
}

// A task whose worker dies is given to another one when its time is over: a quarter of an hour, here five seconds. That is counted.
func (g *group) killsAWorker(t *testing.T) {
	c := newClient(t, g.names, password, map[string]any{"visibility_timeout": 5, "unacked_restore_interval": 1})
	first := c.worker(t, "first")
	c.runs(t, `work.delay("worker", seconds=4)`)
	c.runs(t, `work.apply_async(("last time",), {"seconds": 4}, headers={"x-delivery-count": 4})`)
	until(t, "the tasks running", func() bool { return len(c.noted(t, "began")) == 2 })
	first.Kill()
	killed := time.Now()
	c.worker(t, "second")
	until(t, "the task run to its end", func() bool { return c.noted(t, "ended")["worker"] >= 1 })
	until(t, "the other one put aside", func() bool { return len(g.deadLetters(t)) == 1 })
	assert.Equal(t, 1, c.noted(t, "began")["last time"])
	assert.Contains(t, g.deadLetters(t)[0], `"x-delivery-count": 5`)
	g.buried(t)
	t.Logf("a task of 4 s whose worker was killed had run again after %.1f s, 5 s of which it was still taken for its", time.Since(killed).Seconds())
}

// A task that ends every process that takes it is put aside after the fifth, with what a person needs to know; the others go on. Put back as the
// runbook says, it gets one chance more.
func (g *group) putsAside(t *testing.T) {
	c := newClient(t, g.names, password, nil)
	worker := c.worker(t, "steady")
	c.runs(t, `work.delay("poison", kills="always")`)
	took := until(t, "the task put aside", func() bool { return len(g.deadLetters(t)) == 1 })
	assert.Equal(t, 5, c.noted(t, "began")["poison"])
	assert.Contains(t, g.deadLetters(t)[0], "poison")
	assert.Regexp(t, `task [0-9a-f-]{36} \(tasks\.work\) was lost 5 times, and is put into `+queue+`\.dead-letters`, worker.Log(t))
	c.runs(t, `work.delay("other")`)
	until(t, "another task run", func() bool { return c.noted(t, "ended")["other"] == 1 })

	primary, _ := g.agreed(t, g.pods...)
	primary.ask(t, "LMOVE", queue+".dead-letters", queue, "LEFT", "LEFT")
	until(t, "the task put aside again", func() bool { return c.noted(t, "began")["poison"] == 6 && len(g.deadLetters(t)) == 1 })
	g.buried(t)
	t.Logf("a task that kills each process which takes it was put aside after 5 of them, %.1f s after it came", took.Seconds())
}

// deadLetters are the tasks that were put aside.
func (g *group) deadLetters(t *testing.T) []string {
	t.Helper()
	primary, _ := g.agreed(t, g.pods...)
	return strings.FieldsFunc(primary.ask(t, "LRANGE", queue+".dead-letters", "0", "-1"), func(r rune) bool { return r == '\n' })
}

// buried throws them away, as the runbook says.
func (g *group) buried(t *testing.T) {
	t.Helper()
	primary, _ := g.agreed(t, g.pods...)
	assert.Equal(t, "1", primary.ask(t, "DEL", queue+".dead-letters"))
}
