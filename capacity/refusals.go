package capacity

import (
	"fmt"
	"slices"
	"strings"
)

// refusals are what is wrong with the plan as it is written, before anything is counted.
func (p Plan) refusals() []Problem {
	var problems []Problem
	refuse := func(pool, remedy, what string, args ...any) {
		problems = append(problems, Problem{Pool: pool, What: fmt.Sprintf(what, args...), Remedy: remedy})
	}
	pools := p.poolNames()
	inPools := "one of: " + strings.Join(pools, ", ")

	if len(p.Zones) == 0 {
		refuse("", "name at least two zones", "no zones, so nowhere to put a node")
	}
	for _, zone := range duplicates(p.Zones) {
		refuse("", "name it once", "zone %s is listed twice", zone)
	}
	for _, name := range duplicates(pools) {
		refuse(name, "give each pool a name of its own", "two pools are called %q", name)
	}
	for _, pool := range p.Pools {
		if len(pool.InstanceTypes) == 0 {
			refuse(pool.Name, "name at least one instance type", "the pool has no instance type")
		}
		for _, t := range pool.InstanceTypes {
			if _, known := Instance(t); !known {
				refuse(pool.Name, "one of: "+strings.Join(InstanceTypes(), ", "), "unknown instance type %q", t)
			}
		}
		if sizes := sizesOf(pool.InstanceTypes); len(sizes) > 1 {
			refuse(pool.Name, fmt.Sprintf("instance types of %d vCPU each, and a pool of its own for another size", sizes[0]),
				"types of %s vCPU: the limit that holds a pool to its max counts vCPUs, so they have to be alike", list(sizes))
		}
		if pool.Min < 0 {
			refuse(pool.Name, "min: 0", "min is %d nodes", pool.Min)
		}
		if pool.Max < pool.Min {
			refuse(pool.Name, fmt.Sprintf("max: %d", pool.Min), "max is %d nodes, less than min, %d", pool.Max, pool.Min)
		}
	}
	for _, name := range duplicates(p.workloadNames()) {
		refuse("", "give each workload a name of its own", "two workloads are called %q", name)
	}
	for _, w := range p.Workloads {
		if !slices.Contains(pools, w.Pool) {
			refuse(w.Pool, inPools, "workload %s wants to run in unknown pool %q", w.Name, w.Pool)
		}
		if w.malformed() {
			refuse(w.Pool, "no figure of a workload may be below 0", "workload %s has a negative figure", w.Name)
		}
		if w.Max < w.Min {
			refuse(w.Pool, fmt.Sprintf("max: %d", w.Min), "workload %s has max %d replicas, less than min, %d", w.Name, w.Max, w.Min)
		}
	}
	for _, d := range p.DaemonSets {
		for _, pool := range d.Pools {
			if !slices.Contains(pools, pool) {
				refuse(pool, inPools, "DaemonSet %s wants to run in unknown pool %q", d.Name, pool)
			}
		}
		if d.Requests.negative() {
			refuse("", "no request may be below 0", "DaemonSet %s has a negative request", d.Name)
		}
	}
	// By pool and text, so that the order of the input does not show.
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.Pool+a.What, b.Pool+b.What) })
	return problems
}

func (p Plan) poolNames() []string {
	var names []string
	for _, pool := range p.Pools {
		names = append(names, pool.Name)
	}
	slices.Sort(names)
	return names
}

func (p Plan) workloadNames() []string {
	var names []string
	for _, w := range p.Workloads {
		names = append(names, w.Name)
	}
	return names
}

// malformed workloads cannot be counted, and are left out after they were refused.
func (w Workload) malformed() bool {
	return w.Requests.negative() || min(w.Min, w.Max, w.Surge, w.Volumes, w.PerNode, w.ZoneSkew) < 0
}

func (r Resources) negative() bool { return r.MilliCPU < 0 || r.MemoryMiB < 0 }

// duplicates are the names that occur more than once, each of them once, sorted.
func duplicates(names []string) []string {
	var twice []string
	sorted := slices.Sorted(slices.Values(names))
	for i, name := range sorted {
		if i > 0 && sorted[i-1] == name {
			twice = append(twice, name)
		}
	}
	return slices.Compact(twice)
}

// sizesOf are the different numbers of vCPUs that the types have, as far as they are known, in the order of the types.
func sizesOf(types []string) (sizes []int) {
	for _, name := range types {
		if t, known := Instance(name); known && !slices.Contains(sizes, t.VCPU) {
			sizes = append(sizes, t.VCPU)
		}
	}
	return sizes
}

func list(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", " and "), "[]")
}
