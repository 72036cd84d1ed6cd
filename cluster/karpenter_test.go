package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	nodeClassType = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
	nodePoolType  = "kubernetes:karpenter.sh/v1:NodePool"
	userType      = "test:index:User"
)

// karpenter records Karpenter with these pools, and something of the platform's that needs its nodes.
func karpenter(t *testing.T, mode recorder.Mode, pools ...config.NodePool) *recorder.Run {
	t.Helper()
	run, err := tryKarpenter(mode, prod(t).AWS, pools)
	require.NoError(t, err)
	return run
}

func tryKarpenter(mode recorder.Mode, aws config.AWS, pools []config.NodePool) (*recorder.Run, error) {
	return recorder.Try(mode, func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		node, err := iam.NewRole(ctx, "node", &iam.RoleArgs{AssumeRolePolicy: pulumi.String("{}")})
		if err != nil {
			return err
		}
		k, err := NewKarpenter(ctx, &KarpenterArgs{
			Cluster: &Cluster{
				Name: text("alphapulse-prod"), Endpoint: text("https://api.example"), SecurityGroupID: text("sg-1"), Provider: provider,
				Issuer:     security.Issuer{ProviderARN: text("arn:issuer"), Host: text("issuer.example")},
				Namespaces: Namespaces{Operators: map[string]pulumi.StringOutput{"karpenter": text("karpenter")}},
				node:       &security.Role{Role: node}, nodeRelease: text(recorder.NodeRelease),
			},
			Name: "alphapulse-prod", AWS: aws, Pools: pools, SubnetIDs: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			DiskKeyARN: text("key-of-disks"), Images: registry,
			Tags: map[string]string{"Project": "alphapulse"},
		})
		if err != nil {
			return err
		}
		var user pulumi.CustomResourceState
		return ctx.RegisterResource(userType, "user", pulumi.Map{"namespace": pulumi.OutputWithDependencies(ctx.Context(), text("alphapulse-prod"), k.NodePools...)}, &user)
	})
}

func TestC4KarpenterRunsAsPlanned(t *testing.T) {
	run := karpenter(t, recorder.Up, prod(t).Cluster.NodePools...)
	made := run.Find(t, chartType, "karpenter")
	assert.Equal(t, []any{"oci://public.ecr.aws/karpenter/karpenter", config.KarpenterVersion}, []any{made.At("chart"), made.At("version")})
	for path, want := range map[string]any{
		"replicas": 2., "nodeSelector.workload-type": "general", "priorityClassName": "system-cluster-critical",
		"serviceAccount.create": false, "serviceAccount.name": "karpenter", "podSecurityContext.runAsNonRoot": true,
		"controller.image.repository": "registry.example/public.ecr.aws/karpenter/controller", "controller.image.tag": config.KarpenterVersion, "controller.image.digest": "",
		"controller.resources.requests.cpu": "250m", "controller.resources.requests.memory": "512Mi", "controller.resources.limits.memory": "1024Mi",
		"controller.env[0].name": "AWS_REGION", "controller.env[0].value": "us-east-1",
		"settings.clusterName": "alphapulse-prod", "settings.clusterEndpoint": "https://api.example", "settings.interruptionQueue": "karpenter",
		"settings.preferencePolicy": "Ignore", "settings.featureGates.reservedCapacity": false,
		`podAnnotations["prometheus.io/scrape"]`: "true", `podAnnotations["prometheus.io/port"]`: "8080", // its chart has nothing but a ServiceMonitor
	} {
		assert.Equal(t, want, made.At("values."+path), path)
	}
	assert.Equal(t, true, made.At("skipCrds"), "they come with their own chart; a second time they would be refused")
	definitions := run.Find(t, chartType, "karpenter-crd")
	assert.Equal(t, []any{"oci://public.ecr.aws/karpenter/karpenter-crd", config.KarpenterVersion}, []any{definitions.At("chart"), definitions.At("version")})
	assert.Contains(t, made.DependsOn, definitions.URN, "it does not start without its kinds")
}

