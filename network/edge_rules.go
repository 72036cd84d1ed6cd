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
func zoneRulesets(spec config.Edge, unlimited []string) []ruleset {
	list := []ruleset{{"http_ratelimit", "Limits each client at each data centre", rateLimit(spec.RateLimit, unlimited)}}
	if spec.WAF {
		list = append(list, ruleset{"http_request_firewall_managed", "Cloudflare's managed rules", executeManaged()})
	}
	return list
}

// rateLimit keeps floods away from the origin. It counts per data centre, as every rate rule does and must say: the exact limit is
// Traefik's (W1). A client is blocked for as long as was counted: of the timeouts, that one is legal wherever the period is.
func rateLimit(spec config.EdgeRateLimit, unlimited []string) cloudflare.RulesetRuleArray {
	return cloudflare.RulesetRuleArray{cloudflare.RulesetRuleArgs{
		Description: pulumi.Sprintf("More than %d requests in %d seconds", spec.Requests, spec.PeriodSeconds),
		Expression:  pulumi.String(outside(unlimited)),
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
// and not /ab. It looks at the path only; the smallest plan's rules cannot see more.
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
// managed rules").
func executeManaged() (rules cloudflare.RulesetRuleArray) {
	for _, managed := range []struct{ name, id string }{
		{"Cloudflare Managed Ruleset", "efb7b8c949ac4650a09736fc376e9aee"},
		{"Cloudflare OWASP Core Ruleset", "4814384a9e5d4991b9815dcfc25d2f1f"},
	} {
		rules = append(rules, cloudflare.RulesetRuleArgs{
			Description:      pulumi.String(managed.name),
			Expression:       pulumi.String("true"),
			Action:           pulumi.String("execute"),
			ActionParameters: cloudflare.RulesetRuleActionParametersArgs{Id: pulumi.String(managed.id)},
			Enabled:          pulumi.Bool(true),
		})
	}
	return rules
}
