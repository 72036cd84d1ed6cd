package security_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

func vaultIdentity(t *testing.T, protect bool) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		aws := config.AWS{Account: account, Region: "eu-west-1"}
		k, err := security.NewKeys(ctx, "keys", &security.KeysArgs{Name: "alphapulse-prod", AWS: aws})
		if err != nil {
			return err
		}
		_, err = security.NewVaultIdentity(ctx, &security.VaultIdentityArgs{
			Name: "alphapulse-prod", Environment: "prod", AWS: aws, Keys: k, Protect: protect,
			Issuer: security.Issuer{ProviderARN: pulumi.String("arn:aws:iam::" + account + ":oidc-provider/oidc.example"), Host: pulumi.String("oidc.example").ToStringOutput()},
		})
		return err
	})
}

func TestS3VaultOpensItsSealAndCannotReadItsRecoveryKeys(t *testing.T) {
	run := vaultIdentity(t, true)
	role := run.Find(t, "aws:iam/role:Role", "vault")
	assert.Equal(t, "alphapulse-prod-vault", role.At("name"), "the seal's key names it")
	allowed := map[string][]string{}
	for _, s := range recorder.Statements(t, run.Find(t, "aws:iam/rolePolicy:RolePolicy", "vault").At("policy")) {
		require.Len(t, s.Resource, 1)
		allowed[s.Resource[0]] = append(allowed[s.Resource[0]], s.Action...)
		if s.Sid == "EncryptThroughSecretsManager" {
			assert.Len(t, s.Condition["StringEquals"], 2, "through Secrets Manager, and for this secret")
		}
	}
	secret := recorder.ARN("aws:secretsmanager/secret:Secret", "vault-recovery-keys")
	assert.Equal(t, map[string][]string{
		recorder.ARN("aws:kms/key:Key", "keys-vault-unseal"): {"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"},
		recorder.ARN("aws:kms/key:Key", "keys-data"):         {"kms:GenerateDataKey", "kms:Decrypt"},
		secret: {"secretsmanager:ListSecretVersionIds", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"},
	}, allowed)
}

func TestS1RecoveryKeysSecretIsEmptyAtFirstAndNotLostByMistake(t *testing.T) {
	run := vaultIdentity(t, true)
	secret := run.Find(t, "aws:secretsmanager/secret:Secret", "vault-recovery-keys")
	assert.Equal(t, "/alphapulse/prod/vault/recovery-keys", secret.At("name"))
	assert.Equal(t, []any{true, 30.}, []any{secret.Protect, secret.At("recoveryWindowInDays")})
	assert.Empty(t, run.All("aws:secretsmanager/secretVersion:SecretVersion"), "no value of it comes into Pulumi")
	assert.False(t, vaultIdentity(t, false).Find(t, "aws:secretsmanager/secret:Secret", "vault-recovery-keys").Protect)
}
