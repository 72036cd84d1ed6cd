package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// check is the shape of a rule's Check. Most rows are made of the few below.
type check = func(Resource) []Finding

// all puts checks together.
func all(checks ...check) check {
	return func(in Resource) (found []Finding) {
		for _, one := range checks {
			found = append(found, one(in)...)
		}
		return found
	}
}

// when makes a check depend on another argument's value.
func when(path string, value any, then check) check {
	return func(in Resource) []Finding {
		if !in.At(path).Is(value) {
			return nil
		}
		return then(in)
	}
}

// always refuses the type as such.
func always(path, wrong, remedy string) check {
	return func(in Resource) []Finding { return in.At(path).Breaks(wrong, remedy) }
}

// must wants one value; what is not set breaks it too.
func must(path string, want any, wrong, remedy string) check {
	return func(in Resource) []Finding {
		if v := in.At(path); v.IsKnown() && !v.Is(want) {
			return v.Breaks(wrong, remedy)
		}
		return nil
	}
}

// mustNot refuses one value.
func mustNot(path string, refused any, wrong, remedy string) check {
	return when(path, refused, always(path, wrong, remedy))
}

// unset refuses arguments altogether, empty ones too.
func unset(wrong, remedy string, paths ...string) check {
	return func(in Resource) (found []Finding) {
		for _, path := range paths {
			if v := in.At(path); v.IsSet() {
				found = append(found, v.Breaks(wrong, remedy)...)
			}
		}
		return found
	}
}

// given wants an argument, whatever its value.
func given(path, wrong, remedy string) check {
	return func(in Resource) []Finding {
		if v := in.At(path); v.IsEmpty() {
			return v.Breaks(wrong, remedy)
		}
		return nil
	}
}

// oneOf wants one of a set, or nothing.
func oneOf[T string | float64](path, what string, set ...T) check {
	return func(in Resource) []Finding { return in.At(path).oneOf(what, listed(set)) }
}

// set is a set of legal values.
type set []any

func listed[T string | float64](values []T) set {
	var list set
	for _, value := range values {
		list = append(list, value)
	}
	return list
}

func (v Value) oneOf(what string, legal set) []Finding {
	if !v.IsSet() || !v.IsKnown() || slices.Contains(legal, v.raw) {
		return nil
	}
	return v.Breaks("is not "+what, "use one of "+strings.Trim(fmt.Sprint([]any(legal)), "[]"))
}

// between wants a number in a range, or nothing.
func between(path string, least, most float64, what string) check {
	return func(in Resource) []Finding { return in.At(path).between(least, most, what) }
}

func (v Value) between(least, most float64, what string) []Finding {
	if n, ok := v.Number(); ok && (n < least || n > most) {
		return v.Breaks("is not "+what, fmt.Sprintf("use %g to %g", least, most))
	}
	return nil
}

// like wants text of a form, or nothing.
func like(path string, form *regexp.Regexp, wrong, remedy string) check {
	return func(in Resource) []Finding { return in.At(path).like(form, wrong, remedy) }
}

func (v Value) like(form *regexp.Regexp, wrong, remedy string) []Finding {
	if text, ok := v.Text(); ok && !form.MatchString(text) {
		return v.Breaks(wrong, remedy)
	}
	return nil
}

// atLeast wants a list of some length; a list that is not known may have it.
func atLeast(path string, length int, wrong, remedy string) check {
	return func(in Resource) []Finding {
		if v := in.At(path); v.IsKnown() && len(v.Items()) < length {
			return v.Breaks(wrong, remedy)
		}
		return nil
	}
}

// each checks every item of a list, as if it were a resource of its own.
func each(path string, item check) check {
	return func(in Resource) (found []Finding) {
		for _, v := range in.At(path).Items() {
			found = append(found, item(Resource{Type: in.Type, Name: in.Name, Value: v})...)
		}
		return found
	}
}

// holds says that a list has an item; ok is false if an unknown one might be it.
func (v Value) holds(item string) (found, ok bool) {
	if !v.IsKnown() {
		return false, false
	}
	ok = true
	for _, one := range v.Items() {
		found = found || one.Is(item)
		ok = ok && one.IsKnown()
	}
	return found, found || ok
}
