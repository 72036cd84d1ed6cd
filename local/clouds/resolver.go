package clouds

import (
	"context"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// absolute keeps names with a dot at the end, and gives them back so.
func absolute(r *inventory.Record) error {
	names, _ := r.Inputs["domains"].([]any)
	for i, name := range names {
		if text, ok := name.(string); ok && !strings.HasSuffix(text, ".") {
			names[i] = text + "."
		}
	}
	return nil
}

// Route 53 Resolver's DNS Firewall and query logs, under the names of pulumi-aws.
var resolverTypes = []Type{
	{Name: "route53.ResolverFirewallDomainList", ID: "rslvr-fdl-{hex}",
		Props:  `name@* domains tags{}`,
		Out:    `arn=arn:aws:route53resolver:{region}:{account}:firewall-domain-list/{id}`,
		create: func(_ context.Context, _ *Provider, r *inventory.Record) error { return absolute(r) },
		update: func(_ context.Context, _ *Provider, _ inventory.Record, r *inventory.Record) error {
			return absolute(r)
		}},
	{Name: "route53.ResolverFirewallRuleGroup", ID: "rslvr-frg-{hex}",
		Props: `name@* tags{}`,
		Out:   `arn=arn:aws:route53resolver:{region}:{account}:firewall-rule-group/{id} ownerId={account} shareStatus=NOT_SHARED`},
	{Name: "route53.ResolverFirewallRule", ID: "{firewallRuleGroupId}:{firewallDomainListId}", Unique: "ConflictException firewallRuleGroupId priority",
		Props: `name@* action! priority! firewallRuleGroupId!*>route53.ResolverFirewallRuleGroup
			firewallDomainListId!*>route53.ResolverFirewallDomainList blockResponse blockOverrideDnsType blockOverrideDomain blockOverrideTtl
			firewallDomainRedirectionAction qType`},
	{Name: "route53.ResolverFirewallRuleGroupAssociation", ID: "rslvr-frgassoc-{hex}", Unique: "ConflictException vpcId priority",
		Props: `name@* priority! vpcId!*>ec2.Vpc firewallRuleGroupId!*>route53.ResolverFirewallRuleGroup mutationProtection=DISABLED tags{}`,
		Out:   `arn=arn:aws:route53resolver:{region}:{account}:firewall-rule-group-association/{id}`},
	{Name: "route53.ResolverFirewallConfig", ID: "rslvr-fc-{hex}", Unique: "ConflictException resourceId",
		Props: `resourceId!*^ec2.Vpc firewallFailOpen`,
		Out:   `ownerId={account} firewallFailOpen=DISABLED`},
	{Name: "route53.ResolverQueryLogConfig", ID: "rqlc-{hex}",
		Props: `name@* destinationArn!*>cloudwatch.LogGroup tags{}`,
		Out:   `arn=arn:aws:route53resolver:{region}:{account}:resolver-query-log-config/{id} ownerId={account} shareStatus=NOT_SHARED`},
	{Name: "route53.ResolverQueryLogConfigAssociation", ID: "rqlca-{hex}", Unique: "ResourceExistsException resolverQueryLogConfigId resourceId",
		Props: `resolverQueryLogConfigId!*>route53.ResolverQueryLogConfig resourceId!*>ec2.Vpc`},
}
