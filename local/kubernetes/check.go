package kubernetes

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/jsonpath"
)

// The annotations of the real provider that are modelled.
const (
	autonamed      = "pulumi.com/autonamed"
	skipAwait      = "pulumi.com/skipAwait"
	timeoutSeconds = "pulumi.com/timeoutSeconds"
	waitFor        = "pulumi.com/waitFor"
)

// Check completes a program's inputs: kind, name and namespace. It adds no label: the real provider's managed-by label belongs to
// client-side apply, with server-side apply the API server knows the managers.
func (p *Provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	kind, err := kindOf(req.Type)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	news := withoutNulls(resource.NewProperty(req.News)).ObjectValue()
	var failures []plugin.CheckFailure
	fail := func(property resource.PropertyKey, format string, args ...any) {
		failures = append(failures, plugin.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
	}
	for key, want := range map[resource.PropertyKey]string{"apiVersion": kind.GroupVersion().String(), "kind": kind.Kind} {
		if got, found := news[key]; found && reveal(got).IsString() && reveal(got).StringValue() != want {
			fail(key, "the resource's type says %q, its input says %q", want, reveal(got).StringValue())
		}
		news[key] = resource.NewProperty(want)
	}
	metadata, isKnown := child(news, "metadata")
	if !isKnown {
		return plugin.CheckResponse{Properties: news, Failures: failures}, nil
	}
	annotations, _ := child(metadata, "annotations")
	for key, value := range annotations {
		switch name := string(key); {
		case !strings.HasPrefix(name, "pulumi.com/"), name == autonamed, name == skipAwait, name == timeoutSeconds:
		case name == waitFor && hasWebhooks(kind.GroupKind()):
			if err := checkWaitFor(reveal(value)); err != nil {
				fail("metadata", "annotation %s: %v", name, err)
			}
		default:
			fail("metadata", "annotation %s is not modelled by the local engine", name)
		}
	}
	if metadata.HasValue("generateName") {
		fail("metadata", "generateName is not modelled by the local engine: set a name, or none")
	}

	olds, _ := child(req.Olds, "metadata")
	if _, named := metadata["name"]; !named {
		name := olds["name"]
		if !isAutonamed(req.Olds) {
			unique, err := resource.NewUniqueName(req.RandomSeed, req.URN.Name()+"-", 8, 0, nil)
			if err != nil {
				return plugin.CheckResponse{}, err
			}
			name = resource.NewProperty(unique)
		}
		metadata["name"] = name
		if annotations == nil {
			annotations = resource.PropertyMap{}
		}
		annotations[autonamed] = resource.NewProperty("true")
		metadata["annotations"] = resource.NewProperty(annotations)
	}
	if err := p.setNamespace(kind, metadata, olds); err != nil {
		return plugin.CheckResponse{}, failure("checking", kind, req.URN.Name(), err)
	}
	news["metadata"] = resource.NewProperty(metadata)
	if !news.ContainsUnknowns() {
		p.learn(object(news))
	}
	return plugin.CheckResponse{Properties: news, Failures: failures}, nil
}

// checkWaitFor reads a condition as the real provider does. Nothing waits for it: what webhooks wait for is written by pods, which are
// simulated, and the API server calls no webhook here.
func checkWaitFor(value resource.PropertyValue) error {
	if !value.IsString() {
		return nil // another resource's output
	}
	path, isPath := strings.CutPrefix(value.StringValue(), "jsonpath=")
	if !isPath || !strings.HasPrefix(path, "{") || !strings.HasSuffix(path, "}") {
		return fmt.Errorf("only jsonpath={...} is modelled by the local engine, not %q", value.StringValue())
	}
	return jsonpath.New(waitFor).Parse(path)
}

// setNamespace gives a namespaced object the provider's namespace if it names none. While the cluster cannot say which kinds are
// namespaced, what was must do.
func (p *Provider) setNamespace(kind schema.GroupVersionKind, metadata, olds resource.PropertyMap) error {
	fallback, isNamespaced, err := olds["namespace"], olds.HasValue("namespace"), error(nil)
	if p.cluster != nil {
		var found bool
		found, err = p.isNamespaced(kind)
		switch {
		case err == nil && !found:
			delete(metadata, "namespace")
			return nil
		case err == nil, meta.IsNoMatchError(err): // like the real provider, take a kind that is not known yet for a namespaced one
			fallback, isNamespaced, err = resource.NewProperty(p.cluster.namespace), true, nil
		case unreachable(err) && (p.settings.skipUpdateUnreachable || p.settings.deleteUnreach):
			err = nil
		}
	}
	if _, isSet := metadata["namespace"]; !isSet && isNamespaced {
		metadata["namespace"] = fallback
	}
	return err
}

// isAutonamed tells whether Check made the name.
func isAutonamed(inputs resource.PropertyMap) bool {
	metadata, _ := child(inputs, "metadata")
	annotations, _ := child(metadata, "annotations")
	return reveal(annotations[autonamed]).DeepEquals(resource.NewProperty("true"))
}

// child is a copy of a nested object, empty if there is none; known is false if it is another resource's output.
func child(props resource.PropertyMap, key resource.PropertyKey) (object resource.PropertyMap, known bool) {
	value := props[key]
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	if value.IsObject() {
		return value.ObjectValue().Copy(), true
	}
	return resource.PropertyMap{}, !value.IsComputed()
}

// withoutNulls drops what the program left out: to the API server null is a value.
func withoutNulls(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return resource.MakeSecret(withoutNulls(v.SecretValue().Element))
	case v.IsObject():
		kept := resource.PropertyMap{}
		for key, value := range v.ObjectValue() {
			if !value.IsNull() {
				kept[key] = withoutNulls(value)
			}
		}
		return resource.NewProperty(kept)
	case v.IsArray():
		kept := []resource.PropertyValue{}
		for _, item := range v.ArrayValue() {
			if !item.IsNull() {
				kept = append(kept, withoutNulls(item))
			}
		}
		return resource.NewProperty(kept)
	}
	return v
}
