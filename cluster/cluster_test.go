package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	controlPlane   = "eks:index:Cluster"
	nodeGroup      = "aws:eks/nodeGroup:NodeGroup"
	launchTemplate = "aws:ec2/launchTemplate:LaunchTemplate"
	addOn          = "aws:eks/addon:Addon"
	role           = "aws:iam/role:Role"
	attachment     = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	namespace      = "kubernetes:core/v1:Namespace"
	storageClass   = "kubernetes:storage.k8s.io/v1:StorageClass"
	logGroup       = "aws:cloudwatch/logGroup:LogGroup"
	getVersion     = "aws:eks/getAddonVersion:getAddonVersion"
)

var private = []any{"private-a", "private-b", "private-c"}

// fixed are the pools that have nodes of their own, whatever pods want.
func fixed(p config.Platform) []config.NodePool {
	return slices.DeleteFunc(slices.Clone(p.Cluster.NodePools), func(pool config.NodePool) bool { return pool.Min == 0 })
}

func prod(t *testing.T) config.Platform {
	t.Helper()
	raw, err := config.FromFile("../Pulumi.prod.yaml")
	require.NoError(t, err)
	platform, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	return platform
}

// made is what a cluster gives to what comes after it.
type made struct {
	name, endpoint, group string
	versions              map[string]string
	platform, monitoring  string
}

func record(t *testing.T, mode recorder.Mode, p config.Platform) (*recorder.Run, made) {
	t.Helper()
	var out made
	run := recorder.Record(t, mode, func(ctx *pulumi.Context) error {
		keys := &security.Keys{
			ClusterSecrets: pulumi.String("key-of-secrets").ToStringOutput(),
			Disks:          pulumi.String("key-of-disks").ToStringOutput(),
			Logs:           pulumi.String("key-of-logs").ToStringOutput(),
		}
		c, err := New(ctx, "cluster", &Args{
			Name: p.Name(), AWS: p.AWS, Spec: p.Cluster, Protect: p.Protect, Keys: keys,
			Tags:             map[string]string{"Project": "alphapulse", "Environment": p.Environment},
			VpcID:            pulumi.String("vpc").ToStringOutput().ToStringPtrOutput(),
			PublicSubnetIDs:  pulumi.ToStringArray([]string{"public-a", "public-b", "public-c"}),
			PrivateSubnetIDs: pulumi.ToStringArray([]string{"private-a", "private-b", "private-c"}),
		})
		if err != nil {
			return err
		}
		pulumi.All(c.Name, c.Endpoint, c.SecurityGroupID, c.AddOnVersions, c.Namespaces.Platform, c.Namespaces.Monitoring).ApplyT(func(v []any) error {
			out = made{v[0].(string), v[1].(string), v[2].(string), v[3].(map[string]string), v[4].(string), v[5].(string)}
			return nil
		})
		return nil
	})
	return run, out
}

func up(t *testing.T) *recorder.Run {
	t.Helper()
	run, _ := record(t, recorder.Up, prod(t))
	return run
}

func statements(t *testing.T, run *recorder.Run, name string) recorder.Statement {
	t.Helper()
	list := recorder.Statements(t, run.Find(t, role, name).At("assumeRolePolicy"))
	require.Len(t, list, 1)
	return list[0]
}

func TestC1ControlPlaneIsAsRequired(t *testing.T) {
	run := up(t)
	eks := run.Find(t, controlPlane, "cluster")
	assert.True(t, eks.Remote, "pulumi-eks's own component")
	for input, want := range map[string]any{
		"name":                            "alphapulse-prod",
		"version":                         "1.36",
		"authenticationMode":              "API",
		"encryptionConfigKeyArn":          "key-of-secrets",
		"endpointPrivateAccess":           true,
		"endpointPublicAccess":            true,
		"publicAccessCidrs":               []any{"203.0.113.0/24"},
		"enabledClusterLogTypes":          []any{"api", "audit", "authenticator", "controllerManager", "scheduler"},
		"kubernetesServiceIpAddressRange": config.ServiceCIDR,
		"vpcId":                           "vpc",
		"publicSubnetIds":                 []any{"public-a", "public-b", "public-c"},
		"privateSubnetIds":                private,
		"skipDefaultNodeGroup":            true,  // ours have encrypted disks and IMDSv2
		"useDefaultVpcCni":                true,  // ours is an add-on
		"createOidcProvider":              false, // the component's opens a connection in preview
		"serviceRole":                     run.Find(t, role, "cluster-control-plane").URN,
		"instanceRole":                    run.Find(t, role, "cluster-node").URN,
	} {
		assert.Equal(t, want, eks.Inputs[input], input)
	}
}

