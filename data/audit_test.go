package data_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	trailType    = "aws:cloudtrail/trail:Trail"
	firehose     = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
	subscription = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
	logStream    = "aws:cloudwatch/logStream:LogStream"
)

func newAudit(ctx *pulumi.Context, logs *data.Bucket) error {
	cluster, err := cloudwatch.NewLogGroup(ctx, "control-plane", &cloudwatch.LogGroupArgs{})
	if err != nil {
		return err
	}
	_, err = data.NewAudit(ctx, "audit", &data.AuditArgs{
		Name: "alphapulse-prod", AWS: aws, Logs: logs, Keys: keys(), LogDays: 365,
		ClusterLogGroup: "/aws/eks/alphapulse-prod/cluster", After: []pulumi.Resource{cluster},
	})
	return err
}

func audit(t *testing.T) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, everything)
}

func TestD5CloudTrailRecordsTheAccountInTheLogsBucket(t *testing.T) {
	run := audit(t)
	one := run.Find(t, trailType, "audit-trail")
	assertInputs(t, one, map[string]any{
		"name":                       "alphapulse-prod", // what the key's and the bucket's policy know
		"s3BucketName":               "acme-logs",
		"s3KeyPrefix":                "audit/cloudtrail",
		"kmsKeyId":                   "key-of-data",
		"enableLogFileValidation":    true,
		"includeGlobalServiceEvents": true,
		"isMultiRegionTrail":         true,
		"enableLogging":              nil, // it is, by default
	})
	assert.Contains(t, one.DependsOn, run.Find(t, bucketPolicy, "buckets-logs").URN, "CloudTrail tries to write when it is made")
}

func TestD5ClusterAuditGoesToTheLogsBucketReadable(t *testing.T) {
	run := audit(t)
	stream := run.Find(t, firehose, "audit-delivery")
	assertInputs(t, stream, map[string]any{
		"destination":                                                        "extended_s3",
		"extendedS3Configuration.bucketArn":                                  recorder.ARN(bucketType, "buckets-logs"),
		"extendedS3Configuration.prefix":                                     data.ClusterAudit,
		"extendedS3Configuration.errorOutputPrefix":                          "audit/eks/failed/!{firehose:error-output-type}/",
		"extendedS3Configuration.compressionFormat":                          "GZIP",
		"extendedS3Configuration.kmsKeyArn":                                  "key-of-data",
		"extendedS3Configuration.roleArn":                                    recorder.ARN(role, "audit-delivery"),
		"extendedS3Configuration.processingConfiguration.processors[0].type": "Decompression",
		"extendedS3Configuration.processingConfiguration.processors[1].type": "CloudWatchLogProcessing",
		"extendedS3Configuration.processingConfiguration.processors[2].type": "AppendDelimiterToRecord",
		"extendedS3Configuration.cloudwatchLoggingOptions": map[string]any{
			"enabled": true, "logGroupName": "/alphapulse-prod/audit/delivery", "logStreamName": "s3",
		},
		"serverSideEncryption.enabled": true,
	})
	filter := run.Find(t, subscription, "audit-subscription")
	assertInputs(t, filter, map[string]any{
		"logGroup": "/aws/eks/alphapulse-prod/cluster", "filterPattern": `{ $.apiVersion = "audit.k8s.io/*" }`,
		"destinationArn": recorder.ARN(firehose, "audit-delivery"), "roleArn": recorder.ARN(role, "audit-subscription"),
	})
	assert.Subset(t, filter.DependsOn, []string{run.Find(t, logGroup, "control-plane").URN, run.Find(t, rolePolicy, "audit-subscription").URN},
		"CloudWatch sends a test message when it is made")
	assert.Contains(t, stream.DependsOn, run.Find(t, rolePolicy, "audit-delivery").URN)
}

func TestD5FailedDeliveriesAreOnRecord(t *testing.T) {
	run := audit(t)
	assertInputs(t, run.Find(t, logGroup, "audit-delivery"), map[string]any{
		"name": "/alphapulse-prod/audit/delivery", "kmsKeyId": "key-of-logs", "retentionInDays": 365,
	})
	assertInputs(t, run.Find(t, logStream, "audit-delivery"), map[string]any{"name": "s3", "logGroupName": "/alphapulse-prod/audit/delivery"})
}

// permissions are what a role may do: the resources by action.
func permissions(t *testing.T, run *recorder.Run, name string) map[string]recorder.Strings {
	t.Helper()
	allowed := map[string]recorder.Strings{}
	for _, s := range recorder.Statements(t, run.Find(t, rolePolicy, name).At("policy")) {
		for _, action := range s.Action {
			allowed[action] = append(allowed[action], s.Resource...)
		}
	}
	return allowed
}

func TestS3AuditRolesHaveWhatTheyNeedAndNoMore(t *testing.T) {
	run := audit(t)
	bucket, objects := recorder.Strings{recorder.ARN(bucketType, "buckets-logs")}, recorder.Strings{recorder.ARN(bucketType, "buckets-logs") + "/audit/eks/*"}
	assert.Equal(t, map[string]recorder.Strings{
		"s3:PutObject": objects, "s3:AbortMultipartUpload": objects,
		"s3:GetBucketLocation": bucket, "s3:ListBucket": bucket, "s3:ListBucketMultipartUploads": bucket,
		"kms:GenerateDataKey": {"key-of-data"}, "kms:Decrypt": {"key-of-data"},
		"logs:PutLogEvents": {recorder.ARN(logStream, "audit-delivery")},
	}, permissions(t, run, "audit-delivery"))
	stream := recorder.Strings{recorder.ARN(firehose, "audit-delivery")}
	assert.Equal(t, map[string]recorder.Strings{
		"firehose:PutRecord": stream, "firehose:PutRecordBatch": stream,
	}, permissions(t, run, "audit-subscription"))
}

func TestS3AuditRolesAreNobodyElsesDeputies(t *testing.T) {
	run := audit(t)
	for name, want := range map[string]struct {
		service   string
		condition map[string]map[string]recorder.Strings
	}{
		"audit-delivery": {"firehose.amazonaws.com", map[string]map[string]recorder.Strings{"StringEquals": {"sts:ExternalId": {account}}}},
		"audit-subscription": {"logs.amazonaws.com", map[string]map[string]recorder.Strings{
			"StringLike": {"aws:SourceArn": {"arn:aws:logs:us-east-1:222222222222:*"}},
		}},
	} {
		trust := recorder.Statements(t, run.Find(t, role, name).At("assumeRolePolicy"))
		require.Len(t, trust, 1, name)
		assert.Equal(t, map[string]recorder.Strings{"Service": {want.service}}, trust[0].Principal)
		assert.Equal(t, want.condition, trust[0].Condition, name)
	}
}
