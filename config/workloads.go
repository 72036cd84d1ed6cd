package config

import (
	"fmt"
	"slices"
	"strings"
)

// Workloads are the platform's own programs.
type Workloads struct {
	API     Workload `json:"api"`
	Billing Workload `json:"billing"`
	// Ingress is Traefik.
	Ingress Workload `json:"ingress"`
}

// Workload is what differs between environments for one program; what it is stands in package workloads.
type Workload struct {
	Image    string   `json:"image"`
	Pool     string   `json:"pool"`
	Replicas Replicas `json:"replicas"`
	// Requests are what the scheduler sets aside for one pod, Limits what it may use at most.
	Requests Amount `json:"requests"`
	Limits   Amount `json:"limits"`
}

// Replicas are the bounds of a workload's autoscaler.
type Replicas struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Named is a workload under the name it has in stack config and in error messages.
type Named struct {
	Name string
	Workload
}

// All lists the workloads; capacity, budgets and policies go through this one list.
func (w Workloads) All() []Named {
	return []Named{{"api", w.API}, {"billing", w.Billing}, {"ingress", w.Ingress}}
}

func (w Workloads) validate(pools []NodePool) (ps Problems) {
	for _, workload := range w.All() {
		ps = append(ps, workload.validate(pools).under(workload.Name+".")...)
	}
	return ps
}

func (w Workload) validate(pools []NodePool) (ps Problems) {
	ps = append(ps, validateImage(w.Image)...)
	var names []string
	for _, pool := range pools {
		names = append(names, pool.Name)
	}
	if len(pools) > 0 && !slices.Contains(names, w.Pool) { // no pool at all is reported where pools are
		ps.add("pool", w.Pool, "is not a node pool of this stack; legal: %s", strings.Join(names, ", "))
	}
	if w.Replicas.Min < 1 || w.Replicas.Max < w.Replicas.Min {
		ps.add("replicas", fmt.Sprintf("min %d, max %d", w.Replicas.Min, w.Replicas.Max), "must be 1 <= min <= max")
	}
	ps = append(ps, w.Requests.validate().under("requests.")...)
	ps = append(ps, w.Limits.validate().under("limits.")...)
	if w.Limits.MilliCPU() < w.Requests.MilliCPU() || w.Limits.MemoryMiB() < w.Requests.MemoryMiB() {
		ps.add("limits", fmt.Sprintf("%s, %s", w.Limits.CPU, w.Limits.Memory), "must not be below the requests (%s, %s)", w.Requests.CPU, w.Requests.Memory)
	}
	return ps
}

// SurgePercent is how many more pods than its replicas a workload may have while a new version rolls out.
const SurgePercent = 20
