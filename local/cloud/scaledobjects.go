package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

const (
	kedaOperator  = "keda-operator"
	kedaFinalizer = "finalizer.keda.sh"
)

// ScaledObjects is KEDA's kind of that name.
var ScaledObjects = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}

var triggerAuthentications = ScaledObjects.GroupVersion().WithResource("triggerauthentications")

// ScaledObject is as much of one as the local engine reads.
type ScaledObject struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ScaleTargetRef  autoscalingv2.CrossVersionObjectReference `json:"scaleTargetRef"`
		MinReplicaCount *int32                                    `json:"minReplicaCount"`
		MaxReplicaCount *int32                                    `json:"maxReplicaCount"`
		Triggers        []trigger                                 `json:"triggers"`
		Advanced        struct {
			Autoscaler struct {
				Name     string                                         `json:"name"`
				Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior"`
			} `json:"horizontalPodAutoscalerConfig"`
		} `json:"advanced"`
	} `json:"spec"`
	Status struct {
		AutoscalerName string `json:"hpaName"`
	} `json:"status"`
}

type trigger struct {
	Type              string                                     `json:"type"`
	MetricType        autoscalingv2.MetricTargetType             `json:"metricType"`
	Metadata          map[string]string                          `json:"metadata"`
	AuthenticationRef *autoscalingv2.CrossVersionObjectReference `json:"authenticationRef"`
}

// scaledObjects does KEDA's work, whose pods are simulated: while its operator has a pod, each ScaledObject of the namespaces that the
// operator watches has the autoscaler that KEDA makes for it. Queues are not there: what autoscalers see of them is nothing.
func scaledObjects(ctx context.Context, c *cloud) error {
	return every(ctx, "Looking at ScaledObjects failed, trying again", c.scale)
}

func (c *cloud) scale(ctx context.Context) error {
	deployments, err := c.client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + kedaOperator})
	if err != nil {
		return err
	}
	for _, operator := range deployments.Items {
		if operator.Status.AvailableReplicas == 0 {
			continue
		}
		list, err := c.dynamic.Resource(ScaledObjects).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) { // the operator may be there before its kinds
			return nil
		}
		if err != nil || len(list.Items) == 0 {
			return err
		}
		now, err := c.surroundings(ctx)
		if err != nil {
			return err
		}
		for i := range list.Items {
			object := &list.Items[i]
			if !watches(operator, object.GetNamespace()) {
				continue
			}
			if err := c.scaleOne(ctx, object, now); err != nil && !apierrors.IsConflict(err) {
				c.events.Event(object, corev1.EventTypeWarning, "KEDAScalerFailed", err.Error())
			}
		}
	}
	return nil
}

// watches tells whether an operator looks at a namespace: at all, unless it is told at which.
func watches(operator appsv1.Deployment, namespace string) bool {
	for _, variable := range operator.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "WATCH_NAMESPACE" && variable.Value != "" {
			return slices.Contains(strings.Split(variable.Value, ","), namespace)
		}
	}
	return true
}

// surroundings is what is there beside the ScaledObjects: the logins that their triggers name, and the autoscalers.
type surroundings struct {
	logins      map[types.NamespacedName]bool
	autoscalers map[types.NamespacedName]*autoscalingv2.HorizontalPodAutoscaler
}

func (c *cloud) surroundings(ctx context.Context) (surroundings, error) {
	s := surroundings{map[types.NamespacedName]bool{}, map[types.NamespacedName]*autoscalingv2.HorizontalPodAutoscaler{}}
	logins, err := c.dynamic.Resource(triggerAuthentications).List(ctx, metav1.ListOptions{})
	if err != nil {
		return s, err
	}
	for _, login := range logins.Items {
		s.logins[types.NamespacedName{Namespace: login.GetNamespace(), Name: login.GetName()}] = true
	}
	autoscalers, err := c.client.AutoscalingV2().HorizontalPodAutoscalers("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return s, err
	}
	for i, one := range autoscalers.Items {
		s.autoscalers[types.NamespacedName{Namespace: one.Namespace, Name: one.Name}] = &autoscalers.Items[i]
	}
	return s, nil
}

