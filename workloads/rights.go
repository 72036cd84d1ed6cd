package workloads

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

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
