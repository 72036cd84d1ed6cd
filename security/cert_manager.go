package security

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/chart"
	"github.com/alphapulse/infrastructure/config"
)

// CertManagerToken is the component's type.
const CertManagerToken = "alphapulse:security:CertManager"

// CertManagerArgs are what cert-manager is made from.
type CertManagerArgs struct {
	// Namespace is its own; Secrets that its issuers read lie there.
	Namespace pulumi.StringInput
	// Provider is the cluster's.
	Provider pulumi.ProviderResource
	Images   chart.Images
}

// CertManager gets and renews certificates (W1). Whatever is of its kinds depends on it: it is made when the API server can reach the
// webhook that checks such objects, and goes while somebody is there to clean up after them.
type CertManager struct {
	pulumi.ResourceState

	chart pulumi.Resource // what is made of its kinds comes after it
}

// NewCertManager runs cert-manager, from its vendor's chart.
func NewCertManager(ctx *pulumi.Context, name string, args *CertManagerArgs, opts ...pulumi.ResourceOption) (*CertManager, error) {
	c := &CertManager{}
	if err := ctx.RegisterComponentResource(CertManagerToken, name, c, opts...); err != nil {
		return nil, err
	}
	values, err := certManagerValues(args)
	if err != nil {
		return nil, err
	}
	if c.chart, err = chart.Install(ctx, name, config.CertManager, args.Namespace, values, pulumi.Parent(c), pulumi.Provider(args.Provider)); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// certManagerValues are the chart's values. The controller's stand at their top, those of the other two under their names.
func certManagerValues(args *CertManagerArgs) (pulumi.Map, error) {
	values, err := certManagerProgram(args, "controller")
	if err != nil {
		return nil, err
	}
	for name, own := range map[string]pulumi.Map{
		"cainjector": {"config": injectorConfig(args.Namespace)},
		"webhook": {
			"validatingWebhookConfigurationAnnotations": readyWith(webhookAuthority),
			"mutatingWebhookConfigurationAnnotations":   readyWith(webhookAuthority),
		},
	} {
		shared, err := certManagerProgram(args, name)
		if err != nil {
			return nil, err
		}
		maps.Copy(shared, own)
		values[name] = shared
	}
	off := pulumi.Bool(false)
	var signers pulumi.StringArray
	for _, issuer := range issuerNames {
		signers = append(signers, pulumi.String("clusterissuers.cert-manager.io/"+issuer))
	}
	maps.Copy(values, pulumi.Map{
		"crds": pulumi.Map{"enabled": pulumi.Bool(true), "keep": off}, // else they would outlive their stack
		"global": pulumi.Map{
			"leaderElection": pulumi.Map{"namespace": args.Namespace},  // kube-system is not ours
			"rbac":           pulumi.Map{"aggregateClusterRoles": off}, // who may edit pods may not have certificates for that
		},
		"approveSignerNames": signers, // no other issuer, whoever makes it
		// It is a Helm hook, which Pulumi does not run. What it waits for, the annotations of the webhook wait for.
		"startupapicheck": pulumi.Map{"enabled": off},
	})
	return values, nil
}

// certManagerProgram are the values that each of its programs has.
func certManagerProgram(args *CertManagerArgs, name string) (pulumi.Map, error) {
	program := config.CertManager.Program(name)
	image, err := args.Images.Image(program)
	if err != nil {
		return nil, err
	}
	return pulumi.Map{
		"replicaCount":             pulumi.Int(program.Replicas),
		"image":                    image,
		"resources":                chart.Resources(program),
		"nodeSelector":             chart.OnPlatformPool,
		"podDisruptionBudget":      pulumi.Map{"enabled": pulumi.Bool(true), "maxUnavailable": pulumi.Int(1)},
		"securityContext":          chart.PodSecurity,
		"containerSecurityContext": chart.ContainerSecurity,
		"topologySpreadConstraints": chart.Spread(pulumi.StringMap{
			"app.kubernetes.io/instance": pulumi.String(config.CertManager.Name), "app.kubernetes.io/component": pulumi.String(name),
		}),
	}, nil
}

// injectorConfig lets the injector serve cert-manager's own webhook only: it would otherwise keep every Secret of the cluster in memory,
// and write authorities wherever an annotation asks for one.
func injectorConfig(namespace pulumi.StringInput) pulumi.Map {
	off := pulumi.Bool(false)
	return pulumi.Map{
		"namespace":              namespace,
		"enableDataSourceConfig": pulumi.Map{"certificates": off},
		"enableInjectableConfig": pulumi.Map{"apiServices": off, "customResourceDefinitions": off},
	}
}

// webhookAuthority is what the API server recognises the webhook by. The injector writes it a moment after all pods are ready, and until
// then every object of cert-manager's kinds is refused.
const webhookAuthority = "jsonpath={.webhooks[0].clientConfig.caBundle}"

// readyWith is the annotation by which Pulumi waits until an object has what others write into it.
func readyWith(condition string) pulumi.StringMap {
	return pulumi.StringMap{"pulumi.com/waitFor": pulumi.String(condition)}
}
