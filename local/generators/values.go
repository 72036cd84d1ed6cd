package generators

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// values are properties without Pulumi's wrappers, as JSON has them. What is not known yet, or not given, reads as the zero value.
type values map[string]any

func plain(m resource.PropertyMap) values { return m.MapRepl(nil, bare) }

// bare takes the wrapper off a secret.
func bare(v resource.PropertyValue) (any, bool) {
	if !v.IsSecret() {
		return nil, false
	}
	return v.SecretValue().Element.MapRepl(nil, bare), true
}

func (in values) text(name string) string           { s, _ := in[name].(string); return s }
func (in values) flag(name string) bool             { b, _ := in[name].(bool); return b }
func (in values) number(name string) int            { n, _ := in[name].(float64); return int(n) }
func (in values) object(name string) map[string]any { m, _ := in[name].(map[string]any); return m }

func (in values) texts(name string) []string {
	list, _ := in[name].([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
