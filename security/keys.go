package security

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
)

// KeysToken is the component's type.
const KeysToken = "alphapulse:security:Keys"

// KeysArgs are what the keys are made from.
type KeysArgs struct {
	// Name is the environment's prefix; aliases are alias/<name>/<purpose>.
	Name    string
	AWS     config.AWS
	Protect bool
}

// Keys are the ARNs of the environment's KMS keys, one for each purpose, so that each has its own users and its own audit trail (D6).
type Keys struct {
	pulumi.ResourceState

	// VaultUnseal opens Vault's seal, Data encrypts databases, buckets and secrets, ClusterSecrets Kubernetes secrets in etcd, Disks the
	// nodes' disks and volumes, Logs the log groups.
	VaultUnseal, Data, ClusterSecrets, Disks, Logs pulumi.StringOutput
}

// key is a row of the table of keys: its purpose and who may use it beside the account's own IAM policies.
type key struct {
	purpose, description string
	users                []policy.Statement
	arn                  *pulumi.StringOutput
}

var (
	useKey = []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"}
	// inKeyPolicy: in a key policy, "*" is the key itself.
	inKeyPolicy = []any{"*"}
)

// NewKeys makes the keys.
func NewKeys(ctx *pulumi.Context, name string, args *KeysArgs, opts ...pulumi.ResourceOption) (*Keys, error) {
	keys := &Keys{}
	if err := ctx.RegisterComponentResource(KeysToken, name, keys, opts...); err != nil {
		return nil, err
	}
	for _, k := range []key{
		{"vault-unseal", "Seal of Vault", sealUsers(args), &keys.VaultUnseal},
		{"data", "Databases, buckets and secrets", trailUsers(args), &keys.Data},
		{"cluster-secrets", "Kubernetes secrets in etcd", nil, &keys.ClusterSecrets},
		{"disks", "Disks of nodes, and volumes", nodeDiskUsers(args.AWS), &keys.Disks},
		{"logs", "CloudWatch log groups", logUsers(args), &keys.Logs},
	} {
		made, err := kms.NewKey(ctx, name+"-"+k.purpose, &kms.KeyArgs{
			Description:          pulumi.String(args.Name + ": " + k.description),
			EnableKeyRotation:    pulumi.Bool(true),
			DeletionWindowInDays: pulumi.Int(30),
			Policy:               policy.Document(append([]policy.Statement{administrators(args.AWS.Account)}, k.users...)...),
			Tags:                 pulumi.StringMap{"Name": pulumi.String(args.Name + "-" + k.purpose)},
		}, pulumi.Parent(keys), pulumi.Protect(args.Protect))
		if err != nil {
			return nil, fmt.Errorf("creating the key %q: %w", k.purpose, err)
		}
		if _, err := kms.NewAlias(ctx, name+"-"+k.purpose, &kms.AliasArgs{
			Name:        pulumi.String("alias/" + args.Name + "/" + k.purpose),
			TargetKeyId: made.KeyId,
		}, pulumi.Parent(keys)); err != nil {
			return nil, fmt.Errorf("creating the alias of key %q: %w", k.purpose, err)
		}
		*k.arn = made.Arn
	}
	return keys, ctx.RegisterResourceOutputs(keys, pulumi.Map{
		"vaultUnseal": keys.VaultUnseal, "data": keys.Data, "clusterSecrets": keys.ClusterSecrets, "disks": keys.Disks, "logs": keys.Logs,
	})
}

// administrators lets the account's IAM policies decide; without it a key can become unmanageable for ever.
func administrators(account string) policy.Statement {
	return policy.Statement{
		Sid:       "AccountPoliciesDecide",
		Principal: map[string]any{"AWS": "arn:aws:iam::" + account + ":root"},
		Actions:   []string{"kms:*"},
		Resources: inKeyPolicy,
	}
}

// nodeDiskUsers are the service roles that start instances, of node groups and of spot requests: without the grant no node starts. They are
// named in a condition and not as principals, because KMS refuses a principal that does not exist, and in a new account they do not yet.
func nodeDiskUsers(aws config.AWS) []policy.Statement {
	roles := "arn:aws:iam::" + aws.Account + ":role/aws-service-role/"
	role := map[string]any{
		"aws:PrincipalArn": []string{
			roles + "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling", roles + "spot.amazonaws.com/AWSServiceRoleForEC2Spot",
		},
		"kms:CallerAccount": aws.Account,
	}
	return []policy.Statement{{
		Sid:       "StartInstances",
		Principal: map[string]any{"AWS": "*"},
		Actions:   useKey, Resources: inKeyPolicy,
		Conditions: map[string]map[string]any{"StringEquals": role},
	}, {
		Sid:       "StartInstancesGrant",
		Principal: map[string]any{"AWS": "*"},
		Actions:   []string{"kms:CreateGrant"}, Resources: inKeyPolicy,
		Conditions: map[string]map[string]any{"StringEquals": role, "Bool": {"kms:GrantIsForAWSResource": "true"}},
	}}
}

// TrailARN is the environment's audit trail, which is named before it exists by those who let it in.
func TrailARN(name string, aws config.AWS) string {
	return "arn:aws:cloudtrail:" + aws.Region + ":" + aws.Account + ":trail/" + name
}

// trailUsers name CloudTrail, for the environment's own trail: it writes to a bucket that is encrypted with the key. RDS, S3 and Secrets
// Manager act in the name of who calls them, and IAM decides about those.
func trailUsers(args *KeysArgs) []policy.Statement {
	return []policy.Statement{{
		Sid:       "EncryptAuditTrail",
		Principal: map[string]any{"Service": "cloudtrail.amazonaws.com"},
		// Decrypt is asked for because the bucket has a bucket key. No condition on the encryption context for the same reason: it is the
		// bucket's then, not the trail's (AWS docs, "Configure AWS KMS key policies for CloudTrail", "Amazon S3 Bucket Keys").
		Actions: []string{"kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"}, Resources: inKeyPolicy,
		Conditions: map[string]map[string]any{"StringEquals": {"aws:SourceArn": TrailARN(args.Name, args.AWS)}},
	}}
}

// logUsers name the logs service, for this environment's groups, EKS's and RDS's only.
func logUsers(args *KeysArgs) []policy.Statement {
	groups := "arn:aws:logs:" + args.AWS.Region + ":" + args.AWS.Account + ":log-group:"
	return []policy.Statement{{
		Sid:       "EncryptLogs",
		Principal: map[string]any{"Service": "logs." + args.AWS.Region + ".amazonaws.com"},
		Actions:   useKey, Resources: inKeyPolicy,
		Conditions: map[string]map[string]any{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": []string{
			groups + "/" + args.Name + "/*", groups + "/aws/eks/" + args.Name + "/*",
			groups + "/aws/rds/instance/" + args.Name + "/*", groups + "/aws/rds/instance/" + args.Name + "-replica/*",
		}}},
	}}
}
