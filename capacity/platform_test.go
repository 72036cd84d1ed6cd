package capacity

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
)

func committed(t *testing.T, stack string) config.Platform {
	t.Helper()
	raw, err := config.FromFile("../Pulumi." + stack + ".yaml")
	require.NoError(t, err)
	platform, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	return platform
}

func TestC3CommittedStacksFit(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "local"} {
		t.Run(stack, func(t *testing.T) {
			platform := committed(t, stack)
			report := PlanFor(platform).Check()
			assert.Empty(t, report.Problems)
			for _, pool := range platform.Cluster.NodePools {
				size := report.NodesAtMinimum(pool.Name)
				assert.GreaterOrEqual(t, size, pool.Min, pool.Name)
				assert.LessOrEqual(t, size, pool.Max, pool.Name)
			}
		})
	}
}

// The pool's max is lowered to one node fewer than it takes.
func TestC3PoolTooSmallIsRefusedUnderItsOwnKey(t *testing.T) {
	platform := committed(t, "prod")
	services := pool(t, PlanFor(platform).Check(), "services")
	i := slices.IndexFunc(platform.Cluster.NodePools, func(p config.NodePool) bool { return p.Name == "services" })
	changed := &platform.Cluster.NodePools[i]
	changed.Max = max(services.Minimum.Nodes, services.Maximum.Nodes, services.ZoneLost.Nodes)
	assert.Empty(t, PlanFor(platform).Check().Problems)
	changed.Max--

	problems := PlanFor(platform).Check().ConfigProblems(platform)
	require.Len(t, problems, 1)
	assert.Equal(t, fmt.Sprintf("alphapulse:cluster.nodePools[%d].max", i), problems[0].Key)
	assert.Equal(t, "8", problems[0].Value)
	assert.Contains(t, problems[0].Want, "63 pods ask 123.0 vCPU and 246.0 GiB; 8 x m6i.4xlarge/m5.4xlarge offer")
	assert.Contains(t, problems[0].Want, "; would fit: max: 9")
}

// Karpenter's limit counts vCPUs: with types of two sizes it would be another number of nodes for each.
func TestC4TypesOfTwoSizesInOnePoolAreRefusedUnderTheirOwnKey(t *testing.T) {
	platform := committed(t, "prod")
	i := slices.IndexFunc(platform.Cluster.NodePools, func(p config.NodePool) bool { return p.Name == "workers" })
	platform.Cluster.NodePools[i].InstanceTypes = []string{"m6i.2xlarge", "m5.2xlarge", "m7i.4xlarge"}
	problems := PlanFor(platform).Check().ConfigProblems(platform)
	require.Len(t, problems, 1)
	assert.Equal(t, fmt.Sprintf("alphapulse:cluster.nodePools[%d].instanceTypes", i), problems[0].Key)
	assert.Contains(t, problems[0].Want, "pool workers: types of 8 and 16 vCPU: ")
	assert.Contains(t, problems[0].Want, "; would fit: instance types of 8 vCPU each, and a pool of its own for another size")
}

func TestC4EachPodOfKarpenterNeedsANodeOfItsOwn(t *testing.T) {
	for _, w := range PlanFor(committed(t, "staging")).Workloads {
		if strings.HasPrefix(w.Name, "karpenter-") {
			assert.Equal(t, []int{2, 1}, []int{w.Min, w.PerNode})
		} else {
			assert.Zero(t, w.PerNode, w.Name)
		}
	}
}

func TestC3SubnetsTooSmallAreRefusedUnderTheRange(t *testing.T) {
	platform := committed(t, "prod")
	platform.Network.CIDR = "10.20.0.0/20" // private subnets are /24
	problems := PlanFor(platform).Check().ConfigProblems(platform)
	require.Len(t, problems, 3, "one per zone")
	for _, problem := range problems {
		assert.Equal(t, "alphapulse:network.cidr", problem.Key)
		assert.Contains(t, problem.Want, "would fit: a /")
	}
}

func TestC3EveryAddOnIsCounted(t *testing.T) {
	plan := PlanFor(committed(t, "prod"))
	var counted []string
	for _, w := range plan.Workloads {
		counted = append(counted, w.Name)
		if addOn, ok := config.FindAddOn(w.Name); ok {
			assert.Equal(t, config.PlatformPool, w.Pool, w.Name)
			assert.Equal(t, []int{addOn.Replicas, addOn.Replicas, 1}, []int{w.Min, w.Max, w.Surge}, w.Name)
			assert.Equal(t, addOn.Requests.MilliCPU(), w.Requests.MilliCPU, w.Name)
			assert.Equal(t, addOn.Requests.MemoryMiB(), w.Requests.MemoryMiB, w.Name)
		}
	}
	for _, d := range plan.DaemonSets {
		counted = append(counted, d.Name)
		assert.Nil(t, d.Pools, "%s: on every pool's nodes", d.Name)
		assert.Equal(t, d.Name != "ebs-csi-node" && d.Name != "alloy", d.HostNetwork, d.Name)
	}
	want := []string{"api", "risk-worker", "billing", "ingress", "pgbouncer", "redis-cluster", "broker", "vault", "ebs-csi-node",
		"prometheus", "alertmanager", "loki", "grafana", "postgres-exporter", "alloy"}
	for _, kind := range []string{"technical", "fundamental", "sentiment", "value", "activist", "buffett"} {
		want = append(want, "agent-worker-"+kind)
	}
	for _, operator := range config.Operators {
		for _, program := range operator.Programs {
			want = append(want, operator.Name+"-"+program.Name)
		}
	}
	for _, addOn := range config.AddOns {
		want = append(want, addOn.Name)
	}
	assert.ElementsMatch(t, want, counted)
}

