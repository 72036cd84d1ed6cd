package network_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/network"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	cloudflareType = "pulumi:providers:cloudflare"
	recordType     = "cloudflare:index/record:Record"
	settingsType   = "cloudflare:index/zoneSettingsOverride:ZoneSettingsOverride"
	rulesetType    = "cloudflare:index/ruleset:Ruleset"
	pullsType      = "cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls"
	clientCertType = "cloudflare:index/authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate"

	environment = "alphapulse-prod"
)

func edgeSpec() config.Edge {
	return config.Edge{
		Zone: "alphapulse.com", Host: "api.alphapulse.com", Plan: "pro", OwnsZone: true, WAF: true,
		RateLimit: config.EdgeRateLimit{Requests: 200, PeriodSeconds: 60},
	}
}

// edge records an edge in front of a load balancer.
func edge(t *testing.T, spec config.Edge, signed ...string) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		provider, err := network.NewCloudflare(ctx)
		if err != nil {
			return err
		}
		_, err = network.NewEdge(ctx, "edge", &network.EdgeArgs{
			Name: environment, Zone: network.Zone{ID: "zone-1", Name: spec.Zone}, Spec: spec, Signed: signed,
			Origin: pulumi.String("nlb.example"), ClientCertPEM: pulumi.String("certificate"), ClientKeyPEM: pulumi.String("key"),
		}, pulumi.Providers(provider))
		return err
	})
}

// found is what a look-up of the zone ends with.
type found struct {
	zone     network.Zone
	problems config.Problems
	err      error
}

func findZone(t *testing.T, mode recorder.Mode, spec config.Edge, answers recorder.Answers) (*recorder.Run, found) {
	t.Helper()
	var f found
	run := recorder.Record(t, mode, func(ctx *pulumi.Context) error {
		provider, err := network.NewCloudflare(ctx)
		if err != nil {
			return err
		}
		f.zone, f.problems, f.err = network.FindZone(ctx, spec, environment, provider)
		return nil
	}, answers)
	return run, f
}

func onPlan(plan string) recorder.Answers {
	return recorder.Answers{recorder.GetZone: map[string]any{"id": "zone-1", "zoneId": "zone-1", "plan": plan}}
}

func TestN5ZoneIsLookedUpByNameInPreviewsToo(t *testing.T) {
	for _, mode := range []recorder.Mode{recorder.Preview, recorder.Up} {
		run, f := findZone(t, mode, edgeSpec(), onPlan("Pro Website"))
		require.NoError(t, f.err)
		assert.Empty(t, f.problems)
		assert.Equal(t, network.Zone{ID: "zone-1", Name: "alphapulse.com"}, f.zone)
		require.Equal(t, recorder.GetZone, run.Calls[0].Token)
		assert.Equal(t, map[string]any{"name": "alphapulse.com"}, run.Calls[0].Args)
		for _, call := range run.Calls {
			assert.Equal(t, "cloudflare", call.Provider, call.Token)
		}
	}
}

func TestN5TokenIsInTheEnvironmentOnly(t *testing.T) {
	t.Setenv("CLOUDFLARE_API_TOKEN", "the-token")
	run, _ := findZone(t, recorder.Up, edgeSpec(), nil)
	provider := run.Find(t, cloudflareType, "cloudflare")
	assert.NotContains(t, fmt.Sprint(provider.Inputs), "the-token", "what is an input is in the state")
}

func TestN5UnknownZoneIsAProblemOfTheConfig(t *testing.T) {
	run, f := findZone(t, recorder.Preview, edgeSpec(), recorder.Answers{
		recorder.GetZone: errors.New("invoking cloudflare:index/getZone:getZone: 1 error occurred:\n\t* no zone found"),
	})
	require.NoError(t, f.err)
	require.Len(t, f.problems, 1)
	assert.Equal(t, []string{"alphapulse:edge.zone", `"alphapulse.com"`}, []string{f.problems[0].Key, f.problems[0].Value})
	assert.Contains(t, f.problems[0].Want, "CLOUDFLARE_API_TOKEN")
	assert.Len(t, run.Calls, 1, "there is no zone to ask about")
}

