// Package security holds what guards the rest: the account a stack may touch, encryption keys, workload identity.
package security

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// NewAccount makes the provider that everything on AWS goes through. It refuses any other account than the stack's own (E1), and tags
// all that it makes.
func NewAccount(ctx *pulumi.Context, platform config.Platform) (*aws.Provider, error) {
	provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
		Region:            pulumi.String(platform.AWS.Region),
		AllowedAccountIds: pulumi.StringArray{pulumi.String(platform.AWS.Account)},
		DefaultTags: aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{
			"Project":     pulumi.String(config.Namespace),
			"Environment": pulumi.String(platform.Environment),
			"ManagedBy":   pulumi.String("pulumi"),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("configuring AWS account %s: %w", platform.AWS.Account, err)
	}
	return provider, nil
}
