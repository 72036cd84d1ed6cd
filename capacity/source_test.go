package capacity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var threeZones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// sourcePlan is the sizing of the customer's own document, sections 1 to 7.
func sourcePlan() Plan {
	p := Plan{
		Zones: threeZones,
		Pools: []Pool{
			{Name: "general", InstanceTypes: []string{"t3.xlarge"}, Min: 3, Max: 10},
			{Name: "compute-optimized", InstanceTypes: []string{"c5.2xlarge"}, Min: 2, Max: 5},
		},
		Workloads: []Workload{
			{Name: "api", Pool: "general", Requests: Resources{2000, 4096}, Min: 10, Max: 50},
			{Name: "billing", Pool: "general", Requests: Resources{1000, 2048}, Min: 2, Max: 3},
			{Name: "ingress", Pool: "general", Requests: Resources{1000, 2048}, Min: 2, Max: 3},
			{Name: "redis", Pool: "general", Requests: Resources{2000, 3072}, Min: 6, Max: 6, Volumes: 1},
			{Name: "vault", Pool: "general", Requests: Resources{2000, 4096}, Min: 3, Max: 3, Volumes: 1},
			{Name: "risk", Pool: "compute-optimized", Requests: Resources{2000, 4096}, Min: 5, Max: 10},
		},
		DaemonSets: []DaemonSet{
			{Name: "aws-node", Requests: Resources{50, 0}, HostNetwork: true},
			{Name: "kube-proxy", Requests: Resources{100, 0}, HostNetwork: true},
			{Name: "ebs-csi-node", Requests: Resources{30, 120}},
			{Name: "alloy", Requests: Resources{100, 128}},
		},
	}
	for _, kind := range []string{"technical", "fundamental", "sentiment", "value", "activist", "buffett"} {
		p.Workloads = append(p.Workloads, Workload{
			Name: "agent-worker-" + kind, Pool: "general", Requests: Resources{1000, 2048}, Min: 5, Max: 20,
		})
	}
	return p
}

func pool(t *testing.T, r Report, name string) PoolReport {
	t.Helper()
	for _, p := range r.Pools {
		if p.Name == name {
			return p
		}
	}
	require.Failf(t, "no such pool in the report", "%q", name)
	return PoolReport{}
}

func TestC3SourceSizingIsRefusedWithNumbers(t *testing.T) {
	report := sourcePlan().Check()
	general := pool(t, report, "general")
	assert.Equal(t, Resources{72_000, 138 * 1024}, general.Minimum.Asked)
	assert.False(t, general.Minimum.Fits)
	assert.Equal(t, int64(36_400), general.Node.Times(10).MilliCPU)
	assert.Equal(t, 35, general.Minimum.Nodes, "one-CPU pods on the nodes first leave 1.6 vCPU: no room for a 2-CPU pod")
	assert.False(t, general.Maximum.Fits)
	assert.False(t, general.ZoneLost.Fits)

	require.Len(t, report.Problems, 3)
	first := report.Problems[0]
	assert.Equal(t, "general", first.Pool)
	assert.Contains(t, first.What, "53 pods ask 72.0 vCPU")
	assert.Contains(t, first.What, "10 x t3.xlarge offer 36.4 vCPU")
	assert.Contains(t, first.What, "needs 35 nodes")
	assert.Equal(t, "instance type t3.2xlarge and max: 41", first.Remedy)
}

func TestC3SourceComputePoolHoldsItsRiskWorkers(t *testing.T) {
	compute := pool(t, sourcePlan().Check(), "compute-optimized")
	assert.True(t, compute.Minimum.Fits)
	assert.True(t, compute.Maximum.Fits)
	assert.Equal(t, 4, compute.Maximum.Nodes, "three 2-CPU pods on each, ten of them")
	assert.True(t, compute.ZoneLost.Fits)
	assert.Empty(t, compute.Warnings)
}

func TestC3RemedyOfTheSourceSizingFits(t *testing.T) {
	p := sourcePlan()
	nodes, found := p.levelsOf(p.Pools[0], mustShape(t, p, "t3.2xlarge"), p.sorted().workloadsOf("general")).worst()
	require.True(t, found)
	p.Pools[0].InstanceTypes, p.Pools[0].Max = []string{"t3.2xlarge"}, nodes
	assert.Empty(t, p.Check().Problems)
	p.Pools[0].Max--
	assert.NotEmpty(t, p.Check().Problems, "it is the smallest change")
}

func TestC3BurstableCreditIsAWarningAndNoRefusal(t *testing.T) {
	p := onePool("t3.xlarge", 3, 3, Workload{Name: "api", Requests: Resources{2000, 1024}, Min: 3, Max: 3})
	p.Zones = threeZones[:1]
	report := p.Check()
	assert.Empty(t, report.Problems)
	warnings := pool(t, report, "general").Warnings
	require.Len(t, warnings, 2)
	assert.Contains(t, warnings[0], "one zone only")
	assert.Contains(t, warnings[1], "6.0 vCPU are asked")
	assert.Contains(t, warnings[1], "3 x t3.xlarge sustain 4.8")
	assert.Contains(t, report.Table(), warnings[1])
}

func mustShape(t *testing.T, p Plan, types ...string) shape {
	t.Helper()
	s, known := p.shapeOf("general", types)
	require.True(t, known)
	return s
}

// onePool is a plan with a single pool, "general", in three zones.
func onePool(instanceType string, low, high int, workloads ...Workload) Plan {
	for i := range workloads {
		workloads[i].Pool = "general"
	}
	return Plan{
		Zones:     threeZones,
		Pools:     []Pool{{Name: "general", InstanceTypes: []string{instanceType}, Min: low, Max: high}},
		Workloads: workloads,
	}
}
