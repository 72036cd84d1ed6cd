package security

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/lookup"
)

// SecretsGuide is what warnings about secrets refer to.
const SecretsGuide = "docs/secrets.md"

// InspectSecrets asks AWS, in previews too, which of the secrets that only a person has are without a value, and says so in one warning
// with what to do; "" if there are none. It asks for the versions' numbers and stages: no value ever comes into Pulumi. A secret that is
// not there yet has no value either.
func InspectSecrets(ctx *pulumi.Context, environment string, opts ...pulumi.InvokeOption) (string, error) {
	var empty []string
	for _, s := range secretTable {
		if s.origin != byPerson {
			continue
		}
		name := SecretName(environment, s.path)
		found, err := secretsmanager.GetSecretVersions(ctx, &secretsmanager.GetSecretVersionsArgs{SecretId: name}, opts...)
		switch {
		case err == nil && slices.ContainsFunc(found.Versions, isCurrent):
		case err == nil || lookup.Missing(err):
			empty = append(empty, fmt.Sprintf("%s, for %s: %s", s.name, s.readers, s.command(environment)))
		default:
			return "", fmt.Errorf("asking for the versions of the secret %s: %w", name, err)
		}
	}
	if len(empty) == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d secret(s) have no value, which only a person can give them once they exist; pods that read one wait for it (%s):\n  %s",
		len(empty), SecretsGuide, strings.Join(empty, "\n  ")), nil
}

func isCurrent(version secretsmanager.GetSecretVersionsVersion) bool {
	return slices.Contains(version.VersionStages, "AWSCURRENT")
}
