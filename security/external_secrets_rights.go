package security

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// The chart's names: of the service accounts of two of its programs, and of what the second keeps in order.
const (
	externalSecretsAccount = "external-secrets"
	webhookCertifier       = "external-secrets-cert-controller"
	webhookCertificate     = "external-secrets-webhook"
)

// newExternalSecretsRights gives the operator what it needs, instead of the chart's cluster roles: those may write any Secret of the cluster
// and ask for a token of any service account, which with IRSA is any IAM role of ours. Reading stays wide, because the operator watches
// whole kinds, and RBAC cannot narrow a watch down. What it needs was read off its source, version 1.3.2.
func newExternalSecretsRights(ctx *pulumi.Context, args *ExternalSecretsArgs, parent pulumi.Resource) ([]pulumi.Resource, error) {
	name := config.ExternalSecrets.Name
	watch, keep, report := []string{"get", "list", "watch"}, []string{"get", "update", "patch"}, []string{"create", "patch"}
	events := Right{Group: "", Resources: []string{"events"}, Verbs: report}
	grants := []Grant{{
		Name: name, Rights: []Right{
			{Group: "external-secrets.io", Resources: []string{"secretstores", "externalsecrets"}, Verbs: watch},
			{Group: "generators.external-secrets.io", Resources: []string{"generatorstates"}, Verbs: watch},
			{Group: "", Resources: []string{"serviceaccounts"}, Verbs: watch}, // which role an account stands for
			{Group: "", Resources: []string{"secrets"}, Verbs: []string{"list", "watch"}},
		},
	}, {
		Name: name, Namespace: args.Namespace, Rights: []Right{
			{Group: "coordination.k8s.io", Resources: []string{"leases"}, Verbs: []string{"create"}},
			{Group: "coordination.k8s.io", Resources: []string{"leases"}, Verbs: keep, Names: []string{"external-secrets-controller"}},
			events,
		},
	}}
	for _, space := range slices.Sorted(maps.Keys(args.Serves)) {
		var names []string
		for _, s := range inSpace(space) {
			names = append(names, s.name)
		}
		grants = append(grants, Grant{
			Name: name + "-" + string(space), Object: name, Namespace: args.Serves[space], Rights: []Right{
				{Group: "external-secrets.io", Verbs: keep, Resources: []string{
					"externalsecrets", "externalsecrets/status", "externalsecrets/finalizers", "secretstores", "secretstores/status",
				}},
				{Group: "", Resources: []string{"secrets"}, Verbs: []string{"create"}}, // what is new has no name yet, as RBAC sees it
				{Group: "", Resources: []string{"secrets"}, Verbs: append([]string{"delete"}, keep...), Names: names},
				{Group: "", Resources: []string{"serviceaccounts/token"}, Verbs: []string{"create"}, Names: []string{storeName}},
				events,
			},
		})
	}
	for i := range grants {
		grants[i].Account, grants[i].AccountNamespace = pulumi.String(externalSecretsAccount), args.Namespace
	}
	certifier := []Grant{{
		Name: name + "-cert-controller", Rights: []Right{
			{Group: "apiextensions.k8s.io", Resources: []string{"customresourcedefinitions"}, Verbs: watch},
			{Group: "apiextensions.k8s.io", Resources: []string{"customresourcedefinitions"}, Verbs: keep,
				Names: []string{"externalsecrets.external-secrets.io", "secretstores.external-secrets.io"}},
			{Group: "admissionregistration.k8s.io", Resources: []string{"validatingwebhookconfigurations"}, Verbs: watch},
			{Group: "admissionregistration.k8s.io", Resources: []string{"validatingwebhookconfigurations"}, Verbs: keep,
				Names: []string{"externalsecret-validate", "secretstore-validate"}},
			{Group: "discovery.k8s.io", Resources: []string{"endpointslices"}, Verbs: watch},
			events, // about what belongs to no namespace; they are written into "default"
		},
	}, {
		Name: name + "-cert-controller", Namespace: args.Namespace, Rights: []Right{
			{Group: "", Resources: []string{"secrets"}, Verbs: keep, Names: []string{webhookCertificate}},
		},
	}}
	for i := range certifier {
		certifier[i].Account, certifier[i].AccountNamespace = pulumi.String(webhookCertifier), args.Namespace
	}
	var made []pulumi.Resource
	for _, grant := range append(grants, certifier...) {
		binding, err := NewGrant(ctx, grant, pulumi.Parent(parent))
		if err != nil {
			return nil, fmt.Errorf("giving External Secrets its rights: %w", err)
		}
		made = append(made, binding)
	}
	return made, nil
}
