package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// reasons says why an object is not ready, in the words of those who know: the scheduler and the kubelet about its pods, and the
// controllers and admission in their events since the wait began.
func (c *cluster) reasons(ctx context.Context, obj *unstructured.Unstructured, since time.Time) []string {
	if obj.GetNamespace() == "" {
		return nil
	}
	found := &tally{counts: map[string]int{}}
	claims := c.podReasons(ctx, obj, found)

	since = since.Truncate(time.Second) // as exact as an event's time
	events, err := c.typed.CoreV1().Events(obj.GetNamespace()).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning"})
	if err != nil {
		found.add(fmt.Sprintf("the events cannot be read: %v", err))
		return found.lines()
	}
	seen := map[string]bool{} // a controller that tries again says the same with other pods' names
	for _, event := range events.Items {
		name := event.InvolvedObject.Name
		about := name == obj.GetName() || strings.HasPrefix(name, obj.GetName()+"-") || claims[name]
		told := event.InvolvedObject.Kind == "Pod" && event.Reason == "FailedScheduling" // by the pod's condition
		if kind := name + event.Reason; about && !told && !seen[kind] && !lastSeen(event).Before(since) {
			seen[kind] = true
			found.add(fmt.Sprintf("%s: %s", event.Reason, event.Message))
		}
	}
	return found.lines()
}

// podReasons tells what holds up the pods, and gives the names of their volumes' claims.
func (c *cluster) podReasons(ctx context.Context, obj *unstructured.Unstructured, found *tally) (claims map[string]bool) {
	selector := podSelector(obj)
	if selector == nil {
		return nil
	}
	pods, err := c.typed.CoreV1().Pods(obj.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		found.add(fmt.Sprintf("the pods cannot be read: %v", err))
		return nil
	}
	if len(pods.Items) == 0 {
		found.add(fmt.Sprintf("no pod has the labels %s", selector))
	}
	claims = map[string]bool{}
	for _, pod := range pods.Items {
		for _, volume := range pod.Spec.Volumes {
			if volume.PersistentVolumeClaim != nil {
				claims[volume.PersistentVolumeClaim.ClaimName] = true
			}
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
				found.add(fmt.Sprintf("pod is %s: %s", condition.Reason, condition.Message))
			}
		}
		for _, container := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
			switch state := container.State; {
			case state.Waiting != nil && state.Waiting.Reason != "PodInitializing" && state.Waiting.Reason != "ContainerCreating":
				found.add(fmt.Sprintf("container %q waits: %s %s", container.Name, state.Waiting.Reason, state.Waiting.Message))
			case state.Terminated != nil && state.Terminated.ExitCode != 0:
				found.add(fmt.Sprintf("container %q ended with code %d: %s %s",
					container.Name, state.Terminated.ExitCode, state.Terminated.Reason, state.Terminated.Message))
			}
		}
		for _, container := range pod.Status.ContainerStatuses {
			if container.State.Running != nil && !container.Ready {
				found.add(fmt.Sprintf("container %q runs, but is not ready: see its readiness probe", container.Name))
			}
		}
	}
	return claims
}

// podSelector selects the pods of a workload or a service; nil for what has none.
func podSelector(obj *unstructured.Unstructured) labels.Selector {
	spec, _, _ := unstructured.NestedMap(obj.Object, "spec", "selector")
	switch {
	case obj.GetKind() == "Service":
		plain, _, _ := unstructured.NestedStringMap(obj.Object, "spec", "selector")
		return labels.SelectorFromSet(plain)
	case len(spec) == 0 || obj.GetKind() == "PersistentVolumeClaim":
		return nil
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &selector); err != nil {
		return nil
	}
	compiled, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		return nil
	}
	return compiled
}

func lastSeen(event corev1.Event) time.Time {
	last := event.LastTimestamp.Time
	if event.EventTime.After(last) {
		last = event.EventTime.Time
	}
	if event.Series != nil && event.Series.LastObservedTime.After(last) {
		last = event.Series.LastObservedTime.Time
	}
	return last
}

// tally keeps equal messages as one line with a count: ten pods that wait for the same are one reason.
type tally struct {
	counts map[string]int
	order  []string
}

func (t *tally) add(message string) {
	message = strings.TrimSpace(message)
	if t.counts[message]++; t.counts[message] == 1 {
		t.order = append(t.order, message)
	}
}

func (t *tally) lines() []string {
	var lines []string
	for _, message := range t.order {
		if n := t.counts[message]; n > 1 {
			message = fmt.Sprintf("%d times: %s", n, message)
		}
		lines = append(lines, message)
	}
	return lines
}
