package security_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	keyType    = "aws:kms/key:Key"
	aliasType  = "aws:kms/alias:Alias"
	role       = "aws:iam/role:Role"
	attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	rolePolicy = "aws:iam/rolePolicy:RolePolicy"
	account    = "222222222222"
)

var purposes = []string{"vault-unseal", "data", "cluster-secrets", "disks", "logs"}

func keys(t *testing.T, protect bool) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, err := security.NewKeys(ctx, "keys", &security.KeysArgs{
			Name: "alphapulse-prod", AWS: config.AWS{Account: account, Region: "eu-west-1"}, Protect: protect,
		})
		return err
	})
}

// users are a key's statements beside the first, which is the account's own.
func users(t *testing.T, run *recorder.Run, purpose string) []recorder.Statement {
	t.Helper()
	statements := recorder.Statements(t, run.Find(t, keyType, "keys-"+purpose).At("policy"))
	require.NotEmpty(t, statements)
	first := statements[0]
	assert.Equal(t, recorder.Strings{"kms:*"}, first.Action, "without it the key can become unmanageable for ever")
	assert.Equal(t, map[string]recorder.Strings{"AWS": {"arn:aws:iam::222222222222:root"}}, first.Principal)
	return statements[1:]
}

func TestD6EveryPurposeHasARotatingKeyUnderItsAlias(t *testing.T) {
	run := keys(t, true)
	require.Len(t, run.All(keyType), len(purposes))
	require.Len(t, run.All(aliasType), len(purposes))
	for _, purpose := range purposes {
		key := run.Find(t, keyType, "keys-"+purpose)
		assert.Equal(t, true, key.At("enableKeyRotation"), purpose)
		assert.EqualValues(t, 30, key.At("deletionWindowInDays"), purpose)
		assert.True(t, key.Protect, "%s: what it encrypted is lost with it", purpose)
		alias := run.Find(t, aliasType, "keys-"+purpose)
		assert.Equal(t, "alias/alphapulse-prod/"+purpose, alias.At("name"))
		assert.Equal(t, "keys-"+purpose+"-key-id", alias.At("targetKeyId"))
	}
	for _, key := range keys(t, false).All(keyType) {
		assert.False(t, key.Protect, key.Name)
	}
}

func TestD6KeysAreHandedOnByPurpose(t *testing.T) {
	var got []any
	recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		k, err := security.NewKeys(ctx, "keys", &security.KeysArgs{Name: "alphapulse-prod", AWS: config.AWS{Account: account, Region: "us-east-1"}})
		if err != nil {
			return err
		}
		pulumi.All(k.VaultUnseal, k.Data, k.ClusterSecrets, k.Disks, k.Logs).ApplyT(func(arns []any) error { got = arns; return nil })
		return nil
	})
	want := make([]any, 0, len(purposes))
	for _, purpose := range purposes {
		want = append(want, recorder.ARN(keyType, "keys-"+purpose))
	}
	assert.Equal(t, want, got)
}

func TestD6ClusterSecretsKeyIsForIAMToGrant(t *testing.T) {
	assert.Empty(t, users(t, keys(t, false), "cluster-secrets"))
}

func TestD6SealKeyNamesVault(t *testing.T) {
	list := users(t, keys(t, false), "vault-unseal")
	require.Len(t, list, 1)
	assert.ElementsMatch(t, []string{"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"}, list[0].Action)
	assert.Equal(t, map[string]recorder.Strings{
		"aws:PrincipalArn": {"arn:aws:iam::222222222222:role/alphapulse-prod-vault"}, "kms:CallerAccount": {account},
	}, list[0].Condition["StringEquals"], "the principal is anybody, so the condition names the one")
}

func TestD6DataKeyNamesCloudTrailForOurTrailOnly(t *testing.T) {
	list := users(t, keys(t, false), "data")
	require.Len(t, list, 1, "RDS, S3 and Secrets Manager act for who calls them")
	assert.Equal(t, map[string]recorder.Strings{"Service": {"cloudtrail.amazonaws.com"}}, list[0].Principal)
	assert.ElementsMatch(t, []string{"kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"}, list[0].Action, "Decrypt because of the bucket key")
	assert.Equal(t, map[string]map[string]recorder.Strings{"StringEquals": {
		"aws:SourceArn": {"arn:aws:cloudtrail:eu-west-1:222222222222:trail/alphapulse-prod"},
	}}, list[0].Condition)
}

func TestD6DisksKeyIsForTheRoleThatStartsInstances(t *testing.T) {
	list := users(t, keys(t, false), "disks")
	require.Len(t, list, 2)
	for _, s := range list {
		assert.Equal(t, recorder.Strings{
			"arn:aws:iam::222222222222:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
			"arn:aws:iam::222222222222:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
		},
			s.Condition["StringEquals"]["aws:PrincipalArn"], "the principal is anybody, so the condition names the one")
		assert.Equal(t, recorder.Strings{account}, s.Condition["StringEquals"]["kms:CallerAccount"])
	}
	assert.Subset(t, list[0].Action, []string{"kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"})
	assert.NotContains(t, list[0].Action, "kms:CreateGrant")
	assert.Equal(t, recorder.Strings{"kms:CreateGrant"}, list[1].Action, "without the grant no node starts")
	assert.Equal(t, recorder.Strings{"true"}, list[1].Condition["Bool"]["kms:GrantIsForAWSResource"])
}

