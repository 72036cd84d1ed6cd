package capacity

import (
	"cmp"
	"slices"
)

// Node is what one node offers to pods.
type Node struct {
	Resources
	Pods, Volumes int
	Addresses     int // for pods, those of the node itself not counted
}

// Allocatable is what an EKS node of this type on AL2023 offers to pods, DaemonSets included. The program, and the
// local engine's simulated nodes, take it from here, so that both mean the same node.
func (t InstanceType) Allocatable() Node {
	addresses := t.ENIs * (t.IPv4PerENI - 1)
	// The two that need no address of their own are aws-node and kube-proxy (awslabs/amazon-eks-ami, eni-max-pods.txt).
	pods := addresses + 2
	return Node{
		Resources: Resources{
			MilliCPU:  int64(t.VCPU)*1000 - t.reservedMilliCPU(),
			MemoryMiB: t.visibleMemoryMiB() - reservedMemoryMiB(pods) - evictionHardMiB,
		},
		Pods:      min(pods, t.managedPodLimit()),
		Volumes:   t.Volumes,
		Addresses: addresses,
	}
}

// evictionHardMiB is memory.available of evictionHard as nodeadm sets it (amazon-eks-ami, nodeadm/internal/kubelet).
const evictionHardMiB = 100

// visibleMemoryMiB leaves 7.5 % to firmware, hypervisor and kernel: Karpenter's VM_MEMORY_OVERHEAD_PERCENT. The real
// part is smaller on large types, and differs by type and image.
func (t InstanceType) visibleMemoryMiB() int64 {
	overhead := (t.MemoryMiB*75 + 999) / 1000
	return t.MemoryMiB - overhead
}

// reservedMemoryMiB is nodeadm's kube-reserved, by the pods the interfaces allow, even where managedPodLimit is lower.
func reservedMemoryMiB(pods int) int64 { return 255 + 11*int64(pods) }

// reservedMilliCPU is nodeadm's kube-reserved: 6 % of the first core, 1 % of the second, 0.5 % of the next two and
// 0.25 % of the rest.
func (t InstanceType) reservedMilliCPU() int64 {
	hundredths := 0 // of a thousandth of a core
	for core := range t.VCPU {
		switch {
		case core == 0:
			hundredths += 6000
		case core == 1:
			hundredths += 1000
		case core < 4:
			hundredths += 500
		default:
			hundredths += 250
		}
	}
	return int64(hundredths+99) / 100
}

// managedPodLimit is what EKS enforces in managed node groups, whatever the interfaces allow (EKS user guide, "How
// maxPods is determined").
func (t InstanceType) managedPodLimit() int {
	if t.VCPU < 30 {
		return 110
	}
	return 250
}

// smaller is a node that is as small as the smaller of both in each dimension.
func (n Node) smaller(m Node) Node {
	return Node{
		Resources: n.Resources.smaller(m.Resources),
		Pods:      min(n.Pods, m.Pods),
		Volumes:   min(n.Volumes, m.Volumes),
		Addresses: min(n.Addresses, m.Addresses),
	}
}

// less is what one more pod leaves of the node.
func (n Node) less(requests Resources, volumes, addresses int) Node {
	n.Resources = n.Sub(requests)
	n.Pods--
	n.Volumes -= volumes
	n.Addresses -= addresses
	return n
}

// holds says whether one more pod of the workload fits what is left of the node.
func (n *Node) holds(w *Workload) bool {
	return w.Requests.Fits(n.Resources) && n.Pods > 0 && w.Volumes <= n.Volumes && n.Addresses > 0
}

// shape is the node a pool is counted with.
type shape struct {
	whole Node // allocatable, which the scheduler takes its percentages from
	free  Node // after the DaemonSets
}

// shapeOf is the smallest of the types in each dimension, less the DaemonSets. Unknown types are left out: they are
// refused elsewhere. It is false if none is known.
func (p Plan) shapeOf(pool string, types []string) (s shape, known bool) {
	for _, name := range types {
		t, ok := Instance(name)
		if !ok {
			continue
		}
		if !known {
			s.whole, known = t.Allocatable(), true
		}
		s.whole = s.whole.smaller(t.Allocatable())
	}
	s.free = s.whole
	for _, d := range p.daemonSetsOf(pool) {
		s.free = s.free.less(d.Requests, 0, d.addresses())
	}
	return s, known
}

func (p Plan) daemonSetsOf(pool string) []DaemonSet {
	return slices.DeleteFunc(slices.Clone(p.DaemonSets), func(d DaemonSet) bool {
		return d.Pools != nil && !slices.Contains(d.Pools, pool)
	})
}

func (d DaemonSet) addresses() int {
	if d.HostNetwork {
		return 0
	}
	return 1
}

// bySize orders types from the smallest to the largest, as the price has it.
func bySize(a, b InstanceType) int {
	return cmp.Or(cmp.Compare(a.HourlyUSD, b.HourlyUSD), cmp.Compare(a.Name, b.Name))
}
