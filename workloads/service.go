// Package workloads runs the platform's own programs on the cluster. They share one shape, Service; each program is a table of what is
// its own (W1-W6).
package workloads

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// ServiceToken is the component's type.
const ServiceToken = "alphapulse:workloads:Service"

// Place is where workloads go: one namespace of one cluster.
type Place struct {
	Namespace pulumi.StringInput
	Provider  pulumi.ProviderResource
	Pools     func(name string) (config.NodePool, bool)
	// Image gives the name under which nodes pull an image (C7).
	Image func(name string) (pulumi.StringInput, error)
	// Scaler is what reads queues, KEDA: whatever scales by one comes after it, and goes before it.
	Scaler []pulumi.Resource
	// Protect keeps what programs remember from being deleted (E1).
	Protect bool
}

// Service is one program, run by a Deployment that its autoscaler sizes, by a StatefulSet where it keeps something, or by a DaemonSet.
type Service struct {
	pulumi.ResourceState

	// Door is the Kubernetes Service, nil where nobody calls; Account the service account.
	Door    *corev1.Service
	Account *corev1.ServiceAccount
	// Runs is its Deployment, StatefulSet or DaemonSet, for those who come after it.
	Runs pulumi.Resource
}

// ServiceArgs are what one program has of its own.
type ServiceArgs struct {
	// Spec is what the stack says about it: image, pool, replicas, requests and limits.
	Spec config.Workload
	// Labels select its pods; they can never change. Name and part-of are added for people and tools.
	Labels map[string]string
	// Container is the container's name; empty is the program's.
	Container string
	// Ports of the container. The first is the one that probes ask, unless they say otherwise.
	Ports []Port
	// ServiceName is empty for a program that nobody calls: it gets no Service.
	ServiceName string
	// Sticky sends who calls to the same pod again.
	Sticky bool
	// Balancer are the settings of the network load balancer that leads to the Service; nil keeps it inside the cluster.
	Balancer pulumi.StringMap
	Command  []string
	// Entrypoint replaces the image's own, and Stop is run instead of the wait of DrainSeconds: see Container.
	Entrypoint, Stop []string
	Env              []Env
	Files            []Files
	Probes           Probes
	// State is what it keeps; nil for what a Deployment runs.
	State *State
	// Sidecars run beside the program, under the same rules. What they ask for counts in capacity only if Spec has it.
	Sidecars []Container
	// Before run to their end, one after the other, each time a pod starts.
	Before []Container
	// MetricsPort is where Prometheus asks; 0 is the first port. MetricsPath is /metrics if empty; MetricsHTTPS: it has to speak TLS.
	MetricsPort  int
	MetricsPath  string
	MetricsHTTPS bool
	// AsksItself: it is Prometheus, and its pods are not among those that it looks for.
	AsksItself bool
	// CallsKubernetes gives the pods a token for the API server; what it may do there is the caller's to say.
	CallsKubernetes bool
	// Identity is the ARN of the IAM role that its account may take on; nil for none.
	Identity pulumi.StringInput
	// SharedProcesses: the pod's containers see each other's processes, and what a script leaves behind is Kubernetes' to end. Else it is the
	// program's, as the first process of its container.
	SharedProcesses bool
	// QuickNames: a name that no server answers for holds its programs up for a second, not for five.
	QuickNames bool
	// EveryNode puts a pod on each node of every pool, whatever taints it has.
	EveryNode bool
	// Groups are what its pods belong to besides their own: their processes may read what the group may.
	Groups []int
	// Autoscaler's name and the utilisation in percent of requests that it aims at; 0 leaves a resource out. Without a name there is none,
	// and the least replicas are all.
	Autoscaler              string
	TargetCPU, TargetMemory int
	// Queue makes the autoscaler look at the tasks that wait in the broker, too.
	Queue *Queue
	// AnyZone spreads the pods over zones where that is possible, and places them anyway where it is not.
	AnyZone bool
	// NodeAffinity asks for the pool as a required node affinity besides the node selector, as the source's manifest of it does.
	NodeAffinity bool
	Priority     string
	// DrainSeconds is how long a pod that goes still answers before it is told to stop; StopWithin is how long all of it may take.
	DrainSeconds, StopWithin int
}

// Port is one port of the container, and the ports under which the Service offers it: none for what only probes and Prometheus ask.
type Port struct {
	Name      string
	Container int
	Service   []int
}

// Container is one of a pod's containers.
type Container struct {
	// Image is the publisher's name for it, as in config.
	Name, Image string
	Command     []string
	// Entrypoint replaces the image's own. Stop is run in the container before it is told to stop.
	Entrypoint, Stop []string
	Ports            []Port
	Env              []Env
	Files            []Files
	Probes           Probes
	Requests, Limits config.Amount
	// Keeps: it has the pod's volume.
	Keeps bool
}

// Files is a ConfigMap, or a Secret by its name, mounted into a container. A change of a ConfigMap's digest rolls the pods; those of a
// Secret are the reloader's to see. Nothing of it can be written to, but for what is Scratch.
type Files struct {
	Name, Path string
	ConfigMap  pulumi.StringInput
	Digest     pulumi.StringInput
	Secret     string
	// Audience makes it neither: a file `token` that tells this reader, and nobody else, which account the pod has.
	Audience string
	// Scratch makes it an empty folder of that size that goes with the pod, Node a folder of the pod's node.
	Scratch, Node string
}

