package clouds

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// newEdge is an empty Cloudflare account, the provider on it, and the ID of the domain alphapulse.com.
func newEdge(t *testing.T) (cloud, string) {
	t.Setenv(home.DirVariable, t.TempDir())
	return edge(t)
}

// edge is the provider as one more stack has it.
func edge(t *testing.T) (cloud, string) {
	p := New("cloudflare")
	inputs := resource.NewPropertyMapFromMap(props{"apiToken": "none", "version": "5.49.1"})
	checked, err := p.CheckConfig(context.Background(), plugin.CheckConfigRequest{News: inputs})
	require.NoError(t, err)
	require.Empty(t, checked.Failures)
	_, err = p.Configure(context.Background(), plugin.ConfigureRequest{Inputs: inputs})
	require.NoError(t, err)
	zone, err := p.invoke("cloudflare:index/getZone:getZone", props{"name": "alphapulse.com"})
	require.NoError(t, err)
	return cloud{t, p}, zone["id"].(string)
}

// setPlan edits the domain's plan in the inventory, as a person does.
func (c cloud) setPlan(zone, plan string) {
	r, ok, err := c.get(ZoneType, zone)
	require.NoError(c, err)
	require.True(c, ok)
	r.Inputs["plan"] = plan
	delete(r.Outputs, "plan")
	require.NoError(c, c.put(r))
}

func (c cloud) update(typ, id string, in props) error {
	inputs, reasons := c.check(typ, "x", in)
	require.Empty(c, reasons)
	_, err := c.Update(context.Background(), plugin.UpdateRequest{URN: urn(typ, "x"), ID: resource.ID(id), NewInputs: inputs})
	return err
}

