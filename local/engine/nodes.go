package engine

import (
	"context"
	"fmt"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/alphapulse/infrastructure/local/cloud"
)

// behindNodes names the machines that Karpenter has asked for and that have not joined, and the DaemonSets without a pod on a node of
// theirs: whoever counts pods before that counts too few.
func behindNodes(ctx context.Context, client kubernetes.Interface, custom dynamic.Interface, pods []core.Pod) (waiting []string, err error) {
	claims, err := custom.Resource(cloud.NodeClaims).List(ctx, meta.ListOptions{})
	if apierrors.IsNotFound(err) { // no Karpenter in this cluster
		claims, err = &unstructured.UnstructuredList{}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, object := range claims.Items {
		var claim karpenter.NodeClaim
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &claim); err != nil {
			return nil, err
		}
		if claim.DeletionTimestamp == nil && !claim.StatusConditions().IsTrue(karpenter.ConditionTypeInitialized) {
			waiting = append(waiting, fmt.Sprintf("NodeClaim %s has no node that is ready: see its events", claim.Name))
		}
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	sets, err := client.AppsV1().DaemonSets("").List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	type place struct{ namespace, set, node string }
	stand := map[place]bool{}
	for i := range pods {
		if owner := meta.GetControllerOf(&pods[i]); owner != nil && owner.Kind == "DaemonSet" {
			stand[place{pods[i].Namespace, owner.Name, pods[i].Spec.NodeName}] = true
		}
	}
	for i := range sets.Items {
		set := &sets.Items[i]
		for j := range nodes.Items {
			node := &nodes.Items[j]
			wanted, err := belongs(ctx, set, node)
			if err != nil {
				return nil, fmt.Errorf("DaemonSet %s/%s: %w", set.Namespace, set.Name, err)
			}
			if wanted && !stand[place{set.Namespace, set.Name, node.Name}] {
				waiting = append(waiting, fmt.Sprintf("DaemonSet %s/%s has no pod on node %s", set.Namespace, set.Name, node.Name))
			}
		}
	}
	return waiting, nil
}

// belongs tells whether a pod of the set is meant for a node, of those that are ready and stay.
func belongs(ctx context.Context, set *apps.DaemonSet, node *core.Node) (bool, error) {
	if node.DeletionTimestamp != nil || node.Spec.Unschedulable || !readyNode(node) {
		return false, nil
	}
	pod := &core.Pod{Spec: set.Spec.Template.Spec}
	matches, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node)
	if err != nil || !matches {
		return false, err
	}
	_, repelled := scheduling.FindMatchingUntoleratedTaint(klog.FromContext(ctx), node.Spec.Taints, pod.Spec.Tolerations,
		func(t *core.Taint) bool {
			return t.Effect != core.TaintEffectPreferNoSchedule && t.Key != core.TaintNodeNotReady // which goes a moment later
		}, false)
	return !repelled, nil
}

func readyNode(node *core.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == core.NodeReady {
			return c.Status == core.ConditionTrue
		}
	}
	return false
}
