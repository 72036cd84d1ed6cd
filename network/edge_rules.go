package network

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// zoneKind are the rulesets where the phases of a zone begin.
const zoneKind = "zone"

// ruleset is what the zone's owner keeps in one phase. Rules made by hand belong into phases that are not here: custom rules, say.
type ruleset struct {
	phase, description string
	rules              cloudflare.RulesetRuleArray
}

// name says whose the ruleset is, so that another stack that wants the zone sees it.
func (r ruleset) name(environment string) string { return environment + " " + r.phase }

// zoneRulesets are all that the owner keeps. The first is always there, and so marks the owner.
func zoneRulesets(spec config.Edge, signed []string) []ruleset {
	list := []ruleset{{"http_ratelimit", "Limits each client at each data centre", rateLimit(spec, signed)}}
	if spec.WAF {
		list = append(list, ruleset{"http_request_firewall_managed", "Cloudflare's managed rules", executeManaged(signed)})
	}
	return list
}

// rateLimit keeps floods away from the origin. It counts per data centre, as every rate rule does and must say: the exact limit is
// Traefik's (W1). A client is blocked for as long as was counted: of the timeouts, that one is legal wherever the period is.
// What else the zone has is not counted, but on the smallest plan, whose rate rules see the path and nothing else.
func rateLimit(edge config.Edge, signed []string) cloudflare.RulesetRuleArray {
	spec, counted := edge.RateLimit, outside(signed)
	if edge.Plan != "free" {
		counted = fmt.Sprintf("http.host eq %q and %s", edge.Host, counted)
	}
	return cloudflare.RulesetRuleArray{cloudflare.RulesetRuleArgs{
		Description: pulumi.Sprintf("More than %d requests in %d seconds", spec.Requests, spec.PeriodSeconds),
		Expression:  pulumi.String(counted),
		Action:      pulumi.String("block"),
		Enabled:     pulumi.Bool(true),
		Ratelimit: cloudflare.RulesetRuleRatelimitArgs{
			Characteristics:   pulumi.ToStringArray([]string{"cf.colo.id", "ip.src"}),
			RequestsPerPeriod: pulumi.Int(spec.Requests),
			Period:            pulumi.Int(spec.PeriodSeconds),
			MitigationTimeout: pulumi.Int(spec.PeriodSeconds),
		},
	}}
}

// outside is the expression for every request but those under the prefixes, which are meant as an Ingress means them: /a is /a and /a/b,
// and not /ab.
func outside(prefixes []string) string {
	if len(prefixes) == 0 {
		return "true"
	}
	var under []string
	for _, prefix := range prefixes {
		prefix = strings.TrimSuffix(prefix, "/")
		under = append(under, fmt.Sprintf("http.request.uri.path eq %q or starts_with(http.request.uri.path, %q)", prefix, prefix+"/"))
	}
	return "not (" + strings.Join(under, " or ") + ")"
}

// executeManaged runs the rulesets that Cloudflare writes and keeps current. Their ids are the same in every zone (Cloudflare docs, "WAF:
// managed rules"). OWASP's rules give points for what looks suspicious, and block by their sum. Their strictest levels take much that is
// harmless for an attack, and are on for who says nothing through the API; a machine's calls, which are signed, look like one easily.
func executeManaged(signed []string) cloudflare.RulesetRuleArray {
	strict := cloudflare.RulesetRuleActionParametersOverridesCategoryArray{}
	for _, level := range []string{"paranoia-level-2", "paranoia-level-3", "paranoia-level-4"} {
		strict = append(strict, cloudflare.RulesetRuleActionParametersOverridesCategoryArgs{Category: pulumi.String(level), Enabled: pulumi.Bool(false)})
	}
	execute := func(name, where string, what cloudflare.RulesetRuleActionParametersArgs) cloudflare.RulesetRuleArgs {
		return cloudflare.RulesetRuleArgs{
			Description: pulumi.String(name), Expression: pulumi.String(where),
			Action: pulumi.String("execute"), ActionParameters: what, Enabled: pulumi.Bool(true),
		}
	}
	return cloudflare.RulesetRuleArray{
		execute("Cloudflare Managed Ruleset", "true", cloudflare.RulesetRuleActionParametersArgs{Id: pulumi.String("efb7b8c949ac4650a09736fc376e9aee")}),
		execute("Cloudflare OWASP Core Ruleset", outside(signed), cloudflare.RulesetRuleActionParametersArgs{
			Id:        pulumi.String("4814384a9e5d4991b9815dcfc25d2f1f"),
			Overrides: cloudflare.RulesetRuleActionParametersOverridesArgs{Categories: strict},
		}),
	}
}
