package security

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Right is one rule of a role: verbs on resources of an API group, of those names only if any are given (C6).
type Right struct {
	Group                   string // "" is the core's
	Resources, Verbs, Names []string
}

// Grant is a role for one service account, and its binding.
type Grant struct {
	// Name is Pulumi's for both. Object is theirs in the cluster, where it is another; what belongs to no namespace gets the project's prefix.
	Name, Object string
	// Namespace is where the rights hold; nil is the whole cluster.
	Namespace                 pulumi.StringInput
	Account, AccountNamespace pulumi.StringInput
	Rights                    []Right
}

// NewGrant makes the role and binds it. It gives the binding: who has that, has the rights.
func NewGrant(ctx *pulumi.Context, grant Grant, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	if grant.Object == "" {
		grant.Object = grant.Name
	}
	var rules rbacv1.PolicyRuleArray
	for _, r := range grant.Rights {
		rule := rbacv1.PolicyRuleArgs{
			ApiGroups: pulumi.ToStringArray([]string{r.Group}), Resources: pulumi.ToStringArray(r.Resources), Verbs: pulumi.ToStringArray(r.Verbs),
		}
		if len(r.Names) > 0 {
			rule.ResourceNames = pulumi.ToStringArray(r.Names)
		}
		rules = append(rules, rule)
	}
	subjects := rbacv1.SubjectArray{rbacv1.SubjectArgs{
		Kind: pulumi.String("ServiceAccount"), Name: grant.Account, Namespace: grant.AccountNamespace.ToStringOutput().ToStringPtrOutput(),
	}}
	labels := pulumi.StringMap{"app.kubernetes.io/part-of": pulumi.String(config.Namespace)}
	refer := func(kind string, name pulumi.StringInput) rbacv1.RoleRefArgs {
		return rbacv1.RoleRefArgs{ApiGroup: pulumi.String("rbac.authorization.k8s.io"), Kind: pulumi.String(kind), Name: name}
	}
	if grant.Namespace == nil {
		metadata := metav1.ObjectMetaArgs{Name: pulumi.String(config.Namespace + "-" + grant.Object), Labels: labels}
		role, err := rbacv1.NewClusterRole(ctx, grant.Name, &rbacv1.ClusterRoleArgs{Metadata: metadata, Rules: rules}, opts...)
		if err != nil {
			return nil, fmt.Errorf("creating the cluster role %q: %w", grant.Name, err)
		}
		return rbacv1.NewClusterRoleBinding(ctx, grant.Name, &rbacv1.ClusterRoleBindingArgs{
			Metadata: metadata, RoleRef: refer("ClusterRole", role.Metadata.Name().Elem()), Subjects: subjects,
		}, opts...)
	}
	metadata := metav1.ObjectMetaArgs{Name: pulumi.String(grant.Object), Namespace: grant.Namespace.ToStringOutput().ToStringPtrOutput(), Labels: labels}
	role, err := rbacv1.NewRole(ctx, grant.Name, &rbacv1.RoleArgs{Metadata: metadata, Rules: rules}, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the role %q: %w", grant.Name, err)
	}
	return rbacv1.NewRoleBinding(ctx, grant.Name, &rbacv1.RoleBindingArgs{
		Metadata: metadata, RoleRef: refer("Role", role.Metadata.Name().Elem()), Subjects: subjects,
	}, opts...)
}
