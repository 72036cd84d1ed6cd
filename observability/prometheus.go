package observability

import (
	"embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
	"github.com/alphapulse/infrastructure/workloads"
)

// PrometheusToken is the component's type.
const PrometheusToken = "alphapulse:observability:Prometheus"

//go:embed prometheus/prometheus.yml prometheus/rules prometheus/alerts
var prometheusFiles embed.FS

const (
	prometheusPort = 9090
	prometheusPath = "/etc/prometheus"
	prometheusData = "/prometheus"

	// keptDays is how long figures are kept (O1).
	keptDays = 15
	// usedPercent is how much of its volume they may take before the oldest go early: the log of what is new, and blocks that are being made
	// of others, need the rest.
	usedPercent = 70
	// prometheusStop is what it gets to write what it has in memory.
	prometheusStop = 120
)

// PrometheusArgs are what Prometheus is made from.
type PrometheusArgs struct {
	Spec  config.Watcher
	Stack Stack
	// Facts are what it could not know.
	Facts Facts
}

// Prometheus asks all programs for their figures, keeps them, and judges them.
type Prometheus struct {
	pulumi.ResourceState
}

// NewPrometheus runs as many as the stack says, each for itself (O1): all see the same, and Alertmanager takes their alerts for one.
func NewPrometheus(ctx *pulumi.Context, place workloads.Place, args *PrometheusArgs, opts ...pulumi.ResourceOption) (*Prometheus, error) {
	const name = config.PrometheusName
	p := &Prometheus{}
	if err := component(ctx, PrometheusToken, name, place, p, opts); err != nil {
		return nil, err
	}
	files, err := folders(ctx, place, name, prometheusFiles, []folder{
		{"prometheus", name + "-config", prometheusPath},
		{"prometheus/rules", name + "-rules", prometheusPath + "/rules"},
		{"prometheus/alerts", name + "-alerts", prometheusPath + "/alerts"},
	}, p)
	if err != nil {
		return nil, err
	}
	facts, err := newFacts(ctx, place, name, args.Facts, p)
	if err != nil {
		return nil, err
	}
	made, err := workloads.NewService(ctx, name, place, &workloads.ServiceArgs{
		Spec:        args.Spec.Workload(),
		Labels:      labels(name),
		ServiceName: name,
		Ports:       []workloads.Port{{Name: "http", Container: prometheusPort, Service: []int{prometheusPort}}},
		Command: []string{
			"--config.file=" + prometheusPath + "/prometheus.yml",
			"--storage.tsdb.path=" + prometheusData,
			fmt.Sprintf("--storage.tsdb.retention.time=%dd", keptDays),
			// Its MB are those of a volume's GiB.
			fmt.Sprintf("--storage.tsdb.retention.size=%dMB", args.Spec.StorageGiB<<10*usedPercent/100),
			"--log.format=json",
		},
		Env:             args.Stack.env(),
		Files:           append(files, facts),
		Sticky:          true, // each has seen what it has seen: graphs would change from look to look
		State:           &workloads.State{GiB: args.Spec.StorageGiB, Path: prometheusData, Governing: names(name)},
		Probes:          asked("/-/healthy", "/-/ready"), // it is alive while it reads its log anew, and ready afterwards
		CallsKubernetes: true,
		AsksItself:      true,
		Priority:        workloads.Watching,
		StopWithin:      prometheusStop,
	}, pulumi.Parent(p))
	if err != nil {
		return nil, err
	}
	watch := []string{"list", "watch"}
	if _, err := security.NewGrant(ctx, security.Grant{
		Name: name, Account: made.Account.Metadata.Name().Elem(), AccountNamespace: place.Namespace,
		Rights: []security.Right{
			{Group: "", Resources: []string{"pods", "nodes"}, Verbs: watch},
			// What a kubelet asks the API server about whoever wants its metrics. No right to its proxy, which runs commands in pods.
			{Group: "", Resources: []string{"nodes/metrics"}, Verbs: []string{"get"}},
		},
	}, pulumi.Parent(p)); err != nil {
		return nil, fmt.Errorf("giving Prometheus its rights: %w", err)
	}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{})
}
