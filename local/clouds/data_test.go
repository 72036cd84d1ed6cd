package clouds

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// elsewhere is another account or region of the same cloud.
func (c cloud) elsewhere(account, region string) cloud {
	p := New("aws")
	_, err := p.Configure(context.Background(), plugin.ConfigureRequest{Inputs: resource.NewPropertyMapFromMap(props{
		"region": region, "allowedAccountIds": `["` + account + `"]`})})
	require.NoError(c, err)
	return cloud{c.T, p}
}

func (c cloud) record(typ, id string) inventory.Record {
	r, ok, err := c.get(typ, id)
	require.NoError(c, err)
	require.True(c, ok, "%s %s", typ, id)
	return r
}

func merged(base props, more props) props {
	all := maps.Clone(base)
	maps.Copy(all, more)
	return all
}

// refusal is something that AWS does not take, and a part of what it says.
type refusal struct {
	in  props
	say string
}

// refused tries to change a thing into each of them, or to make them where there is none yet.
func (c cloud) refused(typ, id string, cases map[string]refusal) {
	for name, refused := range cases {
		var err error
		if id == "" {
			_, err = c.try(typ, "x", refused.in)
		} else {
			err = c.update(typ, id, refused.in)
		}
		assert.ErrorContains(c, err, refused.say, name)
	}
}

func TestD5BucketNamesAreTheWorlds(t *testing.T) {
	c := newCloud(t)
	c.make("s3.BucketV2", "b", props{"bucket": "alphapulse-backups"})
	_, err := c.try("s3.BucketV2", "b", props{"bucket": "alphapulse-backups"})
	assert.ErrorContains(t, err, "api error BucketAlreadyOwnedByYou")
	_, err = c.elsewhere(c.account, "us-east-1").try("s3.BucketV2", "b", props{"bucket": "alphapulse-backups"})
	assert.ErrorContains(t, err, "api error BucketAlreadyOwnedByYou")
	other := c.elsewhere("210987654321", "eu-west-1")
	_, err = other.try("s3.BucketV2", "b", props{"bucket": "alphapulse-backups"})
	assert.ErrorContains(t, err, "api error BucketAlreadyExists")
	require.NoError(t, c.update("s3.BucketV2", "alphapulse-backups", props{"bucket": "alphapulse-backups", "forceDestroy": true}))

	here, err := c.invoke("aws:s3/getBucket:getBucket", props{"bucket": "alphapulse-backups"})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:s3:::alphapulse-backups", here["arn"])
	assert.Equal(t, "eu-west-1", here["region"])
	_, err = other.invoke("aws:s3/getBucket:getBucket", props{"bucket": "alphapulse-backups"})
	assert.EqualError(t, err, "reading S3 Bucket (alphapulse-backups): operation error S3: HeadBucket, https response error StatusCode: 403, "+
		"api error Forbidden: Forbidden")
	_, err = c.invoke("aws:s3/getBucket:getBucket", props{"bucket": "nobodys"})
	assert.EqualError(t, err, "reading S3 Bucket (nobodys): couldn't find resource")

	require.NoError(t, c.destroy("s3.BucketV2", "alphapulse-backups"))
	other.make("s3.BucketV2", "b", props{"bucket": "alphapulse-backups"})
}

func TestD5BucketNameRules(t *testing.T) {
	c := newCloud(t)
	bad := []string{"ab", "Upper", "under_score", "two..dots", "-first", "last-", "192.168.5.4", "xn--x", "x-s3alias", strings.Repeat("a", 64)}
	for _, name := range bad {
		_, reasons := c.check("s3.BucketV2", "b", props{"bucket": name})
		assert.NotEmpty(t, reasons, name)
	}
	for _, name := range []string{"abc", "a.b-c", strings.Repeat("a", 63)} {
		_, reasons := c.check("s3.BucketV2", "b", props{"bucket": name})
		assert.Empty(t, reasons, name)
	}
}

func TestD5WhatReplacesABucket(t *testing.T) {
	c := newCloud(t)
	old := props{"bucket": "logs"}
	locked := c.diff("s3.BucketV2", old, merged(old, props{"objectLockEnabled": true}))
	assert.Equal(t, []resource.PropertyKey{"objectLockEnabled"}, locked.ReplaceKeys)
	assert.True(t, locked.DeleteBeforeReplace, "its name is taken")
	assert.Equal(t, []resource.PropertyKey{"bucket"}, c.diff("s3.BucketV2", old, props{"bucket": "logs2"}).ReplaceKeys)
	assert.Empty(t, c.diff("s3.BucketV2", old, merged(old, props{"forceDestroy": true})).ReplaceKeys)
}

