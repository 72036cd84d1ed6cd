package capacity

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC3AllocatableIsWhatEKSLeavesToPods(t *testing.T) {
	for _, c := range []struct {
		name string
		want Node
	}{
		{"t3.medium", Node{Resources{1930, 3246}, 17, 24, 15}},
		{"t3.xlarge", Node{Resources{3920, 14162}, 58, 23, 56}},
		{"c5.2xlarge", Node{Resources{7910, 14162}, 58, 23, 56}},
		{"m7i.2xlarge", Node{Resources{7910, 29317}, 58, 31, 56}},
		{"m7i.4xlarge", Node{Resources{15890, 57691}, 110, 31, 232}}, // EKS allows no more than 110 pods below 30 vCPU
		{"m7i.8xlarge", Node{Resources{31850, 118312}, 234, 31, 232}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, known := Instance(c.name)
			require.True(t, known)
			assert.Equal(t, c.want, i.Allocatable())
		})
	}
}

func TestC3InstanceTableIsConsistent(t *testing.T) {
	assert.True(t, slices.IsSorted(InstanceTypes()))
	assert.Empty(t, duplicates(InstanceTypes()))
	for _, i := range instanceTypes {
		assert.Contains(t, []int{27 - i.ENIs, 31}, i.Volumes, i.Name)
		assert.Equal(t, i.family() == "t3", i.Burstable(), i.Name)
		assert.Positive(t, i.HourlyUSD, i.Name)
		perVCPU := i.MemoryMiB / 1024 / int64(i.VCPU)
		assert.Contains(t, []int64{2, 4, 8}, perVCPU, i.Name)
	}
	_, known := Instance("t9.huge")
	assert.False(t, known)
}

func TestC3MixedPoolIsCountedWithTheSmallestTypeInEachDimension(t *testing.T) {
	s := mustShape(t, Plan{}, "m7i.xlarge", "c5.2xlarge", "no.such")
	assert.Equal(t, Node{Resources{3920, 14162}, 58, 23, 56}, s.free)
}

func TestC3DaemonSetsTakeTheirShareOfEveryNode(t *testing.T) {
	p := Plan{DaemonSets: []DaemonSet{
		{Name: "everywhere", Requests: Resources{100, 200}},
		{Name: "host-network", Requests: Resources{50, 0}, HostNetwork: true},
		{Name: "elsewhere", Requests: Resources{3000, 0}, Pools: []string{"other"}},
	}}
	s := mustShape(t, p, "t3.xlarge")
	assert.Equal(t, Node{Resources{3770, 13962}, 56, 23, 55}, s.free)
}
