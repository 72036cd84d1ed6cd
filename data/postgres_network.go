package data

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func (b *postgresBuilder) newSubnetGroup() (err error) {
	b.subnets, err = rds.NewSubnetGroup(b.ctx, b.name, &rds.SubnetGroupArgs{
		Description: pulumi.String("Database subnets of " + b.args.Name),
		SubnetIds:   b.args.SubnetIDs,
		Tags:        b.tags("-postgres"),
	}, b.under())
	return creating("the database's subnet group", err)
}

// newSecurityGroup lets the cluster in on PostgreSQL's port, and nothing else (N3). The database begins no connections, so nothing goes out.
func (b *postgresBuilder) newSecurityGroup() (err error) {
	b.group, err = ec2.NewSecurityGroup(b.ctx, b.name, &ec2.SecurityGroupArgs{
		VpcId:       b.args.VpcID,
		Description: pulumi.String("PostgreSQL of " + b.args.Name),
		Tags:        b.tags("-postgres"),
	}, b.under())
	if err != nil {
		return creating("the database's security group", err)
	}
	b.clients, err = vpc.NewSecurityGroupIngressRule(b.ctx, b.child("cluster"), &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           b.group.ID(),
		Description:               pulumi.String("PostgreSQL from the cluster"),
		ReferencedSecurityGroupId: b.args.ClientSecurityGroupID,
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(postgresPort),
		ToPort:                    pulumi.Int(postgresPort),
		Tags:                      b.tags("-postgres-cluster"),
	}, b.under())
	return creating("the database's ingress rule", err)
}
