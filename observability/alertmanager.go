package observability

import (
	"embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/workloads"
)

// AlertmanagerToken is the component's type.
const AlertmanagerToken = "alphapulse:observability:Alertmanager"

//go:embed alertmanager
var alertmanagerFiles embed.FS

const (
	alertmanagerPort, gossipPort = 9093, 9094

	alertmanagerPath = "/etc/alertmanager"
	alertmanagerData = "/alertmanager"

	// pagerDuty is the Secret with the key of who is called. It is read anew for each alert, so that a new one needs no rollout.
	pagerDuty = "pagerduty-credentials"
)

// AlertmanagerArgs are what Alertmanager is made from.
type AlertmanagerArgs struct {
	Spec  config.Watcher
	Stack Stack
}

// Alertmanager decides who is called, and calls.
type Alertmanager struct {
	pulumi.ResourceState
}

// NewAlertmanager runs as many as the stack says, which tell each other what they have told people already (O2).
func NewAlertmanager(ctx *pulumi.Context, place workloads.Place, args *AlertmanagerArgs, opts ...pulumi.ResourceOption) (*Alertmanager, error) {
	const name = config.AlertmanagerName
	a := &Alertmanager{}
	if err := component(ctx, AlertmanagerToken, name, place, a, opts); err != nil {
		return nil, err
	}
	files, err := folders(ctx, place, name, alertmanagerFiles, []folder{
		{"alertmanager", name + "-config", alertmanagerPath},
		{"alertmanager/templates", name + "-templates", alertmanagerPath + "/templates"},
	}, a)
	if err != nil {
		return nil, err
	}
	if _, err := workloads.NewService(ctx, name, place, &workloads.ServiceArgs{
		Spec:        args.Spec.Workload(),
		Labels:      labels(name),
		ServiceName: name,
		Ports: []workloads.Port{
			{Name: "http", Container: alertmanagerPort, Service: []int{alertmanagerPort}},
			{Name: "gossip", Container: gossipPort},
		},
		Command: append([]string{
			"--config.file=" + alertmanagerPath + "/alertmanager.yml",
			"--storage.path=" + alertmanagerData,
			"--log.format=json",
		}, gossip(name, args.Spec.Replicas)...),
		Env:        args.Stack.env(),
		Files:      append(files, workloads.Files{Name: pagerDuty, Path: alertmanagerPath + "/secrets", Secret: pagerDuty}),
		State:      &workloads.State{GiB: args.Spec.StorageGiB, Path: alertmanagerData, Governing: names(name)},
		Probes:     asked("/-/healthy", "/-/ready"),
		Priority:   workloads.Watching,
		StopWithin: 30,
	}, pulumi.Parent(a)); err != nil {
		return nil, err
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{})
}

// gossip are the settings with which the pods find each other, by names that stay theirs. One alone listens to nobody.
func gossip(name string, replicas int) []string {
	if replicas == 1 {
		return []string{"--cluster.listen-address="}
	}
	list := []string{fmt.Sprintf("--cluster.listen-address=$(POD_IP):%d", gossipPort), fmt.Sprintf("--cluster.advertise-address=$(POD_IP):%d", gossipPort)}
	for i := range replicas {
		list = append(list, fmt.Sprintf("--cluster.peer=%s-%d.%s:%d", name, i, names(name), gossipPort))
	}
	return list
}
