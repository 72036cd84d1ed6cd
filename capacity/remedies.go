package capacity

import (
	"fmt"
	"slices"
	"strings"
)

// tooFewNodes is one problem per level that the pool's Max does not hold, all with the change that helps every level.
func (p Plan) tooFewNodes(pool Pool, s shape, workloads []Workload, l levels) []Problem {
	var problems []Problem
	for i, when := range []string{"at minimum replicas", "at maximum replicas", "at maximum after the loss of a zone"} {
		level := l.all()[i]
		if level.Fits {
			continue
		}
		needed := fmt.Sprintf("needs %d nodes", level.Nodes)
		if level.Nodes == 0 {
			needed = fmt.Sprintf("no number of nodes up to %d is enough", max(mostNodes, pool.Max))
		}
		problems = append(problems, Problem{Pool: pool.Name, What: fmt.Sprintf(
			"%s %d pods ask %s; %d x %s offer %s, where %d of the pods find a place; %s",
			when, level.Pods, level.Asked, pool.Max, pool.types(), s.free.Times(pool.Max), level.Placed, needed)})
	}
	if len(problems) == 0 {
		return nil
	}
	remedy := p.remedy(pool, workloads, l)
	for i := range problems {
		problems[i].Remedy = remedy
	}
	return problems
}

// remedy is the smallest change that makes every level fit: more nodes of the same type, else a larger type.
func (p Plan) remedy(pool Pool, workloads []Workload, l levels) string {
	if nodes, found := l.worst(); found {
		return fmt.Sprintf("max: %d", nodes)
	}
	for _, t := range alternatives(pool) {
		s, _ := p.shapeOf(pool.Name, []string{t.Name})
		if slices.ContainsFunc(workloads, func(w Workload) bool { return !s.free.holds(&w) }) {
			continue
		}
		nodes, found := p.levelsOf(pool, s, workloads).worst()
		switch {
		case found && nodes <= pool.Max:
			return "instance type " + t.Name
		case found:
			return fmt.Sprintf("instance type %s and max: %d", t.Name, nodes)
		}
	}
	return "no instance type of the table helps: fewer replicas, or a second pool"
}

// podTooBig refuses a pod that no node of the pool has room for, however empty.
func (p Plan) podTooBig(pool Pool, s shape, w Workload) Problem {
	what := fmt.Sprintf("a pod of %s asks %s%s, more than a node of %s offers after DaemonSets: %s",
		w.Name, w.Requests, volumes(w.Volumes), pool.types(), s.free.Resources)
	if w.Volumes > 0 {
		what += volumes(s.free.Volumes)
	}
	return Problem{Pool: pool.Name, What: what, Remedy: p.typeThatFits(pool, w)}
}

// daemonSetsTooBig refuses a pool whose nodes are full before the first workload arrives.
func (p Plan) daemonSetsTooBig(pool Pool, s shape) Problem {
	return Problem{
		Pool: pool.Name,
		What: fmt.Sprintf("DaemonSets ask %s with %d pods on each node, and leave no room: %s offers %s and %d pods",
			s.whole.Sub(s.free.Resources), s.whole.Pods-s.free.Pods, pool.types(), s.whole.Resources, s.whole.Pods),
		Remedy: p.typeThatFits(pool, Workload{}),
	}
}

// typeThatFits names the smallest instance type whose node has room for one such pod.
func (p Plan) typeThatFits(pool Pool, w Workload) string {
	for _, t := range alternatives(pool) {
		if s, _ := p.shapeOf(pool.Name, []string{t.Name}); s.free.holds(&w) {
			return "instance type " + t.Name
		}
	}
	return "no instance type of the table is large enough: ask less per pod"
}

// alternatives are all instance types, the family of the pool's own first, the smallest first.
func alternatives(pool Pool) []InstanceType {
	own := map[string]bool{}
	for _, name := range pool.InstanceTypes {
		if t, ok := Instance(name); ok {
			own[t.family()] = true
		}
	}
	all := slices.SortedFunc(slices.Values(instanceTypes), bySize)
	slices.SortStableFunc(all, func(a, b InstanceType) int { return compareBool(own[b.family()], own[a.family()]) })
	return all
}

func (p Pool) types() string { return strings.Join(p.InstanceTypes, "/") }

func volumes(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d volumes", n)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
