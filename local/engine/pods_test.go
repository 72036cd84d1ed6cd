package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	autoscaling "k8s.io/api/autoscaling/v2"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/alphapulse/infrastructure/local/cloud"
)

func autoscaler(least, most, current int32) *autoscaling.HorizontalPodAutoscaler {
	return &autoscaling.HorizontalPodAutoscaler{
		ObjectMeta: meta.ObjectMeta{Namespace: "shop", Name: "worker-hpa"},
		Spec:       autoscaling.HorizontalPodAutoscalerSpec{MinReplicas: &least, MaxReplicas: most},
		Status:     autoscaling.HorizontalPodAutoscalerStatus{CurrentReplicas: current},
	}
}

func TestSettlingWaitsForTheAutoscalersOfScaledObjects(t *testing.T) {
	scaled := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": map[string]any{"namespace": "shop", "name": "worker"},
		"spec":   map[string]any{"minReplicaCount": int64(5), "maxReplicaCount": int64(20)},
		"status": map[string]any{"hpaName": "worker-hpa"},
	}}
	custom := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{cloud.ScaledObjects: "ScaledObjectList", cloud.NodeClaims: "NodeClaimList"}, scaled)
	for name, c := range map[string]struct {
		there []runtime.Object
		wants []string
	}{
		"none yet":              {nil, []string{"ScaledObject shop/worker has no autoscaler of 5 to 20 replicas: see its events"}},
		"as before a change":    {[]runtime.Object{autoscaler(5, 10, 5)}, []string{"ScaledObject shop/worker has no autoscaler of 5 to 20 replicas: see its events"}},
		"not at its least":      {[]runtime.Object{autoscaler(5, 20, 1)}, []string{"autoscaler shop/worker-hpa has 1 of at least 5 replicas"}},
		"there, with all of it": {[]runtime.Object{autoscaler(5, 20, 5)}, nil},
	} {
		_, waiting, err := look(t.Context(), fake.NewClientset(c.there...), custom)
		require.NoError(t, err, name)
		require.Equal(t, c.wants, waiting, name)
	}
}
