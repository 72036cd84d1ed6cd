package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/go-viper/mapstructure/v2"
)

// keys is a set of config keys that could not be read.
type keys map[string]bool

// covers says whether a key, or something around it, is in the set.
func (k keys) covers(key string) bool {
	for broken := range k {
		if rest, ok := strings.CutPrefix(key, broken); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// decode fills the platform strictly: an unknown key, a wrong type and unreadable JSON are problems, each with its key. A value that
// could be read is read, whatever stands beside it.
func decode(raw map[string]string, into *Platform) (Problems, keys) {
	var problems Problems
	broken := keys{}
	report := func(key, value, want string, args ...any) {
		broken[key] = true
		problems = append(problems, Problem{Key: key, Value: value, Want: fmt.Sprintf(want, args...)})
	}

	fields := topLevel(into)
	for _, full := range sortedKeys(raw) {
		key, ours := strings.CutPrefix(full, Namespace+":")
		if !ours {
			continue // the engine's and the providers' own settings
		}
		field, known := fields[key]
		if !known {
			report(full, "", "is not a key of this program; legal: %s", legalKeys(reflect.TypeOf(*into)))
			continue
		}
		value, err := parse(raw[full], field.Kind())
		if err != nil {
			report(full, raw[full], "%v", err)
			continue
		}
		var found mapstructure.Metadata
		decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
			Result: field.Addr().Interface(), Metadata: &found, TagName: "json",
			MatchName:  func(key, field string) bool { return key == field },
			DecodeHook: noNumbersForStrings,
		})
		if err != nil { // only a wrong destination does that
			panic(err)
		}
		for _, failure := range flatten(decoder.Decode(value)) {
			at := full + path(failure.Name())
			report(at, shown(failure), "%s", want(failure))
		}
		for _, unused := range found.Unused {
			report(full+path(unused), "", "is not a key of this program; legal there: %s", legalKeys(typeAt(field.Type(), unused)))
		}
	}
	return problems, broken
}

// parse reads one top-level value: objects and lists arrive as JSON, plain values as they are.
func parse(text string, kind reflect.Kind) (any, error) {
	if kind == reflect.String {
		return text, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // 1.5 replicas must fail, not become 1
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("expected %s", describe(kind))
	}
	return value, nil
}

// noNumbersForStrings refuses what YAML takes for a number where a string is meant: `version: 1.30` would arrive as 1.3.
func noNumbersForStrings(from, to reflect.Type, value any) (any, error) {
	if number, ok := value.(json.Number); ok && to.Kind() == reflect.String && to != from {
		return nil, fmt.Errorf("expected a string, got the number %s: put it in quotes", number)
	}
	return value, nil
}

// flatten gives every failure of a decoding, which mapstructure nests as it descends.
func flatten(err error) []*mapstructure.DecodeError {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*mapstructure.DecodeError
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	var one *mapstructure.DecodeError
	if errors.As(err, &one) {
		if inner := flatten(errors.Unwrap(one)); len(inner) > 0 {
			return inner
		}
		return []*mapstructure.DecodeError{one}
	}
	return flatten(errors.Unwrap(err))
}

func shown(failure *mapstructure.DecodeError) string {
	var typed *mapstructure.UnconvertibleTypeError
	if errors.As(failure, &typed) {
		text, err := json.Marshal(typed.Value)
		if err == nil {
			return string(text)
		}
	}
	return ""
}

func want(failure *mapstructure.DecodeError) string {
	var typed *mapstructure.UnconvertibleTypeError
	if errors.As(failure, &typed) {
		return "expected " + describe(typed.Expected.Kind())
	}
	cause := failure.Unwrap().Error()
	if rest, ok := strings.CutPrefix(cause, "error decoding json.Number: "); ok {
		return "expected an integer: " + rest
	}
	return cause
}

func describe(kind reflect.Kind) string {
	switch kind {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "an integer"
	default:
		return "a " + kind.String()
	}
}

func topLevel(into *Platform) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	value := reflect.ValueOf(into).Elem()
	for i := range value.NumField() {
		fields[value.Type().Field(i).Tag.Get("json")] = value.Field(i)
	}
	return fields
}

func path(name string) string {
	if name == "" || name[0] == '[' {
		return name
	}
	return "." + name
}

// typeAt follows a path such as "nodePools[1].lables" to the type that holds its last element.
func typeAt(t reflect.Type, path string) reflect.Type {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' })
	for _, part := range parts[:len(parts)-1] {
		switch {
		case strings.HasSuffix(part, "]"), t.Kind() == reflect.Map:
			t = t.Elem()
		default:
			for i := range t.NumField() {
				if t.Field(i).Tag.Get("json") == part {
					t = t.Field(i).Type
					break
				}
			}
		}
	}
	return t
}

func legalKeys(t reflect.Type) string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("json"))
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
