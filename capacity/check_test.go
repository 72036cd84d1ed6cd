package capacity

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC3EveryRefusalNamesTheNumbersAndTheSmallestChange(t *testing.T) {
	api := Workload{Name: "api", Requests: Resources{2000, 4096}, Min: 1, Max: 1}
	with := func(change func(*Workload)) Plan {
		w := api
		change(&w)
		return onePool("t3.xlarge", 1, 3, w)
	}
	pools := func(change func(*Plan)) Plan {
		p := onePool("t3.xlarge", 1, 3, api)
		change(&p)
		return p
	}
	for _, c := range []struct {
		name         string
		plan         Plan
		what, remedy string
	}{
		{"unknown pool", pools(func(p *Plan) { p.Workloads[0].Pool = "gpu" }),
			`workload api wants to run in unknown pool "gpu"`, "one of: general"},
		{"unknown pool of a DaemonSet", pools(func(p *Plan) { p.DaemonSets = []DaemonSet{{Name: "gpu", Pools: []string{"gpu"}}} }),
			`DaemonSet gpu wants to run in unknown pool "gpu"`, "one of: general"},
		{"unknown type", pools(func(p *Plan) { p.Pools[0].InstanceTypes = []string{"t3.xlarge", "m9z.large"} }),
			`unknown instance type "m9z.large"`, "one of: c5.2xlarge, c5.4xlarge"},
		{"no type", pools(func(p *Plan) { p.Pools[0].InstanceTypes = nil }),
			"the pool has no instance type", "name at least one"},
		{"pool max below min", pools(func(p *Plan) { p.Pools[0].Min = 4 }),
			"max is 3 nodes, less than min, 4", "max: 4"},
		{"pool min below 0", pools(func(p *Plan) { p.Pools[0].Min = -1 }), "min is -1 nodes", "min: 0"},
		{"two pools of a name", pools(func(p *Plan) { p.Pools = append(p.Pools, p.Pools[0]) }),
			`two pools are called "general"`, "a name of its own"},
		{"two workloads of a name", pools(func(p *Plan) { p.Workloads = append(p.Workloads, p.Workloads[0]) }),
			`two workloads are called "api"`, "a name of its own"},
		{"no zones", pools(func(p *Plan) { p.Zones = nil }), "no zones", "at least two zones"},
		{"a zone twice", pools(func(p *Plan) { p.Zones = []string{"a", "b", "a"} }), "zone a is listed twice", "once"},
		{"replicas max below min", with(func(w *Workload) { w.Min = 2 }),
			"workload api has max 1 replicas, less than min, 2", "max: 2"},
		{"negative figure", with(func(w *Workload) { w.Surge = -1 }), "workload api has a negative figure", "below 0"},
		{"negative DaemonSet", pools(func(p *Plan) { p.DaemonSets = []DaemonSet{{Name: "log", Requests: Resources{-1, 0}}} }),
			"DaemonSet log has a negative request", "below 0"},
		{"pod larger than a node", with(func(w *Workload) { w.Requests.MilliCPU = 4000 }),
			"a pod of api asks 4.0 vCPU and 4.0 GiB, more than a node of t3.xlarge offers after DaemonSets: 3.9 vCPU and 13.8 GiB",
			"instance type t3.2xlarge"},
		{"pod larger than any of the family", with(func(w *Workload) { w.Requests.MemoryMiB = 40_000 }),
			"asks 2.0 vCPU and 39.1 GiB", "instance type r6i.2xlarge"},
		{"pod larger than anything", with(func(w *Workload) { w.Requests.MilliCPU = 64_000 }),
			"asks 64.0 vCPU", "ask less per pod"},
		{"more volumes than a node takes", with(func(w *Workload) { w.Volumes = 25 }),
			"and 25 volumes, more than a node of t3.xlarge offers after DaemonSets: 3.9 vCPU and 13.8 GiB and 23 volumes",
			"instance type c7i.xlarge"},
		{"DaemonSets larger than a node", pools(func(p *Plan) { p.DaemonSets = []DaemonSet{{Requests: Resources{5000, 0}}} }),
			"DaemonSets ask 5.0 vCPU and 0.0 GiB with 1 pods on each node", "instance type t3.2xlarge"},
		{"more nodes than max", with(func(w *Workload) { w.Max = 5 }),
			"at maximum replicas 5 pods ask 10.0 vCPU and 20.0 GiB; 3 x t3.xlarge offer 11.8 vCPU and 41.5 GiB, " +
				"where 3 of the pods find a place; needs 5 nodes", "max: 5"},
		{"more than a hundred nodes", with(func(w *Workload) { w.Max = 120 }),
			"no number of nodes up to 100 is enough", "instance type t3.2xlarge and max: 40"},
		{"more pods than nodes may be", with(func(w *Workload) { w.Max, w.PerNode = 120, 1 }),
			"no number of nodes up to 100 is enough", "fewer replicas, or a second pool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			problems := c.plan.Check().Problems
			found := slices.IndexFunc(problems, func(p Problem) bool { return strings.Contains(p.What, c.what) })
			require.GreaterOrEqual(t, found, 0, "%q is not among %v", c.what, problems)
			assert.Contains(t, problems[found].Remedy, c.remedy)
		})
	}
}

