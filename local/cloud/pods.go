package cloud

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
)

// A pod that nobody has begun to run this long after it was placed is brought to mind again; kwok takes milliseconds.
const forgotten = 5 * time.Second

// remindedAt is the annotation that a pod is brought to mind by.
const remindedAt = "alphapulse.local/reminded-at"

// pods has kwok look again at what it has overlooked. A kubelet looks at all its pods once a minute; kwok, which plays it, at what changes.
// When it has taken a node over it lists the node's pods once, and leaves them alone if its own lease on the node is not in its cache yet:
// on a busy machine a new node's first pods would stay as they are for ever.
func pods(ctx context.Context, c *cloud) error {
	return every(ctx, "Reminding kwok of pods failed, trying again", c.remind)
}

func (c *cloud) remind(ctx context.Context) error {
	waiting, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{
		ResourceVersion: "0", FieldSelector: fields.OneTermEqualSelector("status.phase", string(corev1.PodPending)).String(),
	})
	if err != nil {
		return err
	}
	for _, pod := range waiting.Items {
		if !overlooked(pod, time.Now()) {
			continue
		}
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, remindedAt, time.Now().Format(time.RFC3339))
		_, err := c.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		if ignoreGone(err) != nil {
			return fmt.Errorf("reminding of pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
	}
	return nil
}

// overlooked tells that a pod has its node for a while, and has neither been begun nor just been spoken of.
func overlooked(pod corev1.Pod, now time.Time) bool {
	if pod.Spec.NodeName == "" || pod.Status.StartTime != nil || pod.DeletionTimestamp != nil {
		return false
	}
	since := pod.CreationTimestamp.Time
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.LastTransitionTime.After(since) {
			since = c.LastTransitionTime.Time
		}
	}
	if said, err := time.Parse(time.RFC3339, pod.Annotations[remindedAt]); err == nil && said.After(since) {
		since = said
	}
	return now.Sub(since) > forgotten
}
