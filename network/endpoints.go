package network

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newEndpoints makes the ways to AWS services that do not pass the NAT gateways (N4): S3's costs nothing and is always there, the
// others are switched by config.
func (b *builder) newEndpoints() error {
	var tables pulumi.StringArray
	for _, name := range sortedNames(b.tables) {
		if strings.HasPrefix(name, tierPrivate) {
			tables = append(tables, b.tables[name].ID())
		}
	}
	if _, err := ec2.NewVpcEndpoint(b.ctx, b.child("s3"), &ec2.VpcEndpointArgs{
		VpcId:           b.vpc.ID(),
		ServiceName:     b.service("s3"),
		VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds:   tables,
		Tags:            b.tags("s3"),
	}, pulumi.Parent(b.parent)); err != nil {
		return creating("the S3 endpoint", err)
	}
	if len(b.args.Spec.InterfaceEndpoints) == 0 {
		return nil
	}
	group, err := b.newEndpointGroup()
	if err != nil {
		return err
	}
	for _, service := range b.args.Spec.InterfaceEndpoints {
		name := strings.ReplaceAll(service, ".", "-")
		if _, err := ec2.NewVpcEndpoint(b.ctx, b.child(name), &ec2.VpcEndpointArgs{
			VpcId:             b.vpc.ID(),
			ServiceName:       b.service(service),
			VpcEndpointType:   pulumi.String("Interface"),
			PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds:         b.ids(tierPrivate),
			SecurityGroupIds:  pulumi.StringArray{group.ID()},
			Tags:              b.tags(name),
		}, pulumi.Parent(b.parent)); err != nil {
			return creating("the endpoint of "+service, err)
		}
	}
	return nil
}

// newEndpointGroup lets the VPC in on 443. Endpoints begin no connections, so nothing goes out.
func (b *builder) newEndpointGroup() (*ec2.SecurityGroup, error) {
	group, err := ec2.NewSecurityGroup(b.ctx, b.child("endpoints"), &ec2.SecurityGroupArgs{
		VpcId:       b.vpc.ID(),
		Description: pulumi.String("Interface endpoints of AWS services"),
		Tags:        b.tags("endpoints"),
	}, pulumi.Parent(b.parent))
	if err != nil {
		return nil, creating("the endpoints' security group", err)
	}
	_, err = vpc.NewSecurityGroupIngressRule(b.ctx, b.child("endpoints", "https"), &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("HTTPS from the VPC"),
		CidrIpv4:        pulumi.String(b.args.Spec.CIDR),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(443),
		ToPort:          pulumi.Int(443),
		Tags:            b.tags("endpoints", "https"),
	}, pulumi.Parent(b.parent))
	return group, creating("the endpoints' ingress rule", err)
}

func (b *builder) service(name string) pulumi.String {
	return pulumi.String("com.amazonaws." + b.args.AWS.Region + "." + name)
}

func sortedNames(tables map[string]*ec2.RouteTable) []string {
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
