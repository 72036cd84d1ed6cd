package rules

import (
	"slices"
	"strings"
)

// encryptionRules: what is stored is encrypted (S4). Disks of nodes and volumes of the cluster have rows of their own, beside what else is
// said of them.
var encryptionRules = []Rule{
	guardrail("database-encrypted", databaseEncrypted, database, "aws:rds/cluster:Cluster"),
	guardrail("disk-encrypted", must("encrypted", true, bare, "set it to true, with the key of disks"),
		"aws:ebs/volume:Volume", "aws:ebs/snapshotCopy:SnapshotCopy", "aws:efs/fileSystem:FileSystem"),
	guardrail("instance-disks-encrypted", all(must("rootBlockDevice.encrypted", true, bare, "set it to true, with the key of disks"),
		each("ebsBlockDevices", must("encrypted", true, bare, "set it to true, with the key of disks"))), "aws:ec2/instance:Instance"),
	guardrail("cache-encrypted", must("atRestEncryptionEnabled", true, bare, "set it to true, with the key of data"),
		"aws:elasticache/replicationGroup:ReplicationGroup"),
	guardrail("logs-encrypted", given("kmsKeyId", keyless, "set it to the key of logs"), "aws:cloudwatch/logGroup:LogGroup"),
	guardrail("data-encrypted", given("kmsKeyId", keyless, "set it to the key of data"),
		"aws:secretsmanager/secret:Secret", "aws:cloudtrail/trail:Trail"),
	guardrail("topic-encrypted", given("kmsMasterKeyId", bare, "set it to the key of data"), "aws:sns/topic:Topic"),
	guardrail("queue-encrypted", queueEncrypted, "aws:sqs/queue:Queue"),
	lacking("bucket-encrypted", bucketEncrypted, bucket, bucketEncryption, bucketLogging),
}

const (
	bare    = "what it stores is not encrypted"
	keyless = "without a key of ours nobody can withdraw it, or see who used it"

	bucketEncryption = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	bucketLogging    = "aws:s3/bucketLoggingV2:BucketLoggingV2"
)

// databaseEncrypted: a replica has what its source has, unless it says otherwise.
func databaseEncrypted(in Resource) []Finding {
	if v := in.At("storageEncrypted"); !v.IsSet() && in.At("replicateSourceDb").IsSet() {
		return nil
	}
	return must("storageEncrypted", true, bare, "set it to true, with the key of data")(in)
}

func queueEncrypted(in Resource) []Finding {
	if !in.At("kmsMasterKeyId").IsEmpty() {
		return nil
	}
	return must("sqsManagedSseEnabled", true, bare, "set it to true, or kmsMasterKeyId to a key")(in)
}

// bucketEncrypted wants a key of ours as every bucket's default. S3 delivers access logs to no bucket that has one (AWS docs, "Enabling
// Amazon S3 server access logging").
func bucketEncrypted(in Resource, all []Resource) []Finding {
	settings, sure := companions(in, bucketEncryption, "bucket", all)
	if !sure {
		return nil
	}
	if len(settings) == 0 {
		return in.At("bucket").Breaks(keyless, "make a BucketServerSideEncryptionConfigurationV2 with the key of data")
	}
	if receivers, sure := companions(in, bucketLogging, "targetBucket", all); !sure || len(receivers) > 0 {
		return nil
	}
	for _, setting := range settings {
		rules := setting.At("rules")
		if rules.IsEmpty() || slices.ContainsFunc(rules.Items(), func(rule Value) bool { return !ourKey(rule.At("applyServerSideEncryptionByDefault")) }) {
			return in.At("bucket").Breaks(keyless, "set its sseAlgorithm to aws:kms, and kmsMasterKeyId to the key of data")
		}
	}
	return nil
}

// ourKey: KMS without a key is KMS with AWS's own.
func ourKey(standard Value) bool {
	algorithm, key := standard.At("sseAlgorithm"), standard.At("kmsMasterKeyId")
	name, _ := key.Text()
	return !algorithm.IsEmpty() && !algorithm.Is("AES256") && !key.IsEmpty() && !strings.HasSuffix(name, "alias/aws/s3")
}
