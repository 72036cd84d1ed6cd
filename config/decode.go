package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
)

// decode fills the platform strictly: an unknown key, a wrong type and unreadable JSON are problems, each with its key. A value that
// could be read is read, whatever stands beside it.
func decode(raw map[string]string, into *Platform) (problems Problems) {
	report := func(key, value, want string, args ...any) {
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
		for at, where := range unknownKeys(field.Type(), value, full) {
			report(at, "", "is not a key of this program; legal there: %s", legalKeys(where))
		}
		decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
			Result: field.Addr().Interface(), TagName: "json",
			MatchName:  func(key, field string) bool { return key == field },
			DecodeHook: noNumbersForStrings, // its refusal is reported like any other wrong type
		})
		if err != nil { // only a wrong destination does that
			panic(err)
		}
		for _, failure := range flatten(decoder.Decode(value)) {
			at := full + path(failure.Name())
			report(at, valueAt(value, failure.Name()), "expected %s", describe(typeAt(field.Type(), failure.Name()).Kind()))
		}
	}
	return problems
}

// parse reads one top-level value: objects and lists arrive as JSON, plain values as they are.
func parse(text string, kind reflect.Kind) (any, error) {
	if kind == reflect.String {
		return text, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // 1.5 replicas must fail, not become 1
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return nil, fmt.Errorf("expected %s", describe(kind))
	}
	return value, nil
}

// noNumbersForStrings refuses what YAML takes for a number where a string is meant: `version: 1.30` would arrive as 1.3.
func noNumbersForStrings(from, to reflect.Type, value any) (any, error) {
	if number, ok := value.(json.Number); ok && to.Kind() == reflect.String && to != from {
		return nil, fmt.Errorf("%s is a number", number)
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
	inner := flatten(errors.Unwrap(err))
	if one, ok := err.(*mapstructure.DecodeError); ok && len(inner) == 0 { //nolint:errorlint // this very error: what it wraps was looked at
		return []*mapstructure.DecodeError{one}
	}
	return inner
}

// valueAt follows a path such as "nodePools[1].max" to what stands there, as JSON.
func valueAt(value any, path string) string {
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch inside := value.(type) {
		case map[string]any:
			value = inside[part]
		case []any:
			if i, err := strconv.Atoi(part); err == nil && i < len(inside) {
				value = inside[i]
			}
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// absent says whether nothing stands at a setting. What cannot be read, or what should be around it, is reported as that.
func absent(raw map[string]string, setting string) bool {
	top, rest, _ := strings.Cut(setting, ".")
	var value any
	if text := raw[Namespace+":"+top]; text != "" && json.Unmarshal([]byte(text), &value) != nil {
		return false
	}
	return valueAt(value, rest) == "null"
}

// typeAt follows the same path to the type that should stand there.
func typeAt(t reflect.Type, path string) reflect.Type {
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if t.Kind() == reflect.Struct {
			if field, ok := fieldOf(t, part); ok {
				t = field
			}
		} else if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
	}
	return t
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
		return "a string: put it in quotes"
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

// unknownKeys finds the keys that a type has no field for, each with the type that should have had it. The decoder's own list of
// them is lost where anything else is wrong in the same object.
func unknownKeys(t reflect.Type, value any, at string) map[string]reflect.Type {
	unknown := map[string]reflect.Type{}
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			below := at + "." + key
			switch {
			case t.Kind() == reflect.Map:
				maps.Copy(unknown, unknownKeys(t.Elem(), inner, below))
			case t.Kind() == reflect.Struct:
				if field, ok := fieldOf(t, key); ok {
					maps.Copy(unknown, unknownKeys(field, inner, below))
				} else {
					unknown[below] = t
				}
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i, inner := range value {
				maps.Copy(unknown, unknownKeys(t.Elem(), inner, fmt.Sprintf("%s[%d]", at, i)))
			}
		}
	}
	return unknown
}

func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("json") == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
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
