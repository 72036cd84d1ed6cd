package kubernetes

import (
	"encoding/base64"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// importedKey marks inputs that an import made of a live object.
const importedKey = "__imported"

// projection gives a live object the shape of inputs: what the program set, with the values that the cluster has. What the API
// server filled in and what other managers added is left out; what somebody changed or removed is drift.
type projection struct {
	keys map[string][]string // lists whose items are merged by these keys
}

// mergeKeys are the lists of built-in kinds in which other managers may have items of their own, anywhere. Of all other lists the real
// provider compares as many items as the program has: a subject appended to a role binding is not seen (pruneSlice in its util.go).
var mergeKeys = map[string][]string{
	"containers": {"name"}, "initContainers": {"name"}, "env": {"name"}, "volumes": {"name"}, "imagePullSecrets": {"name"},
	"ports":        {"containerPort", "port", "protocol"},
	"volumeMounts": {"mountPath"}, "volumeDevices": {"devicePath"}, "hostAliases": {"ip"},
	"topologySpreadConstraints": {"topologyKey", "whenUnsatisfiable"},
}

func projectionFor(kind schema.GroupVersionKind) projection {
	switch kind.Group {
	case "", "apps", "batch":
		return projection{keys: mergeKeys}
	}
	return projection{}
}

func (p projection) object(inputs resource.PropertyMap, live map[string]any) resource.PropertyMap {
	projected := resource.PropertyMap{}
	for key, input := range inputs {
		value, found := live[string(key)]
		switch {
		case found:
			projected[key] = p.value(string(key), input, value)
		case isEmpty(input) || resource.IsInternalPropertyKey(key): // the API server leaves out what is empty
			projected[key] = input
		}
	}
	return projected
}

func (p projection) value(name string, input resource.PropertyValue, live any) resource.PropertyValue {
	if input.IsSecret() {
		return resource.MakeSecret(p.value(name, input.SecretValue().Element, live))
	}
	switch live := live.(type) {
	case map[string]any:
		if input.IsObject() {
			return resource.NewProperty(p.object(input.ObjectValue(), live))
		}
	case []any:
		if input.IsArray() {
			return resource.NewProperty(p.list(name, input.ArrayValue(), live))
		}
	}
	if sameValue(input, live) {
		return input
	}
	return resource.NewPropertyValue(live)
}

func (p projection) list(name string, inputs []resource.PropertyValue, live []any) []resource.PropertyValue {
	projected := []resource.PropertyValue{}
	keys, merged := p.keys[name]
	if !merged {
		for i, item := range live[:min(len(live), len(inputs))] {
			projected = append(projected, p.value("", inputs[i], item))
		}
		return projected
	}
	for _, input := range inputs {
		for _, item := range live {
			if sameItem(keys, input, item) {
				projected = append(projected, p.value("", input, item))
				break
			}
		}
	}
	return projected
}

// sameItem tells whether two items of a merged list have the same keys.
func sameItem(keys []string, input resource.PropertyValue, live any) bool {
	item, isObject := live.(map[string]any)
	if input = reveal(input); !isObject || !input.IsObject() {
		return false
	}
	for _, key := range keys {
		want, have := input.ObjectValue()[resource.PropertyKey(key)], item[key]
		if key == "protocol" && want.IsNull() { // the default of all ports
			want = resource.NewProperty("TCP")
		}
		if key == "protocol" && have == nil {
			have = "TCP"
		}
		if !want.IsNull() || have != nil {
			if have == nil || !sameValue(want, have) {
				return false
			}
		}
	}
	return true
}

// sameValue compares as the API server does, which keeps quantities in their canonical form: of "2000m" and of 2 it makes "2".
func sameValue(input resource.PropertyValue, live any) bool {
	if resource.NewPropertyValue(live).DeepEquals(input) {
		return true
	}
	text, isText := live.(string)
	if !isText || !input.IsString() && !input.IsNumber() {
		return false
	}
	parsed, err := quantity.ParseQuantity(fmt.Sprint(input.V))
	return err == nil && parsed.String() == text
}

func isEmpty(v resource.PropertyValue) bool {
	switch v = reveal(v); {
	case v.IsObject():
		for _, value := range v.ObjectValue() {
			if !isEmpty(value) {
				return false
			}
		}
		return true
	case v.IsArray():
		return len(v.ArrayValue()) == 0
	}
	return v.IsNull() || v.V == false || v.V == 0.0 || v.V == ""
}

// liveInputs are an object's inputs as the cluster has them now.
func liveInputs(kind schema.GroupVersionKind, olds resource.PropertyMap, live *unstructured.Unstructured) resource.PropertyMap {
	if len(olds) == 0 {
		return imported(live)
	}
	shown := live.DeepCopy().Object
	if written, _ := child(olds, "stringData"); len(written) > 0 { // never read back: the API server moves it to data
		data, _, _ := unstructured.NestedStringMap(shown, "data")
		texts := map[string]any{}
		for key := range written {
			if text, err := base64.StdEncoding.DecodeString(data[string(key)]); err == nil && data[string(key)] != "" {
				texts[string(key)] = string(text)
			}
		}
		shown["stringData"] = texts
	}
	return projectionFor(kind).object(olds, shown)
}

// imported are the inputs of an object that Pulumi did not make: all but what the API server alone writes.
func imported(live *unstructured.Unstructured) resource.PropertyMap {
	obj := live.DeepCopy()
	for _, path := range [][]string{
		{"status"},
		{"metadata", "uid"}, {"metadata", "resourceVersion"}, {"metadata", "generation"},
		{"metadata", "creationTimestamp"}, {"metadata", "selfLink"},
		{"metadata", "annotations", "deployment.kubernetes.io/revision"},
		{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"},
	} {
		unstructured.RemoveNestedField(obj.Object, path...)
	}
	if len(obj.GetAnnotations()) == 0 {
		obj.SetAnnotations(nil)
	}
	inputs := outputs(obj, nil)
	inputs[importedKey] = resource.NewProperty(true)
	return inputs
}
