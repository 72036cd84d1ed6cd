package cloud

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
)

const queueTrigger = `{"type": "redis-sentinel", "authenticationRef": {"name": "broker"},
	"metadata": {"addresses": "broker:26379", "sentinelMaster": "broker", "listName": "technical_agent", "listLength": "4"}}`

func scaledObject(t *testing.T, triggers string) *unstructured.Unstructured {
	t.Helper()
	object := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(`{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "worker", "namespace": "shop", "uid": "1"},
		"spec": {
			"scaleTargetRef": {"name": "worker"}, "minReplicaCount": 5, "maxReplicaCount": 20, "triggers": [`+triggers+`],
			"advanced": {"horizontalPodAutoscalerConfig": {"name": "worker-hpa", "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}}
		}
	}`), &object))
	return &unstructured.Unstructured{Object: object}
}

// withKEDA is a cluster where KEDA's operator watches a namespace, with objects of KEDA's kinds.
func withKEDA(t *testing.T, watched string, available int32, objects ...runtime.Object) *cloud {
	t.Helper()
	c := testCloud(t)
	operator := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "keda-operator", Namespace: "keda"}}
	operator.Status.AvailableReplicas = available
	operator.Spec.Template.Spec.Containers = []corev1.Container{{Env: []corev1.EnvVar{{Name: "WATCH_NAMESPACE", Value: watched}}}}
	_, err := c.client.AppsV1().Deployments("keda").Create(t.Context(), operator, metav1.CreateOptions{})
	require.NoError(t, err)
	c.dynamic = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		ScaledObjects: "ScaledObjectList", triggerAuthentications: "TriggerAuthenticationList",
	}, objects...)
	return c
}

func brokerLogin() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication", "metadata": map[string]any{"name": "broker", "namespace": "shop"},
	}}
}

func autoscalers(t *testing.T, c *cloud) []autoscalingv2.HorizontalPodAutoscaler {
	t.Helper()
	list, err := c.client.AutoscalingV2().HorizontalPodAutoscalers("").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	return list.Items
}

func change(t *testing.T, c *cloud, value any, path ...string) {
	t.Helper()
	api := c.dynamic.Resource(ScaledObjects).Namespace("shop")
	live, err := api.Get(t.Context(), "worker", metav1.GetOptions{})
	require.NoError(t, err)
	require.NoError(t, unstructured.SetNestedField(live.Object, value, path...))
	_, err = api.Update(t.Context(), live, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.scale(t.Context()))
}

func TestAScaledObjectHasTheAutoscalerThatKEDAMakes(t *testing.T) {
	cpu := `{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}`
	c := withKEDA(t, "shop", 1, scaledObject(t, cpu+", "+queueTrigger), brokerLogin())
	require.NoError(t, c.scale(t.Context()))
	made := autoscalers(t, c)
	require.Len(t, made, 1)
	require.Equal(t, "worker-hpa", made[0].Name)
	require.Equal(t, "1", string(metav1.GetControllerOf(&made[0]).UID), "it goes with the ScaledObject")
	spec := made[0].Spec
	require.Equal(t, autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "worker"}, spec.ScaleTargetRef)
	require.EqualValues(t, []int32{5, 20}, []int32{*spec.MinReplicas, spec.MaxReplicas})
	require.EqualValues(t, 60, *spec.Behavior.ScaleDown.StabilizationWindowSeconds)
	require.Len(t, spec.Metrics, 2)
	require.Equal(t, "s1-redis-technical_agent", spec.Metrics[0].External.Metric.Name)
	require.Equal(t, "worker", spec.Metrics[0].External.Metric.Selector.MatchLabels["scaledobject.keda.sh/name"])
	require.EqualValues(t, 4, spec.Metrics[0].External.Target.AverageValue.Value())
	require.EqualValues(t, 70, *spec.Metrics[1].Resource.Target.AverageUtilization)

	change(t, c, int64(30), "spec", "maxReplicaCount")
	require.EqualValues(t, 30, autoscalers(t, c)[0].Spec.MaxReplicas, "kept in step")
	change(t, c, "other", "spec", "advanced", "horizontalPodAutoscalerConfig", "name")
	made = autoscalers(t, c)
	require.Len(t, made, 1, "the one of the former name is gone")
	require.Equal(t, "other", made[0].Name)
}

func TestAScaledObjectIsHeldUntilTheOperatorLetsItGo(t *testing.T) {
	c := withKEDA(t, "", 1, scaledObject(t, queueTrigger), brokerLogin())
	require.NoError(t, c.scale(t.Context()))
	api := c.dynamic.Resource(ScaledObjects).Namespace("shop")
	live, err := api.Get(t.Context(), "worker", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"finalizer.keda.sh"}, live.GetFinalizers())
	name, _, err := unstructured.NestedString(live.Object, "status", "hpaName")
	require.NoError(t, err)
	require.Equal(t, "worker-hpa", name)

	now := metav1.Now()
	live.SetDeletionTimestamp(&now)
	require.NoError(t, c.scaleOne(t.Context(), live, surroundings{}))
	live, err = api.Get(t.Context(), "worker", metav1.GetOptions{})
	require.NoError(t, err)
	require.Empty(t, live.GetFinalizers())
}

func TestAScaledObjectThatKEDAWouldNotServeGetsNoAutoscaler(t *testing.T) {
	for name, c := range map[string]*cloud{
		"no operator runs":           withKEDA(t, "shop", 0, scaledObject(t, queueTrigger), brokerLogin()),
		"it looks elsewhere":         withKEDA(t, "market,bazaar", 1, scaledObject(t, queueTrigger), brokerLogin()),
		"no way to the broker":       withKEDA(t, "shop", 1, scaledObject(t, queueTrigger)),
		"a trigger that is not here": withKEDA(t, "shop", 1, scaledObject(t, `{"type": "kafka"}`)),
		"a length that is no number": withKEDA(t, "shop", 1, scaledObject(t,
			`{"type": "redis-sentinel", "metadata": {"addresses": "a", "sentinelMaster": "m", "listName": "l", "listLength": "four"}}`)),
	} {
		require.NoError(t, c.scale(t.Context()), name)
		require.Empty(t, autoscalers(t, c), name)
	}
}

func TestWhyAScaledObjectIsNotServedIsAnEvent(t *testing.T) {
	c := withKEDA(t, "shop", 1, scaledObject(t, `{"type": "kafka"}`))
	require.NoError(t, c.scale(t.Context()))
	recorder, _ := c.events.(*record.FakeRecorder)
	require.Contains(t, <-recorder.Events, "kafka")
}

func TestAnOperatorThatIsThereBeforeItsKindsHasNothingToDo(t *testing.T) {
	c := withKEDA(t, "", 1)
	c.dynamic.(*dynamicfake.FakeDynamicClient).PrependReactor("list", "scaledobjects",
		func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewNotFound(ScaledObjects.GroupResource(), "")
		})
	require.NoError(t, c.scale(t.Context()))
	require.Empty(t, autoscalers(t, c))
}
