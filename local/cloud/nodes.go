package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/alphapulse/infrastructure/local/clouds"
	"github.com/alphapulse/infrastructure/local/machines"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
)

// lookEvery is how long it takes until a machine that has ended is noticed; AWS takes up to a minute, and nobody learns from that.
const lookEvery = 2 * time.Second

// nodes removes the nodes of machines that are no more, as the cloud controller manager does, with what ran on them.
func nodes(ctx context.Context, c *cloud) error {
	return every(ctx, "Removing nodes without a machine failed, trying again", c.removeNodes)
}

// nodeGroups keeps the managed groups at their size.
func nodeGroups(ctx context.Context, c *cloud) error {
	return every(ctx, "Refilling node groups failed, trying again", func(ctx context.Context) error {
		return clouds.Refill(ctx, c.account, c.region, c.cluster)
	})
}

// every looks again and again: the inventory is files, which anybody may change, and tells nobody.
func every(ctx context.Context, complaint string, look func(context.Context) error) error {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := look(ctx); err != nil && ctx.Err() == nil {
			utilruntime.HandleErrorWithContext(ctx, err, complaint)
		}
	}, lookEvery)
	return nil
}

func (c *cloud) removeNodes(ctx context.Context) error {
	// In this order: a machine is in the inventory before its node is there, and a node before its pods are.
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	all, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	records, err := c.store.List(machines.Type)
	if err != nil {
		return err
	}
	lives, stands := map[string]bool{}, map[string]bool{}
	for _, m := range records {
		lives[m.ID] = true
	}
	for _, node := range all.Items {
		if id := machines.InstanceID(node.Spec.ProviderID); lives[id] || id == "" {
			stands[node.Name] = true
			continue
		}
		if err := c.removeNode(ctx, &node); err != nil {
			return fmt.Errorf("removing node %s: %w", node.Name, err)
		}
	}
	for _, pod := range pods.Items {
		if pod.Spec.NodeName == "" || stands[pod.Spec.NodeName] {
			continue
		}
		if err := c.removePod(ctx, pod); err != nil {
			return fmt.Errorf("removing pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
	}
	return nil
}

// unplugged is a node whose kubelet is silent. Without the annotation kwok, which plays the kubelet, would call it ready again.
const unplugged = `{"metadata":{"annotations":{"kwok.x-k8s.io/node":null}},"status":{"conditions":[{"type":"Ready","status":"Unknown",` +
	`"reason":"NodeStatusUnknown","message":"Kubelet stopped posting node status."}]}}`

// removeNode deletes the node of a machine that is no more. One of Karpenter's is held until Karpenter has seen that, too.
func (c *cloud) removeNode(ctx context.Context, node *corev1.Node) error {
	api := c.client.CoreV1().Nodes()
	for _, subresource := range [][]string{nil, {"status"}} {
		_, err := api.Patch(ctx, node.Name, types.StrategicMergePatchType, []byte(unplugged), metav1.PatchOptions{}, subresource...)
		if err != nil {
			return ignoreGone(err)
		}
	}
	if node.DeletionTimestamp != nil {
		return nil
	}
	return ignoreGone(api.Delete(ctx, node.Name, metav1.DeleteOptions{}))
}

// removePod deletes a pod that nothing runs any more, which nobody will confirm.
func (c *cloud) removePod(ctx context.Context, pod corev1.Pod) error {
	now := int64(0)
	return ignoreGone(c.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	}))
}

// ignoreGone takes it for done when an object is gone, or another has its name by now.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
