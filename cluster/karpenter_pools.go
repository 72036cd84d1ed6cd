package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
)

// How long Karpenter waits, in Go's notation.
const (
	// Autoscalers of pods look back five minutes before they remove any: a node that stays half empty for longer is not needed.
	consolidateAfter = "15m"
	// What has not left a node by then is ended. Without it one pod under a budget that cannot be met keeps a node, and its bill, for ever.
	longestDrain = "30m"
	// A pool is gone once its last instance is: longer than any drain.
	poolGone = "45m"
)

// capacityTypes are Karpenter's words for EKS's.
var capacityTypes = map[string]string{config.OnDemand: "on-demand", config.Spot: "spot"}

// newPools tells Karpenter about every pool that may have more nodes than its fixed ones.
func (k *Karpenter) newPools(ctx *pulumi.Context, args *KarpenterArgs, profile pulumi.StringInput, opts []pulumi.ResourceOption) error {
	opts = append(opts, pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: poolGone}))
	for _, pool := range args.Pools {
		if pool.Max == pool.Min {
			continue
		}
		instance, known := capacity.Instance(pool.InstanceTypes[0])
		if !known {
			return fmt.Errorf("the pool %q has the instance type %q, of which package capacity does not know the size", pool.Name, pool.InstanceTypes[0])
		}
		name := config.Karpenter.Name + "-" + pool.Name
		class, err := apiextensions.NewCustomResource(ctx, name, &apiextensions.CustomResourceArgs{
			ApiVersion: pulumi.String("karpenter.k8s.aws/v1"), Kind: pulumi.String("EC2NodeClass"),
			Metadata:    metav1.ObjectMetaArgs{Name: pulumi.String(pool.Name)},
			OtherFields: kubernetes.UntypedArgs{"spec": nodeClass(args, pool, profile)},
		}, opts...)
		if err != nil {
			return fmt.Errorf("creating the node class of pool %q: %w", pool.Name, err)
		}
		made, err := apiextensions.NewCustomResource(ctx, name, &apiextensions.CustomResourceArgs{
			ApiVersion: pulumi.String("karpenter.sh/v1"), Kind: pulumi.String("NodePool"),
			Metadata:    metav1.ObjectMetaArgs{Name: pulumi.String(pool.Name)},
			OtherFields: kubernetes.UntypedArgs{"spec": nodePool(pool, instance, class.Metadata.Name().Elem())},
		}, opts...)
		if err != nil {
			return fmt.Errorf("creating the node pool %q: %w", pool.Name, err)
		}
		k.NodePools = append(k.NodePools, made)
	}
	return nil
}

// nodeClass says what a node's machine is like. It is what the launch templates of node groups say, and what EKS adds to those.
func nodeClass(args *KarpenterArgs, pool config.NodePool, profile pulumi.StringInput) pulumi.Map {
	tags := pulumi.ToStringMap(args.Tags)
	tags["Name"] = pulumi.String(args.Name + "-" + pool.Name)
	return pulumi.Map{
		// The release of the node groups: Karpenter's nodes change it when the groups do, at somebody's `pulumi up`, and never by night.
		"amiSelectorTerms": pulumi.Array{pulumi.Map{"alias": args.Cluster.nodeRelease.ApplyT(imageAlias).(pulumi.StringOutput)}},
		"instanceProfile":  profile,
		"subnetSelectorTerms": args.SubnetIDs.ToStringArrayOutput().ApplyT(func(ids []string) []map[string]string {
			terms := make([]map[string]string, 0, len(ids))
			for _, id := range ids {
				terms = append(terms, map[string]string{"id": id})
			}
			return terms
		}),
		"securityGroupSelectorTerms": pulumi.Array{pulumi.Map{"id": args.Cluster.SecurityGroupID}},
		"blockDeviceMappings": pulumi.Array{pulumi.Map{
			"deviceName": pulumi.String("/dev/xvda"),
			"ebs": pulumi.Map{
				"volumeType": pulumi.String("gp3"), "volumeSize": pulumi.Sprintf("%dGi", pool.DiskGiB),
				"encrypted": pulumi.Bool(true), "kmsKeyID": args.DiskKeyARN, "deleteOnTermination": pulumi.Bool(true),
			},
		}},
		// One hop: the token reaches the node, not the pods behind it. Only pods of the node's own network can take its role (S3).
		"metadataOptions": pulumi.Map{
			"httpEndpoint": pulumi.String("enabled"), "httpTokens": pulumi.String("required"), "httpPutResponseHopLimit": pulumi.Int(1),
		},
		"tags": tags,
	}
}

