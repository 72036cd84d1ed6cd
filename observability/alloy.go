package observability

import (
	"embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
	"github.com/alphapulse/infrastructure/workloads"
)

// AlloyToken is the component's type.
const AlloyToken = "alphapulse:observability:Alloy"

//go:embed alloy
var alloyFiles embed.FS

const (
	alloyPort = 12345
	alloyPath = "/etc/alloy"
	// podLogs is where a node has what its pods write.
	podLogs = "/var/log/pods"
	// rootGroup may read those files; nobody but root may change them.
	rootGroup = 0
)

// AlloyArgs are what the collector is made from.
type AlloyArgs struct {
	Spec  config.Agent
	Stack Stack
}

// Alloy collects what the pods of its node write, and hands it to Loki.
type Alloy struct {
	pulumi.ResourceState
}

// NewAlloy runs it on every node (O4). It is not root: it belongs to root's group, which may read the logs. How far it has read is forgotten with
// its pod: the next one reads the files from their beginning, and Loki drops or refuses most of what it has (docs/decisions.md).
func NewAlloy(ctx *pulumi.Context, place workloads.Place, args *AlloyArgs, opts ...pulumi.ResourceOption) (*Alloy, error) {
	const name = config.AlloyName
	a := &Alloy{}
	if err := component(ctx, AlloyToken, name, place, a, opts); err != nil {
		return nil, err
	}
	files, err := workloads.NewFolder(ctx, place, name+"-config", name, alloyPath, alloyFiles, "alloy", a)
	if err != nil {
		return nil, err
	}
	made, err := workloads.NewService(ctx, name, place, &workloads.ServiceArgs{
		Spec:   args.Spec.Workload(),
		Labels: labels(name),
		Ports:  []workloads.Port{{Name: "http", Container: alloyPort}},
		Command: []string{
			"run", alloyPath + "/config.alloy", "--storage.path=/tmp/alloy",
			fmt.Sprintf("--server.http.listen-addr=0.0.0.0:%d", alloyPort), "--disable-reporting",
		},
		Env:   append(args.Stack.env(), workloads.Env{Name: "NODE_NAME", Field: "spec.nodeName"}),
		Files: []workloads.Files{files, {Name: "pod-logs", Path: podLogs, Node: podLogs}},
		// Whether Loki takes anything is not asked: starting again would not help.
		Probes: workloads.Probes{
			Live:  workloads.Probe{InitialDelay: 10, Period: 20, Timeout: 5, Failures: 3},
			Ready: workloads.Probe{Path: "/-/ready", InitialDelay: 2, Period: 10, Timeout: 5, Failures: 3},
		},
		EveryNode:       true,
		Groups:          []int{rootGroup},
		CallsKubernetes: true,
		Priority:        workloads.EveryNode,
		StopWithin:      30,
	}, pulumi.Parent(a))
	if err != nil {
		return nil, err
	}
	if _, err := security.NewGrant(ctx, security.Grant{
		Name: name, Account: made.Account.Metadata.Name().Elem(), AccountNamespace: place.Namespace,
		Rights: []security.Right{{Group: "", Resources: []string{"pods"}, Verbs: []string{"list", "watch"}}},
	}, pulumi.Parent(a)); err != nil {
		return nil, fmt.Errorf("giving the collector its rights: %w", err)
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{})
}
