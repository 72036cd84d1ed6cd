package production

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testScaling: the platform grows to every autoscaler's maximum and shrinks again, and it outlives a zone. The real scheduler places the pods,
// and the real Karpenter asks for the nodes (C3, C4).
func testScaling(t *testing.T) {
	platform := suite.Platform(t, stack)
	pools := platform.Cluster.NodePools
	start := settled(t, "after `make up`", pools, true)

	scalers := autoscalers(t)
	stateless := slices.DeleteFunc(platform.Workloads.All(), func(w config.Named) bool { return w.Volumes > 0 })
	require.Len(t, scalers, len(stateless), "one for each workload that keeps nothing")
	for _, a := range scalers {
		a.setMinimum(t, a.max)
	}
	for _, a := range scalers {
		a.holds(t, a.max)
	}
	full := settled(t, "every autoscaler at its maximum", pools, true)
	assert.Greater(t, full.pods, start.pods)
	assert.Greater(t, full.total(), start.total(), "nodes arrive")

	hasPace(t, pools, shippedPace)
	setPace(t, pools, hurriedPace)
	for _, a := range scalers {
		a.setMinimum(t, a.min)
		a.scaleDown(t)
	}
	// Karpenter takes nodes one after the other; what it leaves is no more than a third above what it began with.
	enough := start.total() + start.total()/3
	suite.Within(t, 3*time.Minute, fmt.Sprintf("nodes go, until there are %d at most", enough), func(context.Context) (bool, error) {
		now, err := look(t)
		return err == nil && now.total() <= enough && len(now.waiting) == 0, errors.Join(err, fmt.Errorf("there are %v, and %v", now.nodes, now.waiting))
	})
	small := settled(t, "scaled back", pools, true)
	assert.Less(t, small.hourly, full.hourly)
	setPace(t, pools, shippedPace)
	nothingMoves(t)

	const zone = "us-east-1a"
	before := ready(t, "api")
	require.Len(t, before, platform.Workloads.API.Replicas.Min)
	there := 0
	for _, where := range before {
		if where == zone {
			there++
		}
	}
	zones := len(platform.Network.Zones)
	assert.LessOrEqual(t, there, (len(before)+zones-1)/zones, "no zone has more than its share of the API")
	lost := suite.Do(t, "--stack", stack, "zone-lost", zone)
	assert.Positive(t, lost.Figure(t, "machines"))
	suite.Eventually(t, "the zone's nodes are gone", func(context.Context) (bool, error) {
		now, err := look(t)
		return err == nil && now.zones[zone] == 0, errors.Join(err, fmt.Errorf("there are still %d", now.zones[zone]))
	})
	// What is counted is what was there when the zone was lost: new pods come after.
	kept := 0
	for name := range ready(t, "api") {
		if where, old := before[name]; old && where != zone {
			kept++
		}
	}
	t.Logf("of %d pods of the API %d were in %s, and %d outlive it", len(before), there, zone, kept)
	assert.Equal(t, len(before)-there, kept, "who is elsewhere loses nothing")
	assert.GreaterOrEqual(t, kept, len(before)*2/3, "two thirds, rounded down: ten in three zones are four, three and three")
	// Who keeps something stays where its volume is: a master or its replica of each third of the slots, two of three that agree by majority.
	for app, left := range map[string]int{"redis": 4, "broker": 2, "vault": 2} {
		rest := ready(t, app)
		maps.DeleteFunc(rest, func(_, where string) bool { return where == zone || where == "" }) // a pod may be there a little longer than its node
		assert.Len(t, rest, left, "%s without %s", app, zone)
	}
	elsewhere := settled(t, "without "+zone, pools, false)
	assert.Equal(t, small.stateless, elsewhere.stateless, "everything stateless is placed again")
	assert.Zero(t, elsewhere.zones[zone])

	// Growing without the zone takes the runbook's command: Karpenter counts a lost zone among those that pods are spread over.
	shipped := requirements(t)
	exclude(t, pools, zone)
	assert.NotEqual(t, shipped, requirements(t))
	for _, a := range scalers {
		a.setMinimum(t, a.max)
	}
	for _, a := range scalers {
		a.holds(t, a.max)
	}
	grown := settled(t, "every autoscaler at its maximum, without "+zone, pools, false)
	assert.Equal(t, full.stateless, grown.stateless)
	assert.Zero(t, grown.zones[zone])
	include(t, pools, zone)
	assert.Equal(t, shipped, requirements(t), "as the program has it")
}

// settled waits until every pod runs and nothing more is under way, prints what stands then, and holds the pools to their bounds. Without
// a zone, what has a volume there waits for it.
func settled(t *testing.T, stage string, pools []config.NodePool, whole bool) scene {
	t.Helper()
	var s scene
	suite.Within(t, scaled, stage+": every pod runs", func(context.Context) (bool, error) {
		var err error
		if s, err = look(t); err != nil {
			return false, err
		}
		waiting := slices.Clone(s.waiting)
		if whole {
			waiting = append(waiting, s.stranded...)
		}
		return len(waiting) == 0, errors.New(strings.Join(waiting, "\n"))
	})
	t.Logf("%s: %s", stage, s.summary(pools))
	assert.Positive(t, s.hourly)
	for _, pool := range pools {
		assert.LessOrEqual(t, s.nodes[pool.Name], pool.Max, "%s: pool %s", stage, pool.Name)
		assert.GreaterOrEqual(t, s.nodes[pool.Name], pool.Min, "%s: pool %s", stage, pool.Name)
	}
	return s
}
