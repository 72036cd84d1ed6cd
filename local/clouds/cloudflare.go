package clouds

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// CloudflareAccount is the inventory's account of all that is at Cloudflare. Every stack shares it, as they share the domain.
const CloudflareAccount = "cloudflare"

// ZoneType is the token of a domain at Cloudflare. Domains are the registrar's: no stack makes them, so none leaves them behind.
const ZoneType = "cloudflare:index/zone:Zone"

var cloudflareTypes = []Type{
	{Name: "index.Zone", ID: "{hash}", check: refuseZone,
		Props: `zone!* plan accountId* type paused=false`,
		Out:   `status=active nameServers=["ada.ns.cloudflare.com","bob.ns.cloudflare.com"] vanityNameServers=[]`},
	{Name: "index.Record", ID: "{hash}", DeleteFirst: true, check: checkRecord, admit: admitRecord,
		Props: `zoneId!*>index.Zone name!* type!* content data{} ttl proxied priority comment tags`,
		Out:   `hostname=? proxiable=? ttl=1 value={content} createdOn={now} modifiedOn={now}`},
	{Name: "index.Ruleset", ID: "{hash}", check: checkRuleset, admit: admitRuleset,
		Props: `zoneId!*>index.Zone kind!* phase!* name!* description rules{` + rulesetRule + `}`},
	{Name: "index.ZoneSettingsOverride", ID: "{zoneId}", check: checkZoneSettings,
		Props: `zoneId!*>index.Zone settings{` + zoneSettings + `}`,
		Out:   `zoneStatus=active zoneType=full readonlySettings=[] initialSettings=[] initialSettingsReadAt={now}`},
	{Name: "index.AuthenticatedOriginPullsCertificate", ID: "{hash}", check: checkOriginCertificate, admit: readOriginCertificate,
		Props: `zoneId!*>index.Zone certificate!* privateKey!* type!*`,
		Out:   `issuer=? signature=? serialNumber=? expiresOn=? status=active uploadedOn={now}`},
	{Name: "index.AuthenticatedOriginPulls", ID: "{hash}", check: checkOriginPulls, admit: admitOriginPulls,
		Props: `zoneId!*>index.Zone enabled! hostname authenticatedOriginPullsCertificate>index.AuthenticatedOriginPullsCertificate`},
}

func locateCloudflare(p *Provider, _ map[string]any) {
	p.account, p.region = CloudflareAccount, "global"
}

func refuseZone(map[string]any) error {
	return fmt.Errorf("a domain is registered by people, and looked up by programs: resource type %s is not modelled by the local engine", ZoneType)
}

var recordTypes = []string{"A", "AAAA", "CAA", "CNAME", "TXT", "SRV", "LOC", "MX", "NS", "SPF", "CERT", "DNSKEY", "DS", "NAPTR", "SMIMEA",
	"SSHFP", "TLSA", "URI", "PTR", "HTTPS", "SVCB"}

// addresses are the types of records that can be proxied, and of which a CNAME excludes every other.
var addresses = []string{"A", "AAAA", "CNAME"}

func checkRecord(in map[string]any) error {
	if err := oneOf("type", in["type"], recordTypes...); err != nil {
		return err
	}
	name, typ, content := str(in["name"]), str(in["type"]), str(in["content"])
	proxied := in["proxied"] == true
	ttl, hasTTL := in["ttl"].(float64)
	switch {
	case (in["content"] == nil) == (in["data"] == nil):
		return fmt.Errorf("one of `content,data` must be specified")
	case proxied && typ != "" && !slices.Contains(addresses, typ):
		return fmt.Errorf("error validating record type %q: type %q cannot be proxied", typ, typ)
	case proxied && hasTTL && ttl != 1:
		return fmt.Errorf("error validating record %s: ttl must be set to 1 when `proxied` is true", name)
	case hasTTL && ttl != 1 && (ttl < 60 || ttl > 86400): // 1 is automatic; from 30 s for an Enterprise zone (Cloudflare docs)
		return fmt.Errorf("error validating record %s: ttl must be between 60 and 86400 seconds, or 1 for Automatic", name)
	}
	address, err := netip.ParseAddr(content)
	if content != "" && typ == "A" && (err != nil || !address.Is4()) {
		return fmt.Errorf("error validating record content of %q: A record must be a valid IPv4 address, got: %q", name, content)
	}
	if content != "" && typ == "AAAA" && (err != nil || !address.Is6()) {
		return fmt.Errorf("error validating record content of %q: AAAA record must be a valid IPv6 address, got: %q", name, content)
	}
	return nil
}

// admitRecord refuses a name that is taken: a CNAME is alone, and no two records are the same.
func admitRecord(p *Provider, r *inventory.Record) error {
	zone, _, err := p.find("index.Zone", str(r.Inputs["zoneId"]))
	if err != nil {
		return err
	}
	host, typ := hostname(str(r.Inputs["name"]), str(zone.Inputs["zone"])), str(r.Inputs["type"])
	r.Outputs["hostname"], r.Outputs["proxiable"] = host, slices.Contains(addresses, typ)
	others, err := p.all(r.Type)
	if err != nil {
		return err
	}
	const taken = "expected DNS record to not already be present but already exists: %s: %s"
	for _, other := range others {
		otherType := str(other.Inputs["type"])
		switch {
		case other.ID == r.ID || other.Outputs["hostname"] != host:
		case (typ == "CNAME" || otherType == "CNAME") && slices.Contains(addresses, typ) && slices.Contains(addresses, otherType):
			return fmt.Errorf(taken, host, "An A, AAAA, or CNAME record with that host already exists. (81053)")
		case typ == otherType && equal(other.Inputs["content"], r.Inputs["content"]) && equal(other.Inputs["data"], r.Inputs["data"]):
			return fmt.Errorf(taken, host, "An identical record already exists. (81058)")
		}
	}
	return nil
}

