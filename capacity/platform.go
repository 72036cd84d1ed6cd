package capacity

import (
	"fmt"
	"slices"

	"github.com/alphapulse/infrastructure/config"
)

// subnetReserve are addresses of a private subnet that are neither a node's nor a pod's: AWS's five, the control plane's interfaces,
// interface endpoints, and the eight that a load balancer wants free.
const subnetReserve = 5 + 4 + 6 + 8

// hostNetwork add-ons use their node's own address.
var hostNetwork = []string{"vpc-cni", "kube-proxy", "prometheus-node-exporter"}

// PlanFor is what a platform asks of its nodes.
func PlanFor(p config.Platform) Plan {
	plan := Plan{Zones: slices.Compact(slices.Sorted(slices.Values(p.Network.Zones)))}
	if len(plan.Zones) != 3 { // wrong zones are config's to report; whether the pods fit can be said all the same
		plan.Zones = []string{"a", "b", "c"}
	}
	for _, pool := range p.Cluster.NodePools {
		plan.Pools = append(plan.Pools, Pool{Name: pool.Name, InstanceTypes: pool.InstanceTypes, Min: pool.Min, Max: pool.Max})
	}
	plan.DaemonSets = append(plan.DaemonSets, DaemonSet{Name: "ebs-csi-node", Requests: resources(config.EBSNode)})
	for _, addOn := range config.AddOns {
		if addOn.PerNode {
			plan.DaemonSets = append(plan.DaemonSets, DaemonSet{
				Name: addOn.Name, Requests: resources(addOn.Requests), HostNetwork: slices.Contains(hostNetwork, addOn.Name),
			})
			continue
		}
		plan.Workloads = append(plan.Workloads, Workload{
			Name: addOn.Name, Pool: config.PlatformPool, Requests: resources(addOn.Requests),
			Min: addOn.Replicas, Max: addOn.Replicas, Surge: 1,
		})
	}
	plan.DaemonSets = append(plan.DaemonSets, DaemonSet{Name: config.AlloyName, Requests: resources(p.Observability.Alloy.Requests)})
	for _, operator := range config.Operators {
		perNode := 0
		if operator.Apart {
			perNode = 1
		}
		for _, program := range operator.Programs {
			plan.Workloads = append(plan.Workloads, Workload{
				Name: operator.Name + "-" + program.Name, Pool: config.PlatformPool, Requests: resources(program.Requests),
				Min: program.Replicas, Max: program.Replicas, Surge: 1, PerNode: perNode,
			})
		}
	}
	for _, w := range p.Programs() {
		skew, surge := 1, (w.Replicas.Max*config.SurgePercent+99)/100
		if w.Worker {
			skew = 0
		}
		if w.Volumes > 0 { // a pod goes before its successor comes: they have one name, and one volume
			surge = 0
		}
		plan.Workloads = append(plan.Workloads, Workload{
			Name: w.Name, Pool: w.Pool, Requests: resources(w.Requests), Min: w.Replicas.Min, Max: w.Replicas.Max,
			Surge: surge, ZoneSkew: skew, Volumes: w.Volumes,
		})
	}
	if layout, err := p.Network.Layout(); err == nil && len(layout) == len(plan.Zones) { // so are wrong ranges
		for _, zone := range layout {
			plan.Subnets = append(plan.Subnets, Subnet{Zone: zone.Zone, Addresses: 1<<(32-zone.Private.Bits()) - subnetReserve})
		}
	}
	return plan
}

// ConfigProblems are the report's refusals, each under the key that could be changed.
func (r Report) ConfigProblems(p config.Platform) config.Problems {
	var problems config.Problems
	for _, problem := range r.Problems {
		i := slices.IndexFunc(p.Cluster.NodePools, func(pool config.NodePool) bool { return pool.Name == problem.Pool })
		found := config.Problem{Key: "network.cidr", Value: p.Network.CIDR}
		switch {
		case i >= 0 && !countable(p.Cluster.NodePools[i].InstanceTypes):
			found = config.Problem{Key: fmt.Sprintf("cluster.nodePools[%d].instanceTypes", i), Value: fmt.Sprint(p.Cluster.NodePools[i].InstanceTypes)}
		case i >= 0:
			found = config.Problem{Key: fmt.Sprintf("cluster.nodePools[%d].max", i), Value: fmt.Sprint(p.Cluster.NodePools[i].Max)}
		case problem.Pool != "":
			continue // a pool that is not there, which config reports at the workload
		}
		found.Key = config.Namespace + ":" + found.Key
		found.Want = problem.String()
		problems = append(problems, found)
	}
	return problems
}

// countable types are known, and of one size.
func countable(types []string) bool {
	return len(types) > 0 && len(sizesOf(types)) == 1 && !slices.ContainsFunc(types, func(name string) bool {
		_, known := Instance(name)
		return !known
	})
}

func resources(a config.Amount) Resources {
	return Resources{MilliCPU: a.MilliCPU(), MemoryMiB: a.MemoryMiB()}
}
