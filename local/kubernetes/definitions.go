package kubernetes

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// defines gives the kind that a CustomResourceDefinition defines, and whether objects of that kind are in namespaces.
func defines(obj *unstructured.Unstructured) (kind schema.GroupKind, isNamespaced, isDefinition bool) {
	if obj.GroupVersionKind().GroupKind() != (schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}) {
		return kind, false, false
	}
	kind.Group = status.GetStringField(obj.Object, ".spec.group", "")
	kind.Kind = status.GetStringField(obj.Object, ".spec.names.kind", "")
	return kind, status.GetStringField(obj.Object, ".spec.scope", "") == "Namespaced", true
}

// learn remembers a definition that this run makes, so that a preview knows its kind too.
func (p *Provider) learn(obj *unstructured.Unstructured) {
	if kind, isNamespaced, isDefinition := defines(obj); isDefinition {
		p.definitions.Store(kind, isNamespaced)
	}
}

// isNamespaced tells whether objects of a kind are in namespaces. What the program says counts for more than what the cluster has.
func (p *Provider) isNamespaced(kind schema.GroupVersionKind) (bool, error) {
	if known, found := p.definitions.Load(kind.GroupKind()); found {
		return known.(bool), nil
	}
	mapping, err := p.cluster.mapping(kind)
	if err != nil {
		return false, err
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}
