package rules

import (
	"net/netip"
	"slices"
)

const (
	accessBlock   = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	securityGroup = "aws:ec2/securityGroup:SecurityGroup"
)

// exposureRules: nothing is open to the public (S4).
var exposureRules = []Rule{
	lacking("bucket-public", accessBlocked, bucket, accessBlock),
	guardrail("public-acl", publicACL, "aws:s3/bucketAclV2:BucketAclV2", "aws:s3/bucketObjectv2:BucketObjectv2",
		"aws:s3/bucketObject:BucketObject", "aws:s3/objectCopy:ObjectCopy"),
	guardrail("open-ingress", all(public("cidrIpv4"), public("cidrIpv6")), ingressRule),
	guardrail("open-ingress-inline", each("ingress", all(publicList("cidrBlocks"), publicList("ipv6CidrBlocks"))),
		securityGroup, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"),
	guardrail("open-ingress-rule", when("type", "ingress", all(publicList("cidrBlocks"), publicList("ipv6CidrBlocks"))),
		"aws:ec2/securityGroupRule:SecurityGroupRule"),
	// Rules and routes name such a list instead of ranges.
	guardrail("open-prefix-list", all(public("cidr"), each("entries", public("cidr"))),
		"aws:ec2/managedPrefixList:ManagedPrefixList", "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"),
	guardrail("open-network-policy", each("spec.ingress", all(
		given("from", "everybody may come in who reaches the pod", "name the pods or the ranges that may"),
		each("from", public("ipBlock.cidr")))), "kubernetes:networking.k8s.io/v1:NetworkPolicy"),
	guardrail("open-load-balancer", when("spec.type", "LoadBalancer", openBalancer), "kubernetes:core/v1:Service"),
	guardrail("public-database", mustNot("publiclyAccessible", true, "the database has an address on the internet", "set it to false"),
		database, "aws:rds/clusterInstance:ClusterInstance"),
}

func accessBlocked(in Resource, all []Resource) []Finding {
	if found, sure := companions(in, accessBlock, "bucket", all); len(found) > 0 || !sure {
		return nil
	}
	return in.At("bucket").Breaks("nothing keeps the public out", "make a BucketPublicAccessBlock with all four settings")
}

// everybody are S3's groups of all people, and of all who have any AWS account.
var everybody = []string{"http://acs.amazonaws.com/groups/global/AllUsers", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}

func publicACL(in Resource) []Finding {
	const wrong, remedy = "everybody may read it, or more", "leave it out, and let policies say who may"
	if v := in.At("acl"); v.Is("public-read") || v.Is("public-read-write") || v.Is("authenticated-read") {
		return v.Breaks(wrong, remedy)
	}
	return each("accessControlPolicy.grants", func(grant Resource) []Finding {
		v := grant.At("grantee.uri")
		if uri, ok := v.Text(); ok && slices.Contains(everybody, uri) {
			return v.Breaks(wrong, remedy)
		}
		return nil
	})(in)
}

// public refuses the whole internet, also in halves.
func public(path string) check {
	return func(in Resource) []Finding { return in.At(path).public() }
}

func publicList(path string) check {
	return func(in Resource) (found []Finding) {
		for _, v := range in.At(path).Items() {
			found = append(found, v.public()...)
		}
		return found
	}
}

func (v Value) public() []Finding {
	text, ok := v.Text()
	if !ok {
		return nil
	}
	const widest = 7 // bits: nobody owns so much
	if prefix, err := netip.ParsePrefix(text); err != nil || prefix.Bits() > widest || prefix.Addr().IsPrivate() {
		return nil
	}
	return v.Breaks("the whole internet may come in", "name the ranges or the security group that may")
}

// openBalancer: to a load balancer without a security group of ours the controller lets everybody in, unless the ranges are named.
func openBalancer(in Resource) (found []Finding) {
	notes := in.At("metadata.annotations")
	const prefix = "service.beta.kubernetes.io/aws-load-balancer-"
	if !notes.IsKnown() || notes.Key(prefix+"scheme").Is("internal") || notes.Key(prefix+"security-groups").IsSet() {
		return nil
	}
	ranges := in.At("spec.loadBalancerSourceRanges")
	if ranges.IsEmpty() {
		return ranges.Breaks("the whole internet may come in", "name a security group in "+prefix+"security-groups, or the ranges")
	}
	return publicList("spec.loadBalancerSourceRanges")(in)
}
