package karpenter

import (
	"testing"

	aws "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/alphapulse/infrastructure/local/machines"
)

const (
	account = "000000000000"
	region  = "us-east-1"
)

// stores are an inventory with two subnets.
func stores(t *testing.T) (regional, global *inventory.Store) {
	t.Helper()
	t.Setenv(home.DirVariable, t.TempDir())
	regional, err := inventory.Open(account, region)
	require.NoError(t, err)
	global, err = inventory.Open(account, "global")
	require.NoError(t, err)
	for _, letter := range []string{"a", "b"} {
		put(t, regional, subnetType, "subnet-"+letter, map[string]any{"availabilityZone": region + letter, "cidrBlock": "10.0.0.0/24"})
	}
	return regional, global
}

func put(t *testing.T, store *inventory.Store, typ, id string, properties map[string]any) {
	t.Helper()
	require.NoError(t, store.Put(inventory.Record{Type: typ, ID: id, Inputs: properties, Outputs: properties}))
}

func class() *aws.EC2NodeClass {
	profile := "nodes"
	return &aws.EC2NodeClass{
		ObjectMeta: meta.ObjectMeta{Name: "workers"},
		Spec: aws.EC2NodeClassSpec{
			SubnetSelectorTerms: []aws.SubnetSelectorTerm{{ID: "subnet-a"}, {ID: "subnet-b"}}, InstanceProfile: &profile,
			SecurityGroupSelectorTerms: []aws.SecurityGroupSelectorTerm{{ID: "sg-1"}},
		},
	}
}

func claim(cpu string, requirements ...karpenter.NodeSelectorRequirementWithMinValues) *karpenter.NodeClaim {
	return &karpenter.NodeClaim{Spec: karpenter.NodeClaimSpec{
		Requirements: requirements,
		Resources:    karpenter.ResourceRequirements{Requests: core.ResourceList{core.ResourceCPU: resource.MustParse(cpu)}},
	}}
}

func oneOf(key string, values ...string) karpenter.NodeSelectorRequirementWithMinValues {
	return karpenter.NodeSelectorRequirementWithMinValues{Key: key, Operator: core.NodeSelectorOpIn, Values: values}
}

// Karpenter, capacity and the nodes that come of it must mean the same node (C3).
func TestC3KarpenterCountsWithTheNodesOfCapacity(t *testing.T) {
	regional, _ := stores(t)
	c := class()
	require.NoError(t, (&nodeClasses{regional: regional}).subnets(c))
	kinds, err := instanceTypes(region, c)
	require.NoError(t, err)
	require.Len(t, kinds, len(capacity.InstanceTypes()))
	for _, kind := range kinds {
		instance, _ := capacity.Instance(kind.Name)
		offered, asked := kind.Allocatable(), instance.Allocatable()
		assert.Equal(t, asked.MilliCPU, offered.Cpu().MilliValue(), kind.Name)
		assert.Equal(t, asked.MemoryMiB, offered.Memory().Value()>>20, kind.Name)
		assert.Equal(t, int64(asked.Addresses+2), offered.Pods().Value(), kind.Name)
		assert.Len(t, kind.Offerings, 4, "two zones, two ways to pay")
	}
}

func TestC2TheCheapestThatFitsIsTaken(t *testing.T) {
	regional, _ := stores(t)
	c := class()
	require.NoError(t, (&nodeClasses{regional: regional}).subnets(c))
	kinds, err := instanceTypes(region, c)
	require.NoError(t, err)
	both := oneOf(core.LabelInstanceTypeStable, "m5.2xlarge", "m5.4xlarge")
	for name, k := range map[string]struct {
		claim              *karpenter.NodeClaim
		kind, capacityType string
	}{
		"the smaller":           {claim("5", both, oneOf(karpenter.CapacityTypeLabelKey, "on-demand")), "m5.2xlarge", "on-demand"},
		"the larger if it must": {claim("9", both, oneOf(karpenter.CapacityTypeLabelKey, "on-demand")), "m5.4xlarge", "on-demand"},
		"spot where it may be":  {claim("5", both, oneOf(karpenter.CapacityTypeLabelKey, "on-demand", "spot")), "m5.2xlarge", "spot"},
		"none fits":             {claim("99", both), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			kind, offering := choose(kinds, k.claim, nil)
			if k.kind == "" {
				assert.Nil(t, kind)
				return
			}
			assert.Equal(t, k.kind, kind.Name)
			assert.Equal(t, k.capacityType, offering.CapacityType())
		})
	}
}

