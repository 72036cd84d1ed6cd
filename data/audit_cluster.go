package data

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kinesis"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

const (
	// Firehose writes an object when it has so much, or has waited so long, whichever comes first.
	bufferMiB     = 64
	bufferSeconds = 300

	// auditEvents matches the audit log among the five logs that EKS writes to one group: the others are no such JSON.
	auditEvents = `{ $.apiVersion = "audit.k8s.io/*" }`
)

// newDelivery makes the stream that writes the cluster's audit log to the bucket, one event a line, compressed.
func (b *auditBuilder) newDelivery() (*kinesis.FirehoseDeliveryStream, error) {
	failures, err := cloudwatch.NewLogGroup(b.ctx, b.child("delivery"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/" + b.args.Name + "/audit/delivery"),
		KmsKeyId:        b.args.Keys.Logs,
		RetentionInDays: pulumi.Int(b.args.LogDays),
	}, b.under())
	if err != nil {
		return nil, creating("the log group of failed deliveries", err)
	}
	// Firehose writes to a stream of the group, but does not make it.
	lines, err := cloudwatch.NewLogStream(b.ctx, b.child("delivery"), &cloudwatch.LogStreamArgs{
		Name: pulumi.String("s3"), LogGroupName: failures.Name,
	}, b.under())
	if err != nil {
		return nil, creating("the log stream of failed deliveries", err)
	}
	objects := pulumi.Sprintf("%s/%s*", b.args.Logs.ARN, ClusterAudit)
	role, err := b.newRole("delivery", "Writes the audit log of the cluster "+b.args.Name, policy.TrustFirehose(b.args.AWS.Account),
		policy.Statement{
			Actions: []string{"s3:PutObject", "s3:AbortMultipartUpload"}, Resources: []any{objects},
		}, policy.Statement{
			Actions: []string{"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"}, Resources: []any{b.args.Logs.ARN},
		}, policy.Statement{
			Actions: []string{"kms:GenerateDataKey", "kms:Decrypt"}, Resources: []any{b.args.Keys.Data},
			Conditions: map[string]map[string]any{"StringEquals": {"kms:ViaService": "s3." + b.args.AWS.Region + ".amazonaws.com"}},
		}, policy.Statement{
			Actions: []string{"logs:PutLogEvents"}, Resources: []any{lines.Arn},
		})
	if err != nil {
		return nil, err
	}
	stream, err := kinesis.NewFirehoseDeliveryStream(b.ctx, b.child("delivery"), &kinesis.FirehoseDeliveryStreamArgs{
		Destination: pulumi.String("extended_s3"),
		ExtendedS3Configuration: kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationArgs{
			RoleArn:   role.Arn,
			BucketArn: b.args.Logs.ARN,
			// Firehose adds year, month, day and hour.
			Prefix:            pulumi.String(ClusterAudit),
			ErrorOutputPrefix: pulumi.String(ClusterAudit + "failed/!{firehose:error-output-type}/"),
			BufferingSize:     pulumi.Int(bufferMiB),
			BufferingInterval: pulumi.Int(bufferSeconds),
			CompressionFormat: pulumi.String("GZIP"),
			KmsKeyArn:         b.args.Keys.Data,
			CloudwatchLoggingOptions: kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptionsArgs{
				Enabled: pulumi.Bool(true), LogGroupName: failures.Name, LogStreamName: lines.Name,
			},
			ProcessingConfiguration: kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationArgs{
				Enabled: pulumi.Bool(true), Processors: unwrapLogs(),
			},
		},
		// Nothing rests here longer than it waits for company. With a key of ours, senders and Firehose would need it as well.
		ServerSideEncryption: kinesis.FirehoseDeliveryStreamServerSideEncryptionArgs{
			Enabled: pulumi.Bool(true), KeyType: pulumi.String("AWS_OWNED_CMK"),
		},
		Tags: b.tags("audit-delivery"),
	}, b.under(), pulumi.DependsOn(role.Permissions)) // what it cannot write at first it would retry only for a day
	return stream, creating("the delivery of the cluster's audit log", err)
}

// unwrapLogs are the steps from what CloudWatch Logs sends, a compressed envelope of many events, to one event a line. The second is
// refused without the first, and its events would run together without the third.
func unwrapLogs() kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorArray {
	var steps kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorArray
	for _, step := range []struct{ kind, parameter, value string }{
		{"Decompression", "CompressionFormat", "GZIP"},
		{"CloudWatchLogProcessing", "DataMessageExtraction", "true"},
		{"AppendDelimiterToRecord", "", ""},
	} {
		processor := kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorArgs{Type: pulumi.String(step.kind)}
		if step.parameter != "" {
			processor.Parameters = kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorParameterArray{
				kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorParameterArgs{
					ParameterName: pulumi.String(step.parameter), ParameterValue: pulumi.String(step.value),
				},
			}
		}
		steps = append(steps, processor)
	}
	return steps
}

// newSubscription sends what EKS logs of the audit on to the stream.
func (b *auditBuilder) newSubscription(stream *kinesis.FirehoseDeliveryStream) error {
	trust := policy.Document(policy.Statement{
		Principal: map[string]any{"Service": "logs.amazonaws.com"},
		Actions:   []string{"sts:AssumeRole"},
		// The logs service says for whose logs it acts (AWS docs, "Subscription filters with Amazon Data Firehose").
		Conditions: map[string]map[string]any{"StringLike": {"aws:SourceArn": "arn:aws:logs:" + b.args.AWS.Region + ":" + b.args.AWS.Account + ":*"}},
	})
	role, err := b.newRole("subscription", "Sends the audit log of the cluster "+b.args.Name, trust, policy.Statement{
		Actions: []string{"firehose:PutRecord", "firehose:PutRecordBatch"}, Resources: []any{stream.Arn},
	})
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewLogSubscriptionFilter(b.ctx, b.child("subscription"), &cloudwatch.LogSubscriptionFilterArgs{
		LogGroup:       pulumi.String(b.args.ClusterLogGroup),
		FilterPattern:  pulumi.String(auditEvents),
		DestinationArn: stream.Arn,
		RoleArn:        role.Arn,
	}, b.under(), pulumi.DependsOn(append(role.Permissions, b.args.After...))) // a test message is sent when it is made
	return creating("the subscription to the cluster's audit log", err)
}

// newRole makes the role of a service, with nothing but what is spelled out.
func (b *auditBuilder) newRole(part, description string, trust pulumi.StringInput, statements ...policy.Statement) (*security.Role, error) {
	role, err := security.NewRole(b.ctx, b.child(part), &security.RoleArgs{Description: description, Trust: trust}, b.under())
	if err != nil {
		return nil, err
	}
	own, err := iam.NewRolePolicy(b.ctx, b.child(part), &iam.RolePolicyArgs{
		Role: role.ID(), Policy: policy.Document(statements...),
	}, b.under())
	if err != nil {
		return nil, creating("the permissions of the role "+b.child(part), err)
	}
	role.Permissions = append(role.Permissions, own)
	return role, nil
}
