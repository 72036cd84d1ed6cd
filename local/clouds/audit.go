package clouds

import (
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// What carries audit logs to a bucket: CloudTrail on its own, log groups through Firehose.
var auditTypes = []Type{
	{Name: "cloudwatch.LogSubscriptionFilter", ID: "cwlsf-{hex}", check: checkFilter, admit: filtersFit,
		Props: `name@* logGroup!*^cloudwatch.LogGroup filterPattern! destinationArn!~kinesis.FirehoseDeliveryStream roleArn~iam.Role
			distribution=ByLogStream`},
	{Name: "cloudtrail.Trail", ID: "arn:aws:cloudtrail:{region}:{account}:trail/{name}", Unique: "TrailAlreadyExistsException name",
		admit: trailCanWrite,
		Props: `name@* s3BucketName! s3KeyPrefix cloudWatchLogsGroupArn cloudWatchLogsRoleArn~iam.Role enableLogFileValidation=false
			enableLogging=true includeGlobalServiceEvents=true isMultiRegionTrail=false isOrganizationTrail=false kmsKeyId~kms.Key snsTopicName
			eventSelectors{readWriteType includeManagementEvents excludeManagementEventSources dataResources{type! values!}}
			advancedEventSelectors{name fieldSelectors!{field! equals notEquals startsWiths notStartsWiths endsWiths notEndsWiths}}
			insightSelectors{insightType!} tags{}`,
		Out: `arn={id} homeRegion={region}`},
	{Name: "kinesis.FirehoseDeliveryStream", ID: "arn:aws:firehose:{region}:{account}:deliverystream/{name}",
		Unique: "ResourceInUseException name", check: checkStream, admit: prefixesAreComplete,
		Props: `name@* destination!* serverSideEncryption{enabled keyType keyArn~kms.Key} tags{}
			extendedS3Configuration{roleArn!~iam.Role bucketArn!~s3.BucketV2 prefix errorOutputPrefix bufferingSize bufferingInterval
				compressionFormat customTimeZone fileExtension kmsKeyArn~kms.Key cloudwatchLoggingOptions{enabled logGroupName logStreamName}
				processingConfiguration{enabled processors{type! parameters{parameterName! parameterValue!}}}}`,
		Out: `arn={id} destinationId=destinationId-000000000001 versionId=1`},
}

func checkFilter(in map[string]any) error {
	return oneOf("distribution", in["distribution"], "ByLogStream", "Random")
}

// filtersFit: CloudWatch Logs writes to Firehose in the name of a role, and a group has two filters at most (CloudWatch Logs quotas).
func filtersFit(p *Provider, r *inventory.Record) error {
	if str(r.Inputs["roleArn"]) == "" {
		return apiError("InvalidParameterException", "roleArn is required for the destination %v", r.Inputs["destinationArn"])
	}
	others, err := p.all(r.Type)
	if err != nil {
		return err
	}
	count := 1
	for _, other := range others {
		if other.ID != r.ID && other.Inputs["logGroup"] == r.Inputs["logGroup"] {
			count++
		}
	}
	if count > 2 {
		return apiError("LimitExceededException", "Resource limit exceeded: %v has two subscription filters", r.Inputs["logGroup"])
	}
	return nil
}

// trailGrants are what a bucket's policy must say for CloudTrail to use it (CloudTrail user guide, "Amazon S3 bucket policy").
var trailGrants = []string{"cloudtrail.amazonaws.com", "s3:GetBucketAcl", "s3:PutObject"}

// trailCanWrite does what CloudTrail tries before it makes a trail: to write to the bucket, with the key, and to the log group.
func trailCanWrite(p *Provider, r *inventory.Record) error {
	bucket := str(r.Inputs["s3BucketName"])
	if _, ok, err := bucketIn(p.account, bucket); !ok || err != nil {
		return orError(err, "S3BucketDoesNotExistException", "S3 bucket %s does not exist!", bucket)
	}
	policy, _, err := p.get(token("s3.BucketPolicy"), bucket)
	if !containsAll(str(policy.Inputs["policy"]), trailGrants...) {
		return orError(err, "InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: %s", bucket)
	}
	if id := str(r.Inputs["kmsKeyId"]); id != "" {
		key, _, err := p.find("kms.Key", id)
		if !containsAll(str(key.Inputs["policy"]), trailGrants[0]) {
			return orError(err, "InsufficientEncryptionPolicyException",
				"Insufficient permissions to access S3 bucket %s or KMS key %s.", bucket, id)
		}
	}
	if group := str(r.Inputs["cloudWatchLogsGroupArn"]); group != "" {
		arn, all := strings.CutSuffix(group, ":*")
		if _, ok, err := p.find("cloudwatch.LogGroup", arn); !ok || !all || err != nil {
			return orError(err, "InvalidCloudWatchLogsLogGroupArnException", "not the ARN of a log group that exists, followed by \":*\": %s", group)
		}
	}
	if r.Inputs["isMultiRegionTrail"] == true && r.Inputs["includeGlobalServiceEvents"] == false {
		return apiError("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
	}
	return nil
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// orError is AWS's answer, unless the inventory could not be read.
func orError(err error, code, format string, args ...any) error {
	if err != nil {
		return err
	}
	return apiError(code, format, args...)
}

func checkStream(in map[string]any) error {
	if err := oneOf("destination", in["destination"], "extended_s3"); err != nil { // the others are not modelled
		return err
	}
	s3 := object(in["extendedS3Configuration"])
	return oneOf("compressionFormat", s3["compressionFormat"], "UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY")
}

// prefixesAreComplete: expressions in a prefix ask for a place of their own for what fails, which says how it failed (Firehose
// developer guide, "Custom prefixes").
func prefixesAreComplete(_ *Provider, r *inventory.Record) error {
	s3 := object(r.Inputs["extendedS3Configuration"])
	const expression, errorType = "!{", "!{firehose:error-output-type}"
	prefix, failed := str(s3["prefix"]), str(s3["errorOutputPrefix"])
	switch {
	case s3 == nil:
		return apiError("InvalidArgumentException", "extendedS3Configuration is required for the destination extended_s3")
	case strings.Contains(prefix, errorType):
		return apiError("InvalidArgumentException", "prefix cannot contain %s", errorType)
	case strings.Contains(prefix, expression) && failed == "":
		return apiError("InvalidArgumentException", "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions")
	case strings.Contains(failed, expression) && !strings.Contains(failed, errorType):
		return apiError("InvalidArgumentException", "ErrorOutputPrefix with expressions must contain %s", errorType)
	}
	return nil
}