func TestC1WithoutRangesThereIsNoPublicEndpoint(t *testing.T) {
	p := prod(t)
	p.Cluster.PublicAccessCIDRs = nil
	run, _ := record(t, recorder.Up, p)
	eks := run.Find(t, controlPlane, "cluster")
	assert.Equal(t, false, eks.At("endpointPublicAccess"))
	assert.Equal(t, true, eks.At("endpointPrivateAccess"))
	assert.Empty(t, eks.At("publicAccessCidrs"))
}

func TestC1AdministratorsAndBreakGlassMayEnter(t *testing.T) {
	entries := up(t).Find(t, controlPlane, "cluster").At("accessEntries").(map[string]any)
	require.Len(t, entries, 2)
	for name, role := range map[string]string{"admin-platform-engineer": "platform-engineer", "break-glass": "break-glass"} {
		require.Contains(t, entries, name)
		assert.Equal(t, map[string]any{
			"principalArn": "arn:aws:iam::222222222222:role/" + role,
			"accessPolicies": map[string]any{"admin": map[string]any{
				"policyArn":   "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
				"accessScope": map[string]any{"type": "cluster"},
			}},
		}, entries[name])
	}
}

func TestC1ControlPlaneLogsAreOursBeforeTheFirstLine(t *testing.T) {
	run := up(t)
	logs := run.Find(t, logGroup, "cluster-control-plane")
	assert.Equal(t, map[string]any{"name": "/aws/eks/alphapulse-prod/cluster", "kmsKeyId": "key-of-logs", "retentionInDays": 365.}, logs.Inputs)
	assert.Contains(t, run.Find(t, controlPlane, "cluster").DependsOn, logs.URN)
}

// The transform reaches the component's children only in the engine; here it is asked directly.
func TestC1OnlyTheClusterItselfIsProtectedAndLetsInWhomConfigNames(t *testing.T) {
	for _, protect := range []bool{true, false} {
		asked := &pulumi.ResourceTransformArgs{
			Custom: true, Type: "aws:eks/cluster:Cluster", Props: pulumi.Map{"a": pulumi.Int(1)}, Opts: pulumi.ResourceOptions{IgnoreChanges: []string{"b"}},
		}
		answer := hardenCluster(protect)(t.Context(), asked)
		require.NotNil(t, answer)
		assert.Equal(t, protect, answer.Opts.Protect)
		assert.Equal(t, []string{"b", "accessConfig.bootstrapClusterCreatorAdminPermissions"}, answer.Opts.IgnoreChanges, "an adopted cluster is not replaced")
		assert.Equal(t, pulumi.Map{"a": pulumi.Int(1), "accessConfig": pulumi.Map{
			"authenticationMode": pulumi.String("API"), "bootstrapClusterCreatorAdminPermissions": pulumi.Bool(false),
		}}, answer.Props)
	}
	assert.Nil(t, hardenCluster(true)(t.Context(), &pulumi.ResourceTransformArgs{Custom: true, Type: "aws:eks/accessEntry:AccessEntry"}),
		"or no administrator could be removed any more")
}

