package data

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
)

const (
	// noncurrentDays are for noticing that something was deleted or overwritten by mistake: so long its last version stays.
	noncurrentDays = 7
	// unfinishedDays is how long an upload may take before its parts, which nobody sees and everybody pays, are removed.
	unfinishedDays = 7
)

// bucketBuilder makes buckets. What S3 calls settings of a bucket are resources of their own.
type bucketBuilder struct {
	ctx    *pulumi.Context
	name   string
	args   *BucketsArgs
	parent *Buckets
}

func (b *bucketBuilder) newBucket(spec bucketSpec) (*Bucket, error) {
	bucket, err := s3.NewBucketV2(b.ctx, b.child(spec.purpose), &s3.BucketV2Args{
		Bucket:            pulumi.String(bucketName(b.args.Prefix, spec.purpose)),
		ObjectLockEnabled: pulumi.Bool(spec.lockable),
		ForceDestroy:      pulumi.Bool(!b.args.Protect),
		Tags:              pulumi.StringMap{"Name": pulumi.String(b.args.Name + "-" + spec.purpose)},
	}, pulumi.Parent(b.parent), pulumi.Protect(b.args.Protect))
	if err != nil {
		return nil, creating("the bucket for "+spec.purpose, err)
	}
	made := &Bucket{Name: bucket.Bucket, ARN: bucket.Arn}
	for _, step := range []func(bucketSpec, *Bucket) error{b.newEncryption, b.newAccess, b.newHistory} {
		if err := step(spec, made); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (b *bucketBuilder) newEncryption(spec bucketSpec, bucket *Bucket) error {
	rule := s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm: pulumi.String("AES256"),
		},
	}
	if spec.keyARN != nil {
		rule.ApplyServerSideEncryptionByDefault = s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: spec.keyARN.ToStringOutput().ToStringPtrOutput(),
		}
		rule.BucketKeyEnabled = pulumi.Bool(true) // one call to KMS for many objects
	}
	_, err := s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, b.child(spec.purpose), &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.Name,
		Rules:  s3.BucketServerSideEncryptionConfigurationV2RuleArray{rule},
	}, pulumi.Parent(b.parent))
	return creating("the encryption of the bucket for "+spec.purpose, err)
}

// newAccess closes the bucket to the public and to ACLs, and writes its one policy.
func (b *bucketBuilder) newAccess(spec bucketSpec, bucket *Bucket) error {
	block, err := s3.NewBucketPublicAccessBlock(b.ctx, b.child(spec.purpose), &s3.BucketPublicAccessBlockArgs{
		Bucket:          bucket.Name,
		BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, pulumi.Parent(b.parent))
	if err != nil {
		return creating("the public access block of the bucket for "+spec.purpose, err)
	}
	owner, err := s3.NewBucketOwnershipControls(b.ctx, b.child(spec.purpose), &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.Name,
		Rule:   s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, pulumi.Parent(b.parent))
	if err != nil {
		return creating("the ownership of the bucket for "+spec.purpose, err)
	}
	bucket.Policy, err = s3.NewBucketPolicy(b.ctx, b.child(spec.purpose), &s3.BucketPolicyArgs{
		Bucket: bucket.Name,
		Policy: policy.Document(append([]policy.Statement{b.overTLSOnly(spec.purpose)}, spec.statements...)...),
	}, pulumi.Parent(b.parent), pulumi.DependsOn([]pulumi.Resource{block, owner})) // S3 refuses two changes of a bucket's access at once
	return creating("the policy of the bucket for "+spec.purpose, err)
}

// newHistory says what becomes of objects: versions, locks, and when they go.
func (b *bucketBuilder) newHistory(spec bucketSpec, bucket *Bucket) error {
	var after []pulumi.Resource // locks and the expiry of versions are for versioned buckets only
	if spec.versioned {
		versioning, err := s3.NewBucketVersioningV2(b.ctx, b.child(spec.purpose), &s3.BucketVersioningV2Args{
			Bucket:                  bucket.Name,
			VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
		}, pulumi.Parent(b.parent))
		if err != nil {
			return creating("the versioning of the bucket for "+spec.purpose, err)
		}
		after = append(after, versioning)
	}
	if spec.lockDays > 0 {
		// Governance, not compliance: a lock that nobody can open, root included, would also keep what must be erased by law.
		if _, err := s3.NewBucketObjectLockConfigurationV2(b.ctx, b.child(spec.purpose), &s3.BucketObjectLockConfigurationV2Args{
			Bucket: bucket.Name,
			Rule: s3.BucketObjectLockConfigurationV2RuleArgs{DefaultRetention: s3.BucketObjectLockConfigurationV2RuleDefaultRetentionArgs{
				Mode: pulumi.String("GOVERNANCE"), Days: pulumi.Int(spec.lockDays),
			}},
		}, pulumi.Parent(b.parent), pulumi.DependsOn(after)); err != nil {
			return creating("the lock of the bucket for "+spec.purpose, err)
		}
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(b.ctx, b.child(spec.purpose), &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Name,
		Rules:  lifecycleRules(spec),
	}, pulumi.Parent(b.parent), pulumi.DependsOn(after))
	return creating("the lifecycle of the bucket for "+spec.purpose, err)
}

// lifecycleRules are one for each prefix. An expiry in days also removes the delete markers that are left of expired objects.
func lifecycleRules(spec bucketSpec) s3.BucketLifecycleConfigurationV2RuleArray {
	var rules s3.BucketLifecycleConfigurationV2RuleArray
	for _, kept := range spec.kept {
		rule := s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:         pulumi.String(strings.ReplaceAll(strings.Trim(kept.prefix, "/"), "/", "-")),
			Status:     pulumi.String("Enabled"),
			Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(kept.prefix)},
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(kept.days)},
			AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(unfinishedDays),
			},
		}
		if spec.versioned {
			rule.NoncurrentVersionExpiration = s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(noncurrentDays),
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// newAccessLog records every request to a bucket.
func (b *bucketBuilder) newAccessLog(purpose string, bucket, target *Bucket) error {
	_, err := s3.NewBucketLoggingV2(b.ctx, b.child(purpose), &s3.BucketLoggingV2Args{
		Bucket:       bucket.Name,
		TargetBucket: target.Name,
		TargetPrefix: pulumi.String(purpose + "/"),
	}, pulumi.Parent(b.parent), pulumi.DependsOn([]pulumi.Resource{target.Policy})) // lines that it does not admit yet would be lost
	return creating("the access log of the bucket for "+purpose, err)
}

func (b *bucketBuilder) child(part string) string { return b.name + "-" + part }

// arn is a bucket's, known before there is a bucket.
func (b *bucketBuilder) arn(purpose string) string {
	return "arn:aws:s3:::" + bucketName(b.args.Prefix, purpose)
}
