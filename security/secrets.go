package security

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// SecretArgs are what a secret in AWS Secrets Manager is made from (S2).
type SecretArgs struct {
	Environment string
	// Path is what follows /alphapulse/<environment>/ in the secret's name: "database/url".
	Path        string
	Description string
	KeyARN      pulumi.StringInput
	// Value is nil for what only a person has: it is put in by hand, once, and Pulumi never sees it.
	Value   pulumi.StringInput
	Protect bool
}

// Secret is a secret in AWS Secrets Manager.
type Secret struct {
	// Name is the path that External Secrets reads.
	Name string
	// ARN is known once the secret has its value, if it gets one.
	ARN pulumi.StringOutput
}

const (
	// A deleted secret can be had back for so many days, the most AWS knows. Its name stays taken as long, so that a stack that is made
	// and unmade could not be made again: there it goes at once.
	secretRecoveryDays = 30

	// passwordLength in letters and digits makes 238 bits, and nothing that has to be escaped in a URL.
	passwordLength = 40
)

// SecretName is a secret's name in Secrets Manager.
func SecretName(environment, path string) string {
	return "/" + config.Namespace + "/" + environment + "/" + path
}

// NewSecret makes a secret, with its value if it has one.
func NewSecret(ctx *pulumi.Context, name string, args *SecretArgs, opts ...pulumi.ResourceOption) (*Secret, error) {
	path, recovery := SecretName(args.Environment, args.Path), 0
	if args.Protect {
		recovery = secretRecoveryDays
	}
	secret, err := secretsmanager.NewSecret(ctx, name, &secretsmanager.SecretArgs{
		Name:                 pulumi.String(path),
		Description:          pulumi.String(args.Description),
		KmsKeyId:             args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		RecoveryWindowInDays: pulumi.Int(recovery),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the secret %s: %w", path, err)
	}
	if args.Value == nil {
		return &Secret{Name: path, ARN: secret.Arn}, nil
	}
	version, err := secretsmanager.NewSecretVersion(ctx, name, &secretsmanager.SecretVersionArgs{
		SecretId:     secret.ID(),
		SecretString: args.Value.ToStringOutput().ToStringPtrOutput(), // the SDK marks it secret
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("setting the secret %s: %w", path, err)
	}
	return &Secret{Name: path, ARN: version.Arn}, nil
}

// NewPassword generates a password. It stays the same until the resource is replaced.
func NewPassword(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	password, err := random.NewRandomPassword(ctx, name, &random.RandomPasswordArgs{
		Length: pulumi.Int(passwordLength), Special: pulumi.Bool(false),
	}, opts...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("generating the password %q: %w", name, err)
	}
	return pulumi.ToSecret(password.Result).(pulumi.StringOutput), nil
}