func TestC1ServiceRolesAreOfTheServicesAndDoNoWorkloadsWork(t *testing.T) {
	run := up(t)
	assert.Equal(t, map[string]recorder.Strings{"Service": {"eks.amazonaws.com"}}, statements(t, run, "cluster-control-plane").Principal)
	assert.Equal(t, recorder.Strings{"222222222222"}, statements(t, run, "cluster-control-plane").Condition["StringEquals"]["aws:SourceAccount"])
	assert.Equal(t, map[string]recorder.Strings{"Service": {"ec2.amazonaws.com"}}, statements(t, run, "cluster-node").Principal)

	attached := map[any][]string{}
	for _, a := range run.All(attachment) {
		attached[a.At("role")] = append(attached[a.At("role")], strings.TrimPrefix(a.At("policyArn").(string), "arn:aws:iam::aws:policy/"))
	}
	assert.Equal(t, map[any][]string{
		"cluster-control-plane":      {"AmazonEKSClusterPolicy"},
		"cluster-node":               {"AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy", "AmazonSSMManagedInstanceCore"},
		"cluster-vpc-cni":            {"AmazonEKS_CNI_Policy"},
		"cluster-aws-ebs-csi-driver": {"AmazonEBSCSIDriverPolicyV2"},
	}, attached, "S3")
}

func TestC2FixedNodesOfAPoolAreANodeGroup(t *testing.T) {
	p := prod(t)
	p.Cluster.NodePools[1].CapacityType = config.Spot
	p.Cluster.NodePools[1].Labels = map[string]string{"team": "risk"}
	run, _ := record(t, recorder.Up, p)
	assert.Less(t, len(fixed(p)), len(p.Cluster.NodePools), "one of prod's pools has no fixed nodes")
	require.Len(t, run.All(nodeGroup), len(fixed(p)))
	for _, pool := range fixed(p) {
		group := run.Find(t, nodeGroup, "cluster-"+pool.Name)
		assert.Equal(t, recorder.ClusterName, group.At("clusterName"))
		assert.Equal(t, "1.36", group.At("version"))
		assert.Equal(t, "AL2023_x86_64_STANDARD", group.At("amiType"))
		assert.Equal(t, private, group.At("subnetIds"), "no node has a public address")
		assert.Equal(t, pool.CapacityType, group.At("capacityType"))
		assert.Equal(t, pool.InstanceTypes[0], group.At("instanceTypes[0]"))
		assert.Equal(t, recorder.ARN(role, "cluster-node"), group.At("nodeRoleArn"))
		assert.Equal(t, pool.Name, group.At(`labels["workload-type"]`))
		assert.Equal(t, map[string]any{
			"minSize": float64(pool.Min), "maxSize": float64(pool.Min), "desiredSize": float64(pool.Min),
		}, group.At("scalingConfig"), "no autoscaler has a say: the nodes beyond are Karpenter's")
		assert.Empty(t, group.IgnoreChanges, "so nothing is ignored either")
		assert.Equal(t, map[string]any{"id": "cluster-" + pool.Name + "-id", "version": "3"}, group.At("launchTemplate"))
	}
	compute := run.Find(t, nodeGroup, "cluster-compute-optimized")
	assert.Equal(t, "SPOT", compute.At("capacityType"))
	assert.Equal(t, "risk", compute.At("labels.team"))
	assert.Equal(t, []any{map[string]any{"key": "workload-type", "value": "compute-optimized", "effect": "NO_SCHEDULE"}}, compute.At("taints"))
	assert.Empty(t, run.Find(t, nodeGroup, "cluster-general").At("taints"), "whatever names no pool runs there")
}

// Without a release EKS takes the newest of the day whenever a group's machines change, which no preview shows.
func TestC2NodesRunTheReleaseThatIsNamed(t *testing.T) {
	assert.Nil(t, up(t).Find(t, nodeGroup, "cluster-general").At("releaseVersion"))
	p := prod(t)
	p.Cluster.NodeRelease = "1.36.2-20261115"
	run, _ := record(t, recorder.Up, p)
	for _, group := range run.All(nodeGroup) {
		assert.Equal(t, "1.36.2-20261115", group.At("releaseVersion"), group.Name)
	}
}

