package data_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	bucketType   = "aws:s3/bucketV2:BucketV2"
	encryption   = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	versioning   = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	accessBlock  = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	ownership    = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	bucketPolicy = "aws:s3/bucketPolicy:BucketPolicy"
	objectLock   = "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2"
	lifecycle    = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	accessLog    = "aws:s3/bucketLoggingV2:BucketLoggingV2"

	trail = "arn:aws:cloudtrail:us-east-1:222222222222:trail/alphapulse-prod"
)

var (
	retention = config.Retention{BackupLock: 30, Backups: 90, ApplicationLogs: 91, AuditLogs: 400, AccessLogs: 92}
	purposes  = []string{"backups", "logs", "access-logs"}
)

func buckets(t *testing.T, retention config.Retention, protect bool) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, err := newBuckets(ctx, retention, protect)
		return err
	})
}

func TestD5BucketsAreNamedByTheirPrefixAndGuarded(t *testing.T) {
	for _, protect := range []bool{true, false} {
		run := buckets(t, retention, protect)
		require.Len(t, run.All(bucketType), len(purposes))
		for _, purpose := range purposes {
			one := run.Find(t, bucketType, "buckets-"+purpose)
			assertInputs(t, one, map[string]any{"bucket": "acme-" + purpose, "forceDestroy": !protect})
			assert.Equal(t, protect, one.Protect, purpose)
		}
	}
}

func TestD5BackupsAndLogsAreEncryptedWithOurKey(t *testing.T) {
	run := buckets(t, retention, true)
	for _, purpose := range []string{"backups", "logs"} {
		assertInputs(t, run.Find(t, encryption, "buckets-"+purpose), map[string]any{
			"bucket": "acme-" + purpose, "rules[0].bucketKeyEnabled": true,
			"rules[0].applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key-of-data"},
		})
	}
	assertInputs(t, run.Find(t, encryption, "buckets-access-logs"), map[string]any{
		"rules[0].applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "AES256"}, // S3 delivers to no other
	})
}

func TestD5BackupsAndLogsKeepVersions(t *testing.T) {
	run := buckets(t, retention, true)
	require.Len(t, run.All(versioning), 2)
	for _, purpose := range []string{"backups", "logs"} {
		one := run.Find(t, versioning, "buckets-"+purpose)
		assertInputs(t, one, map[string]any{"bucket": "acme-" + purpose, "versioningConfiguration.status": "Enabled"})
		assert.Contains(t, run.Find(t, lifecycle, "buckets-"+purpose).DependsOn, one.URN)
	}
}

