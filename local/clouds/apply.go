package clouds

import (
	"context"
	"errors"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/alphapulse/infrastructure/local/controlplane"
)

// addonTimeout is how long the pods of an add-on may take: on kwok nodes all that takes time is a lack of room.
const addonTimeout = 60 * time.Second

// client applies an add-on's objects as EKS does, with server-side apply in its name.
type client struct{ dynamic.Interface }

func connect(cluster string) (client, error) {
	config, err := controlplane.Config(cluster)
	if err != nil {
		return client{}, err
	}
	c, err := dynamic.NewForConfig(config)
	return client{c}, err
}

// of is the interface to an object's kind. Its plural can be guessed: add-ons are made of Kubernetes' own kinds.
func (c client) of(o manifest) dynamic.ResourceInterface {
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if o.GetNamespace() == "" {
		return c.Resource(resource)
	}
	return c.Resource(resource).Namespace(o.GetNamespace())
}

// conflict fails when an object is there already, as those are that EKS installs by itself on a new cluster.
func (c client) conflict(ctx context.Context, manifests []manifest) error {
	for _, o := range manifests {
		_, err := c.of(o).Get(ctx, o.GetName(), metav1.GetOptions{})
		if err == nil && o.GetKind() != "Namespace" {
			return apiError("ConfigurationConflict", "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. %s exists", nameOf(o))
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func (c client) apply(ctx context.Context, manifests []manifest) error {
	for _, o := range manifests {
		if _, err := c.of(o).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "eks", Force: true}); err != nil {
			return fmt.Errorf("applying %s: %w", nameOf(o), err)
		}
	}
	return nil
}

func (c client) delete(ctx context.Context, o manifest) error {
	foreground := metav1.DeletePropagationForeground
	err := c.of(o).Delete(ctx, o.GetName(), metav1.DeleteOptions{PropagationPolicy: &foreground})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s: %w", nameOf(o), err)
	}
	return nil
}

func (c client) install(ctx context.Context, manifests []manifest) error {
	if err := c.apply(ctx, manifests); err != nil {
		return err
	}
	for _, o := range manifests {
		err := wait.PollUntilContextTimeout(ctx, 300*time.Millisecond, addonTimeout, true, func(ctx context.Context) (bool, error) {
			live, err := c.of(o).Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			now, err := status.Compute(live)
			return err == nil && now.Status == status.CurrentStatus, err
		})
		if errors.Is(err, context.DeadlineExceeded) {
			return apiError("InsufficientNumberOfReplicas", "%s is not available: %s", nameOf(o), c.reason(ctx, o))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reason is what the scheduler says of the first pod of a workload that it cannot place.
func (c client) reason(ctx context.Context, o manifest) string {
	selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	pods, err := c.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(o.GetNamespace()).
		List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(metav1.SetAsLabelSelector(selector))})
	if err != nil {
		return err.Error()
	}
	for _, pod := range pods.Items {
		conditions, _, _ := unstructured.NestedSlice(pod.Object, "status", "conditions")
		for _, condition := range objects(conditions) {
			if condition["type"] == string(core.PodScheduled) && condition["status"] == "False" {
				return fmt.Sprintf("pod %s: %v", pod.GetName(), condition["message"])
			}
		}
	}
	return fmt.Sprintf("%d pods, none of them pending", len(pods.Items))
}
