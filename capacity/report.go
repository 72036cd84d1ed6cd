package capacity

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report is the verdict: figures for every pool, and everything that does not fit.
type Report struct {
	Pools    []PoolReport // by name
	Problems []Problem    // none: the plan fits
}

// Problem is one reason to refuse the plan.
type Problem struct {
	Pool   string // empty where no single pool is to blame
	What   string // with the numbers
	Remedy string // the smallest change that would fit
}

func (p Problem) String() string {
	if p.Pool == "" {
		return fmt.Sprintf("%s; would fit: %s", p.What, p.Remedy)
	}
	return fmt.Sprintf("pool %s: %s; would fit: %s", p.Pool, p.What, p.Remedy)
}

// PoolReport is one pool's figures. Pods too large for any node are in the problems, and not in the levels.
type PoolReport struct {
	Pool
	Node     // what one node offers after DaemonSets
	Minimum  Level
	Maximum  Level // with the largest rollout under way
	ZoneLost Level // at maximum replicas in the zones that are left; nothing asked if there is only one
	Warnings []string

	atMinimum int
}

// NodesAtMinimum is the number of nodes a pool has at minimum replicas, the fixed ones included. 0 for unknown pools.
func (r Report) NodesAtMinimum(pool string) int {
	i := slices.IndexFunc(r.Pools, func(p PoolReport) bool { return p.Name == pool })
	if i < 0 {
		return 0
	}
	return r.Pools[i].atMinimum
}

// Table is the report for people: one block per pool, then the problems.
func (r Report) Table() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, p := range r.Pools {
		fmt.Fprintf(&out, "pool %s: %d..%d x %s; one offers %s, %d pods, %d volumes\n",
			p.Name, p.Min, p.Max, p.types(), p.Resources, p.Pods, p.Volumes)
		fmt.Fprintln(w, "\tpods\tvCPU asked\toffered\tGiB asked\toffered\tnodes\tof\t\t")
		p.Minimum.row(w, "at minimum", p.Pool)
		p.Maximum.row(w, "at maximum", p.Pool)
		p.ZoneLost.row(w, "a zone lost", p.Pool)
		w.Flush()
		for _, warning := range p.Warnings {
			fmt.Fprintf(&out, "  warning: %s\n", warning)
		}
		out.WriteString("\n")
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(&out, "does not fit: %s\n", problem)
	}
	if len(r.Problems) == 0 {
		out.WriteString("everything fits\n")
	}
	return out.String()
}

// row prints one level; the nodes needed stand beside the range the pool may have.
func (l Level) row(w *tabwriter.Writer, name string, p Pool) {
	nodes, verdict := fmt.Sprint(l.Nodes), "fits"
	if !l.Fits {
		verdict = fmt.Sprintf("%d of %d pods find a place", l.Placed, l.Pods)
		if l.Nodes == 0 {
			nodes = fmt.Sprintf(">%d", max(mostNodes, p.Max))
		}
	}
	fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%d..%d\t%s\t\n", name, l.Pods,
		l.Asked.vcpu(), l.Offered.vcpu(), l.Asked.gib(), l.Offered.gib(), nodes, p.Min, p.Max, verdict)
}
