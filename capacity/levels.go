package capacity

import (
	"cmp"
	"slices"
)

// mostNodes is where the search for a number that would fit ends: beyond it a larger instance type is the answer.
const mostNodes = 100

// Level is what a pool has to hold at one time.
type Level struct {
	Pods    int       // replicas, DaemonSets not counted
	Asked   Resources // by these pods
	Nodes   int       // the smallest number that holds them, at least the pool's Min; 0 without Fits: none was found
	Offered Resources // by so many nodes, but no more than the pool may have, after DaemonSets
	Placed  int       // pods that find a place when the pool is as large as it may be; Pods, if it fits
	Fits    bool      // Nodes is no more than the pool's Max
}

// levels are the three times a pool is judged at.
type levels struct{ minimum, maximum, zoneLost Level }

func (l levels) all() []Level { return []Level{l.minimum, l.maximum, l.zoneLost} }

// worst is the largest number of nodes needed at any level; false if at one of them no number was found.
func (l levels) worst() (nodes int, found bool) {
	for _, level := range l.all() {
		if level.Nodes == 0 && !level.Fits {
			return 0, false
		}
		nodes = max(nodes, level.Nodes)
	}
	return nodes, true
}

// levelsOf plays all three. The zones differ in nothing that the scheduler sees, so the loss of one, and the one that
// takes the fewest volumes with it, stands for the loss of any.
func (p Plan) levelsOf(pool Pool, s shape, workloads []Workload) levels {
	zones := len(p.Zones)
	at := func(count func(Workload) int) demand { return newDemand(workloads, s.whole.Resources, count) }
	l := levels{
		minimum: s.level(pool, zones, at(func(w Workload) int { return w.Min })),
		maximum: s.level(pool, zones, rollouts(at, workloads)...),
	}
	if zones < 2 {
		l.zoneLost = Level{Fits: true} // nothing is left that could be judged; the pool's report warns
		return l
	}
	l.zoneLost = s.level(pool, zones-1, at(func(w Workload) int {
		if w.Volumes > 0 {
			return w.Max - w.Max/zones // the lost zone's pods are gone until it returns: their volumes cannot move
		}
		return w.Max
	}))
	return l
}

// rollouts are the pool's demands at maximum, with one workload at a time being rolled out. Which of the surges hurts
// most depends on the fragments, so each is tried; equal ones once.
func rollouts(at func(func(Workload) int) demand, workloads []Workload) []demand {
	demands := []demand{at(func(w Workload) int { return w.Max })}
	tried := map[Workload]bool{}
	for _, rolled := range workloads {
		alike := rolled
		alike.Name = ""
		if rolled.Surge == 0 || tried[alike] {
			continue
		}
		tried[alike] = true
		demands = append(demands, at(func(w Workload) int {
			if w.Name == rolled.Name {
				return w.Max + w.Surge
			}
			return w.Max
		}))
	}
	return demands
}

// level is what the demands need, of which any one may come, described by the largest of them.
func (s shape) level(pool Pool, zones int, demands ...demand) Level {
	largest := slices.MaxFunc(demands, func(a, b demand) int {
		_, x := a.total()
		_, y := b.total()
		return cmp.Or(cmp.Compare(x.MilliCPU, y.MilliCPU), cmp.Compare(x.MemoryMiB, y.MemoryMiB))
	})
	l := Level{Nodes: s.nodesFor(pool, zones, demands...)}
	l.Pods, l.Asked = largest.total()
	l.Fits = l.Nodes <= pool.Max && (l.Nodes > 0 || l.Pods == 0)
	l.Offered, l.Placed = s.free.Times(l.Nodes), l.Pods
	if !l.Fits {
		l.Offered = s.free.Times(pool.Max)
		for _, d := range demands {
			pods, _ := d.total()
			if placed := d.placed(s, pool.Max, zones); l.Pods-l.Placed < pods-placed {
				l.Pods, l.Asked = d.total()
				l.Placed = placed
			}
		}
	}
	return l
}

// margin is how many larger numbers of nodes are tried after one that fits. A pool that fits with n nodes may not with
// n+1, because the pods spread differently; with some more there is room for any spread.
const margin = 3

// nodesFor is the smallest number of nodes that holds each of the demands, 0 if none was found. The next few numbers and
// the pool's Max have to hold them too, as far as the pool may grow.
func (s shape) nodesFor(pool Pool, zones int, demands ...demand) (needed int) {
	least := pool.Min
	empty := true
	for _, d := range demands {
		if pods, asked := d.total(); pods > 0 {
			least, empty = max(least, s.atLeast(pods, asked)), false
		}
	}
	if empty {
		return pool.Min
	}
	fits := func(n int) bool {
		return !slices.ContainsFunc(demands, func(d demand) bool { return !d.fits(s, n, zones) })
	}
	limit := max(mostNodes, pool.Max)
	for n := least; n <= limit; n++ {
		switch {
		case !fits(n):
			needed = 0
		case needed == 0:
			needed = n
		}
		if needed > 0 && (n >= pool.Max || n == needed+margin) {
			break
		}
	}
	if needed > 0 && needed+margin < pool.Max && !fits(pool.Max) {
		pool.Min = pool.Max + 1
		return s.nodesFor(pool, zones, demands...)
	}
	return needed
}

// atLeast is how many nodes it takes if nothing is lost to fragments.
func (s shape) atLeast(pods int, asked Resources) int {
	up := func(part, whole int64) int { return int((part + whole - 1) / whole) }
	return max(1,
		up(asked.MilliCPU, max(s.free.MilliCPU, 1)),
		up(asked.MemoryMiB, max(s.free.MemoryMiB, 1)),
		up(int64(pods), int64(max(s.free.Pods, 1))),
	)
}
