package rules

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Unknown is a value that only the provider will know, once it has made something.
type Unknown struct{}

// Secret is a value that rules judge and messages do not show.
type Secret struct{ Value any }

// Value is an argument, or a part of one, with its path. What is not set is a Value too.
type Value struct {
	path   string
	raw    any
	secret bool
}

// At gives what is at a path such as "spec.template"; what is inside an unknown value is unknown.
func (v Value) At(path string) Value {
	for key := range strings.SplitSeq(path, ".") {
		v = v.Key(key)
	}
	return v
}

// Key gives one entry; unlike a path, a key may have dots.
func (v Value) Key(key string) Value {
	v = v.open()
	inner := Value{path: key, secret: v.secret}
	if v.path != "" {
		inner.path = v.path + "." + key
	}
	switch raw := v.raw.(type) {
	case map[string]any:
		inner.raw = raw[key]
	case Unknown:
		inner.raw = raw
	}
	return inner.open()
}

// Items are the items of a list; none if it is not set, or not known.
func (v Value) Items() []Value {
	list, _ := v.open().raw.([]any)
	items := make([]Value, 0, len(list))
	for i, raw := range list {
		items = append(items, Value{path: fmt.Sprintf("%s[%d]", v.path, i), raw: raw, secret: v.secret}.open())
	}
	return items
}

// Entries are the entries of a map by their keys, in order.
func (v Value) Entries() iter.Seq2[string, Value] {
	entries, _ := v.open().raw.(map[string]any)
	return func(yield func(string, Value) bool) {
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if !yield(key, v.Key(key)) {
				return
			}
		}
	}
}

// IsSet says that something was given, be it empty or not known yet.
func (v Value) IsSet() bool { return v.raw != nil }

// IsEmpty says that nothing was given: not set, or set to nothing. What is not known is not empty.
func (v Value) IsEmpty() bool {
	switch raw := v.raw.(type) {
	case nil:
		return true
	case string:
		return raw == ""
	case []any:
		return len(raw) == 0
	case map[string]any:
		return len(raw) == 0
	}
	return false
}

// IsKnown says that the value itself is known; parts of it may not be.
func (v Value) IsKnown() bool { return v.raw != Unknown{} }

// Is compares with a bool, a string or a float64.
func (v Value) Is(want any) bool { return v.raw == want }

// Text is a known string; ok is false for everything else.
func (v Value) Text() (text string, ok bool) {
	text, ok = v.raw.(string)
	return text, ok
}

// Number is a known number.
func (v Value) Number() (number float64, ok bool) {
	number, ok = v.raw.(float64)
	return number, ok
}

// Breaks says that the value breaks a rule, and what would not.
func (v Value) Breaks(wrong, remedy string) []Finding {
	return []Finding{{Argument: v, Wrong: wrong, Remedy: remedy}}
}

// String is the value as messages show it, with its path.
func (v Value) String() string {
	switch {
	case v.secret:
		return v.path + " [secret]"
	case v.raw == nil:
		return v.path + " (not set)"
	}
	text, ok := v.raw.(string)
	if !ok {
		data, err := json.Marshal(v.raw)
		if err != nil {
			return v.path
		}
		text = string(data)
	}
	const longest = 80 // more would hide the message
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return v.path + " " + text
}

// MarshalJSON keeps what is inside a shown value as secret as if it stood alone.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(strconv.Quote("[secret]")), nil }

// MarshalJSON says so.
func (Unknown) MarshalJSON() ([]byte, error) { return []byte(strconv.Quote("(not known yet)")), nil }

// open takes the value out of its wrapper, and remembers that it had one.
func (v Value) open() Value {
	for {
		wrapped, ok := v.raw.(Secret)
		if !ok {
			return v
		}
		v.raw, v.secret = wrapped.Value, true
	}
}