func TestD5PartsOfABucket(t *testing.T) {
	c := newCloud(t)
	bucket := c.make("s3.BucketV2", "b", props{"bucket": "backups"})
	block := props{"bucket": bucket, "blockPublicAcls": true}
	c.make("s3.BucketPublicAccessBlock", "p", block)
	_, err := c.try("s3.BucketPublicAccessBlock", "q", block)
	assert.ErrorContains(t, err, "OperationAborted", "each part is there once")
	_, err = c.try("s3.BucketLoggingV2", "l", props{"bucket": bucket, "targetBucket": "nobodys", "targetPrefix": "backups/"})
	assert.ErrorContains(t, err, "NoSuchBucket: targetBucket")

	lock := props{"bucket": bucket, "rule": props{"defaultRetention": props{"mode": "GOVERNANCE", "days": 30.0}}}
	_, err = c.try("s3.BucketObjectLockConfigurationV2", "o", lock)
	assert.ErrorContains(t, err, "InvalidBucketState: Versioning must be 'Enabled'")
	versions := func(status string) props {
		return props{"bucket": bucket, "versioningConfiguration": props{"status": status}}
	}
	c.make("s3.BucketVersioningV2", "v", versions("Suspended"))
	_, err = c.try("s3.BucketObjectLockConfigurationV2", "o", lock)
	assert.ErrorContains(t, err, "InvalidBucketState")
	require.NoError(t, c.update("s3.BucketVersioningV2", bucket, versions("Enabled")))
	for _, retention := range []props{{"days": 30.0}, {"mode": "GOVERNANCE"}, {"mode": "GOVERNANCE", "days": 1.0, "years": 1.0}} {
		_, err = c.try("s3.BucketObjectLockConfigurationV2", "o", merged(lock, props{"rule": props{"defaultRetention": retention}}))
		assert.ErrorContains(t, err, "MalformedXML")
	}
	c.make("s3.BucketObjectLockConfigurationV2", "o", lock)
	assert.ErrorContains(t, c.update("s3.BucketVersioningV2", bucket, versions("Suspended")), "versioning state cannot be changed")

	born := c.make("s3.BucketV2", "n", props{"bucket": "locked", "objectLockEnabled": true})
	c.make("s3.BucketObjectLockConfigurationV2", "n", merged(lock, props{"bucket": born}))
	_, err = c.try("s3.BucketVersioningV2", "n", merged(versions("Suspended"), props{"bucket": born}))
	assert.ErrorContains(t, err, "InvalidBucketState")

	require.NoError(t, c.destroy("s3.BucketV2", bucket))
	_, ok, err := c.get(token("s3.BucketPublicAccessBlock"), bucket)
	require.NoError(t, err)
	assert.False(t, ok, "a bucket's parts go with it")
}

func TestD5LifecycleRules(t *testing.T) {
	c := newCloud(t)
	bucket := c.make("s3.BucketV2", "b", props{"bucket": "logs"})
	expire := props{"id": "old", "status": "Enabled", "expiration": props{"days": 90.0}}
	rules := func(list ...any) props { return props{"bucket": bucket, "rules": list} }
	moved := func(days float64, class string) any {
		return merged(expire, props{"transitions": []any{props{"days": days, "storageClass": class}}})
	}
	_, reasons := c.check("s3.BucketLifecycleConfigurationV2", "l", rules(props{"expiration": props{"days": 1.0}}))
	assert.Len(t, reasons, 2, "id and status are required: %v", reasons)
	_, reasons = c.check("s3.BucketLifecycleConfigurationV2", "l", rules(props{"id": "a", "status": "On"}))
	assert.Contains(t, strings.Join(reasons, ""), "expected rules.status to be one of")
	cases := map[string]refusal{
		"twice":     {rules(expire, expire), "InvalidArgument: RuleId must be unique"},
		"no action": {rules(props{"id": "idle", "status": "Enabled"}), "InvalidRequest: At least one action"},
		"too early": {rules(moved(29, "STANDARD_IA")), "greater than or equal to 30"},
		"too late":  {rules(moved(90, "GLACIER")), "'Days' in the Expiration action must be greater"},
	}
	c.refused("s3.BucketLifecycleConfigurationV2", "", cases)
	id := c.make("s3.BucketLifecycleConfigurationV2", "l", rules(moved(30, "STANDARD_IA")))
	c.refused("s3.BucketLifecycleConfigurationV2", id, cases)
}

