package workloads

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	schedulingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/scheduling/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// EveryNode is the priority of what has a pod on each node: that pod has no other place to be in, what it pushes aside has.
	EveryNode = "every-node"
	// CustomerFacing is the priority of what customers wait for: when nodes are short, others go first.
	CustomerFacing = "customer-facing"
	// Watching is the priority of what sees that something is wrong: it gives way to customers, and to nobody else.
	Watching = "watching"
	// Background is the priority of what takes tasks from queues, which wait. It is below that of whatever names none, such as the operators
	// and the agents on every node: those find room on a node full of workers.
	Background = "background"
)

// NewPriorities makes the priority classes, highest first.
func NewPriorities(ctx *pulumi.Context, provider pulumi.ProviderResource) error {
	for _, class := range []struct {
		name, description string
		value             int
	}{
		{EveryNode, "What each node has a pod of", 200_000},
		{CustomerFacing, "What customers wait for", 100_000},
		{Watching, "What sees that something is wrong, and calls people", 50_000},
		{Background, "What takes tasks from queues", -100},
	} {
		if _, err := schedulingv1.NewPriorityClass(ctx, class.name, &schedulingv1.PriorityClassArgs{
			Metadata:    metav1.ObjectMetaArgs{Name: pulumi.String(class.name)},
			Description: pulumi.String(class.description),
			Value:       pulumi.Int(class.value),
		}, pulumi.Provider(provider)); err != nil {
			return fmt.Errorf("creating the priority class %q: %w", class.name, err)
		}
	}
	return nil
}
