package cluster

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// The add-ons come in two parts: what a node needs to become ready, and what needs nodes to run on.
const (
	beforeNodes = true
	afterNodes  = false
)

// addOns are one part of the add-ons.
type addOns struct {
	resources []pulumi.Resource
	versions  map[string]pulumi.StringInput
}

// newAddOns makes the add-ons of one part (C4).
func (c *Cluster) newAddOns(ctx *pulumi.Context, name string, args *Args, part bool, after []pulumi.Resource) (addOns, error) {
	made := addOns{versions: map[string]pulumi.StringInput{}}
	for _, addOn := range config.AddOns {
		if addOn.BeforeNodes != part {
			continue
		}
		role, err := c.addOnRole(ctx, name, args, addOn.Name)
		if err != nil {
			return addOns{}, err
		}
		needs, arn := after, pulumi.StringPtrInput(nil)
		if role != nil {
			needs, arn = slices.Concat(after, role.Permissions), role.Arn.ToStringPtrOutput()
		}
		values, err := json.Marshal(addOnValues(addOn, args.Tags))
		if err != nil {
			return addOns{}, fmt.Errorf("writing the settings of add-on %q: %w", addOn.Name, err)
		}
		resource, err := eks.NewAddon(ctx, name+"-"+addOn.Name, &eks.AddonArgs{
			ClusterName:           c.Name,
			AddonName:             pulumi.String(addOn.Name),
			AddonVersion:          c.addOnVersion(ctx, args.Spec, addOn.Name),
			ConfigurationValues:   pulumi.String(values),
			ServiceAccountRoleArn: arn,
			// EKS puts its own vpc-cni, kube-proxy and coredns into every cluster; ours take their place.
			ResolveConflictsOnCreate: pulumi.String("OVERWRITE"),
			ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"),
		}, pulumi.Parent(c), pulumi.DependsOn(needs)) // their pods need nodes, and what they may do
		if err != nil {
			return addOns{}, fmt.Errorf("creating the add-on %q: %w", addOn.Name, err)
		}
		made.resources = append(made.resources, resource)
		made.versions[addOn.Name] = resource.AddonVersion
	}
	return made, nil
}

// addOnVersion is the version that config pins, or else the one EKS ships for the minor.
func (c *Cluster) addOnVersion(ctx *pulumi.Context, spec config.Cluster, addOn string) pulumi.StringInput {
	if pinned, ok := spec.AddOns[addOn]; ok {
		return pulumi.String(pinned)
	}
	return eks.GetAddonVersionOutput(ctx, eks.GetAddonVersionOutputArgs{
		AddonName: pulumi.String(addOn), KubernetesVersion: pulumi.String(spec.Version),
	}, pulumi.Parent(c)).Version()
}

// addOnRole gives an add-on that calls AWS an identity of its own; the others get none.
func (c *Cluster) addOnRole(ctx *pulumi.Context, name string, args *Args, addOn string) (*security.Role, error) {
	role := &security.WorkloadRoleArgs{
		Description: addOn + " of " + args.Name,
		Issuer:      c.Issuer,
		Namespace:   "kube-system",
	}
	switch addOn {
	case "vpc-cni":
		role.ServiceAccount = "aws-node"
		role.ManagedPolicies = []string{"AmazonEKS_CNI_Policy"}
	case "aws-ebs-csi-driver":
		role.ServiceAccount = "ebs-csi-controller-sa"
		role.ManagedPolicies = []string{"AmazonEBSCSIDriverPolicyV2"} // volumes that the driver has made, not every one of the account
		// Volumes are encrypted with our key; EC2 needs a grant to attach them.
		role.Statements = []policy.Statement{{
			Actions:    []string{"kms:CreateGrant"},
			Resources:  []any{args.Keys.Disks},
			Conditions: map[string]map[string]any{"Bool": {"kms:GrantIsForAWSResource": "true"}},
		}, {
			Actions:    []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"},
			Resources:  []any{args.Keys.Disks},
			Conditions: map[string]map[string]any{"StringEquals": {"kms:ViaService": "ec2." + args.AWS.Region + ".amazonaws.com"}},
		}}
	default:
		return nil, nil
	}
	return security.NewWorkloadRole(ctx, name+"-"+addOn, role, pulumi.Parent(c))
}

// addOnValues are an add-on's settings, in its own schema. What capacity counts on, its requests and where it runs, is set and not
// left to a default that may change with a version.
func addOnValues(addOn config.AddOn, tags map[string]string) map[string]any {
	platform := map[string]string{config.PoolLabel: config.PlatformPool}
	resources := resourceValues(addOn.Requests)
	switch addOn.Name {
	case "vpc-cni":
		// A string, not a boolean: the schema says so. Requests are the add-on's own, 25m for each of two containers.
		return map[string]any{"enableNetworkPolicy": "true"}
	case "coredns":
		return map[string]any{"replicaCount": addOn.Replicas, "nodeSelector": platform, "resources": resources}
	case "aws-ebs-csi-driver":
		return map[string]any{"controller": map[string]any{
			"replicaCount": addOn.Replicas, "nodeSelector": platform, "extraVolumeTags": tags,
		}}
	case "metrics-server":
		return map[string]any{"replicas": addOn.Replicas, "nodeSelector": platform, "resources": resources}
	case "kube-state-metrics":
		return map[string]any{"nodeSelector": platform, "resources": resources}
	default: // one pod on every node
		return map[string]any{"resources": resources}
	}
}

// resourceValues limits memory to twice what is requested, so that a leak ends in its own restart, and leaves CPU free to burst.
func resourceValues(requests config.Amount) map[string]any {
	if requests.MemoryMiB() == 0 {
		return map[string]any{"requests": map[string]string{"cpu": requests.CPU}}
	}
	return map[string]any{
		"requests": map[string]string{"cpu": requests.CPU, "memory": requests.Memory},
		"limits":   map[string]string{"memory": fmt.Sprintf("%dMi", 2*requests.MemoryMiB())},
	}
}

func versionsOf(parts ...addOns) pulumi.StringMapOutput {
	all := pulumi.StringMap{}
	for _, part := range parts {
		for name, version := range part.versions {
			all[name] = version
		}
	}
	return all.ToStringMapOutput()
}
