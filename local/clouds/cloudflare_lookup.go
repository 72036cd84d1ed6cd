package clouds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// cloudflareFunctions are the look-ups of Cloudflare by Pulumi's token.
var cloudflareFunctions = map[string]func(*Provider, map[string]any) (map[string]any, error){
	"cloudflare:index/getZone:getZone":         (*Provider).getZone,
	"cloudflare:index/getIpRanges:getIpRanges": (*Provider).getIPRanges,
	"cloudflare:index/getRulesets:getRulesets": (*Provider).getRulesets,
}

// registered are the domains that somebody has at Cloudflare, and firstPlan what they pay for until the inventory says something else.
var registered = []string{"alphapulse.com", "alphapulse.test"}

const firstPlan = "Pro Website"

// getZone finds a domain by its name or ID. A registered one is put into the inventory when it is first asked for, where its plan can be
// edited.
func (p *Provider) getZone(args map[string]any) (map[string]any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	zones, err := p.all(ZoneType)
	if err != nil {
		return nil, err
	}
	name, id := str(args["name"]), str(args["zoneId"])
	if (name == "") == (id == "") {
		return nil, fmt.Errorf("one of `name,zone_id` must be specified")
	}
	i := slices.IndexFunc(zones, func(z inventory.Record) bool { return z.ID == id || z.Inputs["zone"] == name })
	if i < 0 && slices.Contains(registered, name) {
		zone, err := p.register(name)
		if err != nil {
			return nil, err
		}
		zones, i = append(zones, zone), len(zones)
	}
	switch {
	case i < 0 && id != "":
		return nil, unknownZone(id)
	case i < 0 || args["accountId"] != nil && args["accountId"] != zones[i].Outputs["accountId"]:
		return nil, fmt.Errorf("no zone found")
	}
	out := maps.Clone(zones[i].Outputs)
	out["id"], out["zoneId"], out["name"] = zones[i].ID, zones[i].ID, out["zone"]
	delete(out, "zone")
	delete(out, "type")
	return out, nil
}

func unknownZone(id any) error {
	return fmt.Errorf("could not route to /zones/%v, perhaps your object identifier is invalid? (7003)", id)
}

func (p *Provider) register(name string) (inventory.Record, error) {
	zone := inventory.Record{Type: ZoneType, ID: digest(name), Inputs: map[string]any{
		"zone": name, "plan": firstPlan, "accountId": digest(p.account), "type": "full", "paused": false}}
	if err := p.setOutputs(types[ZoneType], &zone, nil); err != nil {
		return zone, err
	}
	return zone, p.put(zone)
}

// digest makes an ID of Cloudflare's form that is always the same for the same thing.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// The ranges that Cloudflare publishes at cloudflare.com/ips, sorted as the provider does.
var (
	ipv4Ranges = []any{"103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "104.16.0.0/13", "104.24.0.0/14", "108.162.192.0/18",
		"131.0.72.0/22", "141.101.64.0/18", "162.158.0.0/15", "172.64.0.0/13", "173.245.48.0/20", "188.114.96.0/20", "190.93.240.0/20",
		"197.234.240.0/22", "198.41.128.0/17"}
	ipv6Ranges = []any{"2400:cb00::/32", "2405:8100::/32", "2405:b500::/32", "2606:4700::/32", "2803:f800::/32", "2a06:98c0::/29",
		"2c0f:f248::/32"}
)

func (p *Provider) getIPRanges(map[string]any) (map[string]any, error) {
	all := slices.Concat(ipv4Ranges, ipv6Ranges)
	return map[string]any{"id": digest(fmt.Sprint(all)), "cidrBlocks": all, "ipv4CidrBlocks": ipv4Ranges, "ipv6CidrBlocks": ipv6Ranges,
		"chinaIpv4CidrBlocks": []any{}, "chinaIpv6CidrBlocks": []any{}}, nil
}

// getRulesets lists a zone's rulesets: those that somebody made, and not Cloudflare's own. The filter's name is a regular expression.
func (p *Provider) getRulesets(args map[string]any) (map[string]any, error) {
	filter := object(args["filter"])
	pattern, err := regexp.Compile(str(filter["name"]))
	if err != nil {
		return nil, err
	}
	if _, ok, err := p.find("index.Zone", str(args["zoneId"])); err != nil {
		return nil, err
	} else if !ok {
		return nil, unknownZone(args["zoneId"])
	}
	records, err := p.all(token("index.Ruleset"))
	if err != nil {
		return nil, err
	}
	found, ids := []any{}, []string{}
	for _, r := range records {
		entry := map[string]any{"id": r.ID, "version": "latest"}
		for _, property := range []string{"name", "description", "kind", "phase"} {
			entry[property] = str(r.Inputs[property])
		}
		differs := func(key string) bool { return filter[key] != nil && filter[key] != entry[key] }
		if r.Inputs["zoneId"] != args["zoneId"] || !pattern.MatchString(str(entry["name"])) ||
			slices.ContainsFunc([]string{"id", "kind", "phase", "version"}, differs) {
			continue
		}
		if args["includeRules"] == true {
			entry["rules"] = r.Inputs["rules"]
		}
		found, ids = append(found, entry), append(ids, r.ID)
	}
	out := maps.Clone(args)
	out["id"], out["rulesets"] = digest(strings.Join(ids, ",")), found
	return out, nil
}
