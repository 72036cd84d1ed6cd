package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
)

// interruptions are the events by which AWS says that it takes an instance, or will: two minutes of notice for a spot one.
var interruptions = []struct{ name, source, event string }{
	{"spot-interruption", "aws.ec2", "EC2 Spot Instance Interruption Warning"},
	{"rebalance", "aws.ec2", "EC2 Instance Rebalance Recommendation"},
	{"state-change", "aws.ec2", "EC2 Instance State-change Notification"},
	{"health", "aws.health", "AWS Health Event"},
}

// newInterruptions makes the queue from which Karpenter learns of interruptions, in time to drain the node and start another.
func newInterruptions(ctx *pulumi.Context, args *KarpenterArgs, parent pulumi.Resource) (*sqs.Queue, error) {
	name := config.Karpenter.Name
	queue, err := sqs.NewQueue(ctx, name, &sqs.QueueArgs{
		SqsManagedSseEnabled: pulumi.Bool(true), // a key of ours would have to let EventBridge in; what is in it says no more than an instance's id
		// After five minutes the instance is gone anyway.
		MessageRetentionSeconds: pulumi.Int(300),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating the queue of interruptions: %w", err)
	}
	var rules []*cloudwatch.EventRule
	var arns []any
	for _, event := range interruptions {
		rule, err := cloudwatch.NewEventRule(ctx, name+"-"+event.name, &cloudwatch.EventRuleArgs{
			Description:  pulumi.String(args.Name + ": " + event.event),
			EventPattern: pulumi.JSONMarshal(map[string]any{"source": []string{event.source}, "detail-type": []string{event.event}}),
		}, pulumi.Parent(parent))
		if err != nil {
			return nil, fmt.Errorf("creating the rule for %q: %w", event.event, err)
		}
		rules, arns = append(rules, rule), append(arns, rule.Arn)
	}
	admitted, err := sqs.NewQueuePolicy(ctx, name, &sqs.QueuePolicyArgs{
		QueueUrl: queue.Url,
		Policy: policy.Document(policy.Statement{
			Sid:       "Events",
			Principal: map[string]any{"Service": "events.amazonaws.com"},
			Actions:   []string{"sqs:SendMessage"}, Resources: []any{queue.Arn},
			Conditions: map[string]map[string]any{"ArnEquals": {"aws:SourceArn": arns}},
		}, policy.Statement{
			Sid: "OverTLSOnly", Deny: true,
			Principal: map[string]any{"AWS": "*"},
			Actions:   []string{"sqs:*"}, Resources: []any{queue.Arn},
			Conditions: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
		}),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating the policy of the queue of interruptions: %w", err)
	}
	for i, event := range interruptions {
		if _, err := cloudwatch.NewEventTarget(ctx, name+"-"+event.name, &cloudwatch.EventTargetArgs{Rule: rules[i].Name, Arn: queue.Arn},
			pulumi.Parent(parent), pulumi.DependsOn([]pulumi.Resource{admitted})); err != nil { // what arrives before the queue's policy is lost
			return nil, fmt.Errorf("sending %q to the queue: %w", event.event, err)
		}
	}
	return queue, nil
}
