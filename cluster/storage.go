package cluster

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	storagev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/storage/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newStorageClass makes the default class: gp3, encrypted with our key (C4). Where the stack protects its data, a volume outlives its claim: one
// that is deleted by mistake, with kubectl, takes nothing along.
func (c *Cluster) newStorageClass(ctx *pulumi.Context, name string, args *Args) error {
	reclaim := "Delete"
	if args.Protect {
		reclaim = "Retain"
	}
	_, err := storagev1.NewStorageClass(ctx, name+"-gp3", &storagev1.StorageClassArgs{
		Metadata: metav1.ObjectMetaArgs{
			Name:        pulumi.String("gp3"),
			Annotations: pulumi.StringMap{"storageclass.kubernetes.io/is-default-class": pulumi.String("true")},
		},
		Provisioner: pulumi.String("ebs.csi.aws.com"),
		Parameters: pulumi.StringMap{
			"type": pulumi.String("gp3"), "encrypted": pulumi.String("true"), "kmsKeyId": args.Keys.Disks,
		},
		AllowVolumeExpansion: pulumi.Bool(true),
		ReclaimPolicy:        pulumi.String(reclaim),
		// A volume is made in the zone where its pod was placed, not the other way round.
		VolumeBindingMode: pulumi.String("WaitForFirstConsumer"),
	}, append(c.inside(), pulumi.ReplaceOnChanges([]string{"reclaimPolicy"}), pulumi.DeleteBeforeReplace(true))...) // Kubernetes never changes it
	if err != nil {
		return fmt.Errorf("creating the storage class gp3: %w", err)
	}
	return nil
}

// inside are the options of objects in the cluster.
func (c *Cluster) inside() []pulumi.ResourceOption {
	return []pulumi.ResourceOption{pulumi.Parent(c), pulumi.Provider(c.Provider)}
}