func TestN5CloudflareThatDoesNotAnswerIsAnError(t *testing.T) {
	_, f := findZone(t, recorder.Preview, edgeSpec(), recorder.Answers{recorder.GetZone: errors.New("429 Too Many Requests")})
	assert.ErrorContains(t, f.err, `looking up the zone "alphapulse.com" at Cloudflare: `)
	assert.ErrorContains(t, f.err, "429")
	_, f = findZone(t, recorder.Preview, edgeSpec(), recorder.Answers{recorder.GetRulesets: errors.New("403 Forbidden")})
	assert.ErrorContains(t, f.err, `listing the rulesets of zone "alphapulse.com" in the phase http_ratelimit at Cloudflare: `)
	assert.ErrorContains(t, f.err, "403")
}

func TestN5PlanMustBeTheOneThatIsPaidFor(t *testing.T) {
	actual := map[string]string{
		"free": "Free Website", "pro": "Pro Website", "business": "Business Website", "enterprise": "Enterprise Website",
	}
	require.Len(t, actual, len(config.EdgePlans))
	for _, known := range config.EdgePlans {
		for plan, name := range actual {
			spec := edgeSpec()
			spec.Plan = known.Name
			_, f := findZone(t, recorder.Preview, spec, onPlan(name))
			require.NoError(t, f.err)
			if plan == known.Name {
				assert.Empty(t, f.problems, plan)
				continue
			}
			assert.Equal(t, config.Problems{{
				Key: "alphapulse:edge.plan", Value: fmt.Sprintf("%q", known.Name),
				Want: fmt.Sprintf("Cloudflare has the zone alphapulse.com on %q; set plan: %s, or change the zone's plan there", name, plan),
			}}, f.problems)
		}
	}
	_, f := findZone(t, recorder.Preview, edgeSpec(), onPlan("Something New"))
	require.Len(t, f.problems, 1)
	assert.Equal(t, `Cloudflare has the zone alphapulse.com on "Something New"; change the zone's plan there`, f.problems[0].Want)
}

// there is a ruleset as Cloudflare lists it.
func there(phase, name, description string, rules ...any) map[string]any {
	return map[string]any{
		"id": "id-of-" + name, "kind": "zone", "phase": phase, "name": name, "description": description, "version": "1", "rules": rules,
	}
}

