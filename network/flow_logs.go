package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// newFlowLogs records every connection that was accepted or refused (N4): after an incident it is the only witness.
func (b *builder) newFlowLogs() error {
	parent := pulumi.Parent(b.parent)
	group, err := b.newLogGroup("flow-logs")
	if err != nil {
		return err
	}
	role, err := security.NewRole(b.ctx, b.child("flow-logs"), &security.RoleArgs{
		Description: "Writes VPC flow logs of " + b.args.Name,
		Trust:       policy.TrustService("vpc-flow-logs.amazonaws.com", b.args.AWS.Account),
		Statements: []policy.Statement{{
			Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
			Resources: []any{pulumi.Sprintf("%s:*", group.Arn)}, // its name alone is no resource of any of them
		}, {
			Actions:   []string{"logs:DescribeLogGroups"}, // cannot be scoped to one group
			Resources: []any{"*"},
		}},
	}, parent)
	if err != nil {
		return creating("the flow logs' role", err)
	}
	_, err = ec2.NewFlowLog(b.ctx, b.child("flow-logs"), &ec2.FlowLogArgs{
		VpcId:              b.vpc.ID(),
		TrafficType:        pulumi.String("ALL"),
		LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination:     group.Arn,
		IamRoleArn:         role.Arn,
		Tags:               b.tags("flow-logs"),
	}, parent, pulumi.DependsOn(role.Permissions)) // one that was refused once may stay in "Access error" until it is made anew
	return creating("the flow logs", err)
}
