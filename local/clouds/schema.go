package clouds

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// field is one property of a resource type. The tables write it as
//
//	name!*@#=default>other.Type{ nested fields }
//
// where every part but the name may be missing:
//
//	!         required
//	*         a change replaces the resource
//	@         the provider makes a name up when none is given
//	#         a list whose order counts
//	=value    the provider's default
//	>a.Type   refers to a record that must exist and cannot be deleted meanwhile
//	~a.Type   refers to a record that must exist at first, and may go later
//	^a.Type   belongs to a record, and goes with it
//	{ ... }   an object, or a list of them, with these fields; {} is a free map
type field struct {
	name                     string
	required, replaces, auto bool
	ordered                  bool
	fallback                 any
	ref                      byte // > ~ ^, or 0
	target                   string
	free                     bool
	fields                   []field
}

var fieldPattern = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]*)([!*@#]*)(?:=("[^"]*"|[^\s{}>~^]+))?(?:([>~^])([a-z0-9]+\.[A-Z][A-Za-z0-9]*))?`)

// parseFields reads the notation. A mistake in a table is a mistake of the programmer: it panics, and the tests read every table.
func parseFields(text string) []field {
	fields, rest := parseUntil(text, text)
	if rest != "" {
		panic(fmt.Sprintf("unexpected %q in %q", rest, text))
	}
	return fields
}

func parseUntil(rest, whole string) ([]field, string) {
	fields := []field{}
	for {
		rest = strings.TrimSpace(rest)
		if rest == "" || rest[0] == '}' {
			return fields, rest
		}
		m := fieldPattern.FindStringSubmatch(rest)
		if m == nil {
			panic(fmt.Sprintf("cannot read %q in %q", rest, whole))
		}
		rest = rest[len(m[0]):]
		f := field{name: m[1], target: m[5],
			required: strings.Contains(m[2], "!"), replaces: strings.Contains(m[2], "*"), auto: strings.Contains(m[2], "@"),
			ordered: strings.Contains(m[2], "#")}
		if m[3] != "" {
			f.fallback = literal(m[3])
		}
		if m[4] != "" {
			f.ref = m[4][0]
		}
		if strings.HasPrefix(rest, "{") {
			f.fields, rest = parseUntil(rest[1:], whole)
			if !strings.HasPrefix(rest, "}") {
				panic(fmt.Sprintf("missing } in %q", whole))
			}
			rest, f.free = rest[1:], len(f.fields) == 0
		}
		fields = append(fields, f)
	}
}

// literal is a JSON value where it reads as one, and a string otherwise.
func literal(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	return text
}

func lookup(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}