func TestC3ZonesTakeTurnsAndLostOnesAreLeftOut(t *testing.T) {
	regional, _ := stores(t)
	c := class()
	require.NoError(t, (&nodeClasses{regional: regional}).subnets(c))
	zone := func(there ...inventory.Record) string {
		kinds, err := instanceTypes(region, c)
		require.NoError(t, err)
		_, offering := choose(kinds, claim("1", oneOf(core.LabelInstanceTypeStable, "m5.large")), there)
		return offering.Zone()
	}
	inA := inventory.Record{Outputs: map[string]any{"availabilityZone": "us-east-1a"}}
	inB := inventory.Record{Outputs: map[string]any{"availabilityZone": "us-east-1b"}}
	assert.Equal(t, "us-east-1a", zone())
	assert.Equal(t, "us-east-1b", zone(inA))
	put(t, regional, machines.Type, "i-b", map[string]any{"availabilityZone": "us-east-1b"})
	ended, err := machines.Lose(account, "us-east-1a")
	require.NoError(t, err)
	assert.Zero(t, ended, "machines of other zones live on")
	assert.Equal(t, "us-east-1b", zone(inB))
	require.NoError(t, machines.Return(account, "us-east-1a"))
	assert.Equal(t, "us-east-1a", zone(inB))
}

// What AWS would launch and the cluster would not let in must not look ready here.
func TestC4ANodeClassWantsWhatItRefersTo(t *testing.T) {
	regional, global := stores(t)
	n := &nodeClasses{regional: regional, global: global, cluster: "shop"}
	c := class()
	assert.EqualError(t, n.securityGroups(c), "there is no security group sg-1")
	put(t, regional, groupType, "sg-1", map[string]any{"name": "nodes"})
	require.NoError(t, n.securityGroups(c))
	assert.EqualError(t, n.instanceProfile(c), "there is no instance profile nodes")
	put(t, global, profileType, "nodes", map[string]any{"role": "node"})
	assert.EqualError(t, n.instanceProfile(c), "instance profile nodes has no role")
	put(t, global, roleType, "node", map[string]any{"arn": "arn:node"})
	assert.ErrorContains(t, n.instanceProfile(c), "has no access entry of type EC2_LINUX for role node")
	put(t, regional, accessType, "shop:arn:node", map[string]any{"type": "EC2_LINUX"})
	require.NoError(t, n.instanceProfile(c))
	c.Spec.SubnetSelectorTerms = []aws.SubnetSelectorTerm{{ID: "subnet-z"}}
	assert.EqualError(t, n.subnets(c), "there is no subnet subnet-z")
}

func TestC4AMachineThatIsGoneIsNotFound(t *testing.T) {
	regional, _ := stores(t)
	p := &provider{store: regional, cluster: "shop"}
	tags := map[string]any{clusterTag: "shop", poolTag: "workers", claimTag: "workers-1"}
	put(t, regional, machines.Type, "i-1", map[string]any{"availabilityZone": "us-east-1a", "instanceType": "m5.large", "tags": tags})
	put(t, regional, machines.Type, "i-2", map[string]any{"availabilityZone": "us-east-1a", "nodeGroup": "shop:general"})
	list, err := p.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1, "a node group's machines are not Karpenter's")
	assert.Equal(t, "aws:///us-east-1a/i-1", list[0].Status.ProviderID)
	_, err = p.Get(t.Context(), list[0].Status.ProviderID)
	require.NoError(t, err)
	assert.True(t, cloudprovider.IsNodeClaimNotFoundError(p.Delete(t.Context(), list[0])))
	_, err = p.Get(t.Context(), list[0].Status.ProviderID)
	assert.True(t, cloudprovider.IsNodeClaimNotFoundError(err))
}
