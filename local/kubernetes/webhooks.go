package kubernetes

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// silenced is the match condition by which the API server never calls a webhook that a pod would have to answer: pods are simulated,
// and the first write would wait for them in vain. Everything else about the webhook is registered, and checked, as it is.
const silenced = "simulated-pods-do-not-answer"

// silence gives the object as the API server gets it: a copy if it has webhooks.
func silence(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return eachWebhook(obj, func(webhook map[string]any) {
		if _, found, _ := unstructured.NestedMap(webhook, "clientConfig", "service"); !found {
			return
		}
		conditions, _, _ := unstructured.NestedSlice(webhook, "matchConditions")
		webhook["matchConditions"] = append(conditions, map[string]any{"name": silenced, "expression": "false"})
	})
}

// unsilence gives the object as the program knows it.
func unsilence(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return eachWebhook(obj, func(webhook map[string]any) {
		conditions, found, _ := unstructured.NestedSlice(webhook, "matchConditions")
		conditions = slices.DeleteFunc(conditions, func(condition any) bool {
			named, _ := condition.(map[string]any)
			return named["name"] == silenced
		})
		if delete(webhook, "matchConditions"); found && len(conditions) > 0 {
			webhook["matchConditions"] = conditions
		}
	})
}

func eachWebhook(obj *unstructured.Unstructured, do func(webhook map[string]any)) *unstructured.Unstructured {
	if obj == nil || !hasWebhooks(obj.GroupVersionKind().GroupKind()) {
		return obj
	}
	obj = obj.DeepCopy()
	webhooks, _, _ := unstructured.NestedSlice(obj.Object, "webhooks")
	for _, webhook := range webhooks {
		if webhook, isObject := webhook.(map[string]any); isObject {
			do(webhook)
		}
	}
	if len(webhooks) > 0 {
		obj.Object["webhooks"] = webhooks
	}
	return obj
}

func hasWebhooks(kind schema.GroupKind) bool {
	return kind.Group == "admissionregistration.k8s.io" && (kind.Kind == "ValidatingWebhookConfiguration" || kind.Kind == "MutatingWebhookConfiguration")
}
