package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/chart"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// KarpenterToken is the component's type.
const KarpenterToken = "alphapulse:cluster:Karpenter"

// KarpenterArgs are what Karpenter is made from.
type KarpenterArgs struct {
	Cluster *Cluster
	// Name is the environment's prefix, and the cluster's name.
	Name  string
	AWS   config.AWS
	Pools []config.NodePool
	// SubnetIDs are where nodes are made: the private ones.
	SubnetIDs pulumi.StringArrayInput
	// DiskKeyARN encrypts the nodes' disks.
	DiskKeyARN pulumi.StringInput
	Images     chart.Images
	Tags       map[string]string
}

// Karpenter makes the nodes of a pool beyond its fixed ones when pods wait for them, in the zones where their volumes are, and removes
// them when they are not needed (C4).
type Karpenter struct {
	pulumi.ResourceState

	// NodePools are what makes nodes. Whose pods need some comes after them and, above all, goes before them.
	NodePools []pulumi.Resource
}

// NewKarpenter runs the controller, from its vendor's charts, and tells it about the pools.
func NewKarpenter(ctx *pulumi.Context, args *KarpenterArgs, opts ...pulumi.ResourceOption) (*Karpenter, error) {
	operator := config.Karpenter
	k := &Karpenter{}
	if err := ctx.RegisterComponentResource(KarpenterToken, operator.Name, k, opts...); err != nil {
		return nil, err
	}
	namespace := args.Cluster.Namespaces.Operators[operator.Name]
	queue, err := newInterruptions(ctx, args, k)
	if err != nil {
		return nil, err
	}
	role, err := security.NewWorkloadRole(ctx, operator.Name, &security.WorkloadRoleArgs{
		Description: "Karpenter of " + args.Name,
		Issuer:      args.Cluster.Issuer, Namespace: operator.Name, ServiceAccount: operator.Name,
		Statements: karpenterStatements(args, queue.Arn),
	}, pulumi.Parent(k))
	if err != nil {
		return nil, err
	}
	inside := []pulumi.ResourceOption{pulumi.Parent(k), pulumi.Provider(args.Cluster.Provider)}
	account, err := corev1.NewServiceAccount(ctx, operator.Name, &corev1.ServiceAccountArgs{
		Metadata: metav1.ObjectMetaArgs{
			Name: pulumi.String(operator.Name), Namespace: namespace,
			Annotations: pulumi.StringMap{"eks.amazonaws.com/role-arn": role.Arn},
		},
	}, append(inside, pulumi.DependsOn(role.Permissions))...)
	if err != nil {
		return nil, fmt.Errorf("creating the account of Karpenter: %w", err)
	}
	definitions, err := chart.Install(ctx, operator.Name+"-crd", config.KarpenterDefinitions, namespace, pulumi.Map{}, inside...)
	if err != nil {
		return nil, err
	}
	image, err := args.Images.Image(operator.Program("controller"))
	if err != nil {
		return nil, err
	}
	image["digest"] = pulumi.String("") // the chart's is that of another version
	controller, err := chart.Install(ctx, operator.Name, operator, namespace, karpenterValues(args, account, image, queue.Name),
		append(inside, pulumi.DependsOn([]pulumi.Resource{definitions}))...) // it does not start without its kinds
	if err != nil {
		return nil, err
	}
	profile, err := iam.NewInstanceProfile(ctx, operator.Name, &iam.InstanceProfileArgs{Role: args.Cluster.node.Name}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("creating the instance profile of Karpenter's nodes: %w", err)
	}
	// The kinds have to be there before, and on the way down the controller after: it is who ends the instances.
	if err := k.newPools(ctx, args, profile.Name, append(inside, pulumi.DependsOn([]pulumi.Resource{definitions, controller}))); err != nil {
		return nil, err
	}
	return k, ctx.RegisterResourceOutputs(k, pulumi.Map{"interruptionQueue": queue.Name})
}

// karpenterValues are the chart's values.
func karpenterValues(args *KarpenterArgs, account *corev1.ServiceAccount, image pulumi.Map, queue pulumi.StringOutput) pulumi.Map {
	controller := config.Karpenter.Program("controller")
	off := pulumi.Bool(false)
	return pulumi.Map{
		"replicas":       pulumi.Int(controller.Replicas),
		"serviceAccount": pulumi.Map{"create": off, "name": account.Metadata.Name().Elem()},
		"nodeSelector":   chart.OnPlatformPool, // and by the chart's own affinity only on nodes that Karpenter did not make
		// Its pods must find a place when nobody else does: without it there are no more nodes.
		"priorityClassName":  pulumi.String("system-cluster-critical"),
		"podSecurityContext": chart.PodSecurity,
		"podAnnotations": pulumi.StringMap{
			"prometheus.io/scrape": pulumi.String("true"), "prometheus.io/port": pulumi.String("8080"), "prometheus.io/path": pulumi.String("/metrics"),
		},
		"controller": pulumi.Map{
			"image":     image,
			"resources": chart.Resources(controller),
			"env":       pulumi.Array{pulumi.Map{"name": pulumi.String("AWS_REGION"), "value": pulumi.String(args.AWS.Region)}}, // pods cannot ask the instance metadata
		},
		"settings": pulumi.Map{
			"clusterName":       args.Cluster.Name,
			"clusterEndpoint":   args.Cluster.Endpoint,
			"eksControlPlane":   pulumi.Bool(true), // the version is EKS's word, not the API server's
			"interruptionQueue": queue,
			// Six kinds of agents scale up one after the other: one look at all of them fills nodes, six looks leave six half empty.
			"batchIdleDuration": pulumi.String("2s"),
			"batchMaxDuration":  pulumi.String("10s"),
			// Our pods prefer different nodes. Respected, each would get a node of its own, up to the pool's max; capacity counts none of that.
			"preferencePolicy": pulumi.String("Ignore"),
			"featureGates": pulumi.Map{
				"reservedCapacity": off, // we own none, and its role need not look for it
			},
		},
	}
}
