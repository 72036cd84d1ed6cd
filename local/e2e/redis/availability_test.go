package redis

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

func TestR1KilledMasterIsReplacedAndComesBackElsewhere(t *testing.T) {
	t.Parallel()
	c := created(t)
	app := c.application(t)
	victim := c.master(t, "us-east-1a")
	w := newWriter(t, app, victim)
	killed := time.Now()
	victim.Kill()
	w.more(t)
	gap := w.end()
	lost, before := w.lost(t, app, killed)
	t.Logf("failover after kill -9: no write for %.1f s; %d of %d acknowledged writes lost, the earliest %.3f s before the kill",
		gap.Seconds(), lost, len(w.acknowledged), before.Seconds())
	assert.Less(t, gap, failoverLimit)
	assert.Less(t, before, time.Second, "RPO")

	c.move(t, victim)
	c.start(t, victim)
	took := soon(t, "the pod is back with a new address", limit, func() bool { return c.whole(t) })
	t.Logf("one pod back with a new address: whole after %.1f s", took.Seconds())
	took = soon(t, "each zone has a master", limit, func() bool { return c.balanced(t) })
	t.Logf("mastership back in its zone after %.1f s more", took.Seconds())
}

// Its data may take a minute to load; here it takes no time, so it is the wait that has the replica take over.
func TestR1MasterThatIsRestartedInItsPodIsReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	c := created(t)
	app := c.application(t)
	victim, replica := c.pair(t, "us-east-1b")
	w := newWriter(t, app, victim)
	victim.Kill()
	c.restart(t, victim)
	w.more(t)
	gap := w.end()
	t.Logf("a master is killed and restarted in its pod: no write for %.1f s", gap.Seconds())
	assert.Less(t, gap, failoverLimit)
	assert.Contains(t, replica.ask(t, "INFO", "replication"), "role:master")
	soon(t, "whole, and a master in each zone", limit, func() bool { return c.whole(t) && c.balanced(t) })
}

// Its replica was away, and has got nothing yet of what was written meanwhile.
func TestD7MasterThatIsRestartedInItsPodStaysWhenItsReplicaIsBehind(t *testing.T) {
	t.Parallel()
	c := created(t)
	app := c.application(t)
	victim, replica := c.pair(t, "us-east-1b")
	replica.Signal(t, syscall.SIGSTOP)
	soon(t, "and that it has not, while that hangs", limit, func() bool { return !victim.covered() })
	replica.Signal(t, syscall.SIGCONT)
	soon(t, "and that it has, once it goes on", limit, victim.covered)
	replica.Kill()
	soon(t, "and that it has not any more", limit, func() bool { return !victim.covered() })
	w := newWriter(t, app, victim)
	w.end()
	require.Equal(t, "OK", victim.ask(t, "CONFIG", "SET", "repl-diskless-sync-delay", "3600"), "the replica's copy takes its time")
	c.start(t, replica)
	soon(t, "the replica waits for its copy", limit, func() bool {
		return strings.Contains(victim.ask(t, "INFO", "replication"), "state=wait_bgsave")
	})
	killed := time.Now()
	victim.Kill()
	c.restart(t, victim)
	took := soon(t, "the master serves again", failoverLimit, func() bool {
		return c.served(t) && strings.Contains(victim.ask(t, "INFO", "replication"), "role:master")
	})
	lost, _ := w.lost(t, c.application(t), killed)
	t.Logf("a master is restarted in its pod while its replica is behind: it serves again after %.1f s; %d of %d acknowledged writes lost",
		took.Seconds(), lost, len(w.acknowledged))
	assert.Zero(t, lost)
	soon(t, "whole, and a master in each zone", limit, func() bool { return c.whole(t) && c.balanced(t) })
}

// On a busy machine the writer itself may have to wait. Then so has somebody who writes to another master meanwhile: only then is a handover
// tried again that was seen to take longer, or in which a write was seen to fail, twice at most.
func TestD7PlannedHandoverIsNotNoticed(t *testing.T) {
	t.Parallel()
	c := created(t)
	var gap, elsewhere time.Duration
	var refused []error
	for range 3 {
		gap, elsewhere, refused = c.handOver(t, c.master(t, "us-east-1b"), c.master(t, "us-east-1c"))
		if gap < handoverLimit && len(refused) == 0 || elsewhere < handoverLimit/4 {
			break
		}
	}
	assert.Less(t, gap, handoverLimit)
	assert.Empty(t, refused)

	replica := c.replicaOf(t, c.master(t, "us-east-1a"))
	began := time.Now()
	c.stop(t, replica)
	assert.Less(t, time.Since(began), 10*time.Second, "a replica has nothing to hand over")
}

