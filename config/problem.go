package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Problem is one thing wrong with the stack config: the key to change, the value found there, and what would be legal.
type Problem struct {
	Key, Value, Want string
}

func (p Problem) String() string {
	if p.Value == "" {
		return fmt.Sprintf("%s: %s", p.Key, p.Want)
	}
	return fmt.Sprintf("%s: %s: %s", p.Key, p.Value, p.Want)
}

// Problems are all that is wrong, in one error: nobody should have to run a preview five times to find five mistakes.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps)+1)
	lines = append(lines, fmt.Sprintf("the stack config has %d problem(s); nothing was created or changed:", len(ps)))
	for _, p := range ps {
		lines = append(lines, "  - "+p.String())
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there is no problem; a nil slice in an error interface would not be.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	sort.SliceStable(ps, func(i, j int) bool { return ps[i].Key < ps[j].Key })
	return ps
}

// Then adds the problems that a later check found, but not under keys that are in trouble already, nor around or below them: what could
// not be read, or is not legal by itself, need not be judged as well.
func (ps Problems) Then(later Problems) Problems {
	all := ps
	for _, problem := range later {
		if !slices.ContainsFunc(ps, func(known Problem) bool {
			return within(problem.Key, known.Key) || known.Value != "" && within(known.Key, problem.Key) // a key too many spoils no values
		}) {
			all = append(all, problem)
		}
	}
	return all
}

// within says whether a key is another one, or lies inside it.
func within(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// under puts a prefix before every key.
func (ps Problems) under(prefix string) Problems {
	for i := range ps {
		ps[i].Key = prefix + ps[i].Key
	}
	return ps
}

func (ps *Problems) add(key string, value any, want string, args ...any) {
	shown := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		shown = fmt.Sprintf("%q", s)
	}
	*ps = append(*ps, Problem{Key: key, Value: shown, Want: fmt.Sprintf(want, args...)})
}

// missing reports a key that has no default.
func (ps *Problems) missing(key, want string) {
	*ps = append(*ps, Problem{Key: key, Want: "is required: " + want})
}
