package clouds

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Diff compares the inputs, property by property. A value that is not known yet counts as another one, as it does for real.
func (p *Provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	t, err := typeOf(string(req.URN.Type()))
	if err != nil {
		return plugin.DiffResult{}, err
	}
	result := plugin.DiffResult{Changes: plugin.DiffNone, DetailedDiff: map[string]plugin.PropertyDiff{}}
	compare(t.fields, "", plainMap(req.OldInputs), plainMap(req.NewInputs), func(f field, path string, kind plugin.DiffKind) {
		result.Changes = plugin.DiffSome
		result.DetailedDiff[path] = plugin.PropertyDiff{Kind: kind, InputDiff: true}
		result.ChangedKeys = append(result.ChangedKeys, resource.PropertyKey(path))
		if f.replaces {
			result.DetailedDiff[path] = plugin.PropertyDiff{Kind: kind.AsReplace(), InputDiff: true}
			result.ReplaceKeys = append(result.ReplaceKeys, resource.PropertyKey(path))
			// Two things of one name cannot be at the same time.
			result.DeleteBeforeReplace = result.DeleteBeforeReplace || t.DeleteFirst || t.keepsName(req)
		}
	})
	return result, nil
}

// keepsName tells whether a replacement would have the name of its predecessor: one that was given, not made up.
func (t *Type) keepsName(req plugin.DiffRequest) bool {
	madeUp := strs(plain(req.NewInputs["__defaults"]))
	return slices.ContainsFunc(t.fields, func(f field) bool {
		key := resource.PropertyKey(f.name)
		return f.auto && !slices.Contains(madeUp, f.name) && req.OldInputs[key].DeepEquals(req.NewInputs[key])
	})
}

func compare(fields []field, path string, old, now map[string]any, report func(field, string, plugin.DiffKind)) {
	for _, f := range fields {
		before, after := old[f.name], now[f.name]
		if equal(before, after) && (!f.ordered || slices.Equal(strs(before), strs(after))) {
			continue
		}
		at := path + f.name
		oldObject, newObject := object(before), object(after)
		oldList, newList := objects(before), objects(after)
		switch {
		case f.replaces || f.free || after == any(unknown{}):
			report(f, at, kindOf(before, after))
		case f.fields != nil && (oldObject != nil || newObject != nil):
			compare(f.fields, at+".", oldObject, newObject, report)
		case f.fields != nil && len(oldList) == len(newList):
			for i := range oldList {
				compare(f.fields, fmt.Sprintf("%s[%d].", at, i), oldList[i], newList[i], report)
			}
		default:
			report(f, at, kindOf(before, after))
		}
	}
}

func kindOf(before, after any) plugin.DiffKind {
	switch {
	case before == nil:
		return plugin.DiffAdd
	case after == nil:
		return plugin.DiffDelete
	}
	return plugin.DiffUpdate
}

// equal compares two values. Lists of strings are sets in nearly every AWS resource: their order does not count.
func equal(a, b any) bool {
	if hasUnknown(b) {
		return false
	}
	return reflect.DeepEqual(normal(a), normal(b))
}

func normal(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			return nil
		}
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = normal(e)
		}
		if len(strs(list)) == len(list) {
			slices.SortFunc(list, func(a, b any) int { return cmp.Compare(a.(string), b.(string)) })
		}
		return list
	case map[string]any:
		m := maps.Clone(v)
		for k, e := range v {
			if m[k] = normal(e); m[k] == nil {
				delete(m, k)
			}
		}
		if len(m) == 0 {
			return nil
		}
		return m
	}
	return v
}