func TestC2TaintsAreInEKSsWords(t *testing.T) {
	p := prod(t)
	pool := &p.Cluster.NodePools[1]
	for kubernetes, aws := range map[string]string{"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"} {
		pool.Taints = []config.Taint{{Key: "k", Value: "v", Effect: kubernetes}}
		run, _ := record(t, recorder.Up, p)
		assert.Equal(t, aws, run.Find(t, nodeGroup, "cluster-"+pool.Name).At("taints[0].effect"))
	}
}

func TestC2MachinesAreHardened(t *testing.T) {
	p := prod(t)
	p.Cluster.NodePools[1].DiskGiB = 77
	run, _ := record(t, recorder.Up, p)
	require.Len(t, run.All(launchTemplate), len(fixed(p)))
	for _, pool := range fixed(p) {
		template := run.Find(t, launchTemplate, "cluster-"+pool.Name)
		assert.Equal(t, map[string]any{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.},
			template.At("metadataOptions"), "IMDSv2 only, and not for pods")
		assert.Equal(t, []any{map[string]any{"deviceName": "/dev/xvda", "ebs": map[string]any{
			"volumeType": "gp3", "volumeSize": float64(pool.DiskGiB), "encrypted": "true", "kmsKeyId": "key-of-disks", "deleteOnTermination": "true",
		}}}, template.At("blockDeviceMappings"))
		assert.Nil(t, template.At("imageId"), "EKS's, so that a version's update brings it")
		for _, specification := range template.At("tagSpecifications").([]any) {
			assert.Equal(t, map[string]any{"Name": "alphapulse-prod-" + pool.Name, "Project": "alphapulse", "Environment": "prod"},
				specification.(map[string]any)["tags"], "default tags do not reach instances")
		}
		assert.Len(t, template.At("tagSpecifications"), 2)
	}
}

func TestC4NetworkComesBeforeNodesAndTheRestAfter(t *testing.T) {
	run := up(t)
	require.Len(t, run.All(addOn), len(config.AddOns))
	for _, a := range config.AddOns {
		made := run.Find(t, addOn, "cluster-"+a.Name)
		for _, group := range run.All(nodeGroup) {
			if a.Name == "vpc-cni" || a.Name == "kube-proxy" {
				assert.Contains(t, group.DependsOn, made.URN, "a node is not ready without %s", a.Name)
				assert.NotContains(t, made.DependsOn, group.URN)
			} else {
				assert.Contains(t, made.DependsOn, group.URN, "the pods of %s need nodes", a.Name)
			}
		}
	}
}

func TestC4AddOnsReplaceEKSsOwn(t *testing.T) {
	for _, a := range up(t).All(addOn) {
		assert.Equal(t, recorder.ClusterName, a.At("clusterName"))
		assert.Equal(t, "cluster-"+a.At("addonName").(string), a.Name)
		assert.Equal(t, []any{"OVERWRITE", "OVERWRITE"}, []any{a.At("resolveConflictsOnCreate"), a.At("resolveConflictsOnUpdate")}, a.Name)
	}
}

