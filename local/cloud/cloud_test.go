package cloud

import (
	"testing"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func testCloud(t *testing.T) *cloud {
	t.Helper()
	t.Setenv(home.DirVariable, t.TempDir())
	store, err := inventory.Open("000000000000", "us-east-1")
	require.NoError(t, err)
	client := fake.NewClientset(&corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: "node", Labels: map[string]string{corev1.LabelTopologyZone: "us-east-1b", driverZone: "us-east-1b"},
	}})
	return &cloud{
		client: client, store: store, events: record.NewFakeRecorder(10),
		account: "000000000000", region: "us-east-1", subnets: []string{"subnet-1"},
	}
}

func claim(node string, parameters map[string]string, modes ...corev1.PersistentVolumeAccessMode) controller.ProvisionOptions {
	return controller.ProvisionOptions{
		StorageClass: &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "gp3"}, Parameters: parameters},
		PVName:       "pvc-1", SelectedNodeName: node,
		PVC: &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "data", UID: "1"},
			Spec: corev1.PersistentVolumeClaimSpec{AccessModes: modes, Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
			}},
		},
	}
}

func TestAVolumeIsMadeInTheZoneOfItsNodeAndDeletedWithTheClaim(t *testing.T) {
	c := testCloud(t)
	p := &provisioner{c}
	options := claim("node", map[string]string{"encrypted": "true", "kmsKeyId": "k", "iops": "4000"}, corev1.ReadWriteOnce)
	volume, state, err := p.Provision(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, controller.ProvisioningFinished, state)
	require.Len(t, volume.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions, 2)
	id := volume.Spec.CSI.VolumeHandle
	require.Regexp(t, "^vol-[0-9a-f]{17}$", id)

	stored, found, err := c.store.Get(volumeType, id)
	require.NoError(t, err)
	require.True(t, found)
	delete(stored.Outputs, "tags")
	require.Equal(t, map[string]any{
		"availabilityZone": "us-east-1b", "encrypted": true, "kmsKeyId": "k", "size": 10.0, "type": "gp3", "iops": 4000.0,
	}, stored.Outputs)

	again, _, err := p.Provision(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, id, again.Spec.CSI.VolumeHandle, "a repeated call makes no second volume")
	require.NoError(t, p.Delete(t.Context(), volume))
	records, err := c.store.List("")
	require.NoError(t, err)
	require.Empty(t, records)
}

func TestAVolumeThatIsNotModelledIsRefused(t *testing.T) {
	p := &provisioner{testCloud(t)}
	for want, options := range map[string]controller.ProvisionOptions{
		"tyype":                claim("node", map[string]string{"tyype": "gp3"}, corev1.ReadWriteOnce),
		"encrypted":            claim("node", map[string]string{"encrypted": "yes"}, corev1.ReadWriteOnce),
		"WaitForFirstConsumer": claim("", nil, corev1.ReadWriteOnce),
		"ReadWriteMany":        claim("node", nil, corev1.ReadWriteMany),
	} {
		_, _, err := p.Provision(t.Context(), options)
		require.ErrorContains(t, err, want)
	}
	records, err := p.store.List("")
	require.NoError(t, err)
	require.Empty(t, records)
}

func TestAServiceGetsALoadBalancerAndWaitsForItsRemoval(t *testing.T) {
	c := testCloud(t)
	class := nlbClass
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "front", UID: "1", Annotations: map[string]string{annotationPrefix + "scheme": "internal"}},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: &class},
	}
	api := c.client.CoreV1().Services("shop")
	service, err := api.Create(t.Context(), service, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.balance(t.Context(), service))

	service, err = api.Get(t.Context(), "front", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"service.k8s.aws/resources"}, service.Finalizers)
	require.Regexp(t, `^front-[0-9a-f]{16}\.elb\.us-east-1\.amazonaws\.com$`, service.Status.LoadBalancer.Ingress[0].Hostname)
	records, err := c.store.List(loadBalancerType)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, []any{"subnet-1"}, records[0].Inputs["subnets"])
	require.Equal(t, map[string]any{"scheme": "internal"}, records[0].Outputs["options"])

	now := metav1.Now()
	service.DeletionTimestamp = &now
	require.NoError(t, c.balance(t.Context(), service))
	service, err = api.Get(t.Context(), "front", metav1.GetOptions{})
	require.NoError(t, err)
	require.Empty(t, service.Finalizers)
	records, err = c.store.List(loadBalancerType)
	require.NoError(t, err)
	require.Empty(t, records)
}

func TestALoadBalancerOfAnotherClassIsLeftAlone(t *testing.T) {
	c := testCloud(t)
	class := "metallb"
	require.NoError(t, c.balance(t.Context(), &corev1.Service{
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: &class},
	}))
	c.subnets = nil
	require.ErrorContains(t, c.balance(t.Context(), &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}), "no subnet")
}