// imageAlias is Karpenter's name of a release of EKS's AL2023 image: "al2023@v20261101" of "1.36.2-20261101".
func imageAlias(release string) (string, error) {
	_, date, ok := strings.Cut(release, "-")
	if !ok {
		return "", fmt.Errorf("the node group's release %q is not a Kubernetes version and a date", release)
	}
	return "al2023@v" + date, nil
}

// nodePool says which nodes may be made, how many, and when they go again. It names no zone: those of the subnets count. One
// that is lost stays a place to spread to, until somebody excludes it: docs/runbooks/lost-zone.md.
func nodePool(pool config.NodePool, instance capacity.InstanceType, class pulumi.StringInput) pulumi.Map {
	words := func(list ...string) pulumi.StringArray { return pulumi.ToStringArray(list) }
	requirement := func(key string, values ...string) pulumi.Map {
		return pulumi.Map{"key": pulumi.String(key), "operator": pulumi.String("In"), "values": words(values...)}
	}
	spec := pulumi.Map{
		"nodeClassRef": pulumi.Map{"group": pulumi.String("karpenter.k8s.aws"), "kind": pulumi.String("EC2NodeClass"), "name": class},
		"requirements": pulumi.Array{
			requirement("node.kubernetes.io/instance-type", pool.InstanceTypes...),
			requirement("karpenter.sh/capacity-type", capacityTypes[pool.CapacityType]),
			requirement("kubernetes.io/os", "linux"),
			requirement("kubernetes.io/arch", "amd64"),
		},
		// Age alone ends no node: expiry knows no budget, and nodes that were made together would go together. A new image is drift, which has one.
		"expireAfter":            pulumi.String("Never"),
		"terminationGracePeriod": pulumi.String(longestDrain),
	}
	if len(pool.Taints) > 0 {
		spec["taints"] = karpenterTaints(pool.Taints)
	}
	return pulumi.Map{
		"template": pulumi.Map{"metadata": pulumi.Map{"labels": nodeLabels(pool)}, "spec": spec},
		// With the fixed nodes no more than the pool's max. Every type of a pool has as many vCPUs, so they count nodes.
		"limits": pulumi.Map{"cpu": pulumi.String(strconv.Itoa((pool.Max - pool.Min) * instance.VCPU))},
		"disruption": pulumi.Map{
			"consolidationPolicy": pulumi.String("WhenEmptyOrUnderutilized"),
			"consolidateAfter":    pulumi.String(consolidateAfter),
			// A tenth of the nodes at a time, one at least, is moved by choice; empty ones hold nothing, and may go at once.
			"budgets": pulumi.Array{
				pulumi.Map{"nodes": pulumi.String("10%"), "reasons": words("Underutilized", "Drifted")},
				pulumi.Map{"nodes": pulumi.String("100%"), "reasons": words("Empty")},
			},
		},
	}
}

func karpenterTaints(list []config.Taint) pulumi.Array {
	var array pulumi.Array
	for _, t := range list {
		array = append(array, pulumi.StringMap{"key": pulumi.String(t.Key), "value": pulumi.String(t.Value), "effect": pulumi.String(t.Effect)})
	}
	return array
}
