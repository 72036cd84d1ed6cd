package capacity

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// awsReserved is how many addresses of every subnet AWS keeps for itself.
const awsReserved = 5

// checkAddresses says where the subnets have too few addresses for all pools at their Max together, also when the same
// nodes stand in one zone less, which asks for more of each that is left.
func (p Plan) checkAddresses() []Problem {
	if len(p.Subnets) == 0 {
		return nil
	}
	usable := map[string]int{}
	subnets := map[string]int{}
	for _, s := range p.Subnets {
		usable[s.Zone] += s.Addresses
		subnets[s.Zone]++
	}
	var problems []Problem
	for _, zone := range slices.Sorted(slices.Values(p.Zones)) {
		if subnets[zone] == 0 {
			problems = append(problems, Problem{What: fmt.Sprintf("zone %s has no subnet for nodes", zone),
				Remedy: "a subnet in " + zone})
			continue
		}
		when, zones := "after the loss of another zone", len(p.Zones)-1
		nodes, held := p.heldInZone(len(p.Zones))
		if held > usable[zone] || zones == 0 {
			when = "with every pool at its max"
		} else {
			nodes, held = p.heldInZone(zones)
		}
		if short := held - usable[zone]; short > 0 {
			problems = append(problems, Problem{
				What: fmt.Sprintf("%s, %d nodes in %s hold %d addresses (pods and the CNI's warm interface); "+
					"its subnets have %d, which is %d too few", when, nodes, zone, held, usable[zone], short),
				Remedy: p.largerSubnet(zone, usable[zone], subnets[zone]),
			})
		}
	}
	return problems
}

// heldInZone is the most that one of so many zones may have to hold: each pool's share of nodes, rounded up, because
// nothing says that the remainders of two pools land in different zones.
func (p Plan) heldInZone(zones int) (nodes, addresses int) {
	for _, pool := range p.Pools {
		share := (pool.Max + zones - 1) / zones
		nodes += share
		addresses += share * p.heldByNode(pool)
	}
	return nodes, addresses
}

// heldByNode is what the VPC CNI takes for the fullest node the pool can have: interfaces for its pods, and one more
// kept warm (WARM_ENI_TARGET=1), each with all its addresses. With several instance types, the greediest counts.
func (p Plan) heldByNode(pool Pool) (addresses int) {
	for _, name := range pool.InstanceTypes {
		t, ok := Instance(name)
		if !ok {
			continue
		}
		pods := p.mostPods(pool, t)
		for _, d := range p.daemonSetsOf(pool.Name) {
			pods += d.addresses()
		}
		perENI := t.IPv4PerENI - 1 // its first address is the interface's own
		enis := min(t.ENIs, (pods+perENI-1)/perENI+1)
		addresses = max(addresses, enis*t.IPv4PerENI)
	}
	return addresses
}

// mostPods is an upper bound of the pods that meet on one node: those that ask the least CPU, until it is used up.
func (p Plan) mostPods(pool Pool, t InstanceType) (pods int) {
	s, _ := p.shapeOf(pool.Name, []string{t.Name})
	left := s.free.MilliCPU
	workloads := p.workloadsOf(pool.Name)
	slices.SortStableFunc(workloads, func(a, b Workload) int {
		return cmp.Compare(a.Requests.MilliCPU, b.Requests.MilliCPU)
	})
	for _, w := range workloads {
		most := w.Max + w.Surge
		if w.PerNode > 0 {
			most = min(most, w.PerNode)
		}
		for ; most > 0 && w.Requests.MilliCPU <= left; most-- {
			left -= w.Requests.MilliCPU
			pods++
		}
	}
	return min(pods, max(s.free.Pods, 0))
}

// largerSubnet names the prefix that would do, keeping what else lives in the subnet today.
func (p Plan) largerSubnet(zone string, usable, subnets int) string {
	_, held := p.heldInZone(max(1, len(p.Zones)-1))
	if subnets > 1 {
		return fmt.Sprintf("larger subnets in %s: %d addresses for nodes and pods", zone, held)
	}
	size := powerOfTwo(usable + awsReserved)
	others := size - usable
	return fmt.Sprintf("a /%d in %s", 32-bits.Len(uint(powerOfTwo(held+others)-1)), zone)
}

// powerOfTwo is the smallest one that is at least n: a subnet's size.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
