package redis

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What docs/runbooks/redis.md has a person do.

func TestD7RunbookMakesGoodTheLossOfAWholeShard(t *testing.T) {
	t.Parallel()
	c := created(t)
	master := c.master(t, "us-east-1b")
	lost := []*pod{master, c.replicaOf(t, master)}
	slots := strings.Split(master.node(t, master).ranges[0], "-")
	var old []string
	for _, p := range lost {
		old = append(old, p.node(t, p).id)
		p.Kill()
		require.NoError(t, os.RemoveAll(p.data))
		require.NoError(t, os.Mkdir(p.data, 0o755))
	}
	c.move(t, lost...)
	for _, p := range lost {
		c.start(t, p)
	}
	var out string
	soon(t, "the script says whose slots are gone", limit, func() bool {
		said, err := c.create(t, "WITHIN_SECONDS=3")
		out = said
		return err != nil && strings.Contains(said, "which no pod has any more")
	})
	assert.Contains(t, out, "slots "+strings.Join(slots, "-")+" belong to "+master.name)
	other := c.masters(t, c.replicaOf(t, c.masters(t, c.alive()[0])["us-east-1a"][0]))["us-east-1a"][0]
	var says string
	soon(t, "the others know whose slots nobody serves", limit, func() bool {
		says = other.ask(t, "CLUSTER", "INFO")
		return says != "" && !strings.Contains(says, fmt.Sprintf("cluster_slots_ok:%d", allSlots))
	})
	assert.Contains(t, says, "cluster_state:ok", "why RedisClusterBroken looks at the slots, too")
	for _, p := range c.pods {
		for _, id := range old {
			p.ask(t, "CLUSTER", "FORGET", id) // who never knew it refuses
		}
	}
	require.Equal(t, "OK", master.ask(t, "CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]))
	out, err := c.create(t)
	require.NoError(t, err, out)
	soon(t, "whole", limit, func() bool { return c.whole(t) && c.balanced(t) })
}

func TestD7RunbookServesFromTheOneZoneThatIsLeft(t *testing.T) {
	t.Parallel()
	c := created(t)
	var left *pod // the replica in the zone that is left
	var gone []*pod
	for _, p := range c.pods {
		if p.zone == "us-east-1c" {
			if p.node(t, p).is("slave") {
				left = p
			}
			continue
		}
		gone = append(gone, p)
	}
	for _, p := range gone {
		p.Kill()
	}
	soon(t, "the majority is missed", limit, func() bool { return strings.Contains(left.ask(t, "CLUSTER", "INFO"), "cluster_state:fail") })
	require.Equal(t, "OK", left.ask(t, "CLUSTER", "FAILOVER", "TAKEOVER"))
	took := soon(t, "two thirds are served", limit, func() bool {
		for _, p := range c.alive() {
			if !strings.Contains(p.ask(t, "CLUSTER", "INFO"), "cluster_state:ok") {
				return false
			}
		}
		return strings.Contains(left.ask(t, "INFO", "replication"), "role:master")
	})
	t.Logf("two zones lost: two thirds of the slots served %.1f s after a takeover by hand", took.Seconds())
	c.move(t, gone...)
	for _, p := range gone {
		c.start(t, p)
	}
	took = soon(t, "all is well once they are back", limit, func() bool { return c.whole(t) && c.balanced(t) })
	t.Logf("and whole %.1f s after they are back", took.Seconds())
}

// node is what a pod knows of another, or of itself.
func (p *pod) node(t *testing.T, other *pod) node {
	t.Helper()
	for _, n := range p.nodes(t) {
		if n.pod == other.name {
			return n
		}
	}
	t.Fatal(p.name + " does not know " + other.name)
	return node{}
}
