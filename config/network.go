package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Network is the shape of the VPC (N1-N4).
type Network struct {
	// CIDR is the VPC's one address range; all subnets are derived from it. Changing it replaces everything.
	CIDR string `json:"cidr"`
	// Zones are named, never looked up: what a lookup returns may change its order, and subnets would move. The position of a zone
	// in this list has no meaning; its letter decides its addresses. EKS keeps the zones that a cluster was made with: other ones
	// mean another cluster.
	Zones []string `json:"zones"`
	// NATGateways is "per-zone" (the loss of a zone takes only its own way out) or "single".
	NATGateways string `json:"natGateways"`
	// InterfaceEndpoints are the AWS services reached without the NAT gateways, each for about 7 dollars a month and zone.
	InterfaceEndpoints []string `json:"interfaceEndpoints"`
	// FlowLogDays is how long connections and name look-ups are kept on record.
	FlowLogDays int         `json:"flowLogDays"`
	DNSFirewall DNSFirewall `json:"dnsFirewall"`
}

// DNSFirewall limits which names can be looked up in the VPC: security groups filter addresses, not names (N3).
type DNSFirewall struct {
	// Mode is "alert" (log what is not on the list) or "block".
	Mode string `json:"mode"`
	// Domains that may be looked up; `*.` in front covers what is below a name.
	Domains []string `json:"domains"`
}

// NATPerZone and NATSingle are the values of natGateways.
const (
	NATPerZone = "per-zone"
	NATSingle  = "single"
)

const (
	// ServiceCIDR is where EKS takes Kubernetes service addresses from. It is fixed, so that no VPC can be laid over it.
	ServiceCIDR = "172.20.0.0/16"

	zoneSlots = 8 // the letters a to h, the most that any region has used
)

// endpointServices are what pods call all day (N4).
var endpointServices = []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"}

// lookedUp is a name with two labels at least: an asterisk alone, or before a top-level domain, would let everything through.
var lookedUp = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// logRetentionDays are the values that CloudWatch Logs takes, as far as they make sense here.
var logRetentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731}

// Subnets are one zone's share of the VPC.
type Subnets struct {
	Zone                      string
	Private, Public, Database netip.Prefix
}

// Layout derives the subnets from the CIDR, zones in alphabetical order. Each zone letter owns an eighth of the VPC, used or not, so that
// adding, removing or reordering zones moves no subnet. Of its eighth, half is private (nodes and pods), an eighth public,
// an eighth for databases; the rest is room to grow.
func (n Network) Layout() ([]Subnets, error) {
	var ps Problems
	if n.validateCIDR(&ps); len(ps) > 0 {
		return nil, ps
	}
	cidr := netip.MustParsePrefix(n.CIDR)
	zones := slices.Sorted(slices.Values(n.Zones))
	layout := make([]Subnets, 0, len(zones))
	for _, zone := range zones {
		letter, ok := zoneLetter(zone)
		if !ok {
			return nil, fmt.Errorf("%q is not the name of an availability zone", zone)
		}
		slot := part(cidr, 3, letter)
		layout = append(layout, Subnets{Zone: zone, Private: part(slot, 1, 0), Public: part(slot, 3, 4), Database: part(slot, 3, 5)})
	}
	return layout, nil
}

// zoneLetter is the position in the alphabet of the letter that a zone's name ends with.
func zoneLetter(zone string) (int, bool) {
	if zone == "" {
		return 0, false
	}
	letter := int(zone[len(zone)-1]) - 'a'
	return letter, letter >= 0 && letter < zoneSlots
}

// part is the index-th of 2^bits equal parts of a prefix.
func part(p netip.Prefix, bits, index int) netip.Prefix {
	length := p.Bits() + bits
	a := p.Masked().Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += uint32(index) << (32 - length)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), length)
}

func (n Network) validate(region string) (ps Problems) {
	n.validateCIDR(&ps)
	if len(n.Zones) != 3 {
		ps.add("zones", fmt.Sprint(n.Zones), "must name 3 availability zones, so that every quorum survives the loss of one")
	}
	for i, zone := range n.Zones {
		key := fmt.Sprintf("zones[%d]", i)
		rest, inRegion := strings.CutPrefix(zone, region)
		_, lettered := zoneLetter(zone)
		switch {
		case regionName.MatchString(region) && (!inRegion || len(rest) != 1 || !lettered):
			ps.add(key, zone, "is not a zone of %s; legal: %sa to %s%c, as far as the account has them", region, region, region, 'a'+zoneSlots-1)
		case slices.Index(n.Zones, zone) < i:
			ps.add(key, zone, "is named twice")
		}
	}
	if n.NATGateways != NATPerZone && n.NATGateways != NATSingle {
		ps.add("natGateways", n.NATGateways, "must be %q or %q", NATPerZone, NATSingle)
	}
	for i, service := range n.InterfaceEndpoints {
		key := fmt.Sprintf("interfaceEndpoints[%d]", i)
		if !slices.Contains(endpointServices, service) {
			ps.add(key, service, "must be one of %s", strings.Join(endpointServices, ", "))
		} else if slices.Index(n.InterfaceEndpoints, service) < i {
			ps.add(key, service, "is named twice")
		}
	}
	checkRetention(&ps, "flowLogDays", n.FlowLogDays)
	if n.DNSFirewall.Mode != "alert" && n.DNSFirewall.Mode != "block" {
		ps.add("dnsFirewall.mode", n.DNSFirewall.Mode, `must be "alert" or "block"`)
	}
	if len(n.DNSFirewall.Domains) == 0 {
		ps.missing("dnsFirewall.domains", "the names that may be looked up from the VPC")
	}
	for i, domain := range n.DNSFirewall.Domains {
		key := fmt.Sprintf("dnsFirewall.domains[%d]", i)
		if !lookedUp.MatchString(domain) {
			ps.add(key, domain, "must be a domain such as api.binance.com, or *.binance.com for what is below it; a bare name, and no whole top-level domain")
		} else if slices.Index(n.DNSFirewall.Domains, domain) < i {
			ps.add(key, domain, "is named twice")
		}
	}
	return ps
}

func (n Network) validateCIDR(ps *Problems) {
	cidr, err := netip.ParsePrefix(n.CIDR)
	switch {
	case err != nil || !cidr.Addr().Is4():
		ps.add("cidr", n.CIDR, "must be an IPv4 range such as 10.20.0.0/16")
	case cidr != cidr.Masked():
		ps.add("cidr", n.CIDR, "has bits set beyond its prefix; the range is %s", cidr.Masked())
	case cidr.Bits() < 16 || cidr.Bits() > 20:
		ps.add("cidr", n.CIDR, "must be /16 (the largest AWS allows) to /20 (the smallest whose subnets hold the nodes)")
	case !private(cidr):
		ps.add("cidr", n.CIDR, "must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
	case cidr.Overlaps(netip.MustParsePrefix(ServiceCIDR)):
		ps.add("cidr", n.CIDR, "overlaps %s, the range of Kubernetes service addresses", ServiceCIDR)
	}
}

func private(cidr netip.Prefix) bool {
	for _, block := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} {
		if b := netip.MustParsePrefix(block); b.Contains(cidr.Addr()) && cidr.Bits() >= b.Bits() {
			return true
		}
	}
	return false
}

func checkRetention(ps *Problems, key string, days int) {
	if !slices.Contains(logRetentionDays, days) {
		ps.add(key, days, "must be a retention that CloudWatch Logs has: %s days", strings.Trim(fmt.Sprint(logRetentionDays), "[]"))
	}
}