func TestC7Registries(t *testing.T) {
	c := newCloud(t)
	_, err := c.try("ecr.Repository", "api", props{"name": "alphapulse/api", "imageTagMutability": "IMMUTABLE"})
	require.NoError(t, err)
	assert.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/alphapulse/api",
		c.record(token("ecr.Repository"), "alphapulse/api").Outputs["repositoryUrl"])
	_, err = c.try("ecr.Repository", "api", props{"name": "alphapulse/api"})
	assert.ErrorContains(t, err, "RepositoryAlreadyExistsException")
	_, reasons := c.check("ecr.Repository", "api", props{"name": "AlphaPulse/api"})
	assert.NotEmpty(t, reasons)
	assert.Equal(t, []resource.PropertyKey{"encryptionConfigurations"}, c.diff("ecr.Repository", props{"name": "a1"},
		props{"name": "a1", "encryptionConfigurations": []any{props{"encryptionType": "KMS"}}}).ReplaceKeys)

	secret := func(name string) string {
		return c.make("secretsmanager.Secret", "s", props{"name": name, "recoveryWindowInDays": 0.0})
	}
	rule := func(url, credential string) props {
		in := props{"ecrRepositoryPrefix": "cache", "upstreamRegistryUrl": url}
		if credential != "" {
			in["credentialArn"] = credential
		}
		return in
	}
	login := secret("ecr-pullthroughcache/docker-hub")
	for _, url := range []string{"registry-1.docker.io", "ghcr.io", "registry.gitlab.com"} {
		_, err = c.try("ecr.PullThroughCacheRule", "r", rule(url, ""))
		assert.ErrorContains(t, err, "UnsupportedUpstreamRegistryException: The specified upstream registry requires authentication", url)
	}
	c.refused("ecr.PullThroughCacheRule", "", map[string]refusal{
		"unknown":     {rule("harbor.example.com", ""), "The upstream registry URL harbor.example.com is invalid"},
		"secret name": {rule("ghcr.io", secret("docker-hub")), "must begin with ecr-pullthroughcache/"},
		"no secret":   {rule("ghcr.io", login+"x"), "ResourceNotFoundException: credentialArn"},
	})
	for url, credential := range map[string]string{"public.ecr.aws": "", "registry.k8s.io": "", "quay.io": "", "registry-1.docker.io": login} {
		require.NoError(t, c.destroy("ecr.PullThroughCacheRule", c.make("ecr.PullThroughCacheRule", "r", rule(url, credential))))
	}
	_, reasons = c.check("ecr.PullThroughCacheRule", "r", merged(rule("quay.io", ""), props{"ecrRepositoryPrefix": "Cache/"}))
	assert.NotEmpty(t, reasons)
	_, reasons = c.check("ecr.RegistryScanningConfiguration", "s", props{"scanType": "FULL"})
	assert.NotEmpty(t, reasons)
	template := props{"prefix": "ROOT", "appliedFors": []any{"PULL_THROUGH_CACHE"},
		"encryptionConfigurations": []any{props{"encryptionType": "KMS"}}}
	_, err = c.try("ecr.RepositoryCreationTemplate", "t", template)
	assert.ErrorContains(t, err, "customRoleArn is required")
	c.make("iam.Role", "ecr", props{"name": "ecr", "assumeRolePolicy": "{}"})
	c.make("ecr.RepositoryCreationTemplate", "t", merged(template, props{"customRoleArn": "arn:aws:iam::123456789012:role/ecr"}))
}

