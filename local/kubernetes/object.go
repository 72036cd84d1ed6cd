package kubernetes

import (
	"math"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// object turns known inputs into what the API server takes: nothing is wrapped as secret, and whole numbers are integers.
func object(props resource.PropertyMap) *unstructured.Unstructured {
	var replace func(v resource.PropertyValue) (any, bool)
	replace = func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret():
			return v.SecretValue().Element.MapRepl(nil, replace), true
		case v.IsNumber() && v.NumberValue() == math.Trunc(v.NumberValue()):
			return int64(v.NumberValue()), true
		}
		return nil, false
	}
	obj := props.MapRepl(nil, replace)
	for key := range obj {
		if resource.IsInternalPropertyKey(resource.PropertyKey(key)) {
			delete(obj, key)
		}
	}
	return &unstructured.Unstructured{Object: obj}
}

// outputs is the live object as state. What is secret in the inputs, and every Secret's data, is secret in it.
func outputs(live *unstructured.Unstructured, inputs resource.PropertyMap) resource.PropertyMap {
	live = live.DeepCopy()
	unstructured.RemoveNestedField(live.Object, "metadata", "managedFields")
	props := hide(resource.NewProperty(resource.NewPropertyMapFromMap(live.Object)), resource.NewProperty(inputs)).ObjectValue()
	if live.GetAPIVersion() == "v1" && live.GetKind() == "Secret" {
		for _, key := range []resource.PropertyKey{"data", "stringData"} {
			if value, found := props[key]; found && !value.IsSecret() {
				props[key] = resource.MakeSecret(value)
			}
		}
	}
	return props
}

// hide makes secret in v what is secret in like. A list is secret as a whole, because the API server may order it anew.
func hide(v, like resource.PropertyValue) resource.PropertyValue {
	switch {
	case like.IsSecret(), like.IsArray() && like.ContainsSecrets():
		return resource.MakeSecret(v)
	case like.IsObject() && v.IsObject():
		hidden := v.ObjectValue().Copy()
		for key, value := range like.ObjectValue() {
			if _, found := hidden[key]; found {
				hidden[key] = hide(hidden[key], value)
			}
		}
		return resource.NewProperty(hidden)
	}
	return v
}

// reveal takes secrets out of their wrappers.
func reveal(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return reveal(v.SecretValue().Element)
	case v.IsObject():
		return resource.NewProperty(revealAll(v.ObjectValue()))
	case v.IsArray():
		items := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, item := range v.ArrayValue() {
			items[i] = reveal(item)
		}
		return resource.NewProperty(items)
	}
	return v
}

func revealAll(props resource.PropertyMap) resource.PropertyMap {
	revealed := resource.PropertyMap{}
	for key, value := range props {
		revealed[key] = reveal(value)
	}
	return revealed
}

// idOf is "namespace/name", or "name" of an object that is in no namespace.
func idOf(obj *unstructured.Unstructured) string {
	if obj.GetNamespace() == "" {
		return obj.GetName()
	}
	return obj.GetNamespace() + "/" + obj.GetName()
}

func splitID(id resource.ID) (namespace, name string) {
	if namespace, name, found := strings.Cut(string(id), "/"); found {
		return namespace, name
	}
	return "", string(id)
}
