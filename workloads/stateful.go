package workloads

import (
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
	// OnDelete leaves it to a person in which order pods are replaced by those of a new version; else it is one at a time, the highest first.
	OnDelete bool
	// SkipAwait: `pulumi up` does not wait until the pods are ready, because something that comes after them makes them so.
	SkipAwait bool
}

// storageClass is the cluster's default, named because the source names it.
const storageClass = "gp3"

// dataVolume is the name of each pod's volume: <dataVolume>-<pod>.
const dataVolume = "data"

// newStatefulSet makes the StatefulSet. Its pods start together: they wait for each other, and one that came alone would wait for ever. A
// Secret that changes rolls nothing here: half of the pods would not know the password of the others. They read it anew themselves.
func (b *objects) newStatefulSet() (err error) {
	state, metadata := b.args.State, b.metadata(b.name)
	if state.SkipAwait {
		metadata.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	}
	update := "RollingUpdate"
	if state.OnDelete {
		update = "OnDelete"
	}
	b.parent.Runs, err = appsv1.NewStatefulSet(b.ctx, b.name, &appsv1.StatefulSetArgs{
		Metadata: metadata,
		Spec: appsv1.StatefulSetSpecArgs{
			ServiceName:         pulumi.String(state.Governing),
			Replicas:            pulumi.Int(b.args.Spec.Replicas.Min),
			Selector:            metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			PodManagementPolicy: pulumi.String("Parallel"),
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategyArgs{Type: pulumi.String(update)},
			Template:            b.template(),
			VolumeClaimTemplates: corev1.PersistentVolumeClaimTypeArray{corev1.PersistentVolumeClaimTypeArgs{
				Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(dataVolume)},
				Spec: corev1.PersistentVolumeClaimSpecArgs{
					AccessModes:      pulumi.StringArray{pulumi.String("ReadWriteOnce")},
					StorageClassName: pulumi.String(storageClass),
					Resources:        corev1.VolumeResourceRequirementsArgs{Requests: pulumi.StringMap{"storage": pulumi.Sprintf("%dGi", state.GiB)}},
				},
			}},
			// Volumes go by hand, after a look: docs/runbooks.
			PersistentVolumeClaimRetentionPolicy: appsv1.StatefulSetPersistentVolumeClaimRetentionPolicyArgs{
				WhenDeleted: pulumi.String("Retain"), WhenScaled: pulumi.String("Retain"),
			},
		},
	}, pulumi.Parent(b.parent))
	return err
}

// stateMounts is a pod's volume, for those of its containers that write to it.
func (b *objects) stateMounts(c Container) corev1.VolumeMountArray {
	if b.args.State == nil || !c.Keeps {
		return nil
	}
	return corev1.VolumeMountArray{corev1.VolumeMountArgs{Name: pulumi.String(dataVolume), MountPath: pulumi.String(b.args.State.Path)}}
}
