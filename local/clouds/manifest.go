package clouds

import (
	"embed"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The files say all there is to know of an add-on: its versions for each Kubernetes minor (EKS's default first, the newest last),
// what each key of its configuration values changes, and its objects.
//
//go:embed addons/*.yaml
var addonFiles embed.FS

// manifest is one Kubernetes object of an add-on.
type manifest = *unstructured.Unstructured

type addon struct {
	Name     string
	Versions map[string][]string
	Settings map[string]setting
	Objects  []manifest // all of them, with their defaults
}

// setting is what a configuration key does. At are places "Kind/name:path.in.object", where an element of a list is found by its
// name; Object is one that a boolean switches on or off.
type setting struct {
	At      []string
	Object  string
	Default bool           // of Object
	Values  map[string]any // what a value means in the objects, where it is not put there as it is
}

func loadAddon(name string) (*addon, error) {
	data, err := addonFiles.ReadFile("addons/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("EKS add-on %q is not modelled by the local engine", name)
	}
	documents := strings.Split(string(data), "\n---\n")
	a := &addon{Name: name}
	if err := yaml.UnmarshalStrict([]byte(documents[0]), a); err != nil {
		return nil, fmt.Errorf("add-on %s: %w", name, err)
	}
	for _, d := range documents[1:] {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(d), &o.Object); err != nil {
			return nil, fmt.Errorf("add-on %s: %w", name, err)
		}
		a.Objects = append(a.Objects, o)
	}
	return a, nil
}

func nameOf(o manifest) string { return o.GetKind() + "/" + o.GetName() }

// render gives the objects of a version with the configuration values applied. An unknown key is an error, as it is for EKS.
func (a *addon) render(region, version string, values map[string]any) ([]manifest, error) {
	fresh, err := loadAddon(a.Name) // the objects are changed in place
	if err != nil {
		return nil, err
	}
	off := map[string]bool{}
	for _, s := range a.Settings {
		if s.Object != "" {
			off[s.Object] = !s.Default
		}
	}
	if err := a.configure(fresh.Objects, off, "", values); err != nil {
		return nil, err
	}
	manifests := slices.DeleteFunc(fresh.Objects, func(o manifest) bool { return off[nameOf(o)] })
	for _, o := range manifests {
		labels := map[string]string{"app.kubernetes.io/name": a.Name, "app.kubernetes.io/managed-by": "EKS"}
		maps.Copy(labels, o.GetLabels())
		o.SetLabels(labels)
		o.Object = substitute(o.Object, strings.NewReplacer("${region}", region, "${version}", version)).(map[string]any)
	}
	return manifests, nil
}

func (a *addon) configure(manifests []manifest, off map[string]bool, path string, values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		s, known := a.Settings[path+key]
		inner, deeper := value.(map[string]any)
		on, isBool := value.(bool)
		switch {
		case !known && deeper && a.hasUnder(path+key+"."):
			if err := a.configure(manifests, off, path+key+".", inner); err != nil {
				return err
			}
		case !known:
			return unsupported("%s%s is not modelled for add-on %s", path, key, a.Name)
		case s.Object != "" && isBool:
			off[s.Object] = !on
		case s.Object != "":
			return unsupported("%s%s must be a boolean", path, key)
		}
		if s.Values != nil {
			meaning, ok := s.Values[fmt.Sprint(value)]
			if !ok {
				return unsupported("%s%s: %v", path, key, value)
			}
			value = meaning
		}
		for _, place := range s.At {
			target, at, _ := strings.Cut(place, ":")
			for _, o := range manifests {
				if nameOf(o) != target {
					continue
				}
				if err := assign(o.Object, strings.Split(at, "."), value); err != nil {
					return unsupported("%s%s: %v", path, key, err)
				}
			}
		}
	}
	return nil
}

func unsupported(format string, args ...any) error {
	return apiError("InvalidParameterException", "ConfigurationValue provided in request is not supported: "+format, args...)
}

func (a *addon) hasUnder(prefix string) bool {
	for key := range a.Settings {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// assign sets a value in an object. A map on a list of named things (environment variables) sets those it names; a value of
// another kind than the default is refused, as EKS's schemas do: "true" is not true.
func assign(m map[string]any, path []string, value any) error {
	if path[0] == "data" && len(path) > 1 { // keys of a ConfigMap have dots
		path = []string{"data", strings.Join(path[1:], ".")}
	}
	old := m[path[0]]
	if len(path) > 1 {
		switch old := old.(type) {
		case map[string]any:
			return assign(old, path[1:], value)
		case []any:
			for _, e := range old {
				if e := object(e); e["name"] == path[1] {
					return assign(e, path[2:], value)
				}
			}
			return fmt.Errorf("no %s in %s", path[1], path[0])
		}
		inner := map[string]any{}
		m[path[0]] = inner
		return assign(inner, path[1:], value)
	}
	list, named := old.([]any)
	if values, ok := value.(map[string]any); ok && named {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			list = slices.DeleteFunc(list, func(e any) bool { return object(e)["name"] == name })
			list = append(list, map[string]any{"name": name, "value": values[name]})
		}
		m[path[0]] = list
		return nil
	}
	if old != nil && kind(old) != kind(value) {
		return fmt.Errorf("%v is not a %s", value, kind(old))
	}
	m[path[0]] = value
	return nil
}

func kind(v any) string {
	switch k := reflect.ValueOf(v).Kind(); k {
	case reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list"
	case reflect.Bool:
		return "boolean"
	default:
		return k.String()
	}
}

func substitute(v any, r *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return r.Replace(v)
	case []any:
		for i := range v {
			v[i] = substitute(v[i], r)
		}
	case map[string]any:
		for k := range v {
			v[k] = substitute(v[k], r)
		}
	}
	return v
}
