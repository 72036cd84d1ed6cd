package network

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ownDomains are what nodes, add-ons, operators and endpoints look up, whatever the stack's own list says: AWS's, of the registries
// those that nodes pull from directly, and where cert-manager gets its certificates. Docker's are those of its documentation for who has to
// list them: the registry sends those who pull to one of three stores.
var ownDomains = []string{
	"amazonaws.com", "*.amazonaws.com", "*.compute.internal", "*.ec2.internal", "ghcr.io", "pkg-containers.githubusercontent.com",
	"registry-1.docker.io", "auth.docker.io", "production.cloudflare.docker.com", "production.cloudfront.docker.com",
	"docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
	"acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org", "api.cloudflare.com",
}

// newDNSFirewall limits the names that can be looked up in the VPC (N3). What is on the list passes; all else raises an alert or is
// answered with "no such name", by config.
func (b *builder) newDNSFirewall() error {
	parent := pulumi.Parent(b.parent)
	group, err := route53.NewResolverFirewallRuleGroup(b.ctx, b.child("dns-firewall"), &route53.ResolverFirewallRuleGroupArgs{
		Name: pulumi.String(b.args.Name),
		Tags: b.tags("dns-firewall"),
	}, parent)
	if err != nil {
		return creating("the DNS firewall's rule group", err)
	}
	rest := &route53.ResolverFirewallRuleArgs{Action: pulumi.String("ALERT")}
	if b.args.Spec.DNSFirewall.Mode == "block" {
		rest = &route53.ResolverFirewallRuleArgs{Action: pulumi.String("BLOCK"), BlockResponse: pulumi.String("NXDOMAIN")}
	}
	for i, rule := range []struct {
		name    string
		domains []string
		args    *route53.ResolverFirewallRuleArgs
	}{
		{"allowed", append(slices.Clip(ownDomains), b.args.Spec.DNSFirewall.Domains...),
			&route53.ResolverFirewallRuleArgs{Action: pulumi.String("ALLOW")}},
		{"rest", []string{"*"}, rest},
	} {
		list, err := route53.NewResolverFirewallDomainList(b.ctx, b.child("dns", rule.name), &route53.ResolverFirewallDomainListArgs{
			Name:    pulumi.String(b.args.Name + "-" + rule.name),
			Domains: pulumi.ToStringArray(absolute(rule.domains)),
			Tags:    b.tags("dns", rule.name),
		}, parent)
		if err != nil {
			return creating("the DNS firewall's list "+rule.name, err)
		}
		rule.args.Name = pulumi.String(b.args.Name + "-" + rule.name)
		rule.args.FirewallRuleGroupId = group.ID()
		rule.args.FirewallDomainListId = list.ID()
		rule.args.Priority = pulumi.Int(100 * (i + 1))
		// An allowed name stays allowed when it is an alias of another, as names behind a CDN are.
		rule.args.FirewallDomainRedirectionAction = pulumi.String("TRUST_REDIRECTION_DOMAIN")
		if _, err := route53.NewResolverFirewallRule(b.ctx, b.child("dns", rule.name), rule.args, parent); err != nil {
			return creating("the DNS firewall's rule "+rule.name, err)
		}
	}
	// A firewall that does not answer lets no name be found, unless it is told otherwise: the database's, AWS's, PagerDuty's. One that is there
	// to raise alerts is not worth that; one that is there to block is.
	open := "DISABLED"
	if b.args.Spec.DNSFirewall.Mode != "block" {
		open = "ENABLED"
	}
	failure, err := route53.NewResolverFirewallConfig(b.ctx, b.child("dns-firewall"), &route53.ResolverFirewallConfigArgs{
		ResourceId: b.vpc.ID(), FirewallFailOpen: pulumi.String(open),
	}, parent)
	if err != nil {
		return creating("what the DNS firewall does when it fails", err)
	}
	_, err = route53.NewResolverFirewallRuleGroupAssociation(b.ctx, b.child("dns-firewall"), &route53.ResolverFirewallRuleGroupAssociationArgs{
		Name:                pulumi.String(b.args.Name),
		FirewallRuleGroupId: group.ID(),
		VpcId:               b.vpc.ID(),
		Priority:            pulumi.Int(101), // 100 and below are AWS's
		Tags:                b.tags("dns-firewall"),
	}, parent, pulumi.DependsOn([]pulumi.Resource{failure}))
	if err != nil {
		return creating("the DNS firewall's association", err)
	}
	return b.newQueryLogs()
}

// absolute gives names as Route 53 keeps them, with the dot at the end: without it every plan would change them.
func absolute(names []string) (dotted []string) {
	for _, name := range names {
		dotted = append(dotted, strings.TrimSuffix(name, ".")+".")
	}
	return dotted
}

// newQueryLogs records the names that are looked up, and what the firewall made of them: an alert is a line there and nothing else.
func (b *builder) newQueryLogs() error {
	parent := pulumi.Parent(b.parent)
	group, err := b.newLogGroup("dns-queries")
	if err != nil {
		return err
	}
	logs, err := route53.NewResolverQueryLogConfig(b.ctx, b.child("dns-queries"), &route53.ResolverQueryLogConfigArgs{
		Name:           pulumi.String(b.args.Name),
		DestinationArn: group.Arn,
		Tags:           b.tags("dns-queries"),
	}, parent)
	if err != nil {
		return creating("the DNS query log", err)
	}
	_, err = route53.NewResolverQueryLogConfigAssociation(b.ctx, b.child("dns-queries"), &route53.ResolverQueryLogConfigAssociationArgs{
		ResolverQueryLogConfigId: logs.ID(),
		ResourceId:               b.vpc.ID(),
	}, parent)
	return creating("the DNS query log's association", err)
}
