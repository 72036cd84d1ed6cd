package security

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
)

// VaultIdentityToken is the component's type.
const VaultIdentityToken = "alphapulse:security:VaultIdentity"

// VaultKeysPath is where Vault's recovery keys are kept, after /alphapulse/<environment>/.
const VaultKeysPath = "vault/recovery-keys"

// VaultIdentityArgs are what Vault's place in AWS is made from.
type VaultIdentityArgs struct {
	// Name is the environment's prefix, which is the platform's namespace, too.
	Name        string
	Environment string
	AWS         config.AWS
	Issuer      Issuer
	Keys        *Keys
	Protect     bool
}

// VaultIdentity is what Vault is in AWS: a role, and the secret into which it puts its recovery keys.
type VaultIdentity struct {
	pulumi.ResourceState

	// RoleARN is known once the role may do all that it must.
	RoleARN pulumi.StringOutput
	// KeysSecret is the secret's name.
	KeysSecret string
}

// NewVaultIdentity makes them. The role opens the seal, and writes the secret but cannot read it: with the recovery keys anybody becomes
// Vault's root, and Vault itself never needs them (S1, S3).
func NewVaultIdentity(ctx *pulumi.Context, args *VaultIdentityArgs, opts ...pulumi.ResourceOption) (*VaultIdentity, error) {
	v := &VaultIdentity{}
	const name = config.VaultName // and its children's
	if err := ctx.RegisterComponentResource(VaultIdentityToken, name, v, opts...); err != nil {
		return nil, err
	}
	kept, err := NewSecret(ctx, name+"-recovery-keys", &SecretArgs{
		Environment: args.Environment, Path: VaultKeysPath, Description: "Recovery keys of Vault of " + args.Name,
		KeyARN: args.Keys.Data, Protect: args.Protect,
	}, pulumi.Parent(v), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, err
	}
	role, err := NewWorkloadRole(ctx, name, &WorkloadRoleArgs{
		Name: vaultRole(args.Name), Description: "Vault of " + args.Name,
		Issuer: args.Issuer, Namespace: args.Name, ServiceAccount: config.VaultName,
		Statements: []policy.Statement{{
			Sid: "OpenTheSeal", Actions: useSeal, Resources: []any{args.Keys.VaultUnseal},
		}, {
			Sid:       "KeepRecoveryKeys",
			Actions:   []string{"secretsmanager:ListSecretVersionIds", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"},
			Resources: []any{kept.ARN},
		}, {
			Sid: "EncryptThroughSecretsManager", Actions: []string{"kms:GenerateDataKey", "kms:Decrypt"}, Resources: []any{args.Keys.Data},
			Conditions: map[string]map[string]any{"StringEquals": {
				"kms:ViaService":                  "secretsmanager." + args.AWS.Region + ".amazonaws.com",
				"kms:EncryptionContext:SecretARN": kept.ARN,
			}},
		}},
	}, pulumi.Parent(v))
	if err != nil {
		return nil, fmt.Errorf("making Vault's identity: %w", err)
	}
	v.RoleARN = pulumi.OutputWithDependencies(ctx.Context(), role.Arn, role.Permissions...).(pulumi.StringOutput)
	v.KeysSecret = kept.Name
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{})
}

// vaultRole is the role's name, which the seal's key names before there is a cluster that the role could be for.
func vaultRole(name string) string { return name + "-" + config.VaultName }

// useSeal is all that Vault does with its key.
var useSeal = []string{"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"}

// sealUsers is Vault, in a condition and not as a principal, for the same reason as the nodes' roles.
func sealUsers(args *KeysArgs) []policy.Statement {
	return []policy.Statement{{
		Sid:       "OpenTheSeal",
		Principal: map[string]any{"AWS": "*"},
		Actions:   useSeal, Resources: inKeyPolicy,
		Conditions: map[string]map[string]any{"StringEquals": {
			"aws:PrincipalArn":  "arn:aws:iam::" + args.AWS.Account + ":role/" + vaultRole(args.Name),
			"kms:CallerAccount": args.AWS.Account,
		}},
	}}
}
