package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// The tiers of subnets: what the load balancers stand in, what nodes and pods stand in, and what has no way out at all.
const (
	tierPublic   = "public"
	tierPrivate  = "private"
	tierDatabase = "database"
)

// builder carries what the steps of one network share.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *Args
	parent pulumi.Resource

	vpc     *ec2.Vpc
	gateway *ec2.InternetGateway
	subnets []subnet
	tables  map[string]*ec2.RouteTable // "public", "database", "private-<zone>"
	eips    []*ec2.Eip
	egress  []pulumi.Resource
}

type subnet struct {
	tier, zone string
	*ec2.Subnet
}

func (b *builder) newVPC() (err error) {
	parent := pulumi.Parent(b.parent)
	b.vpc, err = ec2.NewVpc(b.ctx, b.child("vpc"), &ec2.VpcArgs{
		CidrBlock: pulumi.String(b.args.Spec.CIDR),
		// Private names of interface endpoints need both.
		EnableDnsHostnames: pulumi.Bool(true),
		EnableDnsSupport:   pulumi.Bool(true),
		Tags:               b.tags(),
	}, parent, pulumi.Protect(b.args.Protect))
	if err != nil {
		return creating("the VPC", err)
	}
	// Adopted to take its rules away: what forgets to name a security group must reach nothing (N3).
	if _, err = ec2.NewDefaultSecurityGroup(b.ctx, b.child("default"), &ec2.DefaultSecurityGroupArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.tags("default-unused"),
	}, parent); err != nil {
		return creating("the default security group", err)
	}
	b.gateway, err = ec2.NewInternetGateway(b.ctx, b.child("internet"), &ec2.InternetGatewayArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.tags("internet"),
	}, parent)
	return creating("the internet gateway", err)
}

func (b *builder) newSubnets(layout []config.Subnets) error {
	cluster := "kubernetes.io/cluster/" + b.args.Name
	for _, zone := range layout {
		for _, tier := range []struct {
			name, cidr string
			tags       map[string]string // what load balancers and the autoscaler look for
		}{
			{tierPublic, zone.Public.String(), map[string]string{cluster: "shared", "kubernetes.io/role/elb": "1"}},
			{tierPrivate, zone.Private.String(), map[string]string{
				cluster: "shared", "kubernetes.io/role/internal-elb": "1", "karpenter.sh/discovery": b.args.Name,
			}},
			{tierDatabase, zone.Database.String(), nil},
		} {
			tags := b.tags(tier.name, zone.Zone)
			for key, value := range tier.tags {
				tags[key] = pulumi.String(value)
			}
			made, err := ec2.NewSubnet(b.ctx, b.child(tier.name, zone.Zone), &ec2.SubnetArgs{
				VpcId:            b.vpc.ID(),
				AvailabilityZone: pulumi.String(zone.Zone),
				CidrBlock:        pulumi.String(tier.cidr),
				Tags:             tags,
			}, pulumi.Parent(b.parent))
			if err != nil {
				return creating(tier.name+" subnet in "+zone.Zone, err)
			}
			b.subnets = append(b.subnets, subnet{tier.name, zone.Zone, made})
		}
	}
	return nil
}

func (b *builder) ids(tier string) pulumi.StringArrayOutput {
	var ids pulumi.StringArray
	for _, s := range b.subnets {
		if s.tier == tier {
			ids = append(ids, s.ID())
		}
	}
	return ids.ToStringArrayOutput()
}
