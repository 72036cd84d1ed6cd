package observability

import (
	"embed"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/workloads"
)

// GrafanaToken is the component's type.
const GrafanaToken = "alphapulse:observability:Grafana"

//go:embed grafana
var grafanaFiles embed.FS

const (
	grafanaPort = 3000
	grafanaPath = "/etc/grafana"
	// grafanaData is for its own database, which holds nothing that is not in files.
	grafanaData = "/var/lib/grafana"
	// grafanaPassword is the Secret with the administrator's password.
	grafanaPassword = "grafana-credentials"
)

// GrafanaArgs are what Grafana is made from.
type GrafanaArgs struct {
	Spec  config.Single
	Stack Stack
}

// Grafana shows figures and logs.
type Grafana struct {
	pulumi.ResourceState
}

// NewGrafana runs it (O3). It keeps nothing: where its data comes from and what it shows are files. No route leads to it; people come by
// `kubectl port-forward`, with the rights that they have in the cluster.
func NewGrafana(ctx *pulumi.Context, place workloads.Place, args *GrafanaArgs, opts ...pulumi.ResourceOption) (*Grafana, error) {
	const name = config.GrafanaName
	g := &Grafana{}
	if err := component(ctx, GrafanaToken, name, place, g, opts); err != nil {
		return nil, err
	}
	files, err := folders(ctx, place, name, grafanaFiles, []folder{
		{"grafana", name + "-config", grafanaPath},
		{"grafana/provisioning/datasources", name + "-datasources", grafanaPath + "/provisioning/datasources"},
		{"grafana/provisioning/dashboards", name + "-providers", grafanaPath + "/provisioning/dashboards"},
		{"grafana/dashboards", name + "-dashboards", grafanaPath + "/dashboards"},
	}, g)
	if err != nil {
		return nil, err
	}
	// Its database is made anew with each pod, which takes a slow machine more than the minute that others have; its own chart waits as long.
	probes := asked("/api/health", "/api/health")
	probes.Live.InitialDelay, probes.Live.Failures = 60, 10
	if _, err := workloads.NewService(ctx, name, place, &workloads.ServiceArgs{
		Spec:        args.Spec.Workload(),
		Labels:      labels(name),
		ServiceName: name,
		Ports:       []workloads.Port{{Name: "http", Container: grafanaPort, Service: []int{grafanaPort}}},
		Env:         args.Stack.env(),
		Files: append(files,
			workloads.Files{Name: grafanaPassword, Path: grafanaPath + "/secrets", Secret: grafanaPassword},
			workloads.Files{Name: "data", Path: grafanaData, Scratch: "1Gi"}),
		Probes:     probes,
		Priority:   workloads.Watching,
		StopWithin: 30,
	}, pulumi.Parent(g)); err != nil {
		return nil, err
	}
	return g, ctx.RegisterResourceOutputs(g, pulumi.Map{})
}
