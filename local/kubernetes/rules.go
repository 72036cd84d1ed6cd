package kubernetes

import (
	"context"
	"errors"
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// rule tells whether an object does its work; message is what is missing, an error means that more time will not help.
type rule func(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (ready bool, message string, err error)

// rules are the kinds that are waited for. All others do their work as soon as they exist.
var rules = map[schema.GroupKind]rule{
	{Group: "apps", Kind: "DaemonSet"}:   byStatus,
	{Group: "apps", Kind: "Deployment"}:  byStatus,
	{Group: "apps", Kind: "ReplicaSet"}:  byStatus,
	{Group: "apps", Kind: "StatefulSet"}: statefulSet,
	{Group: "batch", Kind: "Job"}:        job,
	{Group: "networking.k8s.io", Kind: "Ingress"}: func(_ context.Context, _ *cluster, obj *unstructured.Unstructured) (bool, string, error) {
		return hasAddress(obj), "the ingress has no address yet", nil
	},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: definition,
	{Kind: "PersistentVolumeClaim"}:                                   claim,
	{Kind: "Pod"}:                                                     byStatus,
	{Kind: "Service"}:                                                 service,
}

func byStatus(_ context.Context, _ *cluster, obj *unstructured.Unstructured) (bool, string, error) {
	result, err := status.Compute(obj)
	if err != nil {
		return false, "", err
	}
	if result.Status == status.FailedStatus {
		return false, "", errors.New(result.Message)
	}
	return result.Status == status.CurrentStatus, result.Message, nil
}

// statefulSet also waits for pods that are updated by hand (OnDelete), which kstatus calls current even before there are any.
func statefulSet(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (bool, string, error) {
	ready, message, err := byStatus(ctx, c, obj)
	if !ready || err != nil {
		return false, message, err
	}
	want := status.GetIntField(obj.Object, ".spec.replicas", 1)
	have := status.GetIntField(obj.Object, ".status.readyReplicas", 0)
	return have >= want, fmt.Sprintf("Ready: %d/%d", have, want), nil
}

// job waits for completion; to kstatus a job that runs is current.
func job(_ context.Context, _ *cluster, obj *unstructured.Unstructured) (bool, string, error) {
	for _, condition := range conditions(obj) {
		if condition.Status != metav1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case "Complete":
			return true, "", nil
		case "Failed":
			return false, "", fmt.Errorf("the job failed: %s: %s", condition.Reason, condition.Message)
		}
	}
	suspended, _, _ := unstructured.NestedBool(obj.Object, "spec", "suspend")
	return suspended, "the job is not complete yet", nil
}

// definition is ready when objects of its kind can be made: established, and found by discovery.
func definition(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (bool, string, error) {
	ready, message, err := byStatus(ctx, c, obj)
	if !ready || err != nil {
		return false, message, err
	}
	kind := schema.GroupVersionKind{
		Group: status.GetStringField(obj.Object, ".spec.group", ""),
		Kind:  status.GetStringField(obj.Object, ".spec.names.kind", ""),
	}
	versions, _, _ := unstructured.NestedSlice(obj.Object, "spec", "versions")
	for _, version := range versions {
		version, _ := version.(map[string]any)
		if version["served"] != true {
			continue
		}
		kind.Version, _ = version["name"].(string)
		if _, err := c.mapping(kind); err != nil {
			return false, fmt.Sprintf("the API server does not serve %s yet", kind), nil
		}
	}
	return true, "", nil
}

// claim waits for a volume, unless that is made only when a pod needs it.
func claim(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (bool, string, error) {
	if status.GetStringField(obj.Object, ".status.phase", "") == "Bound" {
		return true, "", nil
	}
	name := status.GetStringField(obj.Object, ".spec.storageClassName", "")
	class, err := c.typed.StorageV1().StorageClasses().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, fmt.Sprintf("there is no storage class %q", name), nil
	}
	if err != nil {
		return false, err.Error(), nil
	}
	mode := class.VolumeBindingMode
	return mode != nil && *mode == storagev1.VolumeBindingWaitForFirstConsumer, "the claim is not bound", nil
}

// service waits for the load balancer's address and for a ready pod behind it.
func service(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (bool, string, error) {
	kind := status.GetStringField(obj.Object, ".spec.type", "ClusterIP")
	if kind == "LoadBalancer" && !hasAddress(obj) {
		return false, "the load balancer has no address yet", nil
	}
	selector, _, _ := unstructured.NestedMap(obj.Object, "spec", "selector")
	headless := status.GetStringField(obj.Object, ".spec.clusterIP", "") == "None"
	if kind == "ExternalName" || headless || len(selector) == 0 {
		return true, "", nil
	}
	slices, err := c.typed.DiscoveryV1().EndpointSlices(obj.GetNamespace()).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=" + obj.GetName(),
	})
	if err != nil {
		return false, err.Error(), nil
	}
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				return true, "", nil
			}
		}
	}
	return false, "no ready pod is behind the service", nil
}

func hasAddress(obj *unstructured.Unstructured) bool {
	addresses, _, _ := unstructured.NestedSlice(obj.Object, "status", "loadBalancer", "ingress")
	return len(addresses) > 0
}

func conditions(obj *unstructured.Unstructured) []metav1.Condition {
	var typed struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	// An object whose conditions have another shape has none for us.
	_ = runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &typed)
	return typed.Status.Conditions
}
