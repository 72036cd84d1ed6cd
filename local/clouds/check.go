package clouds

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Check names every property that is missing or not modelled, and fills in names, defaults and default tags.
func (p *Provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	t, ok := types[string(req.URN.Type())]
	if !ok {
		return plugin.CheckResponse{Failures: []plugin.CheckFailure{{
			Reason: fmt.Sprintf("resource type %s is not modelled by the local engine", req.URN.Type())}}}, nil
	}
	in := maps.Clone(req.News)
	if in == nil {
		in = resource.PropertyMap{}
	}
	var madeUp []resource.PropertyValue
	for _, f := range t.fields {
		key := resource.PropertyKey(f.name)
		if _, given := in[key]; given {
			continue
		}
		switch {
		case f.auto:
			name, err := autoname(req, t, key)
			if err != nil {
				return plugin.CheckResponse{}, err
			}
			in[key], madeUp = resource.NewProperty(name), append(madeUp, resource.NewProperty(f.name))
		case f.fallback != nil:
			in[key] = resource.NewPropertyValue(f.fallback)
		}
	}
	in["__defaults"] = resource.NewProperty(madeUp) // as the bridge notes it
	if _, tagged := lookup(t.fields, "tags"); tagged && len(p.defaultTags) > 0 {
		tags := resource.NewPropertyMapFromMap(p.defaultTags)
		own := in["tags"]
		if own.IsObject() {
			maps.Copy(tags, own.ObjectValue())
		}
		if !own.IsComputed() && !own.IsSecret() {
			in["tags"] = resource.NewProperty(tags)
		}
	}
	resp := plugin.CheckResponse{Properties: in}
	values := plainMap(in)
	for _, reason := range validate(t, t.fields, "", values) {
		resp.Failures = append(resp.Failures, plugin.CheckFailure{Reason: reason})
	}
	if t.check != nil && len(resp.Failures) == 0 {
		if err := t.check(values); err != nil {
			resp.Failures = append(resp.Failures, plugin.CheckFailure{Reason: err.Error()})
		}
	}
	return resp, nil
}

// autoname keeps the name that the resource has, or makes one as the bridge does: its logical name and seven random digits.
func autoname(req plugin.CheckRequest, t *Type, key resource.PropertyKey) (string, error) {
	if old, ok := req.Olds[key]; ok && old.IsString() {
		return old.StringValue(), nil
	}
	prefix := req.URN.Name() + "-"
	if t.Name == "kms.Alias" {
		prefix = "alias/" + prefix
	}
	return resource.NewUniqueName(req.RandomSeed, prefix, 7, 0, nil)
}

func validate(t *Type, fields []field, path string, values map[string]any) []string {
	var reasons []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f, ok := lookup(fields, name)
		if !ok {
			reasons = append(reasons, fmt.Sprintf("property %s%s of %s is not modelled by the local engine", path, name, token(t.Name)))
			continue
		}
		items, isList := values[name].([]any)
		if !isList {
			items = []any{values[name]}
		}
		for _, item := range items {
			m, isObject := item.(map[string]any)
			switch {
			case f.free || item == nil || item == unknown{}:
			case isObject && f.fields != nil:
				reasons = append(reasons, validate(t, f.fields, path+name+".", m)...)
			case isObject || f.fields != nil:
				reasons = append(reasons, fmt.Sprintf("property %s%s of %s is not modelled in this form by the local engine", path, name, token(t.Name)))
			}
		}
	}
	for _, f := range fields {
		if values[f.name] == nil && f.required {
			reasons = append(reasons, fmt.Sprintf("missing required property %s%s of %s", path, f.name, token(t.Name)))
		}
	}
	return reasons
}