// hostname is the whole name of a record: Cloudflare takes "api", "api.example.com" and "@".
func hostname(name, zone string) string {
	name = strings.ToLower(name)
	switch {
	case name == "@":
		return zone
	case name == zone || strings.HasSuffix(name, "."+zone):
		return name
	}
	return name + "." + zone
}

const zoneSettings = `alwaysOnline alwaysUseHttps automaticHttpsRewrites brotli browserCacheTtl browserCheck cacheLevel challengeTtl ciphers
	cnameFlattening developmentMode earlyHints emailObfuscation h2Prioritization hotlinkProtection http2 http3 ipGeolocation ipv6 maxUpload
	minTlsVersion mirage nel{enabled!} opportunisticEncryption opportunisticOnion orangeToOrange originErrorPagePassThru originMaxHttpVersion
	polish prefetchPreload privacyPass proxyReadTimeout pseudoIpv4 replaceInsecureJs responseBuffering rocketLoader
	securityHeader{enabled includeSubdomains maxAge nosniff preload} securityLevel sortQueryStringForCache speedBrain ssl sslAutomaticMode
	tls13 tlsClientAuth trueClientIpHeader universalSsl visitorIp waf webp websockets zeroRtt`

// settingValues are the legal values of the settings that are not switches; nil is any.
var settingValues = map[string][]string{
	"cacheLevel":           {"aggressive", "basic", "simplified"},
	"cnameFlattening":      {"flatten_at_root", "flatten_all", "flatten_none"},
	"h2Prioritization":     {"on", "off", "custom"},
	"minTlsVersion":        {"1.0", "1.1", "1.2", "1.3"},
	"originMaxHttpVersion": {"1", "2"},
	"polish":               {"off", "lossless", "lossy"},
	"proxyReadTimeout":     nil,
	"pseudoIpv4":           {"off", "add_header", "overwrite_header"},
	"rocketLoader":         {"on", "off", "manual"},
	"securityLevel":        {"off", "essentially_off", "low", "medium", "high", "under_attack"},
	"ssl":                  {"off", "flexible", "full", "strict", "origin_pull"},
	"sslAutomaticMode":     {"auto", "custom"},
	"tls13":                {"on", "off", "zrt"},
}

func checkZoneSettings(in map[string]any) error {
	settings := object(in["settings"])
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		if on, ok := value.(bool); ok {
			value = fmt.Sprint(on) // a switch is "on" or "off"
		}
		legal, special := settingValues[name]
		if !special {
			legal = []string{"on", "off"}
		}
		if legal == nil {
			continue
		}
		if err := oneOf("settings."+name, value, legal...); err != nil {
			return err
		}
	}
	return nil
}

func checkOriginCertificate(in map[string]any) error {
	return oneOf("type", in["type"], "per-zone", "per-hostname")
}

// readOriginCertificate takes a certificate only with its own key, and tells what is in it.
func readOriginCertificate(_ *Provider, r *inventory.Record) error {
	pair, err := tls.X509KeyPair([]byte(str(r.Inputs["certificate"])), []byte(str(r.Inputs["privateKey"])))
	if err != nil {
		return fmt.Errorf("error uploading AOP certificate on zone %q: %w", r.Inputs["zoneId"], err)
	}
	maps.Copy(r.Outputs, map[string]any{
		"issuer":       pair.Leaf.Issuer.String(),
		"signature":    pair.Leaf.SignatureAlgorithm.String(),
		"serialNumber": pair.Leaf.SerialNumber.String(),
		"expiresOn":    pair.Leaf.NotAfter.UTC().Format(time.RFC3339),
	})
	return nil
}

// checkOriginPulls refuses a host without a certificate: the real provider then turns on the certificate that all customers of
// Cloudflare share, for the whole zone.
func checkOriginPulls(in map[string]any) error {
	if in["hostname"] != nil && in["authenticatedOriginPullsCertificate"] == nil {
		return fmt.Errorf("authenticatedOriginPullsCertificate is required with hostname %v", in["hostname"])
	}
	return nil
}

// admitOriginPulls wants a certificate that was uploaded for this zone and this purpose.
func admitOriginPulls(p *Provider, r *inventory.Record) error {
	id := str(r.Inputs["authenticatedOriginPullsCertificate"])
	if id == "" {
		return nil
	}
	certificate, _, err := p.find("index.AuthenticatedOriginPullsCertificate", id)
	if err != nil {
		return err
	}
	purpose := "per-zone"
	if r.Inputs["hostname"] != nil {
		purpose = "per-hostname"
	}
	if certificate.Inputs["type"] != purpose || certificate.Inputs["zoneId"] != r.Inputs["zoneId"] {
		return fmt.Errorf("error creating Authenticated Origin Pulls resource on zone %q: the zone has no %s certificate %s",
			r.Inputs["zoneId"], purpose, id)
	}
	return nil
}
