package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/alphapulse/infrastructure/local/cloud"
	"github.com/alphapulse/infrastructure/local/controlplane"
)

// settleTimeout is how long pods that an autoscaler asked for may take; autoscalers look every three seconds
// here, and nodes come within ten.
const settleTimeout = 60 * time.Second

// podCount is how many pods there are, and how many of them are ready.
type podCount struct{ ready, all int }

// settle waits until every autoscaler has its minimum, every machine has joined, and every pod is ready. What does not get there is named
// with its reason.
func (e *Engine) settle(ctx context.Context) (count podCount, err error) {
	names, err := e.clusters()
	if err != nil || len(names) == 0 {
		return podCount{}, err
	}
	config, err := controlplane.Config(names[0])
	if err != nil {
		return podCount{}, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return podCount{}, err
	}
	custom, err := dynamic.NewForConfig(config)
	if err != nil {
		return podCount{}, err
	}
	var waiting []string
	var looked error // an API server under load may fail once; what was seen before is still true
	err = wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, settleTimeout, true, func(ctx context.Context) (bool, error) {
		var now podCount
		var behind []string
		if now, behind, looked = look(ctx, client, custom); looked != nil {
			return false, nil
		}
		count, waiting = now, behind
		return len(waiting) == 0, nil
	})
	if err != nil {
		for _, line := range waiting {
			fmt.Println("  waiting:", line)
		}
		return count, errors.Join(fmt.Errorf("%d pods, nodes or autoscalers are not there after %s: %w", len(waiting), settleTimeout, err), looked)
	}
	return count, nil
}

// look counts the pods, and names all that is still awaited.
func look(ctx context.Context, client kubernetes.Interface, custom dynamic.Interface) (count podCount, waiting []string, err error) {
	autoscalers, err := client.AutoscalingV2().HorizontalPodAutoscalers("").List(ctx, meta.ListOptions{})
	if err != nil {
		return count, nil, err
	}
	for _, a := range autoscalers.Items {
		if a.Spec.MinReplicas != nil && a.Status.CurrentReplicas < *a.Spec.MinReplicas {
			waiting = append(waiting, fmt.Sprintf("autoscaler %s/%s has %d of at least %d replicas",
				a.Namespace, a.Name, a.Status.CurrentReplicas, *a.Spec.MinReplicas))
		}
	}
	behind, err := behindScaledObjects(ctx, custom, autoscalers.Items)
	if err != nil {
		return count, nil, err
	}
	waiting = append(waiting, behind...)
	pods, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{})
	if err != nil {
		return count, nil, err
	}
	for _, pod := range pods.Items {
		count.all++
		if ready(pod) {
			count.ready++
		} else {
			waiting = append(waiting, fmt.Sprintf("pod %s/%s is %s: %s", pod.Namespace, pod.Name, pod.Status.Phase, reason(pod)))
		}
	}
	behind, err = behindNodes(ctx, client, custom, pods.Items)
	return count, append(waiting, behind...), err
}

// behindScaledObjects names the ScaledObjects whose autoscaler is not there yet, or is still what it was before a change.
func behindScaledObjects(
	ctx context.Context, custom dynamic.Interface, autoscalers []autoscaling.HorizontalPodAutoscaler,
) (waiting []string, err error) {
	list, err := custom.Resource(cloud.ScaledObjects).List(ctx, meta.ListOptions{})
	if apierrors.IsNotFound(err) { // nothing in this cluster knows them
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		scaled, err := cloud.ReadScaledObject(&list.Items[i])
		if err != nil {
			return nil, err
		}
		least, most := scaled.Bounds()
		if !slices.ContainsFunc(autoscalers, func(a autoscaling.HorizontalPodAutoscaler) bool {
			return a.Namespace == scaled.Namespace && a.Name == scaled.Status.AutoscalerName &&
				*a.Spec.MinReplicas == least && a.Spec.MaxReplicas == most
		}) {
			waiting = append(waiting, fmt.Sprintf("ScaledObject %s/%s has no autoscaler of %d to %d replicas: see its events",
				scaled.Namespace, scaled.Name, least, most))
		}
	}
	return waiting, nil
}

func ready(pod core.Pod) bool {
	if pod.Status.Phase == core.PodSucceeded {
		return true
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == core.PodReady {
			return c.Status == core.ConditionTrue
		}
	}
	return false
}

func reason(pod core.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == core.PodScheduled && c.Status != core.ConditionTrue {
			return c.Message
		}
	}
	return "not ready"
}
