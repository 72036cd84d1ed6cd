package clouds

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

const rulesetRule = `action actionParameters{id increment phases products responses{statusCode contentType content}
		ruleset rulesets rules{} matchedData{publicKey}
		overrides{action enabled sensitivityLevel categories{category action enabled} rules{id action enabled scoreThreshold sensitivityLevel}}}
	description enabled exposedCredentialCheck{usernameExpression passwordExpression} expression! logging{enabled status} ref
	ratelimit{characteristics period! requestsPerPeriod mitigationTimeout countingExpression requestsToOrigin scorePerPeriod
		scoreResponseHeaderName}`

var rulesetKinds = []string{"custom", "managed", "root", "zone"}

var rulesetPhases = []string{"ddos_l4", "ddos_l7", "http_config_settings", "http_custom_errors", "http_log_custom_fields", "http_ratelimit",
	"http_request_cache_settings", "http_request_dynamic_redirect", "http_request_firewall_custom", "http_request_firewall_managed",
	"http_request_late_transform", "http_request_origin", "http_request_redirect", "http_request_sanitize", "http_request_sbfm",
	"http_request_transform", "http_response_compression", "http_response_firewall_managed", "http_response_headers_transform",
	"magic_transit"}

var ruleActions = []string{"block", "challenge", "compress_response", "ddos_dynamic", "ddos_mitigation", "execute",
	"force_connection_close", "js_challenge", "log", "log_custom_field", "managed_challenge", "redirect", "rewrite", "route", "score",
	"serve_error", "set_cache_settings", "set_config", "skip"}

// periods are all that a rate rule can count or block for, in seconds (Cloudflare docs).
var periods = []int{10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1200, 1800, 2400, 3600, 65535, 86400}

// plan is what a zone is entitled to.
type plan struct {
	periods    []int // a rate rule may count for, in seconds
	longest    int   // it may block, in seconds
	rules      int   // rate rules
	counting   bool  // rate rules may count by another expression than they match
	everywhere bool  // and across data centres
	managed    bool  // managed rulesets
}

// plans are by the first word of the zone's plan, as in "Pro Website". The periods are those that every edition of Cloudflare's docs
// grants the plan; later ones allow all up to the longest of them.
var plans = map[string]plan{
	"free":       {periods: []int{10}, longest: 10, rules: 1},
	"pro":        {periods: []int{10, 60}, longest: 3600, rules: 2, managed: true},
	"business":   {periods: []int{10, 60, 120, 300, 600}, longest: 86400, rules: 5, counting: true, managed: true},
	"enterprise": {periods: periods, longest: 86400, rules: 100, counting: true, everywhere: true, managed: true},
}

func checkRuleset(in map[string]any) error {
	problems := []error{oneOf("kind", in["kind"], rulesetKinds...), oneOf("phase", in["phase"], rulesetPhases...)}
	for i, rule := range objects(in["rules"]) {
		problems = append(problems, oneOf(fmt.Sprintf("rules[%d].action", i), rule["action"], ruleActions...))
	}
	return errors.Join(problems...)
}

// admitRuleset keeps a zone to one ruleset per phase, and to what its plan has. A new name means a new ruleset: for real, too, that is
// refused until the old one is gone.
func admitRuleset(p *Provider, r *inventory.Record) error {
	zone, _, err := p.find("index.Zone", str(r.Inputs["zoneId"]))
	if err != nil {
		return err
	}
	others, err := p.all(r.Type)
	if err != nil {
		return err
	}
	for _, other := range others {
		same := func(property string) bool { return other.Inputs[property] == r.Inputs[property] }
		if other.ID != r.ID && r.Inputs["kind"] == "zone" && same("kind") && same("zoneId") && same("phase") {
			return fmt.Errorf("failed to create ruleset %q: A similar configuration with rules already exists and overwriting will have "+
				"unintended consequences. If you are migrating from the Dashboard, you will need to first import the existing rules "+
				"using cf-terraforming. (It is %q, %s.)", r.Inputs["phase"], other.Inputs["name"], other.ID)
		}
	}
	first, _, _ := strings.Cut(str(zone.Inputs["plan"]), " ")
	plan, ok := plans[strings.ToLower(first)]
	if !ok {
		return fmt.Errorf("plan %q of zone %s is none of Free, Pro, Business and Enterprise Website", zone.Inputs["plan"], zone.Inputs["zone"])
	}
	if err := plan.entitles(str(r.Inputs["phase"]), objects(r.Inputs["rules"])); err != nil {
		return fmt.Errorf("error creating ruleset %s on a %s zone: %w", r.Inputs["name"], zone.Inputs["plan"], err)
	}
	return nil
}

func (p plan) entitles(phase string, rules []map[string]any) error {
	if phase == "http_ratelimit" && len(rules) > p.rules {
		return fmt.Errorf("exceeded maximum number of rules in the phase %s: %d out of %d", phase, len(rules), p.rules)
	}
	for _, rule := range rules {
		switch {
		case phase == "http_ratelimit":
			if err := p.entitlesRate(object(rule["ratelimit"])); err != nil {
				return err
			}
		case phase == "http_request_firewall_managed" && rule["action"] == "execute" && !p.managed:
			return fmt.Errorf("not entitled to execute the managed ruleset %v", object(rule["actionParameters"])["id"])
		}
	}
	return nil
}

func (p plan) entitlesRate(limit map[string]any) error {
	period, timeout := number(limit["period"]), number(limit["mitigationTimeout"])
	switch {
	case limit == nil:
		return fmt.Errorf("a rule of the phase http_ratelimit needs a ratelimit")
	case !p.everywhere && !slices.Contains(strs(limit["characteristics"]), "cf.colo.id"):
		return fmt.Errorf("characteristics field is missing 'cf.colo.id', this is required as ratelimiting counting is processed at " +
			"colocation level only (20155)")
	case !slices.Contains(p.periods, period):
		return fmt.Errorf("not entitled to use the period %d, can only use a period among %v", period, p.periods)
	case limit["mitigationTimeout"] != nil && p.longest == 10 && timeout != 10:
		return fmt.Errorf("not entitled to use a mitigation timeout different from 10")
	case limit["mitigationTimeout"] != nil && !p.everywhere && (timeout > p.longest || !slices.Contains(periods, timeout)):
		return fmt.Errorf("not entitled to use the mitigation timeout %d: it must be one of %v, and at most %d", timeout, periods, p.longest)
	case limit["countingExpression"] != nil && !p.counting:
		return fmt.Errorf("not entitled to use a counting expression")
	}
	return nil
}
