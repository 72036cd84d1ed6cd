package engine

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/clouds"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// cloudflare is the account of the inventory that every stack shares: there is one Cloudflare.
const cloudflare = "cloudflare"

// records is what the stand-in clouds hold for the stack: all of its AWS account, and what is at Cloudflare.
func (e *Engine) records() (aws, edge []inventory.Record, err error) {
	account, err := e.account()
	if err != nil {
		return nil, nil, err
	}
	if aws, err = inventory.Account(account); err != nil {
		return nil, nil, err
	}
	edge, err = inventory.Account(cloudflare)
	return aws, edge, err
}

// unclaimed are the records of both that no stack's state knows, but for those that the clouds made by themselves.
func (e *Engine) unclaimed() ([]inventory.Record, error) {
	aws, edge, err := e.records()
	if err != nil {
		return nil, err
	}
	all := slices.Concat(aws, edge)
	claimed, err := known()
	if err != nil {
		return nil, err
	}
	there := map[thing]bool{}
	for _, r := range all {
		there[thing{r.Type, r.ID}] = true
	}
	var found []inventory.Record
	for _, r := range all {
		if !claimed[thing{r.Type, r.ID}] && !byItself(r, there) {
			found = append(found, r)
		}
	}
	return found, nil
}

// byItself tells what a cloud makes without being asked for it by name: types that no program declares, except machines whose group
// is not there; what AWS tags in its own name; the entry by which a group's nodes join; and zones, which are older than any stack, with their
// settings, which outlive it.
func byItself(r inventory.Record, there map[thing]bool) bool {
	if group, ok := r.Outputs["nodeGroup"].(string); ok {
		return there[thing{"aws:eks/nodeGroup:NodeGroup", group}]
	}
	if !clouds.Declares(r.Type) || r.Type == "cloudflare:index/zone:Zone" || r.Type == "cloudflare:index/zoneSettingsOverride:ZoneSettingsOverride" {
		return true
	}
	tags, _ := r.Inputs["tags"].(map[string]any)
	for key := range tags {
		if strings.HasPrefix(key, "aws:") {
			return true
		}
	}
	return r.Type == "aws:eks/accessEntry:AccessEntry" && r.Inputs["type"] == "EC2_LINUX" && r.Inputs["userName"] != nil
}

// answers tells whether a record is what these inputs ask for. Both are JSON; the inputs are Pulumi's, with its own notes ("__defaults")
// and with secrets that cannot be read here.
func answers(r inventory.Record, inputs map[string]any) bool {
	for key, asked := range inputs {
		if !strings.HasPrefix(key, "__") && !agrees(asked, r.Inputs[key]) {
			return false
		}
	}
	for key, is := range r.Inputs {
		if inputs[key] == nil && is != nil {
			return false
		}
	}
	return true
}

// secretMark is the key by which Pulumi's state says that an object is not what it seems; here always a secret.
const secretMark = "4dabf18193072939515e22adb298388d"

func agrees(asked, is any) bool {
	switch asked := asked.(type) {
	case map[string]any:
		if asked[secretMark] != nil {
			return true
		}
		object, ok := is.(map[string]any)
		if !ok {
			return is == nil && len(asked) == 0
		}
		return answers(inventory.Record{Inputs: object}, asked)
	case []any:
		list, ok := is.([]any)
		if !ok || len(list) != len(asked) {
			return is == nil && len(asked) == 0
		}
		for i := range asked {
			if !agrees(asked[i], list[i]) {
				return false
			}
		}
		return true
	case string:
		// The log of events shows secrets so.
		return asked == is || asked == "[secret]"
	}
	return reflect.DeepEqual(plain(asked), plain(is))
}

// plain is a value as JSON would have it: numbers of one kind.
func plain(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var back any
	if json.Unmarshal(data, &back) != nil {
		return v
	}
	return back
}
