package capacity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC3NodeHoldsAWarmInterfaceOfAddresses(t *testing.T) {
	for _, c := range []struct {
		name, instanceType string
		workload           Workload
		want               int
	}{
		{"empty: the warm one only", "t3.xlarge", Workload{}, 15},
		{"a few pods: one in use, one warm", "t3.xlarge", Workload{Max: 14}, 30},
		{"one pod more: two in use, one warm", "t3.xlarge", Workload{Max: 15}, 45},
		{"never more than the type has", "t3.xlarge", Workload{Max: 500}, 60},
		{"no more pods than CPU allows", "t3.xlarge", Workload{Max: 500, Requests: Resources{1000, 0}}, 30},
		{"no more pods than anti-affinity allows", "t3.xlarge", Workload{Max: 500, PerNode: 1}, 30},
		{"large types take 30 at a time", "m7i.4xlarge", Workload{Max: 40}, 90},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := onePool(c.instanceType, 1, 3, c.workload)
			assert.Equal(t, c.want, p.heldByNode(p.Pools[0]))
		})
	}
}

func TestC3SubnetsHoldAllPoolsAtMaxAndWithAZoneLost(t *testing.T) {
	// 7 nodes of 30 addresses: 3 per zone of three, 4 per zone of two.
	p := onePool("t3.xlarge", 1, 7, Workload{Name: "api", Requests: Resources{2000, 1024}, Min: 1, Max: 7})
	check := func(addresses int) []Problem {
		p.Subnets = nil
		for _, zone := range threeZones {
			p.Subnets = append(p.Subnets, Subnet{Zone: zone, Addresses: addresses})
		}
		return p.Check().Problems
	}
	assert.Empty(t, check(120))

	lost := check(118)
	require.Len(t, lost, 3, "one per zone")
	assert.Contains(t, lost[0].What, "after the loss of another zone, 4 nodes in us-east-1a hold 120 addresses")
	assert.Contains(t, lost[0].What, "have 118, which is 2 too few")
	assert.Equal(t, "a /24 in us-east-1a", lost[0].Remedy, "a /25 has 128, of which 10 are taken")

	always := check(59) // what a /26 leaves
	assert.Contains(t, always[0].What, "with every pool at its max, 3 nodes in us-east-1a hold 90 addresses")
	assert.Equal(t, "a /25 in us-east-1a", always[0].Remedy)

	p.Subnets = nil
	assert.Empty(t, p.Check().Problems, "no subnets: the CIDR was bad, which is said elsewhere")
}

func TestC3SubnetsOfOneZoneCountTogether(t *testing.T) {
	p := onePool("t3.xlarge", 1, 3, Workload{Name: "api", Requests: Resources{2000, 1024}, Min: 1, Max: 3})
	p.Zones = threeZones[:1]
	p.Subnets = []Subnet{{"us-east-1a", 50}, {"us-east-1a", 40}}
	assert.Empty(t, p.Check().Problems)
	p.Subnets[1].Addresses = 39
	problems := p.Check().Problems
	require.Len(t, problems, 1)
	assert.Equal(t, "larger subnets in us-east-1a: 90 addresses for nodes and pods", problems[0].Remedy)
}
