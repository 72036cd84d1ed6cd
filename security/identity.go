package security

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
)

// Issuer is the cluster's identity provider, which IAM trusts to say which service account a pod has (IRSA, S3).
type Issuer struct {
	ProviderARN pulumi.StringInput
	// Host is the issuer's URL without https://, as it stands in trust conditions.
	Host pulumi.StringOutput
}

// WorkloadRoleArgs are one workload's identity: one role for one service account, with nothing but what is spelled out.
type WorkloadRoleArgs struct {
	// Name is the role's, where others name it before it is there; empty is one of Pulumi's own.
	Name                      string
	Description               string
	Issuer                    Issuer
	Namespace, ServiceAccount string
	// ManagedPolicies are policies of AWS's own, by their path after "policy/"; Statements are ours.
	ManagedPolicies []string
	Statements      []policy.Statement
}

// NewWorkloadRole makes the IAM role of one service account.
func NewWorkloadRole(ctx *pulumi.Context, name string, args *WorkloadRoleArgs, opts ...pulumi.ResourceOption) (*Role, error) {
	subject := "system:serviceaccount:" + args.Namespace + ":" + args.ServiceAccount
	roleArgs := &iam.RoleArgs{
		Description: pulumi.String(args.Description),
		// The issuer's host is part of a key of the document, so the document is written once the host is known.
		AssumeRolePolicy: pulumi.All(args.Issuer.ProviderARN, args.Issuer.Host).ApplyT(func(known []any) pulumi.StringOutput {
			host := known[1].(string)
			return policy.Document(policy.Statement{
				Principal: map[string]any{"Federated": known[0].(string)},
				Actions:   []string{"sts:AssumeRoleWithWebIdentity"},
				Conditions: map[string]map[string]any{"StringEquals": {
					host + ":sub": subject, host + ":aud": "sts.amazonaws.com",
				}},
			})
		}).(pulumi.StringOutput),
	}
	if args.Name != "" {
		roleArgs.Name = pulumi.String(args.Name)
	}
	role, err := iam.NewRole(ctx, name, roleArgs, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the role of %s: %w", subject, err)
	}
	// The role's parent is also the parent of its policies, so they take the same options.
	permissions, err := permit(ctx, name, role, args.ManagedPolicies, args.Statements, opts...)
	if err != nil {
		return nil, err
	}
	return &Role{role, permissions}, nil
}
