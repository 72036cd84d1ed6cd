package cloud

import (
	"testing"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/alphapulse/infrastructure/local/machines"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
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
		Name: "node", Labels: map[string]string{corev1.LabelTopologyZone: "us-east-1b", controlplane.EBSZone: "us-east-1b"},
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

// What a machine that has ended leaves behind: its node, unless Karpenter holds it, and the pods that it ran.
func TestC4ANodeWithoutAMachineGoesWithItsPods(t *testing.T) {
	c := testCloud(t)
	for _, id := range []string{"i-1", "i-2"} {
		require.NoError(t, c.store.Put(inventory.Record{Type: machines.Type, ID: id}))
		_, err := c.client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "node-" + id, Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"}},
			Spec:       corev1.NodeSpec{ProviderID: "aws:///us-east-1a/" + id},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = c.client.CoreV1().Pods("shop").Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "on-" + id}, Spec: corev1.PodSpec{NodeName: "node-" + id},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	left := func() (names []string) {
		nodes, err := c.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		for _, n := range nodes.Items {
			names = append(names, n.Name)
		}
		pods, err := c.client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		for _, p := range pods.Items {
			names = append(names, p.Name)
		}
		return names
	}
	require.NoError(t, c.removeNodes(t.Context()))
	require.ElementsMatch(t, []string{"node", "node-i-1", "node-i-2", "on-i-1", "on-i-2"}, left())
	require.NoError(t, c.store.Delete(machines.Type, "i-1"))
	require.NoError(t, c.removeNodes(t.Context()))
	require.ElementsMatch(t, []string{"node", "node-i-2", "on-i-2"}, left())
}

// The settings that are shipped are those that Karpenter runs with here, and only while it would run there (C4).
func TestC4KarpenterHasTheSettingsOfItsDeployment(t *testing.T) {
	c := testCloud(t)
	settings, err := c.karpenterSettings(t.Context())
	require.NoError(t, err)
	require.Nil(t, settings, "no Deployment")
	field := func(resource string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: resource}}
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "karpenter", Name: "karpenter"}}
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{
		Env: []corev1.EnvVar{
			{Name: "BATCH_MAX_DURATION", Value: "7s"}, {Name: "CPU_REQUESTS", ValueFrom: field("requests.cpu")},
			{Name: "MEMORY_LIMIT", ValueFrom: field("limits.memory")},
			{Name: "SYSTEM_NAMESPACE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
		},
	}}
	deployment, err = c.client.AppsV1().Deployments("karpenter").Create(t.Context(), deployment, metav1.CreateOptions{})
	require.NoError(t, err)
	settings, err = c.karpenterSettings(t.Context())
	require.NoError(t, err)
	require.Nil(t, settings, "no pod is available")
	deployment.Status.AvailableReplicas = 1
	_, err = c.client.AppsV1().Deployments("karpenter").Update(t.Context(), deployment, metav1.UpdateOptions{})
	require.NoError(t, err)
	settings, err = c.karpenterSettings(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"BATCH_MAX_DURATION=7s", "CPU_REQUESTS=500", "MEMORY_LIMIT=1073741824"}, settings)
}
