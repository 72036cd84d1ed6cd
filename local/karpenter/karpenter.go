// Package karpenter runs the real Karpenter against the stand-in cloud: its provisioning, disruption and termination as its authors
// ship them, with a cloud provider of ours where theirs calls EC2. What it makes are machines of the inventory.
package karpenter

import (
	"fmt"
	"io"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// Run works for one cluster until its input ends, which is when the process that started it does. Its settings are in the environment,
// as in a pod.
func Run(kubeconfig, account, region, cluster string) error {
	os.Args = os.Args[:1] // Karpenter reads its own flags from there
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if name := os.Getenv("CLUSTER_NAME"); name != cluster {
		return fmt.Errorf("karpenter is told that its cluster is %q, but it is %q", name, cluster)
	}
	if _, err := clientcmd.LoadFromFile(kubeconfig); err != nil {
		return fmt.Errorf("running Karpenter for %s: %w", cluster, err)
	}
	regional, err := inventory.Open(account, region)
	if err != nil {
		return err
	}
	global, err := inventory.Open(account, "global")
	if err != nil {
		return err
	}
	ctx, op := operator.NewOperator()
	ours := &provider{client: op.GetClient(), store: regional, region: region, cluster: cluster}
	decorated := overlay.Decorate(ours, op.GetClient(), op.InstanceTypeStore)
	op.WithControllers(ctx, controllers.NewControllers(ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder, decorated, ours,
		state.NewCluster(op.Clock, op.GetClient(), decorated), op.InstanceTypeStore)...).
		WithControllers(ctx, &nodeClasses{client: op.GetClient(), regional: regional, global: global, cluster: cluster}).
		Start(ctx)
	return nil
}