func TestC4AddOnsAreSetAsCapacityCountsThem(t *testing.T) {
	run := up(t)
	const general = `"nodeSelector": {"workload-type": "general"}`
	for name, want := range map[string]string{
		"vpc-cni":                  `{"enableNetworkPolicy": "true"}`,
		"kube-proxy":               `{"resources": {"requests": {"cpu": "100m"}}}`,
		"coredns":                  `{"replicaCount": 2, "resources": {"requests": {"cpu": "100m", "memory": "85Mi"}, "limits": {"memory": "170Mi"}}, ` + general + `}`,
		"aws-ebs-csi-driver":       `{"controller": {"replicaCount": 2, "extraVolumeTags": {"Project": "alphapulse", "Environment": "prod"}, ` + general + `}}`,
		"metrics-server":           `{"replicas": 2, "resources": {"requests": {"cpu": "100m", "memory": "200Mi"}, "limits": {"memory": "400Mi"}}, ` + general + `}`,
		"kube-state-metrics":       `{"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}, ` + general + `}`,
		"prometheus-node-exporter": `{"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}}`,
	} {
		values, _ := run.Find(t, addOn, "cluster-"+name).At("configurationValues").(string)
		assert.JSONEq(t, want, values, name)
	}
	// What is set is what is counted, whatever the table says.
	for _, a := range config.AddOns {
		var values struct {
			Replicas, ReplicaCount int
			Controller             struct{ ReplicaCount int }
			Resources              struct{ Requests config.Amount }
		}
		require.NoError(t, json.Unmarshal([]byte(run.Find(t, addOn, "cluster-"+a.Name).At("configurationValues").(string)), &values))
		if replicas := values.Replicas + values.ReplicaCount + values.Controller.ReplicaCount; replicas > 0 {
			assert.Equal(t, a.Replicas, replicas, a.Name)
		}
		if values.Resources.Requests.CPU != "" {
			assert.Equal(t, a.Requests.MilliCPU(), values.Resources.Requests.MilliCPU(), a.Name)
			assert.Equal(t, a.Requests.MemoryMiB(), values.Resources.Requests.MemoryMiB(), a.Name)
		}
	}
}

func TestC4VersionsArePinnedOrLookedUp(t *testing.T) {
	p := prod(t)
	p.Cluster.AddOns = map[string]string{"coredns": "v1.13.2-eksbuild.1"}
	run, out := record(t, recorder.Up, p)
	asked := map[any]bool{}
	for _, call := range run.Calls {
		require.Equal(t, getVersion, call.Token)
		assert.Equal(t, "1.36", call.Args["kubernetesVersion"])
		asked[call.Args["addonName"]] = true
	}
	assert.Len(t, run.Calls, len(config.AddOns)-1)
	assert.False(t, asked["coredns"], "what is pinned is not looked up")
	for _, a := range config.AddOns {
		want := recorder.LookedUpVersion
		if a.Name == "coredns" {
			want = "v1.13.2-eksbuild.1"
		}
		assert.Equal(t, want, run.Find(t, addOn, "cluster-"+a.Name).At("addonVersion"), a.Name)
		assert.Equal(t, want, out.versions[a.Name], "%s: exported", a.Name)
	}
	assert.Len(t, out.versions, len(config.AddOns))
}

