package cluster

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
)

// karpenterStatements are what the controller may do: look around, make instances that carry this cluster's tag, and end those. They are
// the vendor's CloudFormation template's, without what only instance profiles, reservations and zonal shifts of its own would need.
func karpenterStatements(args *KarpenterArgs, queue pulumi.StringOutput) []policy.Statement {
	const pool = "karpenter.sh/nodepool"
	tag := "kubernetes.io/cluster/" + args.Name
	in, here := "arn:aws:ec2:"+args.AWS.Region+":", "arn:aws:ec2:"+args.AWS.Region+":"+args.AWS.Account+":"
	iam := "arn:aws:iam::" + args.AWS.Account + ":"

	tagged := func(where string) map[string]map[string]any {
		return map[string]map[string]any{
			"StringEquals": {"aws:" + where + "/" + tag: "owned"}, "StringLike": {"aws:" + where + "/" + pool: "*"},
		}
	}
	making := tagged("RequestTag")
	making["StringEquals"]["aws:RequestTag/eks:eks-cluster-name"] = args.Name
	taggingNew := tagged("RequestTag")
	taggingNew["StringEquals"]["aws:RequestTag/eks:eks-cluster-name"] = args.Name
	taggingNew["StringEquals"]["ec2:CreateAction"] = []string{"RunInstances", "CreateFleet", "CreateLaunchTemplate"}
	naming := tagged("ResourceTag")
	naming["StringEqualsIfExists"] = map[string]any{"aws:RequestTag/eks:eks-cluster-name": args.Name}
	naming["ForAllValues:StringEquals"] = map[string]any{"aws:TagKeys": []string{"eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"}}

	made := []any{
		here + "fleet/*", here + "instance/*", here + "launch-template/*", here + "network-interface/*", here + "spot-instances-request/*", here + "volume/*",
	}
	return []policy.Statement{{
		Sid: "LookAround", // none of these can be narrowed down
		Actions: []string{
			"ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypeOfferings",
			"ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups", "ec2:DescribeSecurityGroups",
			"ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets", "pricing:GetProducts",
		},
		Resources: []any{"*"},
	}, {
		Sid:       "StartFrom",
		Actions:   []string{"ec2:RunInstances", "ec2:CreateFleet"},
		Resources: []any{in + ":image/*", in + ":snapshot/*", here + "security-group/*", here + "subnet/*"},
	}, {
		Sid:        "StartFromOwnTemplates",
		Actions:    []string{"ec2:RunInstances", "ec2:CreateFleet"},
		Resources:  []any{here + "launch-template/*"},
		Conditions: tagged("ResourceTag"),
	}, {
		Sid:       "MakeTagged",
		Actions:   []string{"ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"},
		Resources: made, Conditions: making,
	}, {
		Sid:       "TagWhatIsMade",
		Actions:   []string{"ec2:CreateTags"},
		Resources: made, Conditions: taggingNew,
	}, {
		Sid:       "NameOwn",
		Actions:   []string{"ec2:CreateTags"},
		Resources: []any{here + "instance/*"}, Conditions: naming,
	}, {
		Sid:       "EndOwn",
		Actions:   []string{"ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"},
		Resources: []any{here + "instance/*", here + "launch-template/*"}, Conditions: tagged("ResourceTag"),
	}, {
		Sid:        "NodesHaveTheNodeRole",
		Actions:    []string{"iam:PassRole"},
		Resources:  []any{args.Cluster.node.Arn},
		Conditions: map[string]map[string]any{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
	}, {
		// The profile is ours, so it makes and removes none. It looks for some that it could have made before it lets go of a node class:
		// without these two no EC2NodeClass could ever be deleted.
		Sid:       "LookForInstanceProfiles",
		Actions:   []string{"iam:GetInstanceProfile", "iam:ListInstanceProfiles"},
		Resources: []any{iam + "instance-profile/*"},
	}, {
		Sid:        "FirstSpotInstanceOfTheAccount",
		Actions:    []string{"iam:CreateServiceLinkedRole"},
		Resources:  []any{iam + "role/aws-service-role/spot.amazonaws.com/*"},
		Conditions: map[string]map[string]any{"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
	}, {
		// EC2 encrypts the disks in its caller's name, and keeps a grant for as long as the instance runs (D6).
		Sid:        "DisksGrant",
		Actions:    []string{"kms:CreateGrant"},
		Resources:  []any{args.DiskKeyARN},
		Conditions: map[string]map[string]any{"Bool": {"kms:GrantIsForAWSResource": "true"}},
	}, {
		Sid: "Disks",
		Actions: []string{
			"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
		},
		Resources:  []any{args.DiskKeyARN},
		Conditions: map[string]map[string]any{"StringEquals": {"kms:ViaService": "ec2." + args.AWS.Region + ".amazonaws.com"}},
	}, {
		Sid:       "HearOfInterruptions",
		Actions:   []string{"sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"},
		Resources: []any{queue},
	}, {
		Sid:       "FindNodeImages",
		Actions:   []string{"ssm:GetParameter"},
		Resources: []any{"arn:aws:ssm:" + args.AWS.Region + "::parameter/aws/service/eks/optimized-ami/*"},
	}, {
		Sid:       "KnowTheCluster",
		Actions:   []string{"eks:DescribeCluster"},
		Resources: []any{"arn:aws:eks:" + args.AWS.Region + ":" + args.AWS.Account + ":cluster/" + args.Name},
	}}
}
