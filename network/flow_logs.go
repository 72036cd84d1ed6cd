package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
)

// newFlowLogs records every connection that was accepted or refused (N4): after an incident it is the only witness.
func (b *builder) newFlowLogs() error {
	parent := pulumi.Parent(b.parent)
	group, err := b.newLogGroup("flow-logs")
	if err != nil {
		return err
	}
	role, err := iam.NewRole(b.ctx, b.child("flow-logs"), &iam.RoleArgs{
		Description:      pulumi.String("Writes VPC flow logs of " + b.args.Name),
		AssumeRolePolicy: policy.TrustService("vpc-flow-logs.amazonaws.com", b.args.AWS.Account),
	}, parent)
	if err != nil {
		return creating("the flow logs' role", err)
	}
	if _, err = iam.NewRolePolicy(b.ctx, b.child("flow-logs"), &iam.RolePolicyArgs{
		Role: role.ID(),
		Policy: policy.Document(policy.Statement{
			Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
			Resources: []any{group.Arn, pulumi.Sprintf("%s:log-stream:*", group.Arn)},
		}, policy.Statement{
			Actions:   []string{"logs:DescribeLogGroups"}, // cannot be scoped to one group
			Resources: []any{"*"},
		}),
	}, parent); err != nil {
		return creating("the flow logs' permissions", err)
	}
	_, err = ec2.NewFlowLog(b.ctx, b.child("flow-logs"), &ec2.FlowLogArgs{
		VpcId:              b.vpc.ID(),
		TrafficType:        pulumi.String("ALL"),
		LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination:     group.Arn,
		IamRoleArn:         role.Arn,
		Tags:               b.tags("flow-logs"),
	}, parent)
	return creating("the flow logs", err)
}