func TestC4PoolThatMayGrowHasANodePool(t *testing.T) {
	p := prod(t)
	full := config.NodePool{Name: "full", InstanceTypes: []string{"m5.large"}, Min: 2, Max: 2, DiskGiB: 20, CapacityType: config.OnDemand}
	run := karpenter(t, recorder.Up, append(p.Cluster.NodePools, full)...)
	require.Len(t, run.All(nodePoolType), len(p.Cluster.NodePools), "full never grows")
	require.Len(t, run.All(nodeClassType), len(p.Cluster.NodePools))
	for _, pool := range p.Cluster.NodePools {
		made := run.Find(t, nodePoolType, "karpenter-"+pool.Name)
		assert.Equal(t, pool.Name, made.At("metadata.name"))
		assert.Equal(t, map[string]any{"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": pool.Name}, made.At("spec.template.spec.nodeClassRef"))
		assert.Equal(t, map[string]any{"workload-type": pool.Name}, made.At("spec.template.metadata.labels"))
		requirements := map[any]any{}
		for _, one := range made.At("spec.template.spec.requirements").([]any) {
			requirement := one.(map[string]any)
			assert.Equal(t, "In", requirement["operator"])
			requirements[requirement["key"]] = requirement["values"]
		}
		types := []any{}
		for _, name := range pool.InstanceTypes {
			types = append(types, name)
		}
		capacityType := "on-demand"
		if pool.CapacityType == config.Spot {
			capacityType = "spot"
		}
		assert.Equal(t, map[any]any{
			"node.kubernetes.io/instance-type": types, "karpenter.sh/capacity-type": []any{capacityType},
			"kubernetes.io/os": []any{"linux"}, "kubernetes.io/arch": []any{"amd64"},
		}, requirements, "and no zone: one that is lost must not stay a place to spread to")
	}
}

func TestC2NodesOfKarpenterHaveTheTaintsOfTheirPool(t *testing.T) {
	pool := prod(t).Cluster.NodePools[1]
	pool.Labels = map[string]string{"team": "risk"}
	run := karpenter(t, recorder.Up, prod(t).Cluster.NodePools[0], pool)
	made := run.Find(t, nodePoolType, "karpenter-compute-optimized")
	assert.Equal(t, []any{map[string]any{"key": "workload-type", "value": "compute-optimized", "effect": "NoSchedule"}}, made.At("spec.template.spec.taints"))
	assert.Equal(t, "risk", made.At("spec.template.metadata.labels.team"))
	assert.Nil(t, run.Find(t, nodePoolType, "karpenter-general").At("spec.template.spec.taints"))
}

// With the fixed nodes a pool is never larger than its max, whichever of its types EC2 has.
func TestC4PoolNeverOutgrowsItsMax(t *testing.T) {
	p := prod(t)
	run := karpenter(t, recorder.Up, p.Cluster.NodePools...)
	for _, pool := range p.Cluster.NodePools {
		var cpu int
		_, err := fmt.Sscan(run.Find(t, nodePoolType, "karpenter-"+pool.Name).At("spec.limits.cpu").(string), &cpu)
		require.NoError(t, err)
		for _, name := range pool.InstanceTypes {
			instance, known := capacity.Instance(name)
			require.True(t, known)
			assert.Equal(t, pool.Max, pool.Min+cpu/instance.VCPU, "%s of %s", name, pool.Name)
			assert.Zero(t, cpu%instance.VCPU)
		}
	}
}

func TestC4NodesGoByChoiceAFewAtATimeAndNeverByAge(t *testing.T) {
	made := karpenter(t, recorder.Up, prod(t).Cluster.NodePools...).Find(t, nodePoolType, "karpenter-services")
	assert.Equal(t, []any{
		map[string]any{"nodes": "10%", "reasons": []any{"Underutilized", "Drifted"}}, map[string]any{"nodes": "100%", "reasons": []any{"Empty"}},
	}, made.At("spec.disruption.budgets"))
	assert.Equal(t, []any{"WhenEmptyOrUnderutilized", "15m"}, []any{made.At("spec.disruption.consolidationPolicy"), made.At("spec.disruption.consolidateAfter")})
	assert.Equal(t, "Never", made.At("spec.template.spec.expireAfter"), "expiry knows no budget")
	assert.Equal(t, "30m", made.At("spec.template.spec.terminationGracePeriod"), "no pod keeps a node for ever")
}

func TestC2MachinesOfKarpenterAreHardened(t *testing.T) {
	p := prod(t)
	p.Cluster.NodePools[1].DiskGiB = 77
	run := karpenter(t, recorder.Up, p.Cluster.NodePools...)
	for _, pool := range p.Cluster.NodePools {
		class := run.Find(t, nodeClassType, "karpenter-"+pool.Name)
		assert.Equal(t, pool.Name, class.At("metadata.name"))
		assert.Equal(t, map[string]any{
			"amiSelectorTerms":           []any{map[string]any{"alias": "al2023@v20261101"}},
			"instanceProfile":            "karpenter",
			"subnetSelectorTerms":        []any{map[string]any{"id": "subnet-a"}, map[string]any{"id": "subnet-b"}},
			"securityGroupSelectorTerms": []any{map[string]any{"id": "sg-1"}},
			"blockDeviceMappings": []any{map[string]any{"deviceName": "/dev/xvda", "ebs": map[string]any{
				"volumeType": "gp3", "volumeSize": fmt.Sprintf("%dGi", pool.DiskGiB), "encrypted": true, "kmsKeyID": "key-of-disks", "deleteOnTermination": true,
			}}},
			"metadataOptions": map[string]any{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.},
			"tags":            map[string]any{"Project": "alphapulse", "Name": "alphapulse-prod-" + pool.Name},
		}, class.At("spec"))
	}
	assert.Equal(t, "node", run.Find(t, "aws:iam/instanceProfile:InstanceProfile", "karpenter").At("role"))
}