func TestS3AddOnsThatCallAWSHaveARoleOfTheirOwn(t *testing.T) {
	run := up(t)
	issuer := run.Find(t, "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "cluster")
	assert.Equal(t, "https://"+recorder.IssuerHost, issuer.At("url"))
	assert.Equal(t, []any{"sts.amazonaws.com"}, issuer.At("clientIdLists"))
	accounts := map[string]string{"vpc-cni": "aws-node", "aws-ebs-csi-driver": "ebs-csi-controller-sa"}
	for _, a := range config.AddOns {
		arn := run.Find(t, addOn, "cluster-"+a.Name).At("serviceAccountRoleArn")
		account, calls := accounts[a.Name]
		if !calls {
			assert.Nil(t, arn, a.Name)
			continue
		}
		assert.Equal(t, recorder.ARN(role, "cluster-"+a.Name), arn)
		trust := statements(t, run, "cluster-"+a.Name)
		assert.Equal(t, map[string]recorder.Strings{"Federated": {recorder.ARN(issuer.Type, issuer.Name)}}, trust.Principal)
		assert.Equal(t, map[string]map[string]recorder.Strings{"StringEquals": {
			recorder.IssuerHost + ":sub": {"system:serviceaccount:kube-system:" + account},
			recorder.IssuerHost + ":aud": {"sts.amazonaws.com"},
		}}, trust.Condition)
	}
	assert.Len(t, run.All("aws:iam/rolePolicy:RolePolicy"), 2, "the volumes driver's and the nodes'")
}

func TestC7NodesFillTheCachesOfTheRegistryAndNothingElse(t *testing.T) {
	list := recorder.Statements(t, up(t).Find(t, "aws:iam/rolePolicy:RolePolicy", "cluster-node").At("policy"))
	require.Len(t, list, 1)
	assert.ElementsMatch(t, []string{"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"}, list[0].Action)
	for _, repository := range list[0].Resource {
		assert.Regexp(t, `^arn:aws:ecr:us-east-1:222222222222:repository/(ecr-public|kubernetes|quay)/\*$`, repository)
	}
}

func TestD6VolumesDriverMayUseTheDisksKey(t *testing.T) {
	list := recorder.Statements(t, up(t).Find(t, "aws:iam/rolePolicy:RolePolicy", "cluster-aws-ebs-csi-driver").At("policy"))
	require.Len(t, list, 2)
	for _, s := range list {
		assert.Equal(t, recorder.Strings{"key-of-disks"}, s.Resource)
	}
	assert.Equal(t, recorder.Strings{"kms:CreateGrant"}, list[0].Action)
	assert.Equal(t, recorder.Strings{"true"}, list[0].Condition["Bool"]["kms:GrantIsForAWSResource"])
	assert.Contains(t, list[1].Action, "kms:GenerateDataKeyWithoutPlaintext")
	assert.Equal(t, recorder.Strings{"ec2.us-east-1.amazonaws.com"}, list[1].Condition["StringEquals"]["kms:ViaService"], "by volumes only")
}

func TestC4DefaultStorageClassIsEncryptedAndWaitsForThePod(t *testing.T) {
	run := up(t)
	require.Len(t, run.All(storageClass), 1)
	class := run.Find(t, storageClass, "cluster-gp3")
	assert.Equal(t, "gp3", class.At("metadata.name"))
	assert.Equal(t, "true", class.At(`metadata.annotations["storageclass.kubernetes.io/is-default-class"]`))
	assert.Equal(t, map[string]any{"type": "gp3", "encrypted": "true", "kmsKeyId": "key-of-disks"}, class.At("parameters"))
	assert.Equal(t, []any{"ebs.csi.aws.com", "WaitForFirstConsumer", true},
		[]any{class.At("provisioner"), class.At("volumeBindingMode"), class.At("allowVolumeExpansion")})
}

func TestC4VolumesOutliveTheirClaimsWhereDataAreProtected(t *testing.T) {
	for protect, want := range map[bool]string{true: "Retain", false: "Delete"} {
		p := prod(t)
		p.Protect = protect
		run, _ := record(t, recorder.Up, p)
		class := run.Find(t, storageClass, "cluster-gp3")
		assert.Equal(t, want, class.At("reclaimPolicy"))
		assert.Equal(t, []string{"reclaimPolicy"}, class.ReplaceOnChanges, "Kubernetes refuses to change it")
		assert.True(t, class.DeleteFirst, "and its name is taken")
	}
}

func TestC5NamespacesEnforceTheRestrictedStandard(t *testing.T) {
	run, out := record(t, recorder.Up, prod(t))
	names := []string{"alphapulse-prod", "monitoring", "alloy"}
	for _, operator := range config.Operators {
		names = append(names, operator.Name)
	}
	require.Len(t, run.All(namespace), len(names))
	for _, name := range names {
		made := run.Find(t, namespace, "cluster-"+name)
		assert.Equal(t, name, made.At("metadata.name"))
		want := map[string]any{}
		for _, mode := range []string{"enforce", "audit", "warn"} {
			want["pod-security.kubernetes.io/"+mode] = "restricted"
			if name == "alloy" { // what collects logs sees a folder of its node, and is alone there
				want["pod-security.kubernetes.io/"+mode] = "privileged"
			}
			want["pod-security.kubernetes.io/"+mode+"-version"] = config.PodSecurityVersion
		}
		if name == "alphapulse-prod" { // its pods are behind the load balancer
			want["elbv2.k8s.aws/pod-readiness-gate-inject"] = "enabled"
		}
		assert.Equal(t, want, made.At("metadata.labels"), name)
		for _, group := range run.All(nodeGroup) {
			assert.Contains(t, made.DependsOn, group.URN, "workloads go before the nodes they run on")
			for _, addOn := range run.All("aws:eks/addon:Addon") {
				if addOn.Name == "cluster-aws-ebs-csi-driver" {
					assert.Contains(t, made.DependsOn, addOn.URN, "volumes go before the driver that removes them")
				}
			}
		}
	}
	assert.Equal(t, []string{"alphapulse-prod", "monitoring"}, []string{out.platform, out.monitoring})
}

// "latest" would change what is admitted with every upgrade, and a version the oldest cluster does not know enforces nothing new.
func TestC5PodSecurityVersionIsOneThatEveryLegalClusterKnows(t *testing.T) {
	var pinned int
	_, err := fmt.Sscanf(config.PodSecurityVersion, "v1.%d", &pinned)
	require.NoError(t, err)
	for minor := range config.KubernetesSupport {
		var legal int
		_, err := fmt.Sscanf(minor, "1.%d", &legal)
		require.NoError(t, err)
		assert.LessOrEqual(t, pinned, legal)
	}
}

func TestC1WayIntoTheClusterIsKnownByItsName(t *testing.T) {
	run, out := record(t, recorder.Up, prod(t))
	provider := run.Find(t, "pulumi:providers:kubernetes", "cluster")
	assert.Equal(t, "alphapulse-prod", provider.At("clusterIdentifier"), "or a kubeconfig not known yet would replace everything inside")
	assert.Contains(t, provider.At("kubeconfig"), "recorded")
	assert.Contains(t, provider.At("kubeconfig"), `"args":["eks","get-token","--region","us-east-1"]`, "no machine's default region decides")
	for _, kind := range []string{namespace, storageClass} {
		for _, one := range run.All(kind) {
			assert.Equal(t, "cluster", one.Provider, "%s %s", one.Type, one.Name)
		}
	}
	assert.Equal(t, []string{recorder.ClusterName, "https://recorded.example", "sg-recorded"}, []string{out.name, out.endpoint, out.group})
}

func TestC1IssuerMustBeAnHTTPSURL(t *testing.T) {
	host, err := trimScheme("https://oidc.example/id/1")
	require.NoError(t, err)
	assert.Equal(t, "oidc.example/id/1", host)
	_, err = trimScheme("http://oidc.example/id/1")
	assert.ErrorContains(t, err, "http://oidc.example/id/1")
}

// A cluster or a node whose role has lost its permissions cannot be deleted any more, and what they wait for goes after them.
func TestC1RolesHaveTheirPermissionsBeforeTheyAreUsed(t *testing.T) {
	run, _ := record(t, recorder.Up, prod(t))
	attachment := func(name string) string {
		return run.Find(t, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", name).URN
	}
	control := run.Find(t, controlPlane, "cluster")
	assert.Contains(t, control.DependsOn, attachment("cluster-control-plane-AmazonEKSClusterPolicy"))
	group := run.Find(t, "aws:eks/nodeGroup:NodeGroup", "cluster-general")
	for _, managed := range []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"} {
		assert.Contains(t, group.DependsOn, attachment("cluster-node-"+managed))
	}
	assert.Contains(t, run.Find(t, "aws:eks/addon:Addon", "cluster-vpc-cni").DependsOn, attachment("cluster-vpc-cni-AmazonEKS_CNI_Policy"))
}

// In a preview the cluster's endpoint, issuer and kubeconfig are unknown; everything must be planned all the same.
func TestC1NewClusterIsPlannedWhole(t *testing.T) {
	made, _ := record(t, recorder.Up, prod(t))
	planned, out := record(t, recorder.Preview, prod(t))
	for _, one := range made.Resources {
		planned.Find(t, one.Type, one.Name)
	}
	assert.Len(t, planned.Resources, len(made.Resources))
	assert.Nil(t, planned.Find(t, "pulumi:providers:kubernetes", "cluster").At("kubeconfig"))
	assert.Empty(t, out.endpoint)
}
