package capacity

import (
	"cmp"
	"iter"
	"slices"
)

// anyZone is the home of a pod that no volume ties.
const anyZone = -1

// pod is one replica: of which workload of the demand, and the zone its volumes are in.
type pod struct{ of, home int }

// demand is so many pods of each workload, the smallest pods first.
type demand struct {
	workloads []Workload
	counts    []int
}

// newDemand counts the pods of each workload with count. Size is the larger share of a node, then the name decides.
func newDemand(workloads []Workload, whole Resources, count func(Workload) int) demand {
	d := demand{workloads: slices.Clone(workloads)}
	slices.SortFunc(d.workloads, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(a.Requests.share(whole), b.Requests.share(whole)), cmp.Compare(a.Name, b.Name))
	})
	for _, w := range d.workloads {
		d.counts = append(d.counts, count(w))
	}
	return d
}

// total is the number of pods and what they ask together.
func (d demand) total() (pods int, asked Resources) {
	for i, w := range d.workloads {
		pods += d.counts[i]
		asked = asked.Add(w.Requests.Times(d.counts[i]))
	}
	return pods, asked
}

// pods lists the replicas. Those with volumes are dealt over the zones in turn, as the scheduler's own spreading did
// when each was first bound; from then on they are tied, which leaves less choice than a first start has.
func (d demand) pods(zones int) []pod {
	var pods []pod
	next := 0
	for i, w := range d.workloads {
		for range d.counts[i] {
			home := anyZone
			if w.Volumes > 0 {
				home, next = next%zones, next+1
			}
			pods = append(pods, pod{of: i, home: home})
		}
	}
	return pods
}

// fits says whether so many nodes hold all pods, in whatever order they arrive.
func (d demand) fits(s shape, nodes, zones int) bool {
	pods, _ := d.total()
	for placed := range d.outcomes(s, nodes, zones) {
		if placed < pods {
			return false
		}
	}
	return true
}

// placed is how many of the pods find a place on so many nodes, in the worst of the orders.
func (d demand) placed(s shape, nodes, zones int) int {
	worst, _ := d.total()
	for placed := range d.outcomes(s, nodes, zones) {
		worst = min(worst, placed)
	}
	return worst
}

// outcomes are the numbers of pods placed, for one order of arrival after the other.
func (d demand) outcomes(s shape, nodes, zones int) iter.Seq[int] {
	zones = max(1, min(zones, nodes)) // a zone without a node is no domain to the scheduler
	return func(yield func(int) bool) {
		for order := range arrivals(d.pods(zones), len(d.workloads)) {
			if !yield(newScene(d.workloads, s, nodes, zones).schedule(order)) {
				return
			}
		}
	}
}

// host is one simulated node.
type host struct {
	zone int
	left Node
	free int64 // what is left in both dimensions, in millionths of the whole: the scheduler's LeastAllocated score
	pods []int // per workload
}

// scene is the scheduler's view of a pool.
type scene struct {
	workloads []Workload
	whole     Resources
	hosts     []host
	inZone    [][]int // pods per workload and zone
}

// newScene deals the nodes to the zones in turn, as an Auto Scaling group does.
func newScene(workloads []Workload, s shape, nodes, zones int) *scene {
	v := &scene{workloads: workloads, whole: s.whole.Resources, hosts: make([]host, nodes)}
	counts := make([]int, (nodes+zones)*len(workloads)) // one allocation: thousands of scenes are played
	cut := func(n int) (part []int) {
		part, counts = counts[:n], counts[n:]
		return part
	}
	for i := range v.hosts {
		v.hosts[i] = host{zone: i % zones, left: s.free, free: s.free.freeOf(v.whole), pods: cut(len(workloads))}
	}
	for range workloads {
		v.inZone = append(v.inZone, cut(zones))
	}
	return v
}

// schedule places the pods one after another and returns how many found a node. Those that found none are tried again
// as long as others find one: a pod that waited for the spread of its siblings is not lost.
func (v *scene) schedule(pods []pod) (placed int) {
	for {
		var waiting []pod
		for _, p := range pods {
			h := v.pick(p)
			if h == nil {
				waiting = append(waiting, p)
				continue
			}
			h.left = h.left.less(v.workloads[p.of].Requests, v.workloads[p.of].Volumes, 1)
			h.free = h.left.freeOf(v.whole)
			h.pods[p.of]++
			v.inZone[p.of][h.zone]++
			placed++
		}
		if len(waiting) == 0 || len(waiting) == len(pods) {
			return placed
		}
		pods = waiting
	}
}

// pick is the node the scheduler prefers: of those it may use, the least allocated one; then the zone and the node with
// the fewest pods of the same workload; then the first. Nil if it may use none.
func (v *scene) pick(p pod) *host {
	var best *host
	fewest := slices.Min(v.inZone[p.of])
	for i := range v.hosts {
		h := &v.hosts[i]
		if best != nil && h.free < best.free || !v.admits(h, p, fewest) {
			continue
		}
		if best == nil || cmp.Or(
			cmp.Compare(h.free, best.free),
			cmp.Compare(v.inZone[p.of][best.zone], v.inZone[p.of][h.zone]),
			cmp.Compare(best.pods[p.of], h.pods[p.of]),
		) > 0 {
			best = h
		}
	}
	return best
}

// admits is the scheduler's filter: what a pod must not violate. fewest is the smallest number of its workload's pods
// in any zone, which a spread is measured from.
func (v *scene) admits(h *host, p pod, fewest int) bool {
	w := &v.workloads[p.of]
	switch {
	case !h.left.holds(w):
		return false
	case p.home != anyZone && p.home != h.zone:
		return false
	case w.PerNode > 0 && h.pods[p.of] >= w.PerNode:
		return false
	case w.ZoneSkew > 0:
		return v.inZone[p.of][h.zone]+1-fewest <= w.ZoneSkew
	}
	return true
}