func TestC2ImageOfKarpentersNodesIsTheGroups(t *testing.T) {
	alias, err := imageAlias("1.36.2-20261203")
	require.NoError(t, err)
	assert.Equal(t, "al2023@v20261203", alias)
	_, err = imageAlias("1.36.2")
	assert.ErrorContains(t, err, `"1.36.2"`)
}

// On the way down: what runs on the nodes, the node pools, the node classes, the controller that ends the instances, what it may do.
func TestC4NodesOfKarpenterAreGoneBeforeKarpenter(t *testing.T) {
	for _, mode := range []recorder.Mode{recorder.Preview, recorder.Up} {
		run := karpenter(t, mode, prod(t).Cluster.NodePools...)
		chart, account := run.Find(t, chartType, "karpenter"), run.Find(t, "kubernetes:core/v1:ServiceAccount", "karpenter")
		assert.Contains(t, chart.DependsOn, account.URN)
		assert.Contains(t, account.DependsOn, run.Find(t, "aws:iam/rolePolicy:RolePolicy", "karpenter").URN)
		user := run.Find(t, userType, "user")
		assert.Equal(t, "alphapulse-prod", user.At("namespace"), "known in previews too")
		for _, pool := range run.All(nodePoolType) {
			class := run.Find(t, nodeClassType, pool.Name)
			assert.Contains(t, user.DependsOn, pool.URN)
			assert.Contains(t, pool.DependsOn, class.URN)
			for _, one := range []recorder.Resource{pool, class} {
				assert.Contains(t, one.DependsOn, chart.URN)
				assert.Contains(t, one.DependsOn, run.Find(t, chartType, "karpenter-crd").URN)
			}
		}
	}
}

func TestC4TypeOfUnknownSizeIsAnError(t *testing.T) {
	pool := prod(t).Cluster.NodePools[0]
	pool.InstanceTypes = []string{"m9z.large"}
	_, err := tryKarpenter(recorder.Preview, prod(t).AWS, []config.NodePool{pool})
	assert.ErrorContains(t, err, `the pool "general" has the instance type "m9z.large"`)
}

func TestC4KarpenterHearsOfEveryInterruption(t *testing.T) {
	run := karpenter(t, recorder.Up, prod(t).Cluster.NodePools...)
	queue := run.Find(t, "aws:sqs/queue:Queue", "karpenter")
	assert.Equal(t, []any{true, 300.}, []any{queue.At("sqsManagedSseEnabled"), queue.At("messageRetentionSeconds")})
	policy := run.Find(t, "aws:sqs/queuePolicy:QueuePolicy", "karpenter")
	patterns, arns := []string{}, []string{}
	for _, rule := range run.All("aws:cloudwatch/eventRule:EventRule") {
		patterns = append(patterns, rule.At("eventPattern").(string))
		arns = append(arns, recorder.ARN(rule.Type, rule.Name))
		target := run.Find(t, "aws:cloudwatch/eventTarget:EventTarget", rule.Name)
		assert.Equal(t, []any{rule.Name, recorder.ARN(queue.Type, queue.Name)}, []any{target.At("rule"), target.At("arn")})
		assert.Contains(t, target.DependsOn, policy.URN, "what comes before the queue's policy is lost")
	}
	assert.ElementsMatch(t, []string{
		`{"detail-type":["EC2 Spot Instance Interruption Warning"],"source":["aws.ec2"]}`,
		`{"detail-type":["EC2 Instance Rebalance Recommendation"],"source":["aws.ec2"]}`,
		`{"detail-type":["EC2 Instance State-change Notification"],"source":["aws.ec2"]}`,
		`{"detail-type":["AWS Health Event"],"source":["aws.health"]}`,
	}, patterns)
	list := recorder.Statements(t, policy.At("policy"))
	require.Len(t, list, 2)
	assert.Equal(t, map[string]recorder.Strings{"Service": {"events.amazonaws.com"}}, list[0].Principal)
	assert.ElementsMatch(t, arns, list[0].Condition["ArnEquals"]["aws:SourceArn"], "these rules and nobody else's")
	assert.Equal(t, "Deny", list[1].Effect)
}

