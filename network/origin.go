package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// OriginToken is the component's type.
const OriginToken = "alphapulse:network:Origin"

// maxRanges is the size of the prefix list. A rule that refers to a list counts as that many, whatever is in it, and a security group
// may have 60 (AWS docs, "Amazon VPC quotas"): two rules of 25 are 50. Cloudflare has 15 ranges.
const maxRanges = 25

// Port is a TCP port and what it is for.
type Port struct {
	Name   string
	Number int
}

// publicPorts are what the load balancer listens on. Plain HTTP is there to be sent on to HTTPS.
var publicPorts = []Port{{"https", 443}, {"http", 80}}

// OriginArgs are what the origin's firewall is made from.
type OriginArgs struct {
	// Name is the environment's prefix.
	Name  string
	VpcID pulumi.StringPtrInput
	// Ranges are where clients may connect from.
	Ranges []string
	// ClusterGroupID is the security group of nodes and pods, Ports what the ingress pods listen on: for traffic and for health checks.
	ClusterGroupID pulumi.StringInput
	Ports          []Port
}

// Origin says who may reach the ingress load balancer, and what that may reach (N3, N5).
type Origin struct {
	pulumi.ResourceState

	// GroupID is the security group that the load balancer is to have.
	GroupID pulumi.StringOutput
	// Ready are all of its rules, for those who come after it.
	Ready []pulumi.Resource
}

// NewOrigin makes the firewall. The rules into the cluster are here, and not left to the AWS Load Balancer Controller: a preview shows
// them, the guardrails see them, and they go before the groups that they name. The Service must therefore say
// `aws-load-balancer-manage-backend-security-group-rules: "false"`.
func NewOrigin(ctx *pulumi.Context, name string, args *OriginArgs, opts ...pulumi.ResourceOption) (*Origin, error) {
	if len(args.Ranges) > maxRanges {
		return nil, fmt.Errorf("the origin's firewall has room for %d ranges, not for %d: raise the account's quota of rules per security group, "+
			"then maxRanges", maxRanges, len(args.Ranges))
	}
	o := &Origin{}
	if err := ctx.RegisterComponentResource(OriginToken, name, o, opts...); err != nil {
		return nil, err
	}
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		VpcId:       args.VpcID,
		Description: pulumi.String("Ingress load balancer"),
		Tags:        args.tags("ingress"),
	}, pulumi.Parent(o))
	if err != nil {
		return nil, creating("the ingress load balancer's security group", err)
	}
	o.GroupID = group.ID().ToStringOutput()
	if err := o.letClientsIn(ctx, name, args); err != nil {
		return nil, err
	}
	if err := o.letThrough(ctx, name, args); err != nil {
		return nil, err
	}
	return o, ctx.RegisterResourceOutputs(o, pulumi.Map{"groupId": o.GroupID})
}

// letClientsIn opens the load balancer to the ranges.
func (o *Origin) letClientsIn(ctx *pulumi.Context, name string, args *OriginArgs) error {
	var entries ec2.ManagedPrefixListEntryTypeArray
	for _, cidr := range args.Ranges {
		entries = append(entries, ec2.ManagedPrefixListEntryTypeArgs{Cidr: pulumi.String(cidr)})
	}
	list, err := ec2.NewManagedPrefixList(ctx, name, &ec2.ManagedPrefixListArgs{
		Name:          pulumi.String(args.Name + "-cloudflare"),
		AddressFamily: pulumi.String("IPv4"),
		MaxEntries:    pulumi.Int(maxRanges),
		Entries:       entries,
		Tags:          args.tags("cloudflare"),
	}, pulumi.Parent(o))
	if err != nil {
		return creating("the list of Cloudflare's ranges", err)
	}
	for _, port := range publicPorts {
		rule, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-"+port.Name, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: o.GroupID,
			Description:     pulumi.String(port.Name + " from Cloudflare"),
			PrefixListId:    list.ID(),
			IpProtocol:      pulumi.String("tcp"),
			FromPort:        pulumi.Int(port.Number),
			ToPort:          pulumi.Int(port.Number),
			Tags:            args.tags("ingress-" + port.Name),
		}, pulumi.Parent(o))
		if err != nil {
			return creating("the ingress load balancer's rule "+port.Name, err)
		}
		o.Ready = append(o.Ready, rule)
	}
	return nil
}

// letThrough opens the way from the load balancer to the pods, at both ends.
func (o *Origin) letThrough(ctx *pulumi.Context, name string, args *OriginArgs) error {
	cluster := args.ClusterGroupID.ToStringOutput()
	for _, port := range args.Ports {
		child := name + "-pods-" + port.Name
		out, err := vpc.NewSecurityGroupEgressRule(ctx, child, &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId:           o.GroupID,
			Description:               pulumi.String(port.Name + " to the ingress pods"),
			ReferencedSecurityGroupId: cluster,
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port.Number),
			ToPort:                    pulumi.Int(port.Number),
			Tags:                      args.tags("ingress-pods-" + port.Name),
		}, pulumi.Parent(o))
		if err != nil {
			return creating("the ingress load balancer's rule to the pods' "+port.Name, err)
		}
		in, err := vpc.NewSecurityGroupIngressRule(ctx, child, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId:           cluster,
			Description:               pulumi.String(port.Name + " from the ingress load balancer"),
			ReferencedSecurityGroupId: o.GroupID,
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port.Number),
			ToPort:                    pulumi.Int(port.Number),
			Tags:                      args.tags("ingress-pods-" + port.Name),
		}, pulumi.Parent(o))
		if err != nil {
			return creating("the cluster's rule for the ingress pods' "+port.Name, err)
		}
		o.Ready = append(o.Ready, out, in)
	}
	return nil
}

func (a *OriginArgs) tags(name string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(a.Name + "-" + name)}
}
