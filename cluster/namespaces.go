package cluster

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Namespaces are outputs, so that what goes into a namespace waits for it.
type Namespaces struct {
	Platform, Monitoring pulumi.StringOutput
	// Collector is where pods read the logs of their nodes.
	Collector pulumi.StringOutput
	// Operators are the operators' own, by the operator's name.
	Operators map[string]pulumi.StringOutput
	// StateMetrics is the one that EKS runs the add-on kube-state-metrics in.
	StateMetrics pulumi.StringOutput
}

// newNamespaces makes the namespaces, each enforcing the restricted Pod Security Standard, but for the one whose pods see files of their nodes (C5).
func (c *Cluster) newNamespaces(ctx *pulumi.Context, name string, args *Args, ground []pulumi.Resource) error {
	c.Namespaces.Operators = map[string]pulumi.StringOutput{}
	type namespace struct {
		name   string
		keep   func(pulumi.StringOutput)
		labels map[string]string
		level  string
	}
	all := []namespace{
		{args.Name, func(made pulumi.StringOutput) { c.Namespaces.Platform = made }, map[string]string{
			// A new pod behind the load balancer is ready once the load balancer says so, or a rollout would outrun it.
			"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled",
		}, "restricted"},
		{config.MonitoringNamespace, func(made pulumi.StringOutput) { c.Namespaces.Monitoring = made }, nil, "restricted"},
		// No stricter standard knows of a folder of the node that is only read. Nothing else lives there, and rule pod-host knows which folder.
		{config.CollectorNamespace, func(made pulumi.StringOutput) { c.Namespaces.Collector = made }, nil, "privileged"},
	}
	for _, operator := range config.Operators {
		all = append(all, namespace{operator.Name, func(made pulumi.StringOutput) { c.Namespaces.Operators[operator.Name] = made }, nil, "restricted"})
	}
	for _, n := range all {
		labels := pulumi.ToStringMap(n.labels)
		for _, mode := range []string{"enforce", "audit", "warn"} {
			labels["pod-security.kubernetes.io/"+mode] = pulumi.String(n.level)
			labels["pod-security.kubernetes.io/"+mode+"-version"] = pulumi.String(config.PodSecurityVersion)
		}
		made, err := corev1.NewNamespace(ctx, name+"-"+n.name, &corev1.NamespaceArgs{
			Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(n.name), Labels: labels},
		}, append(c.inside(), pulumi.DependsOn(ground))...) // so that pods and their volumes go before the nodes, and before the drivers that clean up after them
		if err != nil {
			return fmt.Errorf("creating the namespace %q: %w", n.name, err)
		}
		n.keep(made.Metadata.Name().Elem())
	}
	// It comes with its add-on, as all namespaces come after the add-ons.
	c.Namespaces.StateMetrics = c.Namespaces.Monitoring.ApplyT(func(string) string { return config.StateMetrics }).(pulumi.StringOutput)
	return nil
}