func permissions(t *testing.T) []recorder.Statement {
	t.Helper()
	return recorder.Statements(t, karpenter(t, recorder.Up, prod(t).Cluster.NodePools...).Find(t, "aws:iam/rolePolicy:RolePolicy", "karpenter").At("policy"))
}

func TestS3KarpenterHasARoleForItsAccountOnly(t *testing.T) {
	run := karpenter(t, recorder.Up, prod(t).Cluster.NodePools...)
	trust := recorder.Statements(t, run.Find(t, role, "karpenter").At("assumeRolePolicy"))
	require.Len(t, trust, 1)
	assert.Equal(t, recorder.Strings{"system:serviceaccount:karpenter:karpenter"}, trust[0].Condition["StringEquals"]["issuer.example:sub"])
	assert.Equal(t, recorder.ARN(role, "karpenter"), run.Find(t, "kubernetes:core/v1:ServiceAccount", "karpenter").At(`metadata.annotations["eks.amazonaws.com/role-arn"]`))
}

// Everything that changes something is bound to this cluster: by what it is about, or by the tag that its own instances carry.
func TestS3KarpenterEndsAndTagsItsOwnOnly(t *testing.T) {
	const tag = "kubernetes.io/cluster/alphapulse-prod"
	bound := []string{"ec2:CreateLaunchTemplate", "ec2:CreateTags", "ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"}
	seen := map[string]bool{}
	for _, s := range permissions(t) {
		for _, action := range s.Action {
			seen[action] = true
			assert.NotContains(t, action, "*")
			if slices.Contains(bound, action) {
				owned := append(slices.Clone(s.Condition["StringEquals"]["aws:RequestTag/"+tag]), s.Condition["StringEquals"]["aws:ResourceTag/"+tag]...)
				assert.Equal(t, recorder.Strings{"owned"}, owned, action)
			}
			if strings.HasPrefix(action, "ec2:Describe") || action == "pricing:GetProducts" {
				assert.Equal(t, recorder.Strings{"*"}, s.Resource)
				continue
			}
			assert.NotContains(t, s.Resource, "*", action)
		}
	}
	for _, action := range append(bound, "ec2:RunInstances", "ec2:CreateFleet", "iam:GetInstanceProfile", "iam:ListInstanceProfiles", "eks:DescribeCluster",
		"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueUrl", "ssm:GetParameter") {
		assert.True(t, seen[action], action)
	}
	for _, action := range []string{"iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:DeleteInstanceProfile"} {
		assert.False(t, seen[action], "%s: the profile is ours", action)
	}
}

func TestS3KarpenterGivesInstancesTheNodeRoleAndNoOther(t *testing.T) {
	for _, s := range permissions(t) {
		if slices.Contains(s.Action, "iam:PassRole") {
			assert.Equal(t, recorder.Strings{recorder.ARN(role, "node")}, s.Resource)
			assert.Equal(t, recorder.Strings{"ec2.amazonaws.com"}, s.Condition["StringEquals"]["iam:PassedToService"])
			return
		}
	}
	assert.Fail(t, "no instance could have a role")
}

func TestD6KarpenterMayUseTheDisksKey(t *testing.T) {
	used := map[string]map[string]map[string]recorder.Strings{}
	for _, s := range permissions(t) {
		for _, action := range s.Action {
			if strings.HasPrefix(action, "kms:") {
				assert.Equal(t, recorder.Strings{"key-of-disks"}, s.Resource)
				used[action] = s.Condition
			}
		}
	}
	assert.Equal(t, recorder.Strings{"true"}, used["kms:CreateGrant"]["Bool"]["kms:GrantIsForAWSResource"])
	assert.Equal(t, recorder.Strings{"ec2.us-east-1.amazonaws.com"}, used["kms:GenerateDataKeyWithoutPlaintext"]["StringEquals"]["kms:ViaService"])
}

// An inline policy of a role has 10,240 characters at most, spaces not counted (IAM quotas).
func TestS3KarpentersPolicyFitsARole(t *testing.T) {
	text, err := json.Marshal(karpenter(t, recorder.Up, prod(t).Cluster.NodePools...).Find(t, "aws:iam/rolePolicy:RolePolicy", "karpenter").At("policy"))
	require.NoError(t, err)
	assert.Less(t, len(text), 10240-1000, "with longer names too")
}
