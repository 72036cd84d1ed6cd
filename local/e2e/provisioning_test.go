package e2e

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// testVolumesAndLoadBalancers asks the running local stack for both, outside Pulumi, and gives them back (C4).
func testVolumesAndLoadBalancers(t *testing.T) {
	const namespace = "default"
	c := suite.Client(t, "local").CoreV1()
	claim := &core.PersistentVolumeClaim{
		ObjectMeta: meta.ObjectMeta{Name: "data"},
		Spec: core.PersistentVolumeClaimSpec{ // no class: the default one must be ours
			AccessModes: []core.PersistentVolumeAccessMode{core.ReadWriteOnce},
			Resources:   core.VolumeResourceRequirements{Requests: core.ResourceList{core.ResourceStorage: resource.MustParse("10Gi")}},
		},
	}
	_, err := c.PersistentVolumeClaims(namespace).Create(t.Context(), claim, meta.CreateOptions{})
	require.NoError(t, err)
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: "writer"},
		Spec: core.PodSpec{
			Containers: []core.Container{{Name: "writer", Image: "writer:1"}},
			Volumes: []core.Volume{{Name: "data", VolumeSource: core.VolumeSource{
				PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
			}}},
		},
	}
	_, err = c.Pods(namespace).Create(t.Context(), pod, meta.CreateOptions{})
	require.NoError(t, err)
	service := &core.Service{
		ObjectMeta: meta.ObjectMeta{Name: "door"},
		Spec:       core.ServiceSpec{Type: core.ServiceTypeLoadBalancer, Ports: []core.ServicePort{{Port: 443}}},
	}
	balancers := len(records(t, "aws:lb/loadBalancer:LoadBalancer")) // the ingress has one
	_, err = c.Services(namespace).Create(t.Context(), service, meta.CreateOptions{})
	require.NoError(t, err)

	suite.Eventually(t, "the pod runs", func(ctx context.Context) (bool, error) {
		now, err := c.Pods(namespace).Get(ctx, "writer", meta.GetOptions{})
		return err == nil && now.Status.Phase == core.PodRunning, err
	})
	suite.Eventually(t, "the load balancer has a name", func(ctx context.Context) (bool, error) {
		now, err := c.Services(namespace).Get(ctx, "door", meta.GetOptions{})
		return err == nil && len(now.Status.LoadBalancer.Ingress) == 1 && now.Status.LoadBalancer.Ingress[0].Hostname != "", err
	})
	placed, err := c.Pods(namespace).Get(t.Context(), "writer", meta.GetOptions{})
	require.NoError(t, err)
	node, err := c.Nodes().Get(t.Context(), placed.Spec.NodeName, meta.GetOptions{})
	require.NoError(t, err)
	volumes := volumesOf(t, namespace)
	require.Len(t, volumes, 1)
	assert.Equal(t, node.Labels[core.LabelTopologyZone], volumes[0].Outputs["availabilityZone"], "the volume is in its pod's zone")
	assert.Equal(t, true, volumes[0].Outputs["encrypted"])
	assert.Contains(t, volumes[0].Outputs["kmsKeyId"], ":key/", "with our key (D6)")
	assert.Len(t, records(t, "aws:lb/loadBalancer:LoadBalancer"), balancers+1)

	now := meta.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
	require.NoError(t, c.Services(namespace).Delete(t.Context(), "door", now))
	require.NoError(t, c.Pods(namespace).Delete(t.Context(), "writer", now))
	require.NoError(t, c.PersistentVolumeClaims(namespace).Delete(t.Context(), "data", now))
	suite.Eventually(t, "the account holds neither any more", func(context.Context) (bool, error) {
		return len(volumesOf(t, namespace)) == 0 && len(records(t, "aws:lb/loadBalancer:LoadBalancer")) == balancers, nil
	})
}

func records(t *testing.T, typ string) []inventory.Record {
	t.Helper()
	all, err := inventory.Account("000000000000")
	require.NoError(t, err)
	var found []inventory.Record
	for _, r := range all {
		if r.Type == typ {
			found = append(found, r)
		}
	}
	return found
}

// volumesOf are the volumes that were made for claims of a namespace.
func volumesOf(t *testing.T, namespace string) []inventory.Record {
	t.Helper()
	return slices.DeleteFunc(records(t, "aws:ebs/volume:Volume"), func(r inventory.Record) bool {
		tags, _ := r.Outputs["tags"].(map[string]any)
		return tags["kubernetes.io/created-for/pvc/namespace"] != namespace
	})
}
