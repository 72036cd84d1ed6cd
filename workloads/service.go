// Package workloads runs the platform's own programs on the cluster. They share one shape, Service; each program is a table of what is
// its own (W2-W6).
package workloads

import (
	"fmt"

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
}

// Service is one program, run by a Deployment that its autoscaler sizes.
type Service struct {
	pulumi.ResourceState
}

// ServiceArgs are what one program has of its own.
type ServiceArgs struct {
	// Spec is what the stack says about it: image, pool, replicas, requests and limits.
	Spec config.Workload
	// Labels select its pods; they can never change. Name and part-of are added for people and tools.
	Labels map[string]string
	// Port is the container's; ServiceName offers it, also under the other ports of ServicePorts.
	Port         int
	ServiceName  string
	ServicePorts []int
	Env          []Env
	Probes       Probes
	// Autoscaler's name and the utilisation in percent of requests that it aims at; 0 leaves a resource out.
	Autoscaler               string
	TargetCPU, TargetMemory  int
	Priority                 string
	DrainSeconds, StopWithin int
}

// NewService makes the objects of one program: account, Deployment, Service, autoscaler and disruption budget.
func NewService(ctx *pulumi.Context, name string, place Place, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	pool, ok := place.Pools(args.Spec.Pool)
	if !ok {
		return nil, fmt.Errorf("workload %q: there is no node pool %q", name, args.Spec.Pool)
	}
	s := &Service{}
	if err := ctx.RegisterComponentResource(ServiceToken, name, s, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	b := &objects{ctx: ctx, name: name, place: place, args: args, pool: pool, parent: s}
	for _, step := range []struct {
		what string
		make func() error
	}{
		{"service account", b.newAccount},
		{"deployment", b.newDeployment},
		{"service", b.newService},
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
	ctx    *pulumi.Context
	name   string
	place  Place
	args   *ServiceArgs
	pool   config.NodePool
	parent pulumi.Resource

	account *corev1.ServiceAccount
}

// metadata is the same for every object; only the name differs.
func (b *objects) metadata(name string) metav1.ObjectMetaArgs {
	return metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: b.place.Namespace, Labels: b.labels()}
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
	b.account, err = corev1.NewServiceAccount(b.ctx, b.name, &corev1.ServiceAccountArgs{
		Metadata:                     b.metadata(b.name),
		AutomountServiceAccountToken: pulumi.Bool(false),
	}, pulumi.Parent(b.parent))
	return err
}

func (b *objects) newService() error {
	var ports corev1.ServicePortArray
	for _, port := range b.args.ServicePorts {
		ports = append(ports, corev1.ServicePortArgs{
			Name: pulumi.Sprintf("http-%d", port), Port: pulumi.Int(port), TargetPort: pulumi.Int(b.args.Port), Protocol: pulumi.String("TCP"),
		})
	}
	_, err := corev1.NewService(b.ctx, b.name, &corev1.ServiceArgs{
		Metadata: b.metadata(b.args.ServiceName),
		Spec:     corev1.ServiceSpecArgs{Selector: b.selector(), Ports: ports, Type: pulumi.String("ClusterIP")},
	}, pulumi.Parent(b.parent))
	return err
}
