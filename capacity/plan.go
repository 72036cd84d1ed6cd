// Package capacity judges, before anything is made, whether the replicas fit the nodes and the nodes fit the subnets.
//
// It plays the scheduler on the nodes a pool may have and reports how many it takes: at minimum and at maximum replicas
// and after the loss of a zone. Where the real scheduler has a choice, unfavourable ones are played: what luck alone
// would have placed is refused. It is a simulation of many orders of arrival, not a proof of all.
package capacity

// Plan is all the verdict depends on. The order of its lists does not matter, except for Zones: the first zones get the
// nodes that do not divide evenly.
type Plan struct {
	Zones      []string
	Pools      []Pool
	Workloads  []Workload
	DaemonSets []DaemonSet
	Subnets    []Subnet // empty: addresses are not checked (the CIDR itself was bad, which is reported elsewhere)
}

// Pool is a group of nodes that grows and shrinks between Min and Max.
type Pool struct {
	Name          string
	InstanceTypes []string // alternatives: whichever EC2 has; the smallest of them counts
	Min, Max      int      // nodes
}

// Workload is a set of equal pods that run in one pool.
type Workload struct {
	Name, Pool string
	Requests   Resources // of one pod
	Min, Max   int       // replicas
	Surge      int       // extra pods during a rollout at Max
	Volumes    int       // persistent volumes per pod; they tie a pod to its zone
	PerNode    int       // at most so many of its pods on one node, 0: no limit (1: required anti-affinity on hostname)
	ZoneSkew   int       // maxSkew of a DoNotSchedule topology spread over zones, 0: none
}

// DaemonSet runs one pod on every node of its pools.
type DaemonSet struct {
	Name        string
	Requests    Resources
	Pools       []string // nil: all
	HostNetwork bool     // takes a place on the node, but no address of the VPC besides the node's own
}

// Subnet is where nodes and pods of one zone get their addresses.
type Subnet struct {
	Zone      string
	Addresses int // usable by nodes and pods: after AWS's five and whatever else lives there
}
