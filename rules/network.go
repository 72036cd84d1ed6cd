package rules

import (
	"net/netip"
	"regexp"
)

const (
	ingressRule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRule  = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

// networkRules are EC2's for networks (N1, N2, N3).
var networkRules = []Rule{
	{Name: "sg-inline-rules", Types: []string{"aws:ec2/securityGroup:SecurityGroup"}, Source: "pulumi-aws docs, requirement N3",
		Check: unset("rules inside the group delete those that are resources of their own",
			"use SecurityGroupIngressRule and SecurityGroupEgressRule", "ingress", "egress")},
	{Name: "sg-default", Types: []string{"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"}, Source: "requirement N3", Check: defaultGroup},
	{Name: "sg-description", Types: []string{"aws:ec2/securityGroup:SecurityGroup", ingressRule, egressRule}, Source: "AWS docs",
		Check: like("description", groupDescription, "has a character that EC2 refuses, or is too long",
			"use letters, digits, spaces and . _ - : / ( ) # , @ [ ] + = & ; { } ! $ *, 255 at most")},
	{Name: "sg-rule-peer", Types: []string{ingressRule, egressRule}, Source: "AWS docs", Check: onePeer},
	{Name: "sg-rule-ports", Types: []string{ingressRule, egressRule}, Source: "AWS docs", Check: rulePorts},
	{Name: "sg-rule-range", Types: []string{ingressRule, egressRule}, Source: "AWS docs", Check: ruleRange},
	{Name: "eip-domain", Types: []string{"aws:ec2/eip:Eip"}, Source: "pulumi-aws docs", Check: all(
		unset("the argument is deprecated", `set domain to "vpc"`, "vpc"), oneOf("domain", "a domain of addresses", "vpc"))},
	{Name: "eks-zone", Types: []string{"aws:ec2/subnet:Subnet"}, Source: "AWS docs", Check: eksZone},
}

var groupDescription = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}$`)

func defaultGroup(in Resource) (found []Finding) {
	for _, path := range []string{"ingress", "egress"} {
		if v := in.At(path); !v.IsEmpty() {
			found = append(found, v.Breaks("whatever names no group of its own is in this one", "leave it without rules")...)
		}
	}
	return found
}

func onePeer(in Resource) []Finding {
	peers := 0
	for _, path := range []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} {
		if in.At(path).IsSet() {
			peers++
		}
	}
	if peers == 1 {
		return nil
	}
	return in.At("cidrIpv4").Breaks("a rule has one peer",
		"set one of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId, and write a rule for each")
}

func rulePorts(in Resource) []Finding {
	from, to := in.At("fromPort"), in.At("toPort")
	switch protocol := in.At("ipProtocol"); {
	case protocol.Is("-1") && (from.IsSet() || to.IsSet()):
		return from.Breaks("all protocols have no ports", "leave both ports unset, or name a protocol")
	case (protocol.Is("tcp") || protocol.Is("udp")) && (!from.IsSet() || !to.IsSet()):
		return from.Breaks("the protocol has ports", "set fromPort and toPort")
	}
	if first, ok := from.Number(); ok {
		if last, ok := to.Number(); ok && last < first {
			return to.Breaks("is before fromPort", "set the higher port")
		}
	}
	return nil
}

func ruleRange(in Resource) (found []Finding) {
	for _, path := range []string{"cidrIpv4", "cidrIpv6"} {
		v := in.At(path)
		text, ok := v.Text()
		if !ok {
			continue
		}
		if prefix, err := netip.ParsePrefix(text); err != nil || prefix != prefix.Masked() || prefix.Addr().Is4() != (path == "cidrIpv4") {
			found = append(found, v.Breaks("is not a range of such addresses", "write the range's first address and its length")...)
		}
	}
	return found
}

// eksZone: zones that EKS puts no control plane in.
func eksZone(in Resource) []Finding {
	v := in.At("availabilityZoneId")
	for _, refused := range []string{"use1-az3", "usw1-az2", "cac1-az3"} {
		if v.Is(refused) {
			return v.Breaks("EKS has no control planes in this zone", "choose another; names of zones differ by account, ids do not")
		}
	}
	return nil
}
