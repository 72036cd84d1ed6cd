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
func NewAccount(ctx *pulumi.Context, account config.AWS, tags map[string]string) (*aws.Provider, error) {
	provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
		Region:            pulumi.String(account.Region),
		AllowedAccountIds: pulumi.StringArray{pulumi.String(account.Account)},
		DefaultTags:       aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(tags)},
	})
	if err != nil {
		return nil, fmt.Errorf("configuring AWS account %s: %w", account.Account, err)
	}
	return provider, nil
}