func TestN5SecondOwnerOfAZoneIsRefused(t *testing.T) {
	rule := map[string]any{"id": "1", "ref": "1", "version": "1", "expression": "true"}
	const limit, managed = "http_ratelimit", "http_request_firewall_managed"
	withoutWAF := edgeSpec()
	withoutWAF.WAF = false
	guest := edgeSpec()
	guest.OwnsZone, guest.WAF, guest.RateLimit = false, false, config.EdgeRateLimit{}
	for name, c := range map[string]struct {
		spec     config.Edge
		rulesets []any
		refused  []string // names of the rulesets that are in the way
	}{
		"nobody's yet":          {edgeSpec(), nil, nil},
		"ours":                  {edgeSpec(), []any{there(limit, "alphapulse-prod "+limit, "", rule), there(managed, "alphapulse-prod "+managed, "", rule)}, nil},
		"another stack's":       {edgeSpec(), []any{there(limit, "alphapulse-staging "+limit, "", rule)}, []string{"alphapulse-staging " + limit}},
		"made by hand":          {edgeSpec(), []any{there(limit, "default", "", rule), there(managed, "zone", "", rule)}, []string{"default", "zone"}},
		"in a phase we leave":   {edgeSpec(), []any{there("http_request_firewall_custom", "default", "", rule)}, nil},
		"in one we do not want": {withoutWAF, []any{there(managed, "default", "", rule)}, nil},
		"left behind, empty":    {edgeSpec(), []any{there(limit, "default", "")}, nil},
		"empty, but somebody's": {edgeSpec(), []any{there(limit, "default", "Keep")}, []string{"default"}},
		"and we are a guest":    {guest, []any{there(limit, "alphapulse-other "+limit, "", rule)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			run, f := findZone(t, recorder.Preview, c.spec, recorder.Answers{recorder.GetRulesets: map[string]any{"rulesets": c.rulesets}})
			require.NoError(t, f.err)
			require.Len(t, f.problems, len(c.refused))
			for i, other := range c.refused {
				assert.Equal(t, []string{"alphapulse:edge.ownsZone", "true"}, []string{f.problems[i].Key, f.problems[i].Value})
				for _, text := range []string{fmt.Sprintf("%q", other), "set ownsZone: false here", "id-of-" + other} {
					assert.Contains(t, f.problems[i].Want, text)
				}
			}
			if !c.spec.OwnsZone {
				assert.Len(t, run.Calls, 1, "a guest has no business with the zone's rulesets")
				return
			}
			phases := []string{limit}
			if c.spec.WAF {
				phases = append(phases, managed)
			}
			require.Len(t, run.Calls, 1+len(phases), "of the phases that it wants: the token may not see the rules of others")
			for i, phase := range phases {
				assert.Equal(t, map[string]any{"zoneId": "zone-id", "includeRules": true, "filter": map[string]any{"kind": "zone", "phase": phase}}, run.Calls[1+i].Args)
			}
		})
	}
}

// What is checked before is what is made afterwards: an owner finds its own rulesets on the next preview.
func TestN5OwnerIsNotRefusedByItsOwnRulesets(t *testing.T) {
	var rulesets []any
	for _, made := range edge(t, edgeSpec()).All(rulesetType) {
		assert.NotEmpty(t, made.At("description"))
		rulesets = append(rulesets, there(made.At("phase").(string), made.At("name").(string), made.At("description").(string)))
	}
	require.Len(t, rulesets, 2)
	answers := recorder.Answers{recorder.GetRulesets: map[string]any{"rulesets": rulesets}}
	_, f := findZone(t, recorder.Preview, edgeSpec(), answers)
	assert.Empty(t, f.problems)

	recorder.Record(t, recorder.Preview, func(ctx *pulumi.Context) error {
		provider, err := network.NewCloudflare(ctx)
		if err != nil {
			return err
		}
		_, problems, err := network.FindZone(ctx, edgeSpec(), "alphapulse-staging", provider)
		assert.Len(t, problems, 2, "another stack sees them")
		return err
	}, answers)
}

func TestN5HostIsProxiedToTheLoadBalancer(t *testing.T) {
	run := edge(t, edgeSpec())
	assert.Equal(t, map[string]any{
		"zoneId": "zone-1", "type": "CNAME", "name": "api.alphapulse.com", "content": "nlb.example", "proxied": true, "ttl": 1., "comment": environment,
	}, run.Find(t, recordType, "edge").Inputs)
	for _, one := range run.Resources {
		if one.Custom && one.Type != cloudflareType {
			assert.Equal(t, "cloudflare", one.Provider, "%s %s", one.Type, one.Name)
			assert.False(t, one.Protect, "%s %s can be made again", one.Type, one.Name)
		}
	}
}

func TestN5StrictTLSFromVersion12AndHSTS(t *testing.T) {
	settings := edge(t, edgeSpec()).Find(t, settingsType, "edge-zone")
	assert.Equal(t, "zone-1", settings.At("zoneId"))
	assert.Equal(t, map[string]any{
		"ssl": "strict", "minTlsVersion": "1.2", "tls13": "on", "zeroRtt": "off", "alwaysUseHttps": "on", "automaticHttpsRewrites": "on",
		"securityHeader": map[string]any{
			"enabled": true, "maxAge": 31536000., "nosniff": true,
			"includeSubdomains": false, "preload": false, // neither can be taken back, and the zone has names that are not ours
		},
	}, settings.At("settings"))
	assert.True(t, settings.Retained, "whoever else has names in the zone lives on them")
}

