package clouds

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// unknown is a value that the engine does not know before the deployment.
type unknown struct{}

// plain is a property without Pulumi's wrappers, as JSON has it; what is not known is unknown{}.
func plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsOutput():
		if !v.OutputValue().Known {
			return unknown{}
		}
		return plain(v.OutputValue().Element)
	case v.IsComputed():
		return unknown{}
	case v.IsArray():
		list := make([]any, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			list[i] = plain(e)
		}
		return list
	case v.IsObject():
		m := map[string]any{}
		for k, e := range v.ObjectValue() {
			if len(k) < 2 || k[:2] != "__" { // the bridge's own notes, such as __defaults
				m[string(k)] = plain(e)
			}
		}
		return m
	default:
		return v.V
	}
}

func plainMap(m resource.PropertyMap) map[string]any {
	return plain(resource.NewProperty(m)).(map[string]any)
}

// wrap is the reverse of plain, with what was secret before kept secret.
func wrap(m map[string]any, before ...resource.PropertyMap) resource.PropertyMap {
	out := resource.NewPropertyMapFromMap(m)
	for _, b := range before {
		for k, v := range b {
			if now, ok := out[k]; ok && v.ContainsSecrets() && !now.ContainsSecrets() {
				out[k] = resource.MakeSecret(now)
			}
		}
	}
	return out
}

// hasUnknown tells whether a value, or a part of it, is not known yet.
func hasUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case []any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	}
	return false
}

// The following read a plain value that may be missing or unknown, as its zero value.

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }
func str(v any) string            { s, _ := v.(string); return s }
func number(v any) int            { n, _ := v.(float64); return int(n) }

func strs(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func objects(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