func TestD5NoBucketIsPublicOrHasACLs(t *testing.T) {
	run := buckets(t, retention, true)
	for _, purpose := range purposes {
		block := run.Find(t, accessBlock, "buckets-"+purpose)
		assertInputs(t, block, map[string]any{
			"bucket": "acme-" + purpose, "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		})
		owner := run.Find(t, ownership, "buckets-"+purpose)
		assert.Equal(t, "BucketOwnerEnforced", owner.At("rule.objectOwnership"))
		assert.Subset(t, run.Find(t, bucketPolicy, "buckets-"+purpose).DependsOn, []string{block.URN, owner.URN}, "S3 refuses two changes at once")
	}
}

// statements are the one policy of a bucket.
func statements(t *testing.T, run *recorder.Run, purpose string) map[string]recorder.Statement {
	t.Helper()
	require.Len(t, run.All(bucketPolicy), len(purposes), "a second one would take the first one's place")
	found := map[string]recorder.Statement{}
	for _, s := range recorder.Statements(t, run.Find(t, bucketPolicy, "buckets-"+purpose).At("policy")) {
		require.NotContains(t, found, s.Sid)
		found[s.Sid] = s
	}
	return found
}

func TestD5EveryBucketIsForTLSOnly(t *testing.T) {
	run := buckets(t, retention, true)
	for _, purpose := range purposes {
		assert.Equal(t, recorder.Statement{
			Sid: "OverTLSOnly", Effect: "Deny",
			Principal: map[string]recorder.Strings{"AWS": {"*"}}, Action: recorder.Strings{"s3:*"},
			Resource:  recorder.Strings{"arn:aws:s3:::acme-" + purpose, "arn:aws:s3:::acme-" + purpose + "/*"},
			Condition: map[string]map[string]recorder.Strings{"Bool": {"aws:SecureTransport": {"false"}}},
		}, statements(t, run, purpose)["OverTLSOnly"])
	}
}

func TestD5BackupsAreLocked(t *testing.T) {
	run := buckets(t, retention, true)
	require.Len(t, run.All(objectLock), 1)
	assertInputs(t, run.Find(t, objectLock, "buckets-backups"), map[string]any{
		"bucket": "acme-backups", "rule.defaultRetention": map[string]any{"mode": "GOVERNANCE", "days": 30.},
	})
	assert.Contains(t, run.Find(t, objectLock, "buckets-backups").DependsOn, run.Find(t, versioning, "buckets-backups").URN)
}

func TestD5BackupsCanBeLockedLater(t *testing.T) {
	without := retention
	without.BackupLock = 0
	run := buckets(t, without, false)
	assert.Empty(t, run.All(objectLock))
	for _, one := range run.All(bucketType) {
		assert.Equal(t, one.Name == "buckets-backups", one.At("objectLockEnabled"), "%s: only a new bucket can be given it", one.Name)
	}
}

func TestD5StolenCredentialsCannotRemoveBackups(t *testing.T) {
	keep := statements(t, buckets(t, retention, true), "backups")["KeepVersions"]
	assert.Equal(t, "Deny", keep.Effect)
	assert.Equal(t, map[string]recorder.Strings{"AWS": {"*"}}, keep.Principal)
	assert.ElementsMatch(t, []string{"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"}, keep.Action)
	assert.Equal(t, recorder.Strings{"arn:aws:s3:::acme-backups/*"}, keep.Resource)
	assert.Empty(t, keep.Condition)
	assert.NotContains(t, statements(t, buckets(t, retention, false), "backups"), "KeepVersions", "it could not be destroyed")
}

func TestD5EachPrefixHasItsOwnRetention(t *testing.T) {
	run := buckets(t, retention, true)
	for purpose, days := range map[string]map[string]int{
		"backups":     {data.PostgresBackups: 90, data.VaultBackups: 90, data.RedisBackups: 90},
		"logs":        {data.ApplicationLogs: 91 + 7, data.AuditTrail: 400, data.ClusterAudit: 400},
		"access-logs": {"backups/": 92, "logs/": 92},
	} {
		rules := run.Find(t, lifecycle, "buckets-"+purpose).At("rules").([]any)
		got, ids := map[string]int{}, map[any]bool{}
		for i := range rules {
			rule := recorder.Resource{Name: fmt.Sprint(purpose, i), Inputs: rules[i].(map[string]any)}
			got[rule.At("filter.prefix").(string)] = int(rule.At("expiration.days").(float64))
			ids[rule.At("id")] = true
			assert.Equal(t, "Enabled", rule.At("status"))
			assert.NotNil(t, rule.At("abortIncompleteMultipartUpload.daysAfterInitiation"), purpose)
			assert.Equal(t, purpose != "access-logs", rule.At("noncurrentVersionExpiration.noncurrentDays") != nil, purpose)
		}
		assert.Equal(t, days, got)
		assert.Len(t, ids, len(days), "S3 wants a name of its own for each")
	}
}

func TestD5EveryRequestIsRecordedInABucketOfItsOwn(t *testing.T) {
	run := buckets(t, retention, true)
	require.Len(t, run.All(accessLog), 2)
	for _, purpose := range []string{"backups", "logs"} {
		log := run.Find(t, accessLog, "buckets-"+purpose)
		assertInputs(t, log, map[string]any{"bucket": "acme-" + purpose, "targetBucket": "acme-access-logs", "targetPrefix": purpose + "/"})
		assert.Contains(t, log.DependsOn, run.Find(t, bucketPolicy, "buckets-access-logs").URN)
	}
	writer := statements(t, run, "access-logs")["AccessLogs"]
	assert.Equal(t, recorder.Statement{
		Sid: "AccessLogs", Effect: "Allow",
		Principal: map[string]recorder.Strings{"Service": {"logging.s3.amazonaws.com"}}, Action: recorder.Strings{"s3:PutObject"},
		Resource: recorder.Strings{"arn:aws:s3:::acme-access-logs/backups/*", "arn:aws:s3:::acme-access-logs/logs/*"},
		Condition: map[string]map[string]recorder.Strings{
			"StringEquals": {"aws:SourceAccount": {account}},
			"ArnLike":      {"aws:SourceArn": {"arn:aws:s3:::acme-backups", "arn:aws:s3:::acme-logs"}},
		},
	}, writer)
}

func TestD5CloudTrailWritesBelowItsPrefixOnly(t *testing.T) {
	list := statements(t, buckets(t, retention, true), "logs")
	require.Len(t, list, 3)
	look, write := list["AuditTrailLooks"], list["AuditTrailWrites"]
	for _, s := range []recorder.Statement{look, write} {
		assert.Equal(t, map[string]recorder.Strings{"Service": {"cloudtrail.amazonaws.com"}}, s.Principal)
		assert.Equal(t, recorder.Strings{trail}, s.Condition["StringEquals"]["aws:SourceArn"])
	}
	assert.Equal(t, []recorder.Strings{{"s3:GetBucketAcl"}, {"arn:aws:s3:::acme-logs"}}, []recorder.Strings{look.Action, look.Resource})
	assert.Equal(t, []recorder.Strings{{"s3:PutObject"}, {"arn:aws:s3:::acme-logs/audit/cloudtrail/AWSLogs/222222222222/*"}},
		[]recorder.Strings{write.Action, write.Resource})
	assert.Equal(t, recorder.Strings{"bucket-owner-full-control"}, write.Condition["StringEquals"]["s3:x-amz-acl"])
}

// s3Answers answers look-ups of buckets by name; what it does not know does not exist.
type s3Answers struct {
	raw
	errors map[string]error
}

func (s *s3Answers) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	name := args.Args["bucket"].StringValue()
	if err, known := s.errors[name]; known {
		return args.Args, err
	}
	return nil, fmt.Errorf("reading S3 Bucket (%s): couldn't find resource", name)
}

func inspectBuckets(t *testing.T, answers map[string]error) (problems config.Problems, err error) {
	t.Helper()
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		problems, err = data.InspectBuckets(ctx, "acme")
		return nil
	}, pulumi.WithMocks("alphapulse", "inspect", &s3Answers{errors: answers}), func(info *pulumi.RunInfo) { info.DryRun = true }))
	return problems, err
}