func with(in props, key string, value any) props {
	out := props{key: value}
	for k, v := range in {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func TestVersionsAreThoseOfTheSDKs(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	module, err := modfile.ParseLax("go.mod", data, nil)
	require.NoError(t, err)
	found := 0
	for _, require := range module.Require {
		for name, v := range vendors {
			if strings.HasPrefix(require.Mod.Path, "github.com/pulumi/pulumi-"+name+"/") {
				found++
				assert.Equal(t, require.Mod.Version, "v"+v.version, name)
			}
		}
	}
	assert.Len(t, vendors, found)
}

func TestN5TheZoneIsLookedUp(t *testing.T) {
	c, zone := newEdge(t)
	out, err := c.invoke("cloudflare:index/getZone:getZone", props{"name": "alphapulse.com"})
	require.NoError(t, err)
	assert.Equal(t, props{"id": zone, "zoneId": zone, "name": "alphapulse.com", "plan": "Pro Website", "status": "active", "paused": false,
		"accountId": out["accountId"], "vanityNameServers": []any{}, "nameServers": []any{"ada.ns.cloudflare.com", "bob.ns.cloudflare.com"}}, out)
	c.setPlan(zone, "Business Website")
	byID, err := c.invoke("cloudflare:index/getZone:getZone", props{"zoneId": zone})
	require.NoError(t, err)
	assert.Equal(t, "Business Website", byID["plan"])
	records, err := inventory.Account(CloudflareAccount)
	require.NoError(t, err)
	assert.Len(t, records, 1, "looked up three times, there once")
	for message, args := range map[string]props{
		"no zone found":                           {"name": "alphapulse.example"},
		"could not route to /zones/x":             {"zoneId": "x"},
		"one of `name,zone_id` must be specified": {},
	} {
		_, err := c.invoke("cloudflare:index/getZone:getZone", args)
		assert.ErrorContains(t, err, message)
	}
	_, err = c.invoke("cloudflare:index/getZone:getZone", props{"name": "alphapulse.com", "accountId": "another"})
	assert.ErrorContains(t, err, "no zone found")
	_, reasons := c.check("index.Zone", "z", props{"zone": "alphapulse.com", "accountId": "x"})
	assert.Contains(t, reasons[0], "looked up by programs")
}

func TestN5TheRangesAreCloudflares(t *testing.T) {
	c, _ := newEdge(t)
	out, err := c.invoke("cloudflare:index/getIpRanges:getIpRanges", nil)
	require.NoError(t, err)
	assert.Len(t, out["ipv4CidrBlocks"], 15)
	assert.Len(t, out["ipv6CidrBlocks"], 7)
	assert.Len(t, out["cidrBlocks"], 22)
	assert.IsIncreasing(t, strs(out["cidrBlocks"]))
}

func TestN5EveryStackSharesOneCloudflare(t *testing.T) {
	c, zone := newEdge(t)
	other, otherZone := edge(t)
	assert.Equal(t, zone, otherZone)
	record := props{"zoneId": zone, "name": "api", "type": "CNAME", "content": "lb.example.com", "proxied": true, "ttl": 1.0}
	id := c.make("index.Record", "api", record)
	_, err := other.try("index.Record", "api", with(record, "name", "API.alphapulse.com"))
	assert.ErrorContains(t, err, "expected DNS record to not already be present but already exists: api.alphapulse.com: An A, AAAA, or CNAME")
	require.NoError(t, c.destroy("index.Record", id))
	other.make("index.Record", "api", record)
}

func TestN5RecordsFollowTheDNS(t *testing.T) {
	c, zone := newEdge(t)
	alias := props{"zoneId": zone, "name": "api", "type": "CNAME", "content": "lb.example.com", "proxied": true, "ttl": 1.0}
	made, err := c.try("index.Record", "api", with(alias, "tags", []any{"owner:edge"}))
	require.NoError(t, err)
	assert.Equal(t, "api.alphapulse.com", made.Properties["hostname"].StringValue())
	assert.True(t, made.Properties["proxiable"].BoolValue())
	assert.NotContains(t, made.Properties, resource.PropertyKey("tagsAll"))
	require.NoError(t, c.update("index.Record", string(made.ID), with(alias, "content", "other.example.com")), "it does not stand in its own way")

	text := props{"zoneId": zone, "name": "api", "type": "TXT", "content": "v=1"}
	c.make("index.Record", "t", text) // not an address: beside the CNAME as before
	c.make("index.Record", "t2", with(text, "content", "v=2"))
	_, err = c.try("index.Record", "t3", text)
	assert.ErrorContains(t, err, "An identical record already exists. (81058)")
	_, err = c.try("index.Record", "a", props{"zoneId": zone, "name": "api", "type": "A", "content": "192.0.2.1"})
	assert.ErrorContains(t, err, "(81053)")
	c.make("index.Record", "apex", props{"zoneId": zone, "name": "@", "type": "A", "content": "192.0.2.1"})
	_, err = c.try("index.Record", "lost", with(alias, "zoneId", "no-such-zone"))
	assert.ErrorContains(t, err, `the Zone "no-such-zone" does not exist`)

	for reason, in := range map[string]props{
		"property value of cloudflare:index/record:Record is not modelled": {"value": "x"},
		"one of `content,data` must be specified":                          {"content": nil},
		"ttl must be set to 1 when `proxied` is true":                      {"ttl": 300.0},
		`type "TXT" cannot be proxied`:                                     {"type": "TXT"},
		"expected type to be one of":                                       {"type": "cname"},
		"ttl must be between 60 and 86400":                                 {"proxied": false, "ttl": 30.0},
		"A record must be a valid IPv4 address":                            {"type": "A"},
		"AAAA record must be a valid IPv6 address":                         {"type": "AAAA", "content": "192.0.2.1"},
	} {
		bad := alias
		for key, value := range in {
			bad = with(bad, key, value)
		}
		_, reasons := c.check("index.Record", "r", bad)
		assert.Contains(t, strings.Join(reasons, "\n"), reason)
	}
	replaced := c.diff("index.Record", alias, with(alias, "name", "www"))
	assert.Equal(t, []resource.PropertyKey{"name"}, replaced.ReplaceKeys)
	assert.True(t, replaced.DeleteBeforeReplace)
	assert.Empty(t, c.diff("index.Record", alias, with(alias, "content", "x.example.com")).ReplaceKeys)
}

// rate is a ruleset of the edge rate limit that a zone with the plan Pro may have.
func rate(zone string) props {
	return props{"zoneId": zone, "name": "rate", "kind": "zone", "phase": "http_ratelimit", "rules": []any{limit("cf.colo.id", 60, 600)}}
}

func limit(where string, period, timeout float64) props {
	return props{"action": "block", "expression": "true", "ratelimit": props{"characteristics": []any{where, "ip.src"}, "period": period,
		"requestsPerPeriod": 100.0, "mitigationTimeout": timeout}}
}

func TestN5AZoneHasOneRulesetPerPhase(t *testing.T) {
	c, zone := newEdge(t)
	id := c.make("index.Ruleset", "rate", rate(zone))
	other, _ := edge(t)
	_, err := other.try("index.Ruleset", "rate", with(rate(zone), "name", "mine"))
	assert.ErrorContains(t, err, `failed to create ruleset "http_ratelimit": A similar configuration with rules already exists and overwriting `+
		`will have unintended consequences`)
	assert.ErrorContains(t, err, `"rate", `+id)
	c.make("index.Ruleset", "custom", with(rate(zone), "kind", "custom"))
	c.make("index.Ruleset", "another", with(rate(zone), "kind", "custom")) // of those there may be many
	require.NoError(t, c.update("index.Ruleset", id, with(rate(zone), "description", "ours")))

	list, err := c.invoke("cloudflare:index/getRulesets:getRulesets", props{"zoneId": zone, "includeRules": true,
		"filter": props{"phase": "http_ratelimit", "kind": "zone", "name": "^ra"}})
	require.NoError(t, err)
	require.Len(t, list["rulesets"], 1)
	found := objects(list["rulesets"])[0]
	assert.Equal(t, []any{id, "ours", "zone"}, []any{found["id"], found["description"], found["kind"]})
	assert.Len(t, found["rules"], 1)
	list, err = c.invoke("cloudflare:index/getRulesets:getRulesets", props{"zoneId": zone, "filter": props{"phase": "http_request_firewall_managed"}})
	require.NoError(t, err)
	assert.Empty(t, list["rulesets"])
	_, err = c.invoke("cloudflare:index/getRulesets:getRulesets", props{"zoneId": "x"})
	assert.ErrorContains(t, err, "7003")

	for key, value := range map[string]string{"zoneId": "z", "kind": "root", "phase": "ddos_l7", "name": "n"} {
		assert.Equal(t, []resource.PropertyKey{resource.PropertyKey(key)}, c.diff("index.Ruleset", rate(zone), with(rate(zone), key, value)).ReplaceKeys)
	}
	for reason, in := range map[string]props{
		"expected phase to be one of":           with(rate(zone), "phase", "httpRatelimit"),
		"expected kind to be one of":            with(rate(zone), "kind", "Zone"),
		"expected rules[0].action to be one of": with(rate(zone), "rules", []any{props{"action": "jsChallenge", "expression": "true"}}),
		"missing required property zoneId":      with(rate(zone), "zoneId", nil),
	} {
		_, reasons := c.check("index.Ruleset", "r", in)
		assert.Contains(t, strings.Join(reasons, "\n"), reason)
	}
}

func TestN5RulesetsAreWhatThePlanHas(t *testing.T) {
	managed := []any{props{"action": "execute", "expression": "true", "actionParameters": props{"id": "efb7b8c949ac4650a09736fc376e9aee"}}}
	counting := limit("cf.colo.id", 10, 10)
	counting["ratelimit"].(props)["countingExpression"] = "http.response.code eq 401"
	const colo, period, timeout, many = "characteristics field is missing 'cf.colo.id'", "not entitled to use the period",
		"not entitled to use the mitigation timeout", "exceeded maximum number of rules in the phase http_ratelimit"
	ok := ""
	for _, test := range []struct {
		plan, refusal string
		rules         []any
	}{
		{"Free Website", ok, []any{limit("cf.colo.id", 10, 10)}},
		{"Free Website", colo, []any{limit("http.host", 10, 10)}},
		{"Free Website", "not entitled to use the period 60, can only use a period among [10]", []any{limit("cf.colo.id", 60, 10)}},
		{"Free Website", "not entitled to use a mitigation timeout different from 10", []any{limit("cf.colo.id", 10, 60)}},
		{"Free Website", many + ": 2 out of 1", []any{limit("cf.colo.id", 10, 10), limit("cf.colo.id", 10, 10)}},
		{"Pro Website", ok, []any{limit("cf.colo.id", 60, 3600), limit("cf.colo.id", 10, 10)}},
		{"Pro Website", period + " 300", []any{limit("cf.colo.id", 300, 600)}},
		{"Pro Website", timeout + " 86400", []any{limit("cf.colo.id", 60, 86400)}},
		{"Pro Website", timeout + " 61", []any{limit("cf.colo.id", 60, 61)}},
		{"Pro Website", "not entitled to use a counting expression", []any{counting}},
		{"Pro Website", many, []any{limit("cf.colo.id", 10, 10), limit("cf.colo.id", 10, 10), limit("cf.colo.id", 10, 10)}},
		{"Business Website", ok, []any{limit("cf.colo.id", 600, 86400), counting}},
		{"Business Website", period + " 3600", []any{limit("cf.colo.id", 3600, 600)}},
		{"Business Website", colo, []any{limit("http.host", 60, 600)}},
		{"Enterprise Website", ok, []any{limit("http.host", 3600, 17)}},
		{"Enterprise Website", period + " 61", []any{limit("http.host", 61, 60)}},
		{"Silver", `plan "Silver" of zone alphapulse.com is none of`, []any{limit("cf.colo.id", 10, 10)}},
		{"Pro Website", "needs a ratelimit", []any{props{"action": "block", "expression": "true"}}},
	} {
		c, zone := newEdge(t)
		c.setPlan(zone, test.plan)
		_, err := c.try("index.Ruleset", "r", with(rate(zone), "rules", test.rules))
		if test.refusal == ok {
			assert.NoError(t, err, test.plan)
			continue
		}
		assert.ErrorContains(t, err, test.refusal, test.plan)
	}
	for plan, entitled := range map[string]bool{"Free Website": false, "Pro Website": true, "Business Website": true, "Enterprise Website": true} {
		c, zone := newEdge(t)
		c.setPlan(zone, plan)
		waf := with(with(rate(zone), "phase", "http_request_firewall_managed"), "rules", managed)
		_, err := c.try("index.Ruleset", "waf", waf)
		assert.Equal(t, entitled, err == nil, "%s: %v", plan, err)
	}
	c, zone := newEdge(t)
	id := c.make("index.Ruleset", "r", rate(zone))
	assert.ErrorContains(t, c.update("index.Ruleset", id, with(rate(zone), "rules", []any{limit("cf.colo.id", 300, 10)})), period, "an update too")
}

func TestN5ZoneSettings(t *testing.T) {
	c, zone := newEdge(t)
	settings := props{"ssl": "strict", "minTlsVersion": "1.2", "tls13": "on", "alwaysUseHttps": "on", "browserCacheTtl": 14400.0,
		"securityHeader": props{"enabled": true, "includeSubdomains": true, "maxAge": 31536000.0, "nosniff": true, "preload": false}}
	in := props{"zoneId": zone, "settings": settings}
	assert.Equal(t, zone, c.make("index.ZoneSettingsOverride", "s", in))
	for reason, bad := range map[string]props{
		`settings.alwaysUseHttps to be one of on, off, got true`: with(settings, "alwaysUseHttps", true),
		`settings.ssl to be one of`:                              with(settings, "ssl", "full_strict"),
		`settings.minTlsVersion to be one of`:                    with(settings, "minTlsVersion", "TLSv1.2"),
		`property settings.tls12Only of`:                         with(settings, "tls12Only", "on"),
	} {
		_, reasons := c.check("index.ZoneSettingsOverride", "s", with(in, "settings", bad))
		assert.Contains(t, strings.Join(reasons, "\n"), reason)
	}
	assert.Empty(t, c.diff("index.ZoneSettingsOverride", in, with(in, "settings", with(settings, "ssl", "full"))).ReplaceKeys)
}

// clientCertificate makes a certificate and its key.
func clientCertificate(t *testing.T) (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "origin-pull"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER}))
}

