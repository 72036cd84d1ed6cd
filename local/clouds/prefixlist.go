package clouds

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/alphapulse/infrastructure/local/inventory"
)

const prefixListType = "ec2.ManagedPrefixList"

var prefixListTypes = []Type{
	{Name: prefixListType, ID: "pl-{hex}", Missing: "InvalidPrefixListID.NotFound", check: checkPrefixList,
		admit: entriesFit, update: nextListVersion, delete: refuseUsedList,
		Props: `name@ addressFamily!* maxEntries! entries{cidr! description} tags{}`,
		Out:   `arn=arn:aws:ec2:{region}:{account}:prefix-list/{id} ownerId={account} version=?`},
}

func checkPrefixList(in map[string]any) error {
	for _, entry := range objects(in["entries"]) {
		block, ok := entry["cidr"].(string)
		if !ok {
			continue
		}
		if prefix, err := netip.ParsePrefix(block); err != nil || prefix != prefix.Masked() {
			return fmt.Errorf("%q is not a valid CIDR block", block)
		}
	}
	return oneOf("addressFamily", in["addressFamily"], "IPv4", "IPv6")
}

// entriesFit: a list holds no more than it was made for (a security group rule counts as that many), of one family, each once.
func entriesFit(_ *Provider, r *inventory.Record) error {
	entries, seen := objects(r.Inputs["entries"]), map[string]bool{}
	if most := number(r.Inputs["maxEntries"]); len(entries) > most {
		return apiError("PrefixListMaxEntriesExceeded", "%d entries, and maxEntries is %d", len(entries), most)
	}
	for _, entry := range entries {
		block := str(entry["cidr"])
		if prefix, err := netip.ParsePrefix(block); err != nil || prefix.Addr().Is4() != (r.Inputs["addressFamily"] == "IPv4") {
			return apiError("InvalidParameterValue", "%s is not of the list's address family %v", block, r.Inputs["addressFamily"])
		}
		if seen[block] {
			return apiError("InvalidParameterValue", "%s is in the list twice", block)
		}
		seen[block] = true
	}
	if r.Outputs["version"] == nil {
		r.Outputs["version"] = 1.0
	}
	return nil
}

func nextListVersion(_ context.Context, _ *Provider, old inventory.Record, r *inventory.Record) error {
	if !equal(old.Inputs["entries"], r.Inputs["entries"]) {
		r.Outputs["version"] = float64(number(old.Outputs["version"]) + 1)
	}
	return nil
}

// refuseUsedList: rules and routes hold a list. Most refer to AWS's own lists, which no record stands for, so the tables cannot say it.
func refuseUsedList(_ context.Context, p *Provider, r inventory.Record) error {
	others, err := p.all("")
	if err != nil {
		return err
	}
	for _, other := range others {
		if mentions(other.Inputs, r.ID) {
			return apiError("DependencyViolation", "ManagedPrefixList %s is in use by %s %s", r.ID, other.Type, other.ID)
		}
	}
	return nil
}

// lookupPrefixList is getManagedPrefixList, by id or by name, of the account's own lists.
func (p *Provider) lookupPrefixList(args map[string]any) (map[string]any, error) {
	wanted := str(args["id"]) + str(args["name"])
	lists, err := p.all(token(prefixListType))
	if err != nil {
		return nil, err
	}
	for _, r := range lists {
		if r.ID != wanted && r.Inputs["name"] != wanted {
			continue
		}
		out := map[string]any{"id": r.ID}
		for _, key := range []string{"addressFamily", "arn", "entries", "maxEntries", "name", "ownerId", "tags", "version"} {
			out[key] = r.Outputs[key]
		}
		return out, nil
	}
	return nil, fmt.Errorf("reading EC2 Managed Prefix List: no matching EC2 Managed Prefix List found: %s", wanted)
}
