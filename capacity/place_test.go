package capacity

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestC3NodesNeeded(t *testing.T) {
	small := Resources{100, 128}
	for _, c := range []struct {
		name                       string
		workloads                  []Workload
		minimum, maximum, zoneLost int
	}{
		{"one 2-CPU pod per t3.xlarge",
			[]Workload{{Name: "api", Requests: Resources{2000, 4096}, Min: 10, Max: 12}}, 10, 12, 12},
		{"memory counts as CPU does",
			[]Workload{{Name: "cache", Requests: Resources{100, 8000}, Min: 4, Max: 4}}, 4, 4, 4},
		{"pods per node, DaemonSets' own included",
			[]Workload{{Name: "tiny", Requests: Resources{1, 1}, Min: 112, Max: 112}}, 2, 2, 2},
		{"one pod per node",
			[]Workload{{Name: "dns", Requests: small, PerNode: 1, Min: 5, Max: 7}}, 5, 7, 7},
		{"two pods per node",
			[]Workload{{Name: "dns", Requests: small, PerNode: 2, Min: 5, Max: 7}}, 3, 4, 4},
		{"volumes per node, in each of the zones",
			[]Workload{{Name: "queue", Requests: Resources{1, 1}, Volumes: 1, Min: 24, Max: 72}}, 2, 6, 4},
		{"a rollout's extra pods, one workload at a time", []Workload{
			{Name: "api", Requests: Resources{2000, 1024}, Min: 1, Max: 3, Surge: 2},
			{Name: "web", Requests: Resources{2000, 1024}, Min: 1, Max: 3, Surge: 1}}, 2, 8, 6},
		{"a surge with anti-affinity counts even if another asks more CPU", []Workload{
			{Name: "dns", Requests: small, PerNode: 1, Max: 4, Surge: 1},
			{Name: "web", Requests: Resources{200, 128}, Max: 1, Surge: 1}}, 0, 5, 4},
		{"an even spread needs room in every zone, whoever came there first", []Workload{
			{Name: "api", Requests: Resources{2000, 1024}, ZoneSkew: 1, Min: 4, Max: 4},
			{Name: "vault", Requests: Resources{2000, 1024}, ZoneSkew: 1, Min: 1, Max: 1}}, 6, 6, 6},
		{"pods whose volumes are in the lost zone are gone, the others stay", []Workload{
			{Name: "redis", Requests: Resources{2000, 3072}, Volumes: 1, Min: 6, Max: 6}}, 6, 6, 4},
		{"a single volume may be in a zone that is left", []Workload{
			{Name: "loki", Requests: Resources{2000, 3072}, Volumes: 1, Min: 1, Max: 1}}, 1, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			general := pool(t, onePool("t3.xlarge", 0, 20, c.workloads...).Check(), "general")
			assert.Equal(t, c.minimum, general.Minimum.Nodes, "minimum")
			assert.Equal(t, c.maximum, general.Maximum.Nodes, "maximum")
			assert.Equal(t, c.zoneLost, general.ZoneLost.Nodes, "zone lost")
		})
	}
}

// The tied pods of one zone do not fit its one node, although the other nodes have room.
func TestC3VolumesTieTheirPodsToAZone(t *testing.T) {
	redis := Workload{Name: "redis", Requests: Resources{2000, 3072}, Volumes: 1, Min: 4, Max: 4}
	p := onePool("t3.xlarge", 0, 20, redis)
	s := mustShape(t, p, "t3.xlarge")
	d := newDemand(p.Workloads, s.whole.Resources, func(w Workload) int { return w.Max })
	assert.Equal(t, 3, d.placed(s, 3, 3))

	v := newScene(d.workloads, s, 5, 3)
	assert.Equal(t, 4, v.schedule(d.pods(3)))
	assert.Equal(t, []int{2, 1, 1}, v.inZone[0])
}

func TestC3SpreadOverZonesHoldsBackTheCrowdedZone(t *testing.T) {
	api := Workload{Name: "api", Requests: Resources{2000, 1024}, ZoneSkew: 1}
	web := Workload{Name: "web", Requests: Resources{2000, 1024}}
	s := mustShape(t, Plan{}, "t3.xlarge")
	v := newScene([]Workload{api, web}, s, 5, 2) // three nodes in zone 0, two in zone 1
	assert.Equal(t, 1, v.schedule([]pod{{of: 1, home: 1}}))
	assert.Equal(t, 3, v.schedule([]pod{{0, anyZone}, {0, anyZone}, {0, anyZone}, {0, anyZone}}),
		"zone 1 is full after one, so zone 0 takes two and its third node stays empty")
}

// Small pods first, on the least allocated node, break every node: no room for a large pod although half is free.
func TestC3FragmentsOfEarlierSmallPodsAreCounted(t *testing.T) {
	p := onePool("t3.xlarge", 0, 20,
		Workload{Name: "small", Requests: Resources{500, 512}, Min: 8, Max: 8},
		Workload{Name: "large", Requests: Resources{3000, 4096}, Min: 2, Max: 2})
	s := mustShape(t, p, "t3.xlarge")
	d := newDemand(p.Workloads, s.whole.Resources, func(w Workload) int { return w.Max })
	assert.Equal(t, "small", d.workloads[0].Name)

	pods := d.pods(3)
	assert.Equal(t, 8, newScene(d.workloads, s, 4, 3).schedule(pods), "two small ones on each node, no large one")
	slices.Reverse(pods)
	assert.Equal(t, 10, newScene(d.workloads, s, 4, 3).schedule(pods), "the other way round all fit")
	assert.Greater(t, pool(t, p.Check(), "general").Minimum.Nodes, 4, "and the worse of both counts")
}

func TestC3EveryNumberOfNodesUpToMaxFits(t *testing.T) {
	p := sourcePlan()
	p.Pools[0] = Pool{Name: "general", InstanceTypes: []string{"m7i.2xlarge"}, Min: 3, Max: 60}
	s := mustShape(t, p, "m7i.2xlarge")
	d := newDemand(p.sorted().workloadsOf("general"), s.whole.Resources, func(w Workload) int { return w.Max })
	needed := s.nodesFor(p.Pools[0], 3, d)
	assert.False(t, d.fits(s, needed-1, 3))
	for n := needed; n <= 60; n++ {
		assert.True(t, d.fits(s, n, 3), n)
	}
}

func TestC3VerdictHoldsInOrdersThatWereNotTried(t *testing.T) {
	p := sourcePlan()
	s := mustShape(t, p, "m7i.4xlarge")
	d := newDemand(p.sorted().workloadsOf("general"), s.whole.Resources, func(w Workload) int { return w.Max })
	needed := s.nodesFor(Pool{}, 3, d)
	random := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		pods := d.pods(3)
		random.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
		assert.Equal(t, len(pods), newScene(d.workloads, s, needed, 3).schedule(pods))
	}
}
