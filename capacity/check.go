package capacity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Check judges the whole plan and returns every problem at once.
func (p Plan) Check() Report {
	report := Report{Problems: p.refusals()}
	p = p.sorted()
	for _, pool := range p.Pools {
		checked, problems := p.checkPool(pool)
		report.Pools = append(report.Pools, checked)
		report.Problems = append(report.Problems, problems...)
	}
	report.Problems = append(report.Problems, p.checkAddresses()...)
	return report
}

// sorted is the plan by name, and with a Max below its Min raised, so that what it refuses is still judged as far as
// possible. Malformed workloads are left out.
func (p Plan) sorted() Plan {
	p.Pools, p.Workloads = slices.Clone(p.Pools), slices.Clone(p.Workloads)
	p.Workloads = slices.DeleteFunc(p.Workloads, Workload.malformed)
	p.DaemonSets = slices.DeleteFunc(slices.Clone(p.DaemonSets), func(d DaemonSet) bool { return d.Requests.negative() })
	slices.SortFunc(p.Pools, func(a, b Pool) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Workloads, func(a, b Workload) int { return cmp.Compare(a.Name, b.Name) })
	for i, pool := range p.Pools {
		pool.Min = max(pool.Min, 0)
		pool.Max = max(pool.Max, pool.Min)
		p.Pools[i] = pool
	}
	for i, w := range p.Workloads {
		p.Workloads[i].Max = max(w.Max, w.Min)
	}
	return p
}

// checkPool judges one pool. A pod too large for any node is a problem of its own and left out of the levels.
func (p Plan) checkPool(pool Pool) (PoolReport, []Problem) {
	report := PoolReport{Pool: pool}
	s, known := p.shapeOf(pool.Name, pool.InstanceTypes)
	if !known || len(p.Zones) == 0 {
		return report, nil // refused already; there is nothing to count with
	}
	report.Node = s.free
	if !s.free.holds(&Workload{}) {
		return report, []Problem{p.daemonSetsTooBig(pool, s)}
	}

	var problems []Problem
	var fitting []Workload
	for _, w := range p.workloadsOf(pool.Name) {
		if !s.free.holds(&w) {
			problems = append(problems, p.podTooBig(pool, s, w))
			continue
		}
		fitting = append(fitting, w)
	}
	l := p.levelsOf(pool, s, fitting)
	report.Minimum, report.Maximum, report.ZoneLost = l.minimum, l.maximum, l.zoneLost
	report.atMinimum = p.nodesAtMinimum(pool, l.minimum, fitting)
	report.Warnings = p.warnings(pool, l.minimum)
	return report, append(problems, p.tooFewNodes(pool, s, fitting, l)...)
}

func (p Plan) workloadsOf(pool string) []Workload {
	return slices.DeleteFunc(slices.Clone(p.Workloads), func(w Workload) bool { return w.Pool != pool })
}

// nodesAtMinimum are what the minimum replicas need, and with a spread over zones a node in each.
func (p Plan) nodesAtMinimum(pool Pool, minimum Level, workloads []Workload) int {
	size := max(pool.Min, minimum.Nodes)
	if slices.ContainsFunc(workloads, func(w Workload) bool { return w.ZoneSkew > 0 && w.Min > 0 }) {
		size = max(size, len(p.Zones))
	}
	return min(size, pool.Max)
}

// warnings are what runs, but not as one would like.
func (p Plan) warnings(pool Pool, minimum Level) []string {
	var warnings []string
	if len(p.Zones) == 1 {
		warnings = append(warnings, fmt.Sprintf("one zone only: nothing survives the loss of %s", p.Zones[0]))
	}
	nodes := minimum.Nodes
	if nodes == 0 {
		nodes = pool.Max // that it does not fit is a problem; the credit is short all the same
	}
	sustained, burstable := sustainedCPU(pool.InstanceTypes)
	sustained = sustained.Times(nodes)
	asked := minimum.Asked
	for _, d := range p.daemonSetsOf(pool.Name) {
		asked = asked.Add(d.Requests.Times(nodes))
	}
	if burstable && asked.MilliCPU > sustained.MilliCPU {
		warnings = append(warnings, fmt.Sprintf(
			"at minimum %s vCPU are asked (DaemonSets included), and %d x %s sustain %s: more earns surcharges in unlimited mode",
			asked.vcpu(), nodes, strings.Join(pool.InstanceTypes, "/"), sustained.vcpu()))
	}
	return warnings
}

// sustainedCPU is what a node of the weakest of the types can use all the time, and whether any of them is burstable.
func sustainedCPU(types []string) (weakest Resources, burstable bool) {
	for _, name := range types {
		t, ok := Instance(name)
		if !ok {
			continue
		}
		baseline := Resources{MilliCPU: int64(t.VCPU * t.BaselineCPUPercent * 10)}
		if weakest.MilliCPU == 0 || baseline.MilliCPU < weakest.MilliCPU {
			weakest = baseline
		}
		burstable = burstable || t.Burstable()
	}
	return weakest, burstable
}
