// Package redis runs the Redis Cluster as its pods do: six servers, the files of workloads/redis, an address and a zone for each.
package redis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// structure is what a creation decides: who has which slots, and whose replica is who.
func structure(t *testing.T, p *pod) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, n := range p.nodes(t) {
		found[n.id] = strings.Join(append([]string{n.pod, n.zone, n.master}, n.ranges...), " ")
	}
	return found
}

func TestD7ClusterIsMadeOnceAndPairedByZone(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	began := time.Now()
	out, err := c.create(t)
	require.NoError(t, err, out)
	t.Logf("created in %.1f s", time.Since(began).Seconds())

	all := c.pods[0].nodes(t)
	require.Len(t, all, 6)
	zoneOf, replicas := map[string]string{}, map[string]int{}
	var shares []string
	inZone := map[string]int{}
	for _, n := range all {
		zoneOf[n.id] = n.zone
		if n.is("master") {
			require.Len(t, n.ranges, 1)
			shares = append(shares, n.ranges[0])
			inZone[n.zone]++
		}
	}
	assert.ElementsMatch(t, []string{"0-5460", "5461-10922", "10923-16383"}, shares)
	assert.Equal(t, map[string]int{"us-east-1a": 1, "us-east-1b": 1, "us-east-1c": 1}, inZone, "the loss of one leaves a majority")
	next := map[string]string{"us-east-1a": "us-east-1b", "us-east-1b": "us-east-1c", "us-east-1c": "us-east-1a"}
	for _, n := range all {
		if n.is("slave") {
			replicas[n.master]++
			assert.Equal(t, next[zoneOf[n.master]], n.zone, "a ring: what a zone loses goes to one other zone")
		}
	}
	assert.Len(t, replicas, 3)
	require.True(t, c.whole(t))

	was := structure(t, c.pods[0])
	for range 2 {
		out, err = c.create(t)
		require.NoError(t, err, out)
		assert.Equal(t, 1, strings.Count(out, "\n"), "nothing was to be done: %s", out)
		assert.Contains(t, out, "the cluster is complete")
	}
	assert.Equal(t, was, structure(t, c.pods[0]))
}

func TestD7CreationThatWasKilledIsCompleted(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	job := programs.Start(t, programs.Command{
		Name: "the job", Args: []string{"sh", filepath.Join(c.files, "create.sh")}, Names: c.names,
		Env: []string{"SERVICE=" + service, "PODS=6", "FILES=" + c.files, "CREDENTIALS=" + c.pods[0].credentials},
	})
	soon(t, "a first step is done", limit, func() bool { return strings.Contains(job.Log(t), "slots 127.") })
	job.Kill()
	t.Logf("it had got to:\n%s", job.Log(t))
	out, err := c.create(t)
	require.NoError(t, err, out)
	require.True(t, c.whole(t))
	require.True(t, c.balanced(t))
}

// A volume that is lost takes the node's identity with it: who comes back is a stranger, and the old one will never come.
func TestD7LostVolumeIsMadeGoodByTheJobsScript(t *testing.T) {
	t.Parallel()
	c := created(t)
	_, err := c.application(t).do(t.Context(), "SET", "kept", 1)
	require.NoError(t, err)
	victim := c.master(t, "us-east-1b")
	other := c.replicaOf(t, victim)
	victim.Kill()
	require.NoError(t, os.RemoveAll(victim.data))
	require.NoError(t, os.Mkdir(victim.data, 0o755))
	c.move(t, victim)
	c.start(t, victim)
	soon(t, "the replica serves in its place", limit, func() bool {
		return c.served(t) && strings.Contains(other.ask(t, "INFO", "replication"), "role:master")
	})
	out, err := c.create(t)
	require.NoError(t, err, out)
	assert.Len(t, c.pods[0].nodes(t), 6, "the old identity is forgotten")
	soon(t, "the zone has a master again", limit, func() bool { return c.whole(t) && c.balanced(t) })
	soon(t, "the pair is the same", limit, func() bool { return other.node(t, other).master == victim.node(t, victim).id })
}