// An add-on's requests change what is free on a node, and its pods what is asked of the platform pool.
func TestC3AddOnsTakeTheirPlace(t *testing.T) {
	platform := committed(t, "prod")
	plan := PlanFor(platform)
	with := pool(t, plan.Check(), "general")
	bare := plan
	bare.DaemonSets = nil
	bare.Workloads = slices.DeleteFunc(slices.Clone(plan.Workloads), func(w Workload) bool { return w.Pool == "general" })
	without := pool(t, bare.Check(), "general")
	// 50m + 100m + 50m of add-ons, 30m of the EBS driver and 50m of the collector on each node.
	assert.Equal(t, int64(280), without.MilliCPU-with.MilliCPU)
	assert.Equal(t, int64(64+120+192), without.MemoryMiB-with.MemoryMiB)
	pods, asked := 0, int64(0)
	count := func(replicas int, requests config.Amount) {
		pods, asked = pods+replicas, asked+int64(replicas)*requests.MilliCPU()
	}
	for _, addOn := range config.AddOns {
		if !addOn.PerNode {
			count(addOn.Replicas, addOn.Requests)
		}
	}
	for _, operator := range config.Operators {
		for _, program := range operator.Programs {
			count(program.Replicas, program.Requests)
		}
	}
	for _, w := range platform.Programs() {
		if w.Pool == "general" {
			count(w.Replicas.Min, w.Requests)
		}
	}
	assert.Equal(t, pods, with.Minimum.Pods)
	assert.Equal(t, asked, with.Minimum.Asked.MilliCPU)
	assert.Zero(t, without.Minimum.Pods)
}

func TestC3RolloutAtMaximumIsCounted(t *testing.T) {
	platform := committed(t, "prod")
	services := pool(t, PlanFor(platform).Check(), "services")
	assert.Equal(t, 10+2, services.Minimum.Pods, "the API and billing")
	assert.Equal(t, 60+3, services.Maximum.Pods, "50 replicas and a fifth more of the new version")
	assert.Equal(t, 50+3, services.ZoneLost.Pods)

	for replicas, surge := range map[int]int{1: 1, 5: 1, 6: 2, 50: 10} { // the Deployment rounds up
		platform.Workloads.API.Replicas = config.Replicas{Min: 1, Max: replicas}
		plan := PlanFor(platform)
		i := slices.IndexFunc(plan.Workloads, func(w Workload) bool { return w.Name == "api" })
		assert.Equal(t, surge, plan.Workloads[i].Surge, "of %d replicas", replicas)
		assert.Equal(t, 1, plan.Workloads[i].ZoneSkew)
	}
}

func TestC3ProdHasWhatItsMinimumNeeds(t *testing.T) {
	report := PlanFor(committed(t, "prod")).Check()
	assert.Equal(t, 3, report.NodesAtMinimum("services"), "10 pods of 2 vCPU, a node in each zone")
	assert.Zero(t, report.NodesAtMinimum("gpu"))
}

// What keeps something is tied to the zones of its volumes, is rolled out pod by pod, and has its place without the lost zone's pods (D7, D8, S1).
func TestC3WhatKeepsSomethingStaysInItsZone(t *testing.T) {
	platform := committed(t, "prod")
	plan := PlanFor(platform)
	for name, pods := range map[string]int{"redis-cluster": 6, "broker": 3, "vault": 3, "prometheus": 2, "alertmanager": 3, "loki": 1} {
		i := slices.IndexFunc(plan.Workloads, func(w Workload) bool { return w.Name == name })
		w := plan.Workloads[i]
		assert.Equal(t, []int{pods, pods, 0, 1, 1}, []int{w.Min, w.Max, w.Surge, w.Volumes, w.ZoneSkew}, name)
	}
	stateful := pool(t, plan.Check(), "stateful")
	assert.Equal(t, []int{18, 18, 13}, []int{stateful.Minimum.Pods, stateful.Maximum.Pods, stateful.ZoneLost.Pods})
	assert.Equal(t, 3, stateful.Minimum.Nodes, "one in each zone")
}
