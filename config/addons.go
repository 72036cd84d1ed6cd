package config

import "slices"

// AddOn is an EKS add-on that the program runs (C4). Requests are what it asks for, which the program sets or AWS ships: capacity is
// planned with them, and what is set is set from here.
type AddOn struct {
	Name string
	// PerNode add-ons have one pod on every node of every pool; the others have Replicas pods in the platform pool.
	PerNode  bool
	Replicas int
	Requests Amount
	// BeforeNodes: without a network plugin no node becomes ready, and the node group's creation fails after 30 minutes.
	BeforeNodes bool
}

// AddOns are all add-ons in the order of the diagram's reading: network, names, storage, metrics.
var AddOns = []AddOn{
	// The agent's two containers, aws-node and the network policy agent, 25m each.
	{Name: "vpc-cni", PerNode: true, BeforeNodes: true, Requests: Amount{CPU: "50m", Memory: "0"}},
	{Name: "kube-proxy", PerNode: true, BeforeNodes: true, Requests: Amount{CPU: "100m", Memory: "0"}},
	{Name: "coredns", Replicas: 2, Requests: Amount{CPU: "100m", Memory: "85Mi"}}, // EKS limits it to 170Mi, which is twice this
	// The controller; its node part is below. Six containers of 10m and 40Mi.
	{Name: "aws-ebs-csi-driver", Replicas: 2, Requests: Amount{CPU: "60m", Memory: "240Mi"}},
	{Name: "metrics-server", Replicas: 2, Requests: Amount{CPU: "100m", Memory: "200Mi"}},
	{Name: "kube-state-metrics", Replicas: 1, Requests: Amount{CPU: "50m", Memory: "128Mi"}},
	{Name: "prometheus-node-exporter", PerNode: true, Requests: Amount{CPU: "50m", Memory: "64Mi"}},
}

// EBSNode is the part of the EBS CSI driver on every node: three containers of 10m and 40Mi.
var EBSNode = Amount{CPU: "30m", Memory: "120Mi"}

// FindAddOn finds an add-on by name.
func FindAddOn(name string) (AddOn, bool) {
	i := slices.IndexFunc(AddOns, func(a AddOn) bool { return a.Name == name })
	if i < 0 {
		return AddOn{}, false
	}
	return AddOns[i], true
}

func addOnNames() []string {
	names := make([]string, 0, len(AddOns))
	for _, addOn := range AddOns {
		names = append(names, addOn.Name)
	}
	slices.Sort(names)
	return names
}
