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
}

// newNamespaces makes the namespaces, each enforcing the restricted Pod Security Standard (C5).
func (c *Cluster) newNamespaces(ctx *pulumi.Context, name string, args *Args, ground []pulumi.Resource) error {
	for _, n := range []struct {
		name string
		out  *pulumi.StringOutput
	}{
		{args.Name, &c.Namespaces.Platform},
		{"monitoring", &c.Namespaces.Monitoring},
	} {
		labels := pulumi.StringMap{}
		for _, mode := range []string{"enforce", "audit", "warn"} {
			labels["pod-security.kubernetes.io/"+mode] = pulumi.String("restricted")
			labels["pod-security.kubernetes.io/"+mode+"-version"] = pulumi.String(config.PodSecurityVersion)
		}
		namespace, err := corev1.NewNamespace(ctx, name+"-"+n.name, &corev1.NamespaceArgs{
			Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(n.name), Labels: labels},
		}, append(c.inside(), pulumi.DependsOn(ground))...) // so that pods and their volumes go before the nodes, and before the drivers that clean up after them
		if err != nil {
			return fmt.Errorf("creating the namespace %q: %w", n.name, err)
		}
		*n.out = namespace.Metadata.Name().Elem()
	}
	return nil
}