func TestD6LogsKeyNamesTheLogsServiceForOurGroups(t *testing.T) {
	list := users(t, keys(t, false), "logs")
	require.Len(t, list, 1)
	assert.Equal(t, map[string]recorder.Strings{"Service": {"logs.eu-west-1.amazonaws.com"}}, list[0].Principal)
	assert.Equal(t, recorder.Strings{
		"arn:aws:logs:eu-west-1:222222222222:log-group:/alphapulse-prod/*",
		"arn:aws:logs:eu-west-1:222222222222:log-group:/aws/eks/alphapulse-prod/*",
		"arn:aws:logs:eu-west-1:222222222222:log-group:/aws/rds/instance/alphapulse-prod/*",
		"arn:aws:logs:eu-west-1:222222222222:log-group:/aws/rds/instance/alphapulse-prod-replica/*",
	}, list[0].Condition["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
}

func workloadRole(t *testing.T, args *security.WorkloadRoleArgs) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, err := security.NewWorkloadRole(ctx, "reader", args)
		return err
	})
}

func issuer() security.Issuer {
	return security.Issuer{ProviderARN: pulumi.String("arn:of:issuer"), Host: pulumi.String("issuer.example/id/1").ToStringOutput()}
}

func TestS3WorkloadRoleIsForOneServiceAccountAndAudience(t *testing.T) {
	run := workloadRole(t, &security.WorkloadRoleArgs{Issuer: issuer(), Namespace: "alphapulse-prod", ServiceAccount: "api"})
	trust := recorder.Statements(t, run.Find(t, role, "reader").At("assumeRolePolicy"))
	assert.Equal(t, []recorder.Statement{{
		Effect:    "Allow",
		Action:    recorder.Strings{"sts:AssumeRoleWithWebIdentity"},
		Principal: map[string]recorder.Strings{"Federated": {"arn:of:issuer"}},
		Condition: map[string]map[string]recorder.Strings{"StringEquals": {
			"issuer.example/id/1:sub": {"system:serviceaccount:alphapulse-prod:api"},
			"issuer.example/id/1:aud": {"sts.amazonaws.com"},
		}},
	}}, trust)
	assert.Empty(t, run.All(attachment))
	assert.Empty(t, run.All(rolePolicy), "nothing that is not spelled out")
}

func TestS3WorkloadRoleHasWhatIsSpelledOut(t *testing.T) {
	run := workloadRole(t, &security.WorkloadRoleArgs{
		Issuer: issuer(), Namespace: "kube-system", ServiceAccount: "csi",
		ManagedPolicies: []string{"AmazonEBSCSIDriverPolicyV2"},
		Statements:      []policy.Statement{{Actions: []string{"s3:GetObject"}, Resources: []any{"arn:aws:s3:::a/*"}}},
	})
	attached := run.Find(t, attachment, "reader-AmazonEBSCSIDriverPolicyV2")
	assert.Equal(t, []any{"reader", "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"}, []any{attached.At("role"), attached.At("policyArn")})
	own := run.Find(t, rolePolicy, "reader")
	assert.Equal(t, "reader-id", own.At("role"))
	statements := recorder.Statements(t, own.At("policy"))
	require.Len(t, statements, 1)
	assert.Equal(t, recorder.Strings{"s3:GetObject"}, statements[0].Action)
	assert.Equal(t, recorder.Strings{"arn:aws:s3:::a/*"}, statements[0].Resource)
}

func TestS3ServiceRoleTrustsWhomItIsToldTo(t *testing.T) {
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, err := security.NewRole(ctx, "node", &security.RoleArgs{Trust: pulumi.String("{}"), ManagedPolicies: []string{"A", "service-role/B"}})
		return err
	})
	assert.Equal(t, "{}", run.Find(t, role, "node").At("assumeRolePolicy"))
	require.Len(t, run.All(attachment), 2)
	assert.Equal(t, "arn:aws:iam::aws:policy/A", run.Find(t, attachment, "node-A").At("policyArn"))
	assert.Equal(t, "arn:aws:iam::aws:policy/service-role/B", run.Find(t, attachment, "node-B").At("policyArn"))
}

func TestE1ProviderRefusesEveryOtherAccount(t *testing.T) {
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, err := security.NewAccount(ctx, config.AWS{Account: account, Region: "eu-west-1"}, map[string]string{"Project": "alphapulse"})
		return err
	})
	provider := run.Find(t, "pulumi:providers:aws", "aws")
	// A provider's inputs are JSON, as its plugin takes them.
	assert.Equal(t, []any{account}, provider.At("allowedAccountIds"))
	assert.Equal(t, "eu-west-1", provider.At("region"))
	assert.Equal(t, map[string]any{"Project": "alphapulse"}, provider.At("defaultTags.tags"))
	assert.NotEqual(t, true, provider.At("skipRequestingAccountId"), "or the account would not be known")
}
