package workloads

import (
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// State is what a program keeps. Its pods have names that stay theirs, and a volume each, which outlives them.
type State struct {
	// GiB is the size of a pod's volume, Path where the program, and those beside it that say so, find it.
	GiB  int
	Path string
	// Governing is the name of the headless Service through which each pod has a name of its own, <pod>.<Governing>. It knows pods before they
	// are ready.
	Governing string
}

// storageClass is the cluster's default, named because the source names it.
const storageClass = "gp3"

// dataVolume is the name of each pod's volume: <dataVolume>-<pod>.
const dataVolume = "data"

// newStatefulSet makes the StatefulSet. Its pods start together: they wait for each other, and one that came alone would wait for ever. A
// Secret that changes rolls nothing here: half of the pods would not know the password of the others. They read it anew themselves.
func (b *objects) newStatefulSet() error {
	volumes, err := b.newVolumes()
	if err != nil {
		return err
	}
	b.parent.Runs, err = appsv1.NewStatefulSet(b.ctx, b.name, &appsv1.StatefulSetArgs{
		Metadata: b.metadata(b.name),
		Spec: appsv1.StatefulSetSpecArgs{
			ServiceName:         pulumi.String(b.args.State.Governing),
			Replicas:            pulumi.Int(b.args.Spec.Replicas.Min),
			Selector:            metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			PodManagementPolicy: pulumi.String("Parallel"),
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategyArgs{Type: pulumi.String("RollingUpdate")},
			Template:            b.template(),
			VolumeClaimTemplates: corev1.PersistentVolumeClaimTypeArray{corev1.PersistentVolumeClaimTypeArgs{
				Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(dataVolume)}, Spec: b.claim(),
			}},
			// Volumes go by hand, after a look: docs/runbooks.
			PersistentVolumeClaimRetentionPolicy: appsv1.StatefulSetPersistentVolumeClaimRetentionPolicyArgs{
				WhenDeleted: pulumi.String("Retain"), WhenScaled: pulumi.String("Retain"),
			},
		},
	}, pulumi.Parent(b.parent), pulumi.DependsOn(volumes),
		// What the template says of size can never change, and counts only for a pod whose claim somebody has deleted.
		pulumi.IgnoreChanges([]string{"spec.volumeClaimTemplates"}), rollout)
	return err
}

// newVolumes claims each pod's volume by the name by which the StatefulSet looks for it. So it grows with the stack file, which a template
// cannot, and where the stack protects its data nothing deletes it.
func (b *objects) newVolumes() (made []pulumi.Resource, err error) {
	for i := range b.args.Spec.Replicas.Min {
		metadata := b.metadata(fmt.Sprintf("%s-%s-%d", dataVolume, b.name, i))
		metadata.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")} // it is bound once its pod is placed, which comes later
		one, err := corev1.NewPersistentVolumeClaim(b.ctx, fmt.Sprintf("%s-%s-%d", b.name, dataVolume, i), &corev1.PersistentVolumeClaimArgs{Metadata: metadata, Spec: b.claim()},
			pulumi.Parent(b.parent), pulumi.Protect(b.place.Protect))
		if err != nil {
			return nil, err
		}
		made = append(made, one)
	}
	return made, nil
}

func (b *objects) claim() corev1.PersistentVolumeClaimSpecArgs {
	return corev1.PersistentVolumeClaimSpecArgs{
		AccessModes:      pulumi.StringArray{pulumi.String("ReadWriteOnce")},
		StorageClassName: pulumi.String(storageClass),
		Resources:        corev1.VolumeResourceRequirementsArgs{Requests: pulumi.StringMap{"storage": pulumi.Sprintf("%dGi", b.args.State.GiB)}},
	}
}

// stateMounts is a pod's volume, for those of its containers that write to it.
func (b *objects) stateMounts(c Container) corev1.VolumeMountArray {
	if b.args.State == nil || !c.Keeps {
		return nil
	}
	return corev1.VolumeMountArray{corev1.VolumeMountArgs{Name: pulumi.String(dataVolume), MountPath: pulumi.String(b.args.State.Path)}}
}