func TestS2DeletedSecretsKeepTheirName(t *testing.T) {
	c := newCloud(t)
	in := props{"name": "/alphapulse/prod/database/url", "recoveryWindowInDays": 7.0}
	id := c.make("secretsmanager.Secret", "url", in)
	assert.Regexp(t, `^arn:aws:secretsmanager:eu-west-1:123456789012:secret:/alphapulse/prod/database/url-[0-9a-f]{6}$`, id)
	version := c.make("secretsmanager.SecretVersion", "v", props{"secretId": id, "secretString": "postgres://"})
	assert.Equal(t, id+"|"+str(c.record(token("secretsmanager.SecretVersion"), version).Outputs["versionId"]), version)
	_, err := c.try("secretsmanager.SecretVersion", "w", props{"secretId": id})
	assert.ErrorContains(t, err, "You must provide either SecretString or SecretBinary")
	assert.Equal(t, []resource.PropertyKey{"secretString"}, c.diff("secretsmanager.SecretVersion",
		props{"secretId": id, "secretString": "a"}, props{"secretId": id, "secretString": "b"}).ReplaceKeys)

	found, err := c.invoke("aws:secretsmanager/getSecret:getSecret", props{"name": in["name"]})
	require.NoError(t, err)
	assert.Equal(t, id, found["arn"])
	versions, err := c.invoke("aws:secretsmanager/getSecretVersions:getSecretVersions", props{"secretId": in["name"]})
	require.NoError(t, err)
	require.Len(t, versions["versions"], 1)
	assert.Equal(t, []any{"AWSCURRENT"}, at(versions, "versions").([]any)[0].(map[string]any)["versionStages"])
	assert.NotContains(t, fmt.Sprint(versions), "postgres://", "no value is told")
	_, err = c.invoke("aws:secretsmanager/getSecretVersions:getSecretVersions", props{"secretId": "/alphapulse/prod/none"})
	assert.ErrorContains(t, err, "ResourceNotFoundException: Secrets Manager can't find the specified secret.")
	require.NoError(t, c.update("secretsmanager.Secret", id, merged(in, props{"description": "where the database is"})))
	require.NoError(t, c.destroy("secretsmanager.Secret", id))
	_, err = c.invoke("aws:secretsmanager/getSecret:getSecret", props{"arn": id})
	assert.EqualError(t, err, "reading Secrets Manager Secret ("+id+"): couldn't find resource")
	_, err = c.try("secretsmanager.Secret", "url", in)
	assert.ErrorContains(t, err,
		"InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion")

	// The window ends, and with it the block.
	gone := c.record(deletedSecret, str(in["name"]))
	gone.Outputs["deletionDate"] = "2026-01-01T00:00:00Z"
	require.NoError(t, c.put(gone))
	id = c.make("secretsmanager.Secret", "url", merged(in, props{"recoveryWindowInDays": 0.0}))
	require.NoError(t, c.destroy("secretsmanager.Secret", id))
	c.make("secretsmanager.Secret", "url", in) // without a window nothing is left

	_, reasons := c.check("secretsmanager.Secret", "url", props{"recoveryWindowInDays": 3.0})
	assert.Contains(t, strings.Join(reasons, ""), "0 or in the range (7 - 30), got 3")
	_, reasons = c.check("secretsmanager.Secret", "url", props{"name": "a b"})
	assert.Contains(t, strings.Join(reasons, ""), "not a valid secret name")
}

func TestD5TrailWritesWhereItMay(t *testing.T) {
	c := newCloud(t)
	trail := props{"name": "audit", "s3BucketName": "audit-logs", "isMultiRegionTrail": true}
	attempt := func(more props) error { _, err := c.try("cloudtrail.Trail", "t", merged(trail, more)); return err }
	assert.ErrorContains(t, attempt(nil), "S3BucketDoesNotExistException")
	bucket := c.make("s3.BucketV2", "b", props{"bucket": "audit-logs"})
	assert.ErrorContains(t, attempt(nil), "InsufficientS3BucketPolicyException")
	grant := `{"Statement":[{"Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject"`
	policy := c.make("s3.BucketPolicy", "p", props{"bucket": bucket, "policy": grant + `]}]}`})
	assert.ErrorContains(t, attempt(nil), "InsufficientS3BucketPolicyException", "it also reads the bucket's ACL")
	require.NoError(t, c.update("s3.BucketPolicy", policy, props{"bucket": bucket, "policy": grant + `,"s3:GetBucketAcl"]}]}`}))

	key := c.make("kms.Key", "k", props{"policy": `{"Statement":[]}`})
	assert.ErrorContains(t, attempt(props{"kmsKeyId": key}), "InsufficientEncryptionPolicyException")
	c.make("cloudwatch.LogGroup", "g", props{"name": "trail"})
	assert.ErrorContains(t, attempt(props{"cloudWatchLogsGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:trail"}),
		"InvalidCloudWatchLogsLogGroupArnException")
	assert.ErrorContains(t, attempt(props{"includeGlobalServiceEvents": false}), "must include global service events")
	trail["cloudWatchLogsGroupArn"] = "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*"
	assert.Equal(t, "arn:aws:cloudtrail:eu-west-1:123456789012:trail/audit", c.make("cloudtrail.Trail", "t", trail))
}