func TestD5BucketNameThatIsTakenIsRefused(t *testing.T) {
	problems, err := inspectBuckets(t, map[string]error{
		"acme-backups":     errors.New("reading S3 Bucket (acme-backups): operation error S3: HeadBucket, https response error StatusCode: 403, api error Forbidden: Forbidden"),
		"acme-access-logs": errors.New("reading S3 Bucket (acme-access-logs): operation error S3: HeadBucket, https response error StatusCode: 301, api error MovedPermanently"),
	})
	require.NoError(t, err)
	require.Len(t, problems, 1)
	assert.Equal(t, "alphapulse:data.bucketPrefix", problems[0].Key)
	assert.Equal(t, `"acme"`, problems[0].Value)
	assert.Contains(t, problems[0].Want, "acme-backups, acme-access-logs: somebody else's")
	assert.Contains(t, problems[0].Want, "choose another prefix")
}

func TestD5OwnAndMissingBucketsAreNoProblem(t *testing.T) {
	problems, err := inspectBuckets(t, map[string]error{"acme-logs": nil})
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestD5TroubleWithCredentialsIsNoAnswer(t *testing.T) {
	_, err := inspectBuckets(t, map[string]error{"acme-logs": errors.New("api error ExpiredToken: the token has expired")})
	assert.ErrorContains(t, err, "acme-logs")
	assert.ErrorContains(t, err, "ExpiredToken")
}
