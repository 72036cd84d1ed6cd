package network

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Zone is a domain, as it was found at Cloudflare.
type Zone struct {
	ID, Name string
}

// planNames are what Cloudflare calls its plans where it shows a zone.
var planNames = map[string]string{
	"free": "Free Website", "pro": "Pro Website", "business": "Business Website", "enterprise": "Enterprise Website",
}

// FindZone looks up the zone, in previews too, and compares it with what config says about it; name is the environment's prefix. What does
// not agree are problems, to be reported with those of the config. An error says that Cloudflare could not be asked.
func FindZone(ctx *pulumi.Context, spec config.Edge, name string, provider *cloudflare.Provider) (Zone, config.Problems, error) {
	found, err := cloudflare.LookupZone(ctx, &cloudflare.LookupZoneArgs{Name: &spec.Zone}, pulumi.Provider(provider))
	if err != nil {
		if strings.Contains(err.Error(), "no zone found") { // the provider has these words for it, and no code
			return Zone{}, config.Problems{edgeProblem("zone", spec.Zone,
				"is not a zone that CLOUDFLARE_API_TOKEN may see; name the domain itself (alphapulse.com, not api.alphapulse.com), or use its account's token")}, nil
		}
		return Zone{}, nil, fmt.Errorf("looking up the zone %q at Cloudflare: %w", spec.Zone, err)
	}
	zone := Zone{ID: found.ZoneId, Name: found.Name}
	problems := checkPlan(spec, found.Plan)
	if spec.OwnsZone {
		others, err := otherOwners(ctx, spec, name, zone, provider)
		if err != nil {
			return Zone{}, nil, err
		}
		problems = append(problems, others...)
	}
	return zone, problems, nil
}

// checkPlan compares the plan that the rest of the config was judged by with the one that is paid for.
func checkPlan(spec config.Edge, actual string) config.Problems {
	if planNames[spec.Plan] == actual {
		return nil
	}
	remedy := "change the zone's plan there"
	for plan, name := range planNames {
		if name == actual {
			remedy = "set plan: " + plan + ", or " + remedy
		}
	}
	return config.Problems{edgeProblem("plan", spec.Plan, "Cloudflare has the zone %s on %q; %s", spec.Zone, actual, remedy)}
}

// otherOwners finds rulesets that are not this stack's in the phases that it wants for itself: a zone has one for each phase.
func otherOwners(ctx *pulumi.Context, spec config.Edge, name string, zone Zone, provider *cloudflare.Provider) (ps config.Problems, err error) {
	for _, ours := range zoneRulesets(spec, nil) {
		// The provider asks for the rules of each that the filter lets through, and the token may not see those of other phases.
		there, err := cloudflare.GetRulesets(ctx, &cloudflare.GetRulesetsArgs{
			ZoneId:       &zone.ID,
			Filter:       &cloudflare.GetRulesetsFilter{Kind: pulumi.StringRef(zoneKind), Phase: &ours.phase},
			IncludeRules: pulumi.BoolRef(true),
		}, pulumi.Provider(provider))
		if err != nil {
			return nil, fmt.Errorf("listing the rulesets of zone %q in the phase %s at Cloudflare: %w", zone.Name, ours.phase, err)
		}
		for _, other := range there.Rulesets {
			// The dashboard leaves an empty one behind where rules were deleted; the provider puts ours in its place.
			leftBehind := len(other.Rules) == 0 && (other.Description == nil || *other.Description == "")
			if other.Phase != ours.phase || other.Name == ours.name(name) || leftBehind {
				continue
			}
			ps = append(ps, edgeProblem("ownsZone", true, "the zone %s has the ruleset %q in the phase %s, which holds one; set ownsZone: false here, "+
				"or give the zone up there: if a stack's name begins it, ownsZone: false and `pulumi up` in that stack, else delete the ruleset (id %s)",
				zone.Name, other.Name, ours.phase, other.Id))
		}
	}
	return ps, nil
}

func edgeProblem(key string, value any, want string, args ...any) config.Problem {
	shown := fmt.Sprint(value)
	if text, ok := value.(string); ok {
		shown = fmt.Sprintf("%q", text)
	}
	return config.Problem{Key: config.Namespace + ":edge." + key, Value: shown, Want: fmt.Sprintf(want, args...)}
}
