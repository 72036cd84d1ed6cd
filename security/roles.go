package security

import (
	"fmt"
	"path"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RoleArgs are a role that an AWS service, not a pod, takes on.
type RoleArgs struct {
	Description     string
	Trust           pulumi.StringInput
	ManagedPolicies []string
}

// NewRole makes a role of a service.
func NewRole(ctx *pulumi.Context, name string, args *RoleArgs, opts ...pulumi.ResourceOption) (*iam.Role, error) {
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description:      pulumi.String(args.Description),
		AssumeRolePolicy: args.Trust,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the role %q: %w", name, err)
	}
	return role, attach(ctx, name, role, args.ManagedPolicies, opts...)
}

// attach gives a role policies of AWS's own.
func attach(ctx *pulumi.Context, name string, role *iam.Role, policies []string, opts ...pulumi.ResourceOption) error {
	for _, managed := range policies {
		if _, err := iam.NewRolePolicyAttachment(ctx, name+"-"+path.Base(managed), &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/" + managed),
		}, opts...); err != nil {
			return fmt.Errorf("attaching %s to the role %q: %w", managed, name, err)
		}
	}
	return nil
}
