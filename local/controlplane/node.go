package controlplane

import (
	"context"
	"fmt"
	"maps"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// EBSDriver is the CSI driver whose volumes a node counts, EBSZone its label for the zone that they are in.
const (
	EBSDriver = "ebs.csi.aws.com"
	EBSZone   = "topology.ebs.csi.aws.com/zone"
)

// Resources is an amount of a node's processor and memory.
type Resources struct {
	MilliCPU  int64
	MemoryMiB int64
}

// Node is an EC2 instance that joins a cluster.
type Node struct {
	Name         string // private DNS name
	InstanceID   string // i-<17 hex>
	InstanceType string
	Address      string // private IPv4 address
	Region, Zone string
	Labels       map[string]string // on top of the well-known ones
	Taints       []core.Taint
	Capacity     Resources
	Allocatable  Resources
	Pods         int
	Volumes      int // EBS volumes that can be attached
}

// AddNode makes a node that kwok keeps alive, and the CSINode by which the scheduler counts volumes. It does not wait.
func AddNode(ctx context.Context, cluster string, node Node) error {
	client, release, err := connect(ctx, cluster)
	if err != nil {
		return err
	}
	labels := map[string]string{
		core.LabelHostname:           node.Name,
		core.LabelOSStable:           "linux",
		core.LabelArchStable:         "amd64",
		core.LabelInstanceTypeStable: node.InstanceType,
		core.LabelTopologyZone:       node.Zone,
		core.LabelTopologyRegion:     node.Region,
		EBSZone:                      node.Zone,
	}
	maps.Copy(labels, node.Labels)
	// First, so that no pod is placed before its volumes are counted. One of the same name is that of an earlier machine, which had the
	// same address.
	if err := client.StorageV1().CSINodes().Delete(ctx, node.Name, meta.DeleteOptions{}); err != nil && !errors.IsNotFound(err) {
		return fmt.Errorf("adding node %s: %w", node.Name, err)
	}
	count := int32(node.Volumes)
	_, err = client.StorageV1().CSINodes().Create(ctx, &storage.CSINode{
		ObjectMeta: meta.ObjectMeta{Name: node.Name},
		Spec: storage.CSINodeSpec{Drivers: []storage.CSINodeDriver{{
			Name: EBSDriver, NodeID: node.InstanceID, TopologyKeys: []string{EBSZone},
			Allocatable: &storage.VolumeNodeResources{Count: &count},
		}}},
	}, meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("adding node %s: %w", node.Name, err)
	}
	added, err := client.CoreV1().Nodes().Create(ctx, &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: node.Name, Labels: labels, Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"}},
		Spec:       core.NodeSpec{ProviderID: fmt.Sprintf("aws:///%s/%s", node.Zone, node.InstanceID), Taints: node.Taints},
		Status: core.NodeStatus{
			Addresses: []core.NodeAddress{
				{Type: core.NodeInternalIP, Address: node.Address}, {Type: core.NodeHostName, Address: node.Name}},
			Capacity:    list(node.Capacity, node.Pods),
			Allocatable: list(node.Allocatable, node.Pods),
			NodeInfo:    core.NodeSystemInfo{KubeletVersion: release, OperatingSystem: "linux", Architecture: "amd64"},
		},
	}, meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("adding node %s: %w", node.Name, err)
	}
	owner := fmt.Sprintf(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":%q,"uid":%q}]}}`, added.Name, added.UID)
	_, err = client.StorageV1().CSINodes().Patch(ctx, node.Name, types.MergePatchType, []byte(owner), meta.PatchOptions{})
	if err != nil { // it goes with its node, whoever deletes that
		return fmt.Errorf("adding node %s: %w", node.Name, err)
	}
	return nil
}

// UpdateNode sets and removes labels and replaces taints, as EKS does on the nodes of a group that is updated in place.
func UpdateNode(ctx context.Context, cluster, name string, set map[string]string, remove []string, taints []core.Taint) error {
	client, _, err := connect(ctx, cluster)
	if err != nil {
		return err
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error { // kwok and the controller manager write nodes, too
		node, err := client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
		if err != nil {
			return err
		}
		for _, key := range remove {
			delete(node.Labels, key)
		}
		maps.Copy(node.Labels, set)
		node.Spec.Taints = taints
		_, err = client.CoreV1().Nodes().Update(ctx, node, meta.UpdateOptions{})
		return err
	})
}

// releaseNodes ends the leases by which a kwok that was killed still holds its nodes. The new one would wait for minutes until they
// expire, and meanwhile no pod of theirs could start or stop.
func releaseNodes(ctx context.Context, cluster string) error {
	client, _, err := connect(ctx, cluster)
	if err != nil {
		return err
	}
	return client.CoordinationV1().Leases(core.NamespaceNodeLease).DeleteCollection(ctx, meta.DeleteOptions{}, meta.ListOptions{})
}

// WaitReady waits until the nodes are ready.
func WaitReady(ctx context.Context, cluster string, names []string) error {
	client, _, err := connect(ctx, cluster)
	if err != nil {
		return err
	}
	for _, name := range names {
		err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			node, err := client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
			if err != nil {
				return false, err
			}
			for _, condition := range node.Status.Conditions {
				if condition.Type == core.NodeReady && condition.Status == core.ConditionTrue {
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil {
			return fmt.Errorf("waiting for node %s to be ready: %w", name, err)
		}
	}
	return nil
}

// RemoveNode empties a node and removes it. Unlike EKS, which evicts, it asks no PodDisruptionBudget and leaves pods no time to end. Pods of
// DaemonSets go with the node.
func RemoveNode(ctx context.Context, cluster, name string) error {
	client, _, err := connect(ctx, cluster)
	if err != nil {
		return err
	}
	cordon := []byte(`{"spec":{"unschedulable":true}}`)
	_, err = client.CoreV1().Nodes().Patch(ctx, name, types.StrategicMergePatchType, cordon, meta.PatchOptions{})
	if err != nil && !errors.IsNotFound(err) {
		return fmt.Errorf("draining node %s: %w", name, err)
	}
	if err := deletePods(ctx, client, name); err != nil {
		return fmt.Errorf("draining node %s: %w", name, err)
	}
	if err := client.CoreV1().Nodes().Delete(ctx, name, meta.DeleteOptions{}); err != nil && !errors.IsNotFound(err) {
		return fmt.Errorf("removing node %s: %w", name, err)
	}
	if err := deletePods(ctx, client, name); err != nil { // what DaemonSets put back meanwhile
		return fmt.Errorf("removing node %s: %w", name, err)
	}
	return nil
}

func deletePods(ctx context.Context, client *kubernetes.Clientset, node string) error {
	pods, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		return err
	}
	now := int64(0)
	for _, pod := range pods.Items {
		err := client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, meta.DeleteOptions{GracePeriodSeconds: &now})
		if err != nil && !errors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func connect(ctx context.Context, cluster string) (client *kubernetes.Clientset, kubelet string, err error) {
	config, err := Config(cluster)
	if err != nil {
		return nil, "", err
	}
	if client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, "", err
	}
	kubelet, err = release(ctx)
	return client, kubelet, err
}

func list(r Resources, pods int) core.ResourceList {
	return core.ResourceList{
		core.ResourceCPU:    *resource.NewMilliQuantity(r.MilliCPU, resource.DecimalSI),
		core.ResourceMemory: *resource.NewQuantity(r.MemoryMiB<<20, resource.BinarySI),
		core.ResourcePods:   *resource.NewQuantity(int64(pods), resource.DecimalSI),
	}
}
