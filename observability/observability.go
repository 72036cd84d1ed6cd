// Package observability runs what watches the platform: Prometheus asks for figures and judges them, Alertmanager calls people, Loki keeps
// logs, Alloy collects them on each node, Grafana shows both (O1-O4). They have the shape of package workloads; what they are told is in the
// folders beside this file.
package observability

import (
	"embed"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/workloads"
)

// Stack is where they run, for what they say about themselves.
type Stack struct {
	// Environment and Region are labels of all that leaves the cluster; Name is the environment's prefix, and the cluster's name.
	Environment, Region, Name string
}

func (s Stack) env() []workloads.Env {
	return []workloads.Env{
		{Name: "ENVIRONMENT", Value: s.Environment}, {Name: "REGION", Value: s.Region}, {Name: "CLUSTER", Value: s.Name},
		{Name: "POD_NAME", Field: "metadata.name"}, {Name: "POD_IP", Field: "status.podIP"},
	}
}

// component registers one of them: its children are Kubernetes' unless the options say more.
func component(ctx *pulumi.Context, token, name string, place workloads.Place, made pulumi.ComponentResource, opts []pulumi.ResourceOption) error {
	return ctx.RegisterComponentResource(token, name, made, append(opts, pulumi.Provider(place.Provider))...)
}

func labels(name string) map[string]string { return map[string]string{"app": name} }

// names is the headless Service through which the pods of a program have names of their own.
func names(program string) string { return program + "-names" }

// folder is a folder of embedded files, the ConfigMap that it becomes, and where a program finds it.
type folder struct{ from, name, path string }

// folders makes them, in their order: a file of one may name those of another.
func folders(ctx *pulumi.Context, place workloads.Place, program string, files embed.FS, list []folder, parent pulumi.Resource) (made []workloads.Files, err error) {
	for _, f := range list {
		one, err := workloads.NewFolder(ctx, place, f.name, program, f.path, files, f.from, parent)
		if err != nil {
			return nil, err
		}
		made = append(made, one)
	}
	return made, nil
}

// asked are probes over HTTP: alive is whoever answers, ready who is done with what he does first.
func asked(live, ready string) workloads.Probes {
	return workloads.Probes{
		Live:  workloads.Probe{Path: live, InitialDelay: 10, Period: 10, Timeout: 5, Failures: 6},
		Ready: workloads.Probe{Path: ready, InitialDelay: 2, Period: 5, Timeout: 3, Failures: 3},
	}
}

// monitoring is the place, in config's words.
const monitoring = config.MonitoringNamespace
