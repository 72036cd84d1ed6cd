package rules

import (
	"regexp"
	"slices"

	"github.com/alphapulse/infrastructure/config"
)

const (
	record       = "cloudflare:index/record:Record"
	ruleset      = "cloudflare:index/ruleset:Ruleset"
	zoneSettings = "cloudflare:index/zoneSettingsOverride:ZoneSettingsOverride"
)

// edgeRules are Cloudflare's, and those of pulumi-cloudflare 5 (N5).
var edgeRules = []Rule{
	{Name: "cloudflare-record-content", Types: []string{record}, Source: "pulumi-cloudflare docs",
		Check: unset("the argument is deprecated and answers otherwise than it was set", "use content", "value")},
	{Name: "cloudflare-record-proxied", Types: []string{record}, Source: "Cloudflare docs", Check: when("proxied", true, all(
		oneOf("ttl", "what Cloudflare keeps for a proxied name: 1 is automatic", 1.),
		oneOf("type", "a type of records that can be proxied", "A", "AAAA", "CNAME")))},
	{Name: "cloudflare-phase", Types: []string{ruleset}, Source: "Cloudflare docs", Check: all(
		like("phase", snakeCase, "is not the name of a phase, whatever the SDK's comment says", "write it in snake case, such as http_ratelimit"),
		oneOf("kind", "a kind of rulesets", "custom", "managed", "root", "zone"))},
	{Name: "cloudflare-rate-limit", Types: []string{ruleset}, Source: "Cloudflare docs", Check: each("rules", rateLimit)},
	{Name: "cloudflare-setting-switch", Types: []string{zoneSettings}, Source: "pulumi-cloudflare docs", Check: switches},
	{Name: "cloudflare-tls", Types: []string{zoneSettings}, Source: "requirement N5", Check: all(
		oneOf("settings.ssl", "strict TLS to the origin", "strict"), oneOf("settings.minTlsVersion", "TLS 1.2 or later", "1.2", "1.3"))},
}

var snakeCase = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)+$|^ddos_l[47]$`)

func rateLimit(in Resource) []Finding {
	limit := in.At("ratelimit")
	if !limit.IsSet() || !limit.IsKnown() {
		return nil
	}
	var found []Finding
	counted := limit.At("characteristics")
	if colo, sure := counted.holds("cf.colo.id"); sure && !colo {
		found = counted.Breaks("rates are counted for each data centre, and the API wants it said", "add cf.colo.id")
	}
	found = append(found, limit.At("period").oneOf("a period that Cloudflare counts over", ratePeriods())...)
	return append(found, limit.At("mitigationTimeout").oneOf("a time that Cloudflare blocks for",
		set{0., 10., 60., 120., 300., 600., 3600., 86400.})...)
}

// ratePeriods are those of all plans; which of them the zone's plan has is the config's to say.
func ratePeriods() (all set) {
	for _, plan := range config.EdgePlans {
		for _, seconds := range plan.RateLimitPeriods {
			if !slices.Contains(all, any(float64(seconds))) {
				all = append(all, float64(seconds))
			}
		}
	}
	return all
}

// onOff are the settings that are switches.
var onOff = []string{"alwaysOnline", "alwaysUseHttps", "automaticHttpsRewrites", "brotli", "browserCheck", "developmentMode", "earlyHints",
	"emailObfuscation", "hotlinkProtection", "http2", "http3", "ipGeolocation", "ipv6", "opportunisticEncryption", "opportunisticOnion",
	"rocketLoader", "serverSideExclude", "tlsClientAuth", "universalSsl", "waf", "websockets", "zeroRtt"}

func switches(in Resource) (found []Finding) {
	for _, name := range onOff {
		found = append(found, in.At("settings."+name).oneOf("a state of a switch", set{"on", "off"})...)
	}
	return found
}
