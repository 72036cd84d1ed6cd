package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/alphapulse/infrastructure/local/cloud"
)

func machine(name string, change func(*core.Node)) *core.Node {
	n := &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"pool": "general"}},
		Status:     core.NodeStatus{Conditions: []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue}}},
	}
	change(n)
	return n
}

func claim(name string, conditions ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": map[string]any{"name": name},
		"status": map[string]any{"conditions": conditions},
	}}
}

// A machine that joins after all pods have found a place brings one more pod of each DaemonSet: `up` counted 181 of 181, and a second later
// there were 182, of which one was pending.
func TestSettlingWaitsForMachinesAndTheirDaemons(t *testing.T) {
	asIs := func(*core.Node) {}
	daemon := func(change func(*core.PodSpec)) *apps.DaemonSet {
		set := &apps.DaemonSet{ObjectMeta: meta.ObjectMeta{Namespace: "watch", Name: "exporter"}}
		change(&set.Spec.Template.Spec)
		return set
	}
	everywhere := daemon(func(*core.PodSpec) {})
	controller := true
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: "watch", Name: "exporter-1",
			OwnerReferences: []meta.OwnerReference{{Kind: "DaemonSet", Name: "exporter", Controller: &controller}}},
		Spec: core.PodSpec{NodeName: "a"},
		Status: core.PodStatus{Phase: core.PodRunning,
			Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}},
	}
	missing := []string{"DaemonSet watch/exporter has no pod on node b"}
	taint := func(key string) func(*core.Node) {
		return func(n *core.Node) { n.Spec.Taints = []core.Taint{{Key: key, Effect: core.TaintEffectNoSchedule}} }
	}
	for name, c := range map[string]struct {
		claims []runtime.Object
		second *core.Node
		set    *apps.DaemonSet
		wants  []string
	}{
		"a machine without its pod":    {nil, machine("b", asIs), everywhere, missing},
		"joined a moment ago":          {nil, machine("b", taint(core.TaintNodeNotReady)), everywhere, missing},
		"not for it: a taint":          {nil, machine("b", taint("gpu")), everywhere, nil},
		"not for it: another pool":     {nil, machine("b", func(n *core.Node) { n.Labels["pool"] = "x" }), daemon(func(s *core.PodSpec) { s.NodeSelector = map[string]string{"pool": "general"} }), nil},
		"one that tolerates the taint": {nil, machine("b", taint("gpu")), daemon(func(s *core.PodSpec) { s.Tolerations = []core.Toleration{{Operator: core.TolerationOpExists}} }), missing},
		"a machine that is emptied":    {nil, machine("b", func(n *core.Node) { n.Spec.Unschedulable = true }), everywhere, nil},
		"a machine that is lost":       {nil, machine("b", func(n *core.Node) { n.Status.Conditions[0].Status = core.ConditionUnknown }), everywhere, nil},
		"asked for, not there yet": {[]runtime.Object{claim("pool-1")}, machine("b", taint("gpu")), everywhere,
			[]string{"NodeClaim pool-1 has no node that is ready: see its events"}},
		"asked for, and there": {[]runtime.Object{claim("pool-1", map[string]any{"type": "Initialized", "status": "True", "reason": "", "message": "",
			"lastTransitionTime": "2026-01-01T00:00:00Z"})}, machine("b", taint("gpu")), everywhere, nil},
	} {
		custom := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
			cloud.ScaledObjects: "ScaledObjectList", cloud.NodeClaims: "NodeClaimList"}, c.claims...)
		_, waiting, err := look(t.Context(), fake.NewClientset(machine("a", asIs), c.second, c.set, pod), custom)
		require.NoError(t, err, name)
		require.Equal(t, c.wants, waiting, name)
	}
}
