package workloads

import (
	"fmt"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// authorityFile is the ConfigMap with the certificate by which clients know the servers inside the cluster.
const authorityFile = "internal-ca"

// newAPIRights makes the source's api-role: the Secrets and the ConfigMap that the API uses, by name (C6). The source's `list` is left out:
// it would show all Secrets of the namespace, whatever the names say.
func newAPIRights(ctx *pulumi.Context, place Place, api *Service, env []Env) error {
	var secrets []string
	for _, e := range env {
		if e.Secret != "" && !slices.Contains(secrets, e.Secret) {
			secrets = append(secrets, e.Secret)
		}
	}
	get := []string{"get"}
	_, err := security.NewGrant(ctx, security.Grant{
		Name: "api", Object: "api-role", Namespace: place.Namespace,
		Account: api.Account.Metadata.Name().Elem(), AccountNamespace: place.Namespace,
		Rights: []security.Right{
			{Group: "", Resources: []string{"secrets"}, Verbs: get, Names: secrets},
			{Group: "", Resources: []string{"configmaps"}, Verbs: get, Names: []string{authorityFile}},
		},
	}, pulumi.Parent(api))
	return err
}

// newIngressRights lets Traefik read the routes and what they lead to, in its own namespace. It has to list the namespace's secrets to
// find the certificate: Traefik watches them all, and RBAC cannot narrow a list down (docs/decisions.md). Classes and nodes belong to no
// namespace; Traefik looks classes up there, and watches nodes though it uses none.
func newIngressRights(ctx *pulumi.Context, place Place, account *corev1.ServiceAccount, owner pulumi.Resource) error {
	read := []string{"get", "list", "watch"}
	for _, grant := range []security.Grant{{
		Object: "ingress-role", Namespace: place.Namespace, Rights: []security.Right{
			{Group: "", Resources: []string{"services", "secrets"}, Verbs: read},
			{Group: "discovery.k8s.io", Resources: []string{"endpointslices"}, Verbs: read},
			{Group: "networking.k8s.io", Resources: []string{"ingresses"}, Verbs: read},
			{Group: "networking.k8s.io", Resources: []string{"ingresses/status"}, Verbs: []string{"update"}},
		},
	}, {
		Rights: []security.Right{
			{Group: "networking.k8s.io", Resources: []string{"ingressclasses"}, Verbs: read},
			{Group: "", Resources: []string{"nodes"}, Verbs: read},
		},
	}} {
		grant.Name, grant.Account, grant.AccountNamespace = config.IngressName, account.Metadata.Name().Elem(), place.Namespace
		if _, err := security.NewGrant(ctx, grant, pulumi.Parent(owner)); err != nil {
			return fmt.Errorf("giving Traefik its rights: %w", err)
		}
	}
	return nil
}
