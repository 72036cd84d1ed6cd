package security

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/chart"
	"github.com/alphapulse/infrastructure/config"
)

// ExternalSecretsToken is the component's type.
const ExternalSecretsToken = "alphapulse:security:ExternalSecrets"

// ExternalSecretsArgs are what the operator is made from.
type ExternalSecretsArgs struct {
	// Provider reaches the cluster's API server.
	Provider pulumi.ProviderResource
	// Namespace is the operator's own, Serves are those whose secrets it looks after.
	Namespace pulumi.StringInput
	Serves    map[Space]pulumi.StringInput
	Images    chart.Images
}

// ExternalSecrets is the External Secrets Operator (S2): it copies secrets from AWS Secrets Manager into the cluster and keeps them in step.
type ExternalSecrets struct {
	pulumi.ResourceState

	chart pulumi.Resource // what is made of its kinds comes after it
}

// NewExternalSecrets runs the operator, from its vendor's chart, with rights of our own.
func NewExternalSecrets(ctx *pulumi.Context, args *ExternalSecretsArgs, opts ...pulumi.ResourceOption) (*ExternalSecrets, error) {
	operator := config.ExternalSecrets
	e := &ExternalSecrets{}
	if err := ctx.RegisterComponentResource(ExternalSecretsToken, operator.Name, e, append(opts, pulumi.Provider(args.Provider))...); err != nil {
		return nil, err
	}
	rights, err := newExternalSecretsRights(ctx, args, e)
	if err != nil {
		return nil, err
	}
	values, err := externalSecretsValues(args)
	if err != nil {
		return nil, err
	}
	// Its programs are not ready without their rights.
	if e.chart, err = chart.Install(ctx, operator.Name, operator, args.Namespace, values,
		pulumi.Parent(e), pulumi.Provider(args.Provider), pulumi.DependsOn(rights)); err != nil {
		return nil, err
	}
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{})
}

// externalSecretsValues are the chart's values: stores and external secrets of a namespace, and nothing of what else it could do.
func externalSecretsValues(args *ExternalSecretsArgs) (pulumi.Map, error) {
	off, on := pulumi.Bool(false), pulumi.Bool(true)
	values := pulumi.Map{
		"global": pulumi.Map{
			"nodeSelector": chart.OnPlatformPool,
			"podAnnotations": pulumi.StringMap{
				"prometheus.io/scrape": pulumi.String("true"), "prometheus.io/port": pulumi.String("8080"),
			},
			"topologySpreadConstraints": pulumi.Array{pulumi.Map{
				"maxSkew": pulumi.Int(1), "topologyKey": pulumi.String("kubernetes.io/hostname"), "whenUnsatisfiable": pulumi.String("ScheduleAnyway"),
			}},
		},
		"leaderElect":   on,
		"livenessProbe": pulumi.Map{"enabled": on},
		"rbac":          pulumi.Map{"create": off}, // see newExternalSecretsRights
		"crds": pulumi.Map{
			"createClusterExternalSecret": off, "createClusterSecretStore": off, "createClusterGenerator": off,
			"createClusterPushSecret": off, "createPushSecret": off,
		},
		"processClusterExternalSecret": off, "processClusterStore": off, "processClusterGenerator": off,
		"processClusterPushSecret": off, "processPushSecret": off,
		"extraArgs": pulumi.Map{"enable-generator-state": pulumi.String("false")},
	}
	for name, at := range map[string]string{"controller": "", "webhook": "webhook", "cert-controller": "certController"} {
		program, err := externalSecretsProgram(args, name)
		if err != nil {
			return nil, err
		}
		if at == "" { // the controller's stand at the top
			maps.Copy(values, program)
		} else {
			values[at] = program
		}
	}
	values["certController"].(pulumi.Map)["rbac"] = pulumi.Map{"create": off}
	return values, nil
}

// externalSecretsProgram are the values that each of the three programs has.
func externalSecretsProgram(args *ExternalSecretsArgs, name string) (pulumi.Map, error) {
	program := config.ExternalSecrets.Program(name)
	image, err := args.Images.Image(program)
	if err != nil {
		return nil, err
	}
	values := pulumi.Map{
		"replicaCount":       pulumi.Int(program.Replicas),
		"image":              image,
		"resources":          chart.Resources(program),
		"podSecurityContext": chart.PodSecurity,
		"securityContext":    chart.ContainerSecurity,
	}
	if program.Replicas > 1 { // a budget for a single pod would keep its node from ever being drained
		values["podDisruptionBudget"] = pulumi.Map{"enabled": pulumi.Bool(true), "maxUnavailable": pulumi.Int(1)}
	}
	return values, nil
}