func TestN5WAFRunsCloudflaresManagedRules(t *testing.T) {
	managed := edge(t, edgeSpec()).Find(t, rulesetType, "edge-http_request_firewall_managed")
	assert.Equal(t, []any{"zone-1", "zone", "http_request_firewall_managed", "alphapulse-prod http_request_firewall_managed"},
		[]any{managed.At("zoneId"), managed.At("kind"), managed.At("phase"), managed.At("name")})
	require.Len(t, managed.At("rules"), 2)
	owasp := map[string]any{"categories": []any{
		map[string]any{"category": "paranoia-level-2", "enabled": false},
		map[string]any{"category": "paranoia-level-3", "enabled": false},
		map[string]any{"category": "paranoia-level-4", "enabled": false},
	}}
	for i, c := range []struct{ id, overrides any }{{"efb7b8c949ac4650a09736fc376e9aee", nil}, {"4814384a9e5d4991b9815dcfc25d2f1f", owasp}} {
		at := func(path string) any { return managed.At(fmt.Sprintf("rules[%d].%s", i, path)) }
		assert.Equal(t, []any{"execute", c.id, "true", true, c.overrides},
			[]any{at("action"), at("actionParameters.id"), at("expression"), at("enabled"), at("actionParameters.overrides")})
	}
	without := edgeSpec()
	without.WAF = false
	require.Len(t, edge(t, without).All(rulesetType), 1)
}

func TestN5RateRuleCountsPerClientAndDataCentre(t *testing.T) {
	for _, plan := range config.EdgePlans {
		for _, period := range plan.RateLimitPeriods {
			spec := edgeSpec()
			spec.Plan, spec.WAF = plan.Name, plan.ManagedRules
			spec.RateLimit = config.EdgeRateLimit{Requests: 70, PeriodSeconds: period}
			limit := edge(t, spec).Find(t, rulesetType, "edge-http_ratelimit")
			assert.Equal(t, []any{"zone-1", "zone", "http_ratelimit", "alphapulse-prod http_ratelimit"},
				[]any{limit.At("zoneId"), limit.At("kind"), limit.At("phase"), limit.At("name")})
			require.Len(t, limit.At("rules"), 1, "the free plan has room for one")
			counted := `http.host eq "api.alphapulse.com" and true`
			if plan.Name == "free" {
				counted = "true"
			}
			assert.Equal(t, []any{"block", counted, true}, []any{limit.At("rules[0].action"), limit.At("rules[0].expression"), limit.At("rules[0].enabled")})
			assert.Equal(t, map[string]any{
				"characteristics": []any{"cf.colo.id", "ip.src"}, "requestsPerPeriod": 70.,
				"period": float64(period), "mitigationTimeout": float64(period),
			}, limit.At("rules[0].ratelimit"))
		}
	}
}

func TestN5SignedCallsAreNeitherCountedNorTakenForAnAttackByTheirSum(t *testing.T) {
	run := edge(t, edgeSpec(), "/webhooks/stripe", "/webhooks/other")
	const outside = `not (http.request.uri.path eq "/webhooks/stripe" or starts_with(http.request.uri.path, "/webhooks/stripe/")` +
		` or http.request.uri.path eq "/webhooks/other" or starts_with(http.request.uri.path, "/webhooks/other/"))`
	assert.Equal(t, `http.host eq "api.alphapulse.com" and `+outside, run.Find(t, rulesetType, "edge-http_ratelimit").At("rules[0].expression"))
	managed := run.Find(t, rulesetType, "edge-http_request_firewall_managed")
	assert.Equal(t, []any{"true", outside}, []any{managed.At("rules[0].expression"), managed.At("rules[1].expression")})
}