// scaleOne brings one ScaledObject and its autoscaler into line. One that is deleted takes the autoscaler along: it owns it.
func (c *cloud) scaleOne(ctx context.Context, object *unstructured.Unstructured, now surroundings) error {
	api := c.dynamic.Resource(ScaledObjects).Namespace(object.GetNamespace())
	finalizers := object.GetFinalizers()
	if object.GetDeletionTimestamp() != nil {
		object.SetFinalizers(slices.DeleteFunc(finalizers, func(f string) bool { return f == kedaFinalizer }))
		_, err := api.Update(ctx, object, metav1.UpdateOptions{})
		return err
	}
	if !slices.Contains(finalizers, kedaFinalizer) {
		object.SetFinalizers(append(finalizers, kedaFinalizer))
		updated, err := api.Update(ctx, object, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		object = updated
	}
	scaled, err := ReadScaledObject(object)
	if err != nil {
		return err
	}
	wanted, err := autoscaler(scaled, now.logins)
	if err != nil {
		return err
	}
	if err := c.applyAutoscaler(ctx, wanted, now.autoscalers[types.NamespacedName{Namespace: wanted.Namespace, Name: wanted.Name}]); err != nil {
		return err
	}
	if scaled.Status.AutoscalerName == wanted.Name {
		return nil
	}
	if former := scaled.Status.AutoscalerName; former != "" {
		err := c.client.AutoscalingV2().HorizontalPodAutoscalers(wanted.Namespace).Delete(ctx, former, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	if err := unstructured.SetNestedField(object.Object, wanted.Name, "status", "hpaName"); err != nil {
		return err
	}
	_, err = api.UpdateStatus(ctx, object, metav1.UpdateOptions{})
	return err
}

// applyAutoscaler makes the autoscaler, or changes the one that lives.
func (c *cloud) applyAutoscaler(ctx context.Context, wanted, live *autoscalingv2.HorizontalPodAutoscaler) error {
	api := c.client.AutoscalingV2().HorizontalPodAutoscalers(wanted.Namespace)
	if live == nil {
		_, err := api.Create(ctx, wanted, metav1.CreateOptions{})
		return err
	}
	// What the API server fills in does not count; metrics that are no longer wanted do.
	if len(live.Spec.Metrics) == len(wanted.Spec.Metrics) && equality.Semantic.DeepDerivative(wanted.Spec, live.Spec) {
		return nil
	}
	live.Spec = wanted.Spec
	_, err := api.Update(ctx, live, metav1.UpdateOptions{})
	return err
}

// ReadScaledObject reads what the API server gave.
func ReadScaledObject(object *unstructured.Unstructured) (scaled ScaledObject, err error) {
	err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &scaled)
	return scaled, err
}

// Bounds are the autoscaler's least and most replicas, with KEDA's own where the ScaledObject says nothing.
func (s ScaledObject) Bounds() (least, most int32) {
	least, most = 1, 100
	if s.Spec.MinReplicaCount != nil && *s.Spec.MinReplicaCount > 0 {
		least = *s.Spec.MinReplicaCount
	}
	if s.Spec.MaxReplicaCount != nil {
		most = *s.Spec.MaxReplicaCount
	}
	return least, most
}

// autoscaler is the one that KEDA makes for a ScaledObject.
func autoscaler(s ScaledObject, logins map[types.NamespacedName]bool) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	target, configured := s.Spec.ScaleTargetRef, s.Spec.Advanced.Autoscaler
	if target.Kind == "" {
		target.APIVersion, target.Kind = "apps/v1", "Deployment"
	}
	if configured.Name == "" {
		configured.Name = "keda-hpa-" + s.Name
	}
	var metrics []autoscalingv2.MetricSpec
	for i, t := range s.Spec.Triggers {
		if ref := t.AuthenticationRef; ref != nil && !logins[types.NamespacedName{Namespace: s.Namespace, Name: ref.Name}] {
			return nil, fmt.Errorf("trigger %d: there is no TriggerAuthentication %s", i, ref.Name)
		}
		metric, err := t.metric(i, s.Name)
		if err != nil {
			return nil, fmt.Errorf("trigger %d: %w", i, err)
		}
		metrics = append(metrics, metric)
	}
	if len(metrics) == 0 {
		return nil, errors.New("no triggers")
	}
	slices.SortStableFunc(metrics, func(a, b autoscalingv2.MetricSpec) int { return strings.Compare(string(a.Type), string(b.Type)) })
	least, most := s.Bounds()
	isTrue := true
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{
			Name: configured.Name, Namespace: s.Namespace, Labels: map[string]string{"app.kubernetes.io/managed-by": kedaOperator},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: ScaledObjects.GroupVersion().String(), Kind: "ScaledObject", Name: s.Name, UID: s.UID,
				Controller: &isTrue, BlockOwnerDeletion: &isTrue,
			}},
		},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: target, MinReplicas: &least, MaxReplicas: most, Metrics: metrics, Behavior: configured.Behavior,
		},
	}, nil
}

// metricName replaces what a metric's name may not have.
var metricName = strings.NewReplacer("/", "-", ".", "-", ":", "-", "%", "-", "(", "-", ")", "-")

// metric is what an autoscaler looks at because of a trigger, by its place in the list.
func (t trigger) metric(place int, of string) (autoscalingv2.MetricSpec, error) {
	switch {
	case t.Type == "cpu" && t.MetricType == autoscalingv2.UtilizationMetricType:
		percent, err := strconv.ParseInt(t.Metadata["value"], 10, 32)
		utilization := int32(percent)
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
			Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: t.MetricType, AverageUtilization: &utilization},
		}}, err
	case t.Type == "redis-sentinel" && t.MetricType == "":
		for _, needed := range []string{"addresses", "sentinelMaster", "listName"} {
			if t.Metadata[needed] == "" {
				return autoscalingv2.MetricSpec{}, fmt.Errorf("%s has no %s", t.Type, needed)
			}
		}
		length, err := strconv.ParseInt(t.Metadata["listLength"], 10, 64)
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
			Metric: autoscalingv2.MetricIdentifier{
				Name:     fmt.Sprintf("s%d-%s", place, metricName.Replace("redis-"+t.Metadata["listName"])),
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"scaledobject.keda.sh/name": of}},
			},
			Target: autoscalingv2.MetricTarget{
				Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(length, resource.DecimalSI),
			},
		}}, err
	}
	return autoscalingv2.MetricSpec{}, fmt.Errorf("%s %s is not modelled by the local engine, which knows cpu with Utilization, and redis-sentinel",
		t.Type, t.MetricType)
}
