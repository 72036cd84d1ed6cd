// Package network builds what everything else stands in: the VPC with its subnets, ways in and out, endpoints, flow logs and the list
// of names that may be looked up (N1-N4).
package network

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Token is the component's type.
const Token = "alphapulse:network:Network"

// Args are what a network is made from.
type Args struct {
	// Name is the environment's prefix, "alphapulse-prod"; it is also the cluster's name, which subnets are tagged with.
	Name string
	AWS  config.AWS
	Spec config.Network
	// LogKeyARN is the key that log groups are encrypted with.
	LogKeyARN pulumi.StringInput
	Protect   bool
}

// Network is the VPC and all that belongs to it. Subnets are in the alphabetical order of their zones.
type Network struct {
	pulumi.ResourceState

	VpcID             pulumi.IDOutput
	PrivateSubnetIDs  pulumi.StringArrayOutput
	PublicSubnetIDs   pulumi.StringArrayOutput
	DatabaseSubnetIDs pulumi.StringArrayOutput
	// EgressIPs are the addresses that the outside sees. Exchanges and Stripe allow-list them (N2).
	EgressIPs pulumi.StringArrayOutput
	// Egress is what connects the private subnets to the outside, for what must not start before it, nor outlive it.
	Egress []pulumi.Resource
}

// New makes the network.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	layout, err := args.Spec.Layout()
	if err != nil {
		return nil, err
	}
	n := &Network{}
	if err := ctx.RegisterComponentResource(Token, name, n, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: n}
	for _, step := range []func() error{
		b.newVPC,
		func() error { return b.newSubnets(layout) },
		b.newRoutes,
		b.newEndpoints,
		b.newFlowLogs,
		b.newDNSFirewall,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}

	n.VpcID = b.vpc.ID()
	n.PrivateSubnetIDs = b.ids(tierPrivate)
	n.PublicSubnetIDs = b.ids(tierPublic)
	n.DatabaseSubnetIDs = b.ids(tierDatabase)
	n.EgressIPs = b.egressIPs()
	n.Egress = b.egress
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{
		"vpcId":             n.VpcID,
		"privateSubnetIds":  n.PrivateSubnetIDs,
		"publicSubnetIds":   n.PublicSubnetIDs,
		"databaseSubnetIds": n.DatabaseSubnetIDs,
		"egressIps":         n.EgressIPs,
	})
}

// child names a resource of this network, and says which one could not be made.
func (b *builder) child(parts ...string) string {
	name := b.name
	for _, part := range parts {
		name += "-" + part
	}
	return name
}

func (b *builder) tags(parts ...string) pulumi.StringMap {
	name := b.args.Name
	for _, part := range parts {
		name += "-" + part
	}
	return pulumi.StringMap{"Name": pulumi.String(name)}
}

func creating(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("creating %s: %w", what, err)
}
