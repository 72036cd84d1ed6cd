package cloud

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sort"
	"strconv"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const volumeType = "aws:ebs/volume:Volume"

// volumes makes EBS volumes for claims, with the library that the CSI sidecar is made of.
func volumes(ctx context.Context, c *cloud) error {
	controller.NewProvisionController(ctx, c.client, controlplane.EBSDriver, &provisioner{c},
		controller.LeaderElection(false),
		controller.FailedProvisionThreshold(0), // try for ever, as the sidecar does
	).Run(ctx)
	return nil
}

type provisioner struct{ *cloud }

// Provision is repeated after a failure: the volume's ID comes from the claim, so that it makes no second one.
func (p *provisioner) Provision(ctx context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	zoneTerms, zone, err := p.topology(ctx, o)
	if err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	size := o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]
	gib := (size.Value() + 1<<30 - 1) >> 30
	properties, err := parameters(o.StorageClass.Parameters)
	if err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("storage class %q: %w", o.StorageClass.Name, err)
	}
	for _, mode := range o.PVC.Spec.AccessModes {
		if mode != corev1.ReadWriteOnce && mode != corev1.ReadWriteOncePod {
			return nil, controller.ProvisioningFinished, fmt.Errorf("an EBS volume cannot be %s: use ReadWriteOnce", mode)
		}
	}
	id := "vol-" + digest(p.account, p.region, string(o.PVC.UID))[:17]
	fsType := properties["fsType"].(string)
	delete(properties, "fsType")
	properties["availabilityZone"], properties["size"] = zone, gib
	properties["tags"] = map[string]any{
		"kubernetes.io/created-for/pv/name":       o.PVName,
		"kubernetes.io/created-for/pvc/name":      o.PVC.Name,
		"kubernetes.io/created-for/pvc/namespace": o.PVC.Namespace,
	}
	if err := p.store.Put(inventory.Record{Type: volumeType, ID: id, Inputs: properties, Outputs: properties}); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("making volume %s: %w", id, err)
	}

	reclaim, mode := corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeFilesystem
	if o.StorageClass.ReclaimPolicy != nil {
		reclaim = *o.StorageClass.ReclaimPolicy
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: *resource.NewQuantity(gib<<30, resource.BinarySI)},
			MountOptions:                  o.StorageClass.MountOptions,
			PersistentVolumeReclaimPolicy: reclaim,
			VolumeMode:                    &mode,
			NodeAffinity:                  &corev1.VolumeNodeAffinity{Required: zoneTerms},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				CSI: &corev1.CSIPersistentVolumeSource{Driver: controlplane.EBSDriver, VolumeHandle: id, FSType: fsType},
			},
		},
	}, controller.ProvisioningFinished, nil
}

func (p *provisioner) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	return p.store.Delete(volumeType, volume.Spec.CSI.VolumeHandle)
}

// topology is the zone of the node that the scheduler chose, and the terms that hold the volume's pods there.
func (p *provisioner) topology(ctx context.Context, o controller.ProvisionOptions) (*corev1.NodeSelector, string, error) {
	if o.SelectedNodeName == "" {
		return nil, "", fmt.Errorf("storage class %q binds immediately, which puts the volume into any zone and is not modelled by the "+
			"local engine: set volumeBindingMode to WaitForFirstConsumer", o.StorageClass.Name)
	}
	node, err := p.client.CoreV1().Nodes().Get(ctx, o.SelectedNodeName, metav1.GetOptions{})
	if err != nil {
		return nil, "", err
	}
	zone := node.Labels[corev1.LabelTopologyZone]
	if zone == "" {
		return nil, "", fmt.Errorf("node %s has no label %s", node.Name, corev1.LabelTopologyZone)
	}
	keys := []string{corev1.LabelTopologyZone}
	if node.Labels[controlplane.EBSZone] != "" {
		keys = append(keys, controlplane.EBSZone)
	}
	var term corev1.NodeSelectorTerm
	for _, key := range keys {
		term.MatchExpressions = append(term.MatchExpressions, corev1.NodeSelectorRequirement{
			Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{zone},
		})
	}
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}}, zone, nil
}

// parameters reads a storage class. What is not modelled is an error, which the claim shows as an event.
func parameters(class map[string]string) (map[string]any, error) {
	properties := map[string]any{"type": "gp3", "encrypted": false, "fsType": "ext4"}
	keys := make([]string, 0, len(class))
	for key := range class {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		var err error
		switch value := class[key]; key {
		case "type", "kmsKeyId":
			properties[key] = value
		case "csi.storage.k8s.io/fstype":
			properties["fsType"] = value
		case "encrypted":
			properties[key], err = strconv.ParseBool(value)
		case "iops", "throughput":
			properties[key], err = strconv.ParseInt(value, 10, 64)
		default:
			err = fmt.Errorf("not modelled by the local engine, which knows csi.storage.k8s.io/fstype, encrypted, iops, kmsKeyId, throughput, type")
		}
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", key, err)
		}
	}
	return properties, nil
}

// digest is a name's stable random-looking part.
func digest(parts ...string) string { return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, parts))) }
