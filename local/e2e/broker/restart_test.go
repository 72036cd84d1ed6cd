package broker

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// length is how many tasks wait, as the pod has it.
func (p *pod) length(t *testing.T) int {
	t.Helper()
	length, err := strconv.Atoi(p.ask(t, "LLEN", queue))
	if err != nil {
		return -1
	}
	return length
}

// enqueued enqueues tasks, waits until they are taken, and until all of these pods have so many.
func (c *client) enqueued(t *testing.T, name string, count, all int, pods ...*pod) *programs.Process {
	t.Helper()
	enqueuer := c.enqueue(t, name, count, 500, 1000, 0)
	until(t, "everything enqueued", enqueuer.Ended)
	require.Len(t, told(t, enqueuer, "taken"), count)
	for _, p := range pods {
		until(t, "what the primary has at "+p.name, func() bool { return p.length(t) == all })
	}
	return enqueuer
}

// All pods are gone at once, and come back with other addresses; the primary last, and one that missed the newest tasks first.
func TestD8AllPodsBackWithNewAddressesHaveOnePrimaryWithTheNewestTasks(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 11)
	first := g.pods[0]
	first.stop(t) // who comes first by number is not the one that has the newest
	g.announce(t, first)
	primary, _ := g.agreed(t, g.others(first)...)
	g.announce(t)
	first.start()
	require.Equal(t, primary, g.whole(t))
	stale, other := first, g.others(primary)[1]
	c := newClient(t, g.names, password, nil)
	older := c.enqueued(t, "older", 50, 50, g.pods...)
	stale.kill()
	newer := c.enqueued(t, "newer", 50, 100, primary, other)
	for _, p := range g.pods {
		p.kill()
	}

	g.move(t, 12)
	stale.start()
	other.start()
	until(t, "both waiting for the primary", func() bool {
		return programs.Has(stale.redis.Log(t), "waiting for the primary, "+primary.name) && programs.Has(other.redis.Log(t), "waiting for the primary, "+primary.name)
	})
	began := time.Now()
	primary.start()
	until(t, "one primary", func() bool {
		led := 0
		for _, p := range g.pods {
			if p.leads(t) {
				led++
				require.Equal(t, primary, p, "nobody leads who has less")
			}
		}
		return led == 1
	})
	led := time.Since(began)
	require.Equal(t, primary, g.whole(t))
	whole := time.Since(began)
	for _, p := range g.pods {
		assert.Equal(t, 100, p.length(t), p.name)
	}
	c.worker(t, "restarted")
	g.nothingLost(t, c, older)
	g.nothingLost(t, c, newer)
	t.Logf("all pods killed, back with new addresses: the same primary %.1f s after it came, all in step after %.1f s, 100 of 100 tasks there", led.Seconds(), whole.Seconds())
}

// The volume of the primary is gone with it: it does not lead, though it is named.
func TestD8APrimaryWithoutItsDataFollows(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 13)
	primary := g.whole(t)
	c := newClient(t, g.names, password, nil)
	enqueuer := c.enqueued(t, "kept", 50, 50, g.pods...)
	primary.kill()
	primary.empty()
	primary.start()
	second := g.whole(t)
	require.NotEqual(t, primary, second)
	for _, p := range g.pods {
		assert.Equal(t, 50, p.length(t), p.name)
	}
	c.worker(t, "kept")
	g.nothingLost(t, c, enqueuer)
}