func TestD5LogsGoThroughFirehose(t *testing.T) {
	c := newCloud(t)
	c.make("s3.BucketV2", "b", props{"bucket": "audit-logs"})
	c.make("iam.Role", "r", props{"name": "firehose", "assumeRolePolicy": "{}"})
	group := c.make("cloudwatch.LogGroup", "g", props{"name": "eks"})
	const role = "arn:aws:iam::123456789012:role/firehose"
	stream := func(prefix, failed string) props {
		return props{"name": "eks-audit", "destination": "extended_s3", "extendedS3Configuration": props{"roleArn": role,
			"bucketArn": "arn:aws:s3:::audit-logs", "prefix": prefix, "errorOutputPrefix": failed, "compressionFormat": "GZIP"}}
	}
	c.refused("kinesis.FirehoseDeliveryStream", "", map[string]refusal{
		"no error prefix":  {stream("eks/!{timestamp:yyyy}/", ""), "ErrorOutputPrefix cannot be null or empty"},
		"no error type":    {stream("eks/", "failed/!{timestamp:yyyy}/"), "must contain !{firehose:error-output-type}"},
		"wrong place":      {stream("!{firehose:error-output-type}/", "failed/"), "prefix cannot contain"},
		"no configuration": {props{"destination": "extended_s3"}, "extendedS3Configuration is required"},
	})
	_, reasons := c.check("kinesis.FirehoseDeliveryStream", "s", props{"destination": "splunk"})
	assert.NotEmpty(t, reasons)
	arn := c.make("kinesis.FirehoseDeliveryStream", "s", stream("eks/!{timestamp:yyyy}/", "failed/!{firehose:error-output-type}/"))

	filter := props{"logGroup": group, "filterPattern": "", "destinationArn": arn}
	_, err := c.try("cloudwatch.LogSubscriptionFilter", "f", filter)
	assert.ErrorContains(t, err, "roleArn is required")
	filter["roleArn"] = role
	first := c.make("cloudwatch.LogSubscriptionFilter", "f", filter)
	c.make("cloudwatch.LogSubscriptionFilter", "g", filter)
	_, err = c.try("cloudwatch.LogSubscriptionFilter", "h", filter)
	assert.ErrorContains(t, err, "LimitExceededException")
	require.NoError(t, c.update("cloudwatch.LogSubscriptionFilter", first, merged(filter, props{"filterPattern": "audit"})))
}

func TestN5PrefixListHoldsItsEntries(t *testing.T) {
	c := newCloud(t)
	list := func(most float64, blocks ...string) props {
		var entries []any
		for _, block := range blocks {
			entries = append(entries, props{"cidr": block})
		}
		return props{"name": "cloudflare", "addressFamily": "IPv4", "maxEntries": most, "entries": entries}
	}
	id := c.make("ec2.ManagedPrefixList", "l", list(2, "10.0.0.0/24", "10.0.1.0/24"))
	c.refused("ec2.ManagedPrefixList", id, map[string]refusal{
		"too many": {list(1, "10.0.0.0/24", "10.0.1.0/24"), "PrefixListMaxEntriesExceeded"},
		"family":   {list(2, "fd00::/8"), "not of the list's address family"},
		"twice":    {list(2, "10.0.0.0/24", "10.0.0.0/24"), "in the list twice"},
	})
	_, reasons := c.check("ec2.ManagedPrefixList", "l", list(1, "10.0.0.1/24"))
	assert.Contains(t, strings.Join(reasons, ""), "not a valid CIDR block")

	found, err := c.invoke("aws:ec2/getManagedPrefixList:getManagedPrefixList", props{"name": "cloudflare"})
	require.NoError(t, err)
	assert.Equal(t, 1.0, found["version"])
	require.NoError(t, c.update("ec2.ManagedPrefixList", id, list(2, "10.0.2.0/24")))
	found, err = c.invoke("aws:ec2/getManagedPrefixList:getManagedPrefixList", props{"id": id})
	require.NoError(t, err)
	assert.Equal(t, 2.0, found["version"])

	vpc := c.make("ec2.Vpc", "v", props{"cidrBlock": "10.0.0.0/16"})
	group := c.make("ec2.SecurityGroup", "g", props{"vpcId": vpc})
	rule := c.make("vpc.SecurityGroupIngressRule", "r", props{"securityGroupId": group, "ipProtocol": "-1", "prefixListId": id})
	assert.ErrorContains(t, c.destroy("ec2.ManagedPrefixList", id), "DependencyViolation")
	require.NoError(t, c.destroy("vpc.SecurityGroupIngressRule", rule))
	require.NoError(t, c.destroy("ec2.ManagedPrefixList", id))
}
