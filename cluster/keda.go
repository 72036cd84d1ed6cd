package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/chart"
	"github.com/alphapulse/infrastructure/config"
)

// KEDAToken is the component's type.
const KEDAToken = "alphapulse:cluster:KEDA"

// KEDAArgs are what KEDA is made from.
type KEDAArgs struct {
	Cluster *Cluster
	// Name is the environment's prefix.
	Name   string
	Images chart.Images
}

// KEDA scales workers by the length of their queues (W3, W4). What it scales depends on it: its kinds come with the chart, and every object
// of them has a finalizer that only the running operator removes.
type KEDA struct {
	pulumi.ResourceState

	// Ready are the operator, with its kinds, and its way to the broker, for what is scaled.
	Ready []pulumi.Resource
}

// NewKEDA runs KEDA, from its vendor's chart, and tells it how to get to the broker.
func NewKEDA(ctx *pulumi.Context, args *KEDAArgs, opts ...pulumi.ResourceOption) (*KEDA, error) {
	operator := config.KEDA
	k := &KEDA{}
	if err := ctx.RegisterComponentResource(KEDAToken, operator.Name, k, opts...); err != nil {
		return nil, err
	}
	inside := []pulumi.ResourceOption{pulumi.Parent(k), pulumi.Provider(args.Cluster.Provider)}
	values, err := kedaValues(args)
	if err != nil {
		return nil, err
	}
	made, err := chart.Install(ctx, operator.Name, operator, args.Cluster.Namespaces.Operators[operator.Name], values, inside...)
	if err != nil {
		return nil, err
	}
	// Sentinel asks for the same password as the servers that it watches.
	var login pulumi.Array
	for _, parameter := range []string{"password", "sentinelPassword"} {
		login = append(login, pulumi.Map{
			"parameter": pulumi.String(parameter), "name": pulumi.String("broker-credentials"), "key": pulumi.String("password"),
		})
	}
	broker, err := apiextensions.NewCustomResource(ctx, operator.Name+"-broker", &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("keda.sh/v1alpha1"), Kind: pulumi.String("TriggerAuthentication"),
		Metadata:    metav1.ObjectMetaArgs{Name: pulumi.String(config.BrokerAuthentication), Namespace: args.Cluster.Namespaces.Platform},
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{"secretTargetRef": login}},
	}, append(inside, pulumi.DependsOn([]pulumi.Resource{made}))...) // its kind comes with the chart
	if err != nil {
		return nil, fmt.Errorf("creating KEDA's way to the broker: %w", err)
	}
	k.Ready = []pulumi.Resource{made, broker}
	return k, ctx.RegisterResourceOutputs(k, pulumi.Map{})
}

// kedaParts are KEDA's programs: as config names them, as their pods are labelled, and the chart's keys for an image, for settings, and for
// where it misspells its own.
var kedaParts = []struct{ program, app, image, part, spread string }{
	{"operator", "keda-operator", "keda", "operator", "operator"},
	{"metrics-server", "keda-operator-metrics-apiserver", "metricsApiServer", "metricServer", "metricsServer"},
	{"webhooks", "keda-admission-webhooks", "webhooks", "webhooks", "webhooks"},
}

// kedaValues are the chart's values. The operator makes its certificates itself when it runs, so that the chart renders the same each time.
func kedaValues(args *KEDAArgs) (pulumi.Map, error) {
	image := pulumi.Map{"pullPolicy": pulumi.String("IfNotPresent")} // a registry's outage holds no restart up
	values := pulumi.Map{
		"clusterName":        pulumi.String(args.Name),
		"watchNamespace":     args.Cluster.Namespaces.Platform, // all others are none of its business
		"image":              image,
		"nodeSelector":       chart.OnPlatformPool,
		"enableServiceLinks": pulumi.Bool(false),
		// Otherwise it may read and scale every kind of object that there is.
		"rbac":       pulumi.Map{"enabledCustomScaledRefKinds": pulumi.Bool(false)},
		"prometheus": pulumi.Map{"operator": pulumi.Map{"enabled": pulumi.Bool(true), "port": pulumi.Int(8080)}},
		"podAnnotations": pulumi.Map{"keda": pulumi.ToStringMap(map[string]string{
			"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics",
		})},
	}
	resources, pods, containers, budgets, spread := pulumi.Map{}, pulumi.Map{}, pulumi.Map{}, pulumi.Map{}, pulumi.Map{}
	for _, p := range kedaParts {
		program := config.KEDA.Program(p.program)
		from, err := args.Images.Image(program)
		if err != nil {
			return nil, err
		}
		from["registry"] = pulumi.String("") // it is part of the image's name
		image[p.image] = from
		resources[p.part], pods[p.part], containers[p.part] = chart.Resources(program), chart.PodSecurity, chart.ContainerSecurity
		budgets[p.part] = pulumi.Map{"maxUnavailable": pulumi.Int(1)}
		spread[p.spread] = chart.Spread(pulumi.StringMap{"app": pulumi.String(p.app)})
		values[p.spread] = pulumi.Map{"replicaCount": pulumi.Int(program.Replicas)}
	}
	for key, value := range map[string]pulumi.Map{
		"resources": resources, "podSecurityContext": pods, "securityContext": containers,
		"podDisruptionBudget": budgets, "topologySpreadConstraints": spread,
	} {
		values[key] = value
	}
	return values, nil
}
