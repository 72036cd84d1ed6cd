// Package cloud is what AWS runs for an EKS cluster: the controllers that make volumes for claims and load balancers for services, that
// keep node groups at their size and remove the nodes of machines that are gone. Beside them are those that operators in the cluster would
// run, if their pods were more than simulated: Karpenter, and KEDA's autoscalers.
// What they make stands in the inventory, so that a volume that outlives its cluster, or a load balancer that still holds a subnet,
// is as visible as in an account.
package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/alphapulse/infrastructure/local/inventory"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// cloud is what a controller works with.
type cloud struct {
	client              kubernetes.Interface
	dynamic             dynamic.Interface
	store               *inventory.Store
	events              record.EventRecorder
	informers           informers.SharedInformerFactory
	account, region     string
	cluster, kubeconfig string
	subnets             []string // of load balancers
}

// Cluster is what the controllers work for. Kubeconfig is a file; the subnets are those of its load balancers.
type Cluster struct {
	Name, Kubeconfig, Account, Region string
	Subnets                           []string
}

// controllers are all that run; each works until the context ends.
var controllers = []func(context.Context, *cloud) error{volumes, loadBalancers, nodes, pods, nodeGroups, karpenter, scaledObjects}

// Run works for one cluster until the context ends.
func Run(ctx context.Context, cluster Cluster) error {
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig)
	if err != nil {
		return fmt.Errorf("running the cloud's controllers: reading %s: %w", cluster.Kubeconfig, err)
	}
	config.QPS, config.UserAgent = -1, "aws"
	typed := rest.CopyConfig(config)
	typed.AcceptContentTypes, typed.ContentType = runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON, runtime.ContentTypeProtobuf
	client, err := kubernetes.NewForConfig(typed)
	if err != nil {
		return err
	}
	custom, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	store, err := inventory.Open(cluster.Account, cluster.Region)
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	c := &cloud{
		client: client, dynamic: custom, store: store, account: cluster.Account, region: cluster.Region,
		cluster: cluster.Name, kubeconfig: cluster.Kubeconfig, subnets: cluster.Subnets,
		events:    broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "aws"}),
		informers: informers.NewSharedInformerFactory(client, time.Minute),
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range controllers {
		group.Go(func() error { return run(ctx, c) })
	}
	return group.Wait()
}

// reconcile calls work for every object that an informer knows or has lost, one at a time, and again after an error.
func reconcile(ctx context.Context, informer cache.SharedIndexInformer, work func(ctx context.Context, namespace, name string) error) error {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	enqueue := func(obj any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj); err == nil {
			queue.Add(key)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue, UpdateFunc: func(_, obj any) { enqueue(obj) }, DeleteFunc: enqueue,
	})
	if err != nil {
		return err
	}
	go informer.Run(ctx.Done())
	go func() {
		<-ctx.Done()
		queue.ShutDown()
	}()
	next := func(ctx context.Context) bool {
		key, stop := queue.Get()
		if stop {
			return false
		}
		defer queue.Done(key)
		namespace, name, _ := cache.SplitMetaNamespaceKey(key)
		if err := work(ctx, namespace, name); err != nil {
			utilruntime.HandleErrorWithContext(ctx, err, "Working on an object failed, trying again", "key", key)
			queue.AddRateLimited(key)
			return true
		}
		queue.Forget(key)
		return true
	}
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		for next(ctx) {
		}
	}, time.Second)
	return nil
}
