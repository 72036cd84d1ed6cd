package production

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/local/e2e/flows"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// testPlacement: the real scheduler places production on the nodes that capacity planned, and both count the same (C3).
func testPlacement(t *testing.T) {
	platform := suite.Platform(t, stack)
	report := capacity.PlanFor(platform).Check()
	require.Empty(t, report.Problems)
	found := pools(t)
	for _, pool := range report.Pools {
		seen := found[pool.Name]
		assert.GreaterOrEqual(t, seen.nodes, pool.Min, "nodes of pool %s", pool.Name)
		assert.LessOrEqual(t, seen.nodes, report.NodesAtMinimum(pool.Name), "nodes of pool %s: no more than were planned", pool.Name)
		assert.Equal(t, pool.Minimum.Pods, seen.pods, "pods in pool %s beside DaemonSets", pool.Name)
		assert.Equal(t, pool.Minimum.Asked, seen.asked, "asked of pool %s", pool.Name)
		assert.Equal(t, pool.Resources, seen.offered, "one node of pool %s after DaemonSets", pool.Name)
	}

	t.Run("W6 the API is level over the zones", func(t *testing.T) {
		zones := map[string]int{}
		for _, pod := range pods(t) {
			if pod.Labels["app"] == "api" {
				zones[node(t, pod).Labels[core.LabelTopologyZone]]++
			}
		}
		assert.Len(t, zones, 3)
		for zone, n := range zones {
			assert.GreaterOrEqual(t, n, 3, "replicas in %s", zone)
		}
	})
	t.Run("D7, D8, S1 of what keeps something every zone has its share, and knows it", func(t *testing.T) {
		for app, share := range map[string]int{"redis": 2, "broker": 1, "vault": 1, "alertmanager": 1} {
			zones := map[string]int{}
			for _, pod := range pods(t) {
				if pod.Labels["app"] == app {
					zone := node(t, pod).Labels[core.LabelTopologyZone]
					assert.Equal(t, zone, pod.Labels[core.LabelTopologyZone], "%s is told its zone", pod.Name)
					zones[zone]++
				}
			}
			assert.Len(t, zones, 3, app)
			for zone, n := range zones {
				assert.Equal(t, share, n, "%s in %s", app, zone)
			}
		}
	})
	t.Run("C5 the API server enforces the restricted standard, and nothing of ours is refused or exempted", func(t *testing.T) {
		assertRestricted(t, suite.Client(t, stack))
	})
	t.Run("N7 policies let through what the list of flows has, and nothing else", func(t *testing.T) {
		flows.Check(t, suite.Client(t, stack), filepath.Join("..", "flows"))
	})
}

// seen is what the cluster shows of one pool.
type seen struct {
	nodes, pods    int
	asked, offered capacity.Resources
}

// pools counts what stands on the nodes of each pool; DaemonSets are taken off what a node offers.
func pools(t *testing.T) map[string]seen {
	t.Helper()
	nodes, err := suite.Client(t, stack).CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	found, poolOf := map[string]seen{}, map[string]string{}
	daemons := map[string]capacity.Resources{}
	for _, n := range nodes.Items {
		pool := n.Labels[config.PoolLabel]
		poolOf[n.Name] = pool
		s := found[pool]
		s.nodes++
		s.offered = resources(n.Status.Allocatable)
		found[pool] = s
	}
	for _, pod := range pods(t) {
		if owner := meta.GetControllerOf(&pod); pod.Status.Phase == core.PodSucceeded && owner != nil && owner.Kind == "Job" {
			continue // it has made room
		}
		assert.Equal(t, core.PodRunning, pod.Status.Phase, pod.Name)
		pool, ok := poolOf[pod.Spec.NodeName]
		require.True(t, ok, "pod %s runs on a node of a pool", pod.Name)
		if want := pod.Spec.NodeSelector[config.PoolLabel]; want != "" {
			assert.Equal(t, want, pool, "pool of pod %s", pod.Name)
		}
		if owner := meta.GetControllerOf(&pod); owner != nil && owner.Kind == "DaemonSet" {
			daemons[pod.Spec.NodeName] = daemons[pod.Spec.NodeName].Add(requests(pod))
			continue
		}
		s := found[pool]
		s.pods++
		s.asked = s.asked.Add(requests(pod))
		found[pool] = s
	}
	for name, pool := range poolOf {
		s := found[pool]
		s.offered = resources(find(nodes.Items, name).Status.Allocatable).Sub(daemons[name])
		found[pool] = s
	}
	return found
}

func pods(t *testing.T) []core.Pod {
	t.Helper()
	list, err := suite.Client(t, stack).CoreV1().Pods("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	return list.Items
}

func node(t *testing.T, pod core.Pod) *core.Node {
	t.Helper()
	n, err := suite.Client(t, stack).CoreV1().Nodes().Get(t.Context(), pod.Spec.NodeName, meta.GetOptions{})
	require.NoError(t, err)
	return n
}

func find(nodes []core.Node, name string) core.Node {
	for _, n := range nodes {
		if n.Name == name {
			return n
		}
	}
	return core.Node{}
}

func requests(pod core.Pod) (sum capacity.Resources) {
	for _, c := range pod.Spec.Containers {
		sum = sum.Add(resources(c.Resources.Requests))
	}
	return sum
}

func resources(list core.ResourceList) capacity.Resources {
	return capacity.Resources{MilliCPU: list.Cpu().MilliValue(), MemoryMiB: list.Memory().Value() >> 20}
}
