package security

import (
	"fmt"
	"path"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
)

// Role is an IAM role with its permissions. What uses the role waits for all of them, and they go after it: a cluster whose role has lost
// its permissions cannot be deleted any more.
type Role struct {
	*iam.Role
	Permissions []pulumi.Resource
}

// RoleArgs are a role that an AWS service, not a pod, takes on.
type RoleArgs struct {
	Description string
	Trust       pulumi.StringInput
	// ManagedPolicies are policies of AWS's own, by their path after "policy/"; Statements are ours.
	ManagedPolicies []string
	Statements      []policy.Statement
}

// NewRole makes a role of a service.
func NewRole(ctx *pulumi.Context, name string, args *RoleArgs, opts ...pulumi.ResourceOption) (*Role, error) {
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description:      pulumi.String(args.Description),
		AssumeRolePolicy: args.Trust,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the role %q: %w", name, err)
	}
	permissions, err := permit(ctx, name, role, args.ManagedPolicies, args.Statements, opts...)
	return &Role{role, permissions}, err
}

// permit gives a role policies of AWS's own, and statements of ours.
func permit(
	ctx *pulumi.Context, name string, role *iam.Role, policies []string, statements []policy.Statement, opts ...pulumi.ResourceOption,
) ([]pulumi.Resource, error) {
	var permissions []pulumi.Resource
	for _, managed := range policies {
		attachment, err := iam.NewRolePolicyAttachment(ctx, name+"-"+path.Base(managed), &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/" + managed),
		}, opts...)
		if err != nil {
			return nil, fmt.Errorf("attaching %s to the role %q: %w", managed, name, err)
		}
		permissions = append(permissions, attachment)
	}
	if len(statements) > 0 {
		own, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: role.ID(), Policy: policy.Document(statements...)}, opts...)
		if err != nil {
			return nil, fmt.Errorf("creating the permissions of the role %q: %w", name, err)
		}
		permissions = append(permissions, own)
	}
	return permissions, nil
}