func TestC3AllProblemsAreReportedAtOnce(t *testing.T) {
	p := sourcePlan()
	p.Workloads[0].Max = 5 // below its Min
	p.Workloads = append(p.Workloads,
		Workload{Name: "stray", Pool: "gpu", Min: 1, Max: 1},
		Workload{Name: "giant", Pool: "compute-optimized", Requests: Resources{9000, 1024}, Min: 1, Max: 1})
	p.Pools = append(p.Pools, Pool{Name: "typo", InstanceTypes: []string{"t3.xxlarge"}, Max: 1})
	p.Subnets = []Subnet{{Zone: "us-east-1a", Addresses: 50}}

	var all []string
	for _, problem := range p.Check().Problems {
		all = append(all, problem.String())
	}
	text := strings.Join(all, "\n")
	for _, part := range []string{"less than min", "unknown pool", "t3.xxlarge", "a pod of giant", "at minimum replicas",
		"at maximum replicas", "loss of a zone", "too few", "no subnet"} {
		assert.Contains(t, text, part)
	}
}

func TestC3VerdictDoesNotDependOnTheOrderOfTheInput(t *testing.T) {
	p := sourcePlan()
	for _, zone := range threeZones {
		p.Subnets = append(p.Subnets, Subnet{Zone: zone, Addresses: 100})
	}
	want := p.Check()
	assert.Equal(t, want, p.Check(), "twice the same")
	q := p
	q.Pools, q.Workloads = slices.Clone(p.Pools), slices.Clone(p.Workloads)
	q.DaemonSets, q.Subnets = slices.Clone(p.DaemonSets), slices.Clone(p.Subnets)
	slices.Reverse(q.Pools)
	slices.Reverse(q.Workloads)
	slices.Reverse(q.DaemonSets)
	slices.Reverse(q.Subnets)
	assert.Equal(t, want, q.Check())
	assert.Equal(t, "general", p.Pools[0].Name, "the caller's plan is left as it was")
}

func TestC3NodesAtMinimum(t *testing.T) {
	api := Workload{Name: "api", Requests: Resources{2000, 1024}, Min: 5, Max: 6}
	tiny := Workload{Name: "tiny", Requests: Resources{10, 10}, Min: 2, Max: 2}
	spread := tiny
	spread.ZoneSkew = 1
	for _, c := range []struct {
		name      string
		low, high int
		workload  Workload
		want      int
	}{
		{"what the minimum needs", 1, 10, api, 5},
		{"at least min", 7, 10, api, 7},
		{"one per zone for a spread", 1, 10, spread, 3},
		{"not one per zone without a spread", 1, 10, tiny, 1},
		{"never above max, even where that is refused", 1, 4, api, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, onePool("t3.xlarge", c.low, c.high, c.workload).Check().NodesAtMinimum("general"))
		})
	}
	assert.Zero(t, Report{}.NodesAtMinimum("general"))
}

func TestC3TableShowsEveryLevelAndTheVerdict(t *testing.T) {
	fits := onePool("m7i.xlarge", 3, 9, Workload{Name: "api", Requests: Resources{2000, 1024}, Min: 5, Max: 6}).Check()
	require.Empty(t, fits.Problems)
	table := fits.Table()
	for _, part := range []string{
		"pool general: 3..9 x m7i.xlarge", "at minimum", "at maximum", "a zone lost", "3..9", "everything fits",
	} {
		assert.Contains(t, table, part)
	}
	assert.Contains(t, sourcePlan().Check().Table(), "does not fit: pool general: at minimum replicas")
}