// handOver replaces a master's pod while somebody writes, and gives how long no write was acknowledged, there and at another master, and what
// the refused ones were told.
func (c *cluster) handOver(t *testing.T, master, other *pod) (gap, elsewhere time.Duration, refused []error) {
	t.Helper()
	app, replica := c.application(t), c.replicaOf(t, master)
	beside := newWriter(t, c.application(t), other)
	w := newWriter(t, app, master)
	stopping := time.Now()
	c.stop(t, master)
	stopped := time.Since(stopping)
	w.more(t)
	gap, elsewhere = w.end(), beside.end()
	lost, _ := w.lost(t, app, stopping)
	t.Logf("planned handover: no write for %.3f s (%.3f s elsewhere), the pod gone after %.1f s; %d of %d acknowledged writes lost, refused: %v",
		gap.Seconds(), elsewhere.Seconds(), stopped.Seconds(), lost, len(w.acknowledged), w.refused)
	assert.Zero(t, lost)
	assert.Contains(t, replica.ask(t, "INFO", "replication"), "role:master")
	assert.Contains(t, master.Log(t), "Manual failover requested by replica", "nobody waited for a silence")

	c.move(t, master)
	c.start(t, master)
	soon(t, "ready", limit, func() bool { return c.probe(t, master, "ready.sh") })
	soon(t, "whole, and a master in each zone", limit, func() bool { return c.whole(t) && c.balanced(t) })
	return gap, elsewhere, w.refused
}

func TestD7AllPodsBackWithNewAddresses(t *testing.T) {
	t.Parallel()
	c := created(t)
	app := c.application(t)
	victim := c.master(t, "us-east-1c")
	w := newWriter(t, app, victim)
	w.end()
	soon(t, "what was written is on the disks", limit, func() bool {
		return programs.Has(victim.ask(t, "INFO", "persistence"), "aof_enabled:1", "aof_buffer_length:0", "aof_pending_bio_fsync:0")
	})
	killed := time.Now()
	for _, p := range c.pods {
		p.Kill()
	}
	c.move(t, c.pods...)
	for _, p := range c.pods {
		c.start(t, p)
	}
	took := soon(t, "the cluster is whole", limit, func() bool { return c.whole(t) })
	t.Logf("all pods back with new addresses: whole after %.1f s", took.Seconds())
	lost, _ := w.lost(t, c.application(t), killed)
	assert.Zero(t, lost, "what was acknowledged before")

	// Addresses that others had, all by one: what nodes remember is a node, and the wrong one.
	for _, p := range c.pods {
		p.Kill()
	}
	var had []string
	for _, p := range c.pods {
		had = append(had, p.address)
	}
	for i, p := range c.pods {
		p.address = had[(i+1)%len(had)]
	}
	c.announce(t)
	for _, p := range c.pods {
		c.start(t, p)
	}
	took = soon(t, "the cluster is whole", limit, func() bool { return c.whole(t) })
	t.Logf("all pods back with each other's addresses: whole after %.1f s", took.Seconds())
	lost, _ = w.lost(t, c.application(t), killed)
	assert.Zero(t, lost)
}

func TestD7LostZoneLeavesEverySlotServedTwice(t *testing.T) {
	t.Parallel()
	c := created(t)
	lose := func(zone string) {
		var gone []*pod
		for _, p := range c.pods {
			if p.zone == zone {
				gone = append(gone, p)
			}
		}
		for _, p := range gone {
			p.Kill()
		}
		seen := false // first they must notice
		took := soon(t, "all slots are served", failoverLimit, func() bool {
			ok := c.served(t) && len(c.masters(t, c.alive()[0])[zone]) == 0
			seen = seen || ok
			return ok
		})
		require.True(t, seen)
		t.Logf("zone %s lost: all %d slots served after %.1f s", zone, allSlots, took.Seconds())
		c.move(t, gone...)
		for _, p := range gone {
			c.start(t, p)
		}
		took = soon(t, "the zone is back, and no zone has two masters", limit, func() bool { return c.whole(t) && c.balanced(t) })
		t.Logf("zone %s back: a master in each after %.1f s", zone, took.Seconds())
	}
	// The zone that took over is lost next: with two masters in it nobody could elect their successors.
	lose("us-east-1a")
	lose("us-east-1b")
}

func TestD7ReplicaServesAfterARestartOfAllThatItsMasterDidNotSurvive(t *testing.T) {
	t.Parallel()
	c := created(t)
	victim := c.master(t, "us-east-1a")
	replica := c.replicaOf(t, victim)
	for _, p := range c.pods {
		p.Kill()
	}
	c.move(t, c.pods...)
	for _, p := range c.pods {
		if p != victim {
			c.start(t, p)
		}
	}
	took := soon(t, "all slots are served", limit, func() bool {
		return c.served(t) && strings.Contains(replica.ask(t, "INFO", "replication"), "role:master")
	})
	t.Logf("all restarted, one master missing: all slots served after %.1f s", took.Seconds())
}
