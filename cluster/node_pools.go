package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// newNodeRole makes the role of every node: join the cluster, pull images, let an administrator in through Session Manager. What pods
// need is in their own roles (S3); the network plugin's too, so its policy is not here.
func newNodeRole(ctx *pulumi.Context, name string, args *Args, parent pulumi.Resource) (*security.Role, error) {
	return security.NewRole(ctx, name+"-node", &security.RoleArgs{
		Description:     "Nodes of " + args.Name,
		Trust:           policy.TrustInstances(),
		ManagedPolicies: []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"},
		Statements:      []policy.Statement{CachePermissions(args.AWS)},
	}, pulumi.Parent(parent))
}

// newNodeGroups makes a managed node group of a pool's fixed nodes: as many as its min, always. What pods need beyond them is Karpenter's
// (C2, C4).
func (c *Cluster) newNodeGroups(ctx *pulumi.Context, name string, args *Args, ground []pulumi.Resource) ([]pulumi.Resource, error) {
	var groups []pulumi.Resource
	var release pulumi.StringPtrInput
	if args.Spec.NodeRelease != "" {
		release = pulumi.String(args.Spec.NodeRelease)
	}
	for _, pool := range args.Spec.NodePools {
		if pool.Min == 0 {
			continue
		}
		template, err := newLaunchTemplate(ctx, name+"-"+pool.Name, args, pool, c)
		if err != nil {
			return nil, err
		}
		group, err := eks.NewNodeGroup(ctx, name+"-"+pool.Name, &eks.NodeGroupArgs{
			ClusterName:    c.Name,
			Version:        pulumi.String(args.Spec.Version),
			ReleaseVersion: release,
			NodeRoleArn:    c.node.Arn,
			SubnetIds:      args.PrivateSubnetIDs,
			InstanceTypes:  pulumi.ToStringArray(pool.InstanceTypes),
			CapacityType:   pulumi.String(pool.CapacityType),
			AmiType:        pulumi.String("AL2023_x86_64_STANDARD"),
			Labels:         nodeLabels(pool),
			Taints:         taints(pool.Taints),
			ScalingConfig: eks.NodeGroupScalingConfigArgs{
				MinSize: pulumi.Int(pool.Min), MaxSize: pulumi.Int(pool.Min), DesiredSize: pulumi.Int(pool.Min),
			},
			LaunchTemplate: eks.NodeGroupLaunchTemplateArgs{Id: template.ID(), Version: pulumi.Sprintf("%d", template.LatestVersion)},
			// A third at a time: an update of a large pool ends the same day, and two zones stay as they are.
			UpdateConfig:     eks.NodeGroupUpdateConfigArgs{MaxUnavailablePercentage: pulumi.Int(33)},
			NodeRepairConfig: eks.NodeGroupNodeRepairConfigArgs{Enabled: pulumi.Bool(true)},
			Tags:             pulumi.StringMap{"Name": pulumi.String(args.Name + "-" + pool.Name)},
		}, pulumi.Parent(c),
			pulumi.DependsOn(ground)) // a node joins once it has permissions and a way out, and is ready once the network plugin runs on it
		if err != nil {
			return nil, fmt.Errorf("creating the node group %q: %w", pool.Name, err)
		}
		if pool.Name == config.PlatformPool {
			c.nodeRelease = group.ReleaseVersion // which repeats what it was given
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// nodeLabels are a pool's labels, whoever makes the node.
func nodeLabels(pool config.NodePool) pulumi.StringMap {
	labels := pulumi.StringMap{config.PoolLabel: pulumi.String(pool.Name)}
	for key, value := range pool.Labels {
		labels[key] = pulumi.String(value)
	}
	return labels
}

// newLaunchTemplate says what a node's machine is like; what EKS decides itself (image, security group) is left out.
func newLaunchTemplate(ctx *pulumi.Context, name string, args *Args, pool config.NodePool, parent pulumi.Resource) (*ec2.LaunchTemplate, error) {
	tags := pulumi.ToStringMap(args.Tags)
	tags["Name"] = pulumi.String(args.Name + "-" + pool.Name)
	template, err := ec2.NewLaunchTemplate(ctx, name, &ec2.LaunchTemplateArgs{
		Description:          pulumi.String("Nodes of pool " + pool.Name),
		UpdateDefaultVersion: pulumi.Bool(true),
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          pulumi.String("gp3"),
				VolumeSize:          pulumi.Int(pool.DiskGiB),
				Encrypted:           pulumi.String("true"),
				KmsKeyId:            args.Keys.Disks,
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		// One hop: the token reaches the node, not the pods behind it. Only pods of the node's own network can take its role (S3).
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("instance"), Tags: tags},
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("volume"), Tags: tags},
		},
		Tags: pulumi.StringMap{"Name": pulumi.String(args.Name + "-" + pool.Name)},
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating the launch template of pool %q: %w", pool.Name, err)
	}
	return template, nil
}

// effects are EKS's words for Kubernetes' effects.
var effects = map[string]string{"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}

func taints(list []config.Taint) eks.NodeGroupTaintArray {
	var array eks.NodeGroupTaintArray
	for _, t := range list {
		array = append(array, eks.NodeGroupTaintArgs{
			Key: pulumi.String(t.Key), Value: pulumi.String(t.Value), Effect: pulumi.String(effects[t.Effect]),
		})
	}
	return array
}
