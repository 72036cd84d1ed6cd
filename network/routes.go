package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// newRoutes makes the ways out: public subnets through the internet gateway, private ones through NAT gateways (N2), database subnets
// none. Every zone has a private table of its own also when there is one NAT gateway, so that going to one per zone changes routes only.
func (b *builder) newRoutes() error {
	b.tables = map[string]*ec2.RouteTable{}
	if err := b.newTable(tierPublic); err != nil {
		return err
	}
	if err := b.newRoute(tierPublic, &ec2.RouteArgs{GatewayId: b.gateway.ID()}); err != nil {
		return err
	}
	if err := b.newTable(tierDatabase); err != nil {
		return err
	}
	var nat *ec2.NatGateway
	for _, s := range b.subnets {
		if s.tier != tierPublic {
			continue
		}
		if nat == nil || b.args.Spec.NATGateways == config.NATPerZone {
			var err error
			if nat, err = b.newNATGateway(s); err != nil {
				return err
			}
		}
		table := tierPrivate + "-" + s.zone
		if err := b.newTable(table); err != nil {
			return err
		}
		if err := b.newRoute(table, &ec2.RouteArgs{NatGatewayId: nat.ID()}); err != nil {
			return err
		}
	}
	for _, s := range b.subnets {
		table := s.tier
		if s.tier == tierPrivate {
			table += "-" + s.zone
		}
		association, err := ec2.NewRouteTableAssociation(b.ctx, b.child(s.tier, s.zone), &ec2.RouteTableAssociationArgs{
			RouteTableId: b.tables[table].ID(),
			SubnetId:     s.ID(),
		}, pulumi.Parent(b.parent))
		if err != nil {
			return creating("the route table association of the "+s.tier+" subnet in "+s.zone, err)
		}
		if s.tier == tierPrivate {
			b.egress = append(b.egress, association)
		}
	}
	return nil
}

func (b *builder) newTable(name string) (err error) {
	b.tables[name], err = ec2.NewRouteTable(b.ctx, b.child(name), &ec2.RouteTableArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.tags(name),
	}, pulumi.Parent(b.parent))
	return creating("the route table "+name, err)
}

func (b *builder) newRoute(table string, args *ec2.RouteArgs) error {
	args.RouteTableId = b.tables[table].ID()
	args.DestinationCidrBlock = pulumi.String("0.0.0.0/0")
	route, err := ec2.NewRoute(b.ctx, b.child(table, "out"), args, pulumi.Parent(b.parent))
	if err != nil {
		return creating("the way out of "+table, err)
	}
	b.egress = append(b.egress, route)
	return nil
}

func (b *builder) newNATGateway(public subnet) (*ec2.NatGateway, error) {
	// Losing the address breaks every allow list that our partners keep, so it is guarded like data.
	eip, err := ec2.NewEip(b.ctx, b.child("nat", public.zone), &ec2.EipArgs{
		Domain: pulumi.String("vpc"),
		Tags:   b.tags("nat", public.zone),
	}, pulumi.Parent(b.parent), pulumi.Protect(b.args.Protect))
	if err != nil {
		return nil, creating("the NAT gateway's address in "+public.zone, err)
	}
	b.eips = append(b.eips, eip)
	nat, err := ec2.NewNatGateway(b.ctx, b.child("nat", public.zone), &ec2.NatGatewayArgs{
		AllocationId: eip.ID(),
		SubnetId:     public.ID(),
		Tags:         b.tags("nat", public.zone),
	}, pulumi.Parent(b.parent), pulumi.DependsOn([]pulumi.Resource{b.gateway})) // it comes up only in a VPC that has a way out
	return nat, creating("the NAT gateway in "+public.zone, err)
}

func (b *builder) egressIPs() pulumi.StringArrayOutput {
	var ips pulumi.StringArray
	for _, eip := range b.eips {
		ips = append(ips, eip.PublicIp)
	}
	return ips.ToStringArrayOutput()
}