// containers are the program's own and those beside it.
func (args *ServiceArgs) containers(program string) []Container {
	own := Container{
		Name: cmp.Or(args.Container, program), Image: args.Spec.Image, Command: args.Command, Entrypoint: args.Entrypoint, Stop: args.Stop,
		Ports: args.Ports, Env: args.Env, Files: args.Files,
		Probes: args.Probes, Requests: args.Spec.Requests, Limits: args.Spec.Limits, Keeps: true,
	}
	return append([]Container{own}, args.Sidecars...)
}

// NewService makes the objects of one program: account, what runs its pods, Service, autoscaler and disruption budget.
func NewService(ctx *pulumi.Context, name string, place Place, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	pool, ok := place.Pools(args.Spec.Pool)
	if !ok && !args.EveryNode {
		return nil, fmt.Errorf("workload %q: there is no node pool %q", name, args.Spec.Pool)
	}
	containers := args.containers(name)
	images := map[string]pulumi.StringInput{}
	for _, c := range slices.Concat(args.Before, containers) {
		image, err := place.Image(c.Image)
		if err != nil {
			return nil, fmt.Errorf("workload %q: %w", name, err)
		}
		images[c.Image] = image
	}
	s := &Service{}
	if err := ctx.RegisterComponentResource(ServiceToken, name, s, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	b := &objects{ctx: ctx, name: name, place: place, args: args, pool: pool, containers: containers, images: images, parent: s}
	for _, step := range []struct {
		what string
		make func() error
	}{
		{"service account", b.newAccount},
		{"service", b.newService},
		{"pods", b.newPods},
		{"autoscaler", b.newAutoscaler},
		{"disruption budget", b.newDisruptionBudget},
	} {
		if err := step.make(); err != nil {
			return nil, fmt.Errorf("creating the %s of %q: %w", step.what, name, err)
		}
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}

// objects carries what the steps of one program share.
type objects struct {
	ctx        *pulumi.Context
	name       string
	place      Place
	args       *ServiceArgs
	pool       config.NodePool
	parent     *Service
	containers []Container
	// images are the names under which nodes pull, by those that their publishers gave them.
	images map[string]pulumi.StringInput
}

// metadata is the same for every object; only the name differs.
func (b *objects) metadata(name string) metav1.ObjectMetaArgs {
	return metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: b.place.Namespace, Labels: b.labels()}
}

// labelled is the metadata of what belongs to a program beside the shape.
func labelled(place Place, name, program string) metav1.ObjectMetaArgs {
	return metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: place.Namespace, Labels: pulumi.StringMap{
		"app": pulumi.String(program), "app.kubernetes.io/name": pulumi.String(program), "app.kubernetes.io/part-of": pulumi.String(config.Namespace),
	}}
}

func (b *objects) labels() pulumi.StringMap {
	labels := b.selector()
	labels["app.kubernetes.io/name"] = pulumi.String(b.name)
	labels["app.kubernetes.io/part-of"] = pulumi.String(config.Namespace)
	return labels
}

func (b *objects) selector() pulumi.StringMap { return pulumi.ToStringMap(b.args.Labels) }

// newAccount makes the program's identity. It gets no token for the API server unless the program talks to it (C6).
func (b *objects) newAccount() (err error) {
	metadata := b.metadata(b.name)
	if b.args.Identity != nil {
		metadata.Annotations = pulumi.StringMap{"eks.amazonaws.com/role-arn": b.args.Identity}
	}
	b.parent.Account, err = corev1.NewServiceAccount(b.ctx, b.name, &corev1.ServiceAccountArgs{
		Metadata:                     metadata,
		AutomountServiceAccountToken: pulumi.Bool(false), // the pod says so itself, where it is wanted
	}, pulumi.Parent(b.parent))
	return err
}

func (b *objects) newService() (err error) {
	if b.args.ServiceName == "" {
		return nil
	}
	if state := b.args.State; state != nil && state.Governing != b.args.ServiceName {
		if _, err := b.newDoor(b.name+"-names", state.Governing); err != nil {
			return err
		}
	}
	b.parent.Door, err = b.newDoor(b.name, b.args.ServiceName)
	return err
}

// newDoor makes a Service. The one that gives pods their names leads to none in particular, and knows them before they are ready: they have to
// find each other to become it.
func (b *objects) newDoor(child, name string) (*corev1.Service, error) {
	spec := corev1.ServiceSpecArgs{Selector: b.selector(), Type: pulumi.String("ClusterIP")}
	switch {
	case b.args.State != nil && b.args.State.Governing == name:
		spec.ClusterIP, spec.PublishNotReadyAddresses = pulumi.String("None"), pulumi.Bool(true)
	case b.args.Sticky:
		spec.SessionAffinity = pulumi.String("ClientIP")
	}
	var ports corev1.ServicePortArray
	for _, c := range b.containers {
		for _, port := range c.Ports {
			for _, offered := range port.Service {
				ports = append(ports, corev1.ServicePortArgs{
					Name: pulumi.Sprintf("%s-%d", port.Name, offered), Port: pulumi.Int(offered),
					TargetPort: pulumi.Int(port.Container), Protocol: pulumi.String("TCP"),
				})
			}
		}
	}
	spec.Ports = ports
	metadata := b.metadata(name)
	if b.args.Balancer != nil {
		spec.Type = pulumi.String("LoadBalancer")
		spec.LoadBalancerClass = pulumi.String("service.k8s.aws/nlb")
		spec.AllocateLoadBalancerNodePorts = pulumi.Bool(false) // it leads to the pods' own addresses
		metadata.Annotations = b.args.Balancer
	}
	return corev1.NewService(b.ctx, child, &corev1.ServiceArgs{Metadata: metadata, Spec: spec}, pulumi.Parent(b.parent))
}
