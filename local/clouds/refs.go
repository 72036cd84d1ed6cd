package clouds

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// ref is one value of a record that refers to another.
type ref struct {
	field
	path, value string
}

// refs finds the references in a record's inputs.
func refs(fields []field, path string, in map[string]any) []ref {
	var found []ref
	for _, f := range fields {
		values, isList := in[f.name].([]any)
		if !isList {
			values = []any{in[f.name]}
		}
		for _, v := range values {
			switch v := v.(type) {
			case string:
				if f.ref != 0 && v != "" && !awsOwned(v) {
					found = append(found, ref{f, path + f.name, v})
				}
			case map[string]any:
				found = append(found, refs(f.fields, path+f.name+".", v)...)
			}
		}
	}
	return found
}

// awsOwned are things that AWS itself keeps in every account.
func awsOwned(v string) bool {
	return strings.Contains(v, "::aws:") || strings.HasPrefix(v, "alias/aws/")
}

// find gives the record that a value (an id or an ARN) refers to.
func (p *Provider) find(name, value string) (inventory.Record, bool, error) {
	typ := token(name)
	store, err := p.store(typ, value)
	if err != nil {
		return inventory.Record{}, false, err
	}
	if r, ok, err := store.Get(typ, value); ok || err != nil {
		return r, ok, err
	}
	records, err := store.List(typ)
	for _, r := range records {
		if matches(r, value) {
			return r, true, nil
		}
	}
	return inventory.Record{}, false, err
}

func matches(r inventory.Record, value string) bool {
	return r.ID == value || r.Outputs["arn"] == value
}

// mustExist fails with AWS's own code when something that the inputs refer to is not there.
func (p *Provider) mustExist(t *Type, in map[string]any) error {
	for _, r := range refs(t.fields, "", in) {
		_, ok, err := p.find(r.target, r.value)
		if err != nil {
			return err
		}
		if !ok {
			target := types[token(r.target)]
			return apiError(target.missing(), "%s: the %s %q does not exist", r.path, target.short(), r.value)
		}
	}
	return nil
}

// dependents are the records that go with r. A record that holds r is an error which names it.
func (p *Provider) dependents(t *Type, r inventory.Record) ([]inventory.Record, error) {
	others, err := p.all("")
	if err != nil {
		return nil, err
	}
	var owned []inventory.Record
	for _, other := range others {
		if other.Type == r.Type && other.ID == r.ID {
			continue
		}
		inUse := apiError(t.service().inUse, "%s %s is in use by %s %s", t.short(), r.ID, other.Type, other.ID)
		otherType, modelled := types[other.Type]
		if !modelled {
			// What EKS and the cloud controllers make on their own (instances, volumes, load balancers) holds what it stands on.
			if t.module() == "ec2" && mentions(other.Inputs, r.ID) {
				return nil, inUse
			}
			continue
		}
		for _, ref := range refs(otherType.fields, "", other.Inputs) {
			if ref.target != t.Name || !matches(r, ref.value) {
				continue
			}
			switch ref.ref {
			case '>':
				return nil, inUse
			case '^':
				owned = append(owned, other)
			}
		}
	}
	return owned, nil
}

// all lists the records of a type ("" for every one) in the account: here and among the global things.
func (p *Provider) all(typ string) ([]inventory.Record, error) {
	var records []inventory.Record
	for _, region := range slices.Compact([]string{p.region, "global"}) {
		store, err := inventory.Open(p.account, region)
		if err != nil {
			return nil, err
		}
		some, err := store.List(typ)
		if err != nil {
			return nil, err
		}
		records = append(records, some...)
	}
	return records, nil
}

func mentions(v any, id string) bool {
	switch v := v.(type) {
	case string:
		return v == id
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, id) })
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(e any) bool { return mentions(e, id) })
	}
	return false
}

// unique splits the row's Unique into the error code and the properties.
func (t *Type) unique() (code string, keys []string) {
	words := strings.Fields(t.Unique)
	if len(words) == 0 {
		return "", nil
	}
	return words[0], words[1:]
}

// mustBeNew fails when another record has the same values where no two may.
func (p *Provider) mustBeNew(t *Type, in map[string]any) error {
	code, keys := t.unique()
	if !slices.ContainsFunc(keys, func(k string) bool { return in[k] != nil }) {
		return nil
	}
	records, err := p.all(token(t.Name))
	if err != nil {
		return err
	}
	for _, r := range records {
		differs := func(k string) bool { return !equal(r.Inputs[k], in[k]) }
		if !slices.ContainsFunc(keys, differs) {
			return apiError(code, "%s with %s exists: %s", t.short(), describe(keys, in), r.ID)
		}
	}
	return nil
}

func describe(keys []string, in map[string]any) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s %v", k, in[k])
	}
	return strings.Join(parts, ", ")
}

// get reads a record of this account and region by its id.
func (p *Provider) get(typ, id string) (inventory.Record, bool, error) {
	store, err := p.store(typ, "")
	if err != nil {
		return inventory.Record{}, false, err
	}
	return store.Get(typ, id)
}

func (p *Provider) put(r inventory.Record) error {
	store, err := p.store(r.Type, "")
	if err != nil {
		return err
	}
	return store.Put(r)
}

func (p *Provider) remove(r inventory.Record) error {
	store, err := p.store(r.Type, "")
	if err != nil {
		return err
	}
	return store.Delete(r.Type, r.ID)
}