func TestN5OriginPullsNeedACertificateOfTheirs(t *testing.T) {
	c, zone := newEdge(t)
	certificate, key := clientCertificate(t)
	_, strange := clientCertificate(t)
	upload := props{"zoneId": zone, "certificate": certificate, "privateKey": resource.MakeSecret(resource.NewProperty(key)), "type": "per-hostname"}
	const cert, pulls = "index.AuthenticatedOriginPullsCertificate", "index.AuthenticatedOriginPulls"
	made, err := c.try(cert, "c", upload)
	require.NoError(t, err)
	assert.True(t, made.Properties["privateKey"].IsSecret())
	assert.Equal(t, "CN=origin-pull", made.Properties["issuer"].StringValue())
	assert.Equal(t, "active", made.Properties["status"].StringValue())
	_, err = c.try(cert, "c", with(upload, "privateKey", strange))
	assert.ErrorContains(t, err, "private key does not match public key")
	_, reasons := c.check(cert, "c", with(upload, "type", "perHostname"))
	assert.Contains(t, reasons[0], `expected type to be one of per-zone, per-hostname`)
	for _, property := range []string{"zoneId", "certificate", "privateKey", "type"} {
		now := with(upload, property, "per-zone")
		assert.Equal(t, []resource.PropertyKey{resource.PropertyKey(property)}, c.diff(cert, upload, now).ReplaceKeys)
	}

	in := props{"zoneId": zone, "enabled": true, "hostname": "api.alphapulse.com", "authenticatedOriginPullsCertificate": string(made.ID)}
	id := c.make(pulls, "p", in)
	assert.ErrorContains(t, c.destroy(cert, string(made.ID)), "in use by cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls "+id)
	_, err = c.try(pulls, "p", with(in, "authenticatedOriginPullsCertificate", "x"))
	assert.ErrorContains(t, err, `the AuthenticatedOriginPullsCertificate "x" does not exist`)
	_, reasons = c.check(pulls, "p", with(in, "authenticatedOriginPullsCertificate", nil))
	assert.Contains(t, reasons[0], "authenticatedOriginPullsCertificate is required with hostname")
	_, err = c.try(pulls, "p", with(in, "hostname", nil))
	assert.ErrorContains(t, err, "the zone has no per-zone certificate")
	test, err := c.invoke("cloudflare:index/getZone:getZone", props{"name": "alphapulse.test"})
	require.NoError(t, err)
	_, err = c.try(pulls, "p", with(in, "zoneId", test["id"]))
	assert.ErrorContains(t, err, "the zone has no per-hostname certificate")
	wide := c.make(cert, "w", with(upload, "type", "per-zone"))
	c.make(pulls, "w", props{"zoneId": zone, "enabled": true, "authenticatedOriginPullsCertificate": wide})
	assert.ErrorContains(t, c.update(pulls, id, with(in, "authenticatedOriginPullsCertificate", wide)), "no per-hostname certificate")
	require.NoError(t, c.destroy(pulls, id))
	require.NoError(t, c.destroy(cert, string(made.ID)))
}

func TestCloudflareSettings(t *testing.T) {
	resp, err := New("cloudflare").CheckConfig(context.Background(), plugin.CheckConfigRequest{News: resource.NewPropertyMapFromMap(props{"token": "x"})})
	require.NoError(t, err)
	require.Len(t, resp.Failures, 1)
	assert.Equal(t, `cloudflare provider setting "token" is not modelled by the local engine`, resp.Failures[0].Reason)
	c, _ := newEdge(t)
	_, err = c.Invoke(context.Background(), plugin.InvokeRequest{Tok: "cloudflare:index/getUser:getUser"})
	assert.EqualError(t, err, "cloudflare:index/getUser:getUser: function is not modelled by the local engine")
}