func TestN5OnlyTheOwnerTouchesTheZone(t *testing.T) {
	guest := edgeSpec()
	guest.OwnsZone, guest.Host = false, "api-staging.alphapulse.com"
	var types []string
	for _, one := range edge(t, guest).Resources {
		if one.Custom && one.Type != cloudflareType {
			types = append(types, one.Type)
			assert.Contains(t, fmt.Sprint(one.Inputs["name"], one.Inputs["hostname"], one.Inputs["type"]), map[string]string{
				recordType: guest.Host, pullsType: guest.Host, clientCertType: "per-hostname",
			}[one.Type], "%s is for its own host", one.Type)
		}
	}
	assert.ElementsMatch(t, []string{recordType, pullsType, clientCertType}, types)
}

func TestN5CloudflareProvesItselfWithOurCertificate(t *testing.T) {
	run := edge(t, edgeSpec())
	certificate := run.Find(t, clientCertType, "edge-client")
	assert.Equal(t, map[string]any{"zoneId": "zone-1", "type": "per-hostname", "certificate": "certificate", "privateKey": "key"}, certificate.Inputs)
	assert.Equal(t, map[string]any{
		"zoneId": "zone-1", "hostname": "api.alphapulse.com", "enabled": true, "authenticatedOriginPullsCertificate": "edge-client-id",
	}, run.Find(t, pullsType, "edge-client").Inputs)
}

func TestN5RenewedCertificateIsThereBeforeTheOldOneGoes(t *testing.T) {
	run := edge(t, edgeSpec())
	assert.False(t, run.Find(t, clientCertType, "edge-client").DeleteFirst)
	pulls := run.Find(t, pullsType, "edge-client")
	assert.NotContains(t, pulls.ReplaceOnChanges, "authenticatedOriginPullsCertificate", "the host goes over to it in one step")
	assert.Contains(t, pulls.ReplaceOnChanges, "hostname", "another host's must not stay behind")
}

func TestN5NobodyIsLetInBeforeTheGuards(t *testing.T) {
	run := edge(t, edgeSpec())
	record := run.Find(t, recordType, "edge")
	guards := append(run.All(rulesetType), run.All(settingsType)...)
	require.Len(t, guards, 3)
	for _, guard := range guards {
		assert.Contains(t, record.DependsOn, guard.URN)
	}
	assert.Contains(t, run.Find(t, pullsType, "edge-client").DependsOn, record.URN)
}

func ranges(t *testing.T, answer any) ([]string, error) {
	t.Helper()
	var list []string
	var failed error
	recorder.Record(t, recorder.Preview, func(ctx *pulumi.Context) error {
		provider, err := network.NewCloudflare(ctx)
		if err != nil {
			return err
		}
		list, failed = network.CloudflareRanges(ctx, provider)
		return nil
	}, recorder.Answers{recorder.GetIPRanges: answer})
	return list, failed
}

func TestN5CloudflaresRangesAreSorted(t *testing.T) {
	list, err := ranges(t, map[string]any{"ipv4CidrBlocks": []any{"188.114.96.0/20", "104.16.0.0/13", "188.114.96.0/20"}, "ipv6CidrBlocks": []any{"2400:cb00::/32"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"104.16.0.0/13", "188.114.96.0/20"}, list)
}

func TestN5RangesThatOpenTheOriginToOthersAreRefused(t *testing.T) {
	for _, bad := range []string{"0.0.0.0/0", "104.0.0.0/7", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "104.16.0.1/13", "2400:cb00::/32", "all"} {
		_, err := ranges(t, map[string]any{"ipv4CidrBlocks": []any{"104.16.0.0/13", bad}})
		assert.ErrorContains(t, err, bad)
	}
	_, err := ranges(t, map[string]any{"ipv4CidrBlocks": []any{}})
	assert.ErrorContains(t, err, "asking Cloudflare for its address ranges: it names none")
	_, err = ranges(t, errors.New("503"))
	assert.ErrorContains(t, err, "503")
}
