package kubernetes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func TestKindsAreReadyWhenTheyDoTheirWork(t *testing.T) {
	endpoints := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "s-1", Labels: map[string]string{discoveryv1.LabelServiceName: "served"}},
		Endpoints:  []discoveryv1.Endpoint{{}},
	}
	p := New(silent{})
	p.cluster = &cluster{typed: fake.NewClientset(endpoints)}
	for name, c := range map[string]struct {
		text  string
		ready bool
	}{
		"config needs nothing":   {`{apiVersion: v1, kind: ConfigMap}`, true},
		"skipped":                {`{apiVersion: batch/v1, kind: Job, metadata: {annotations: {pulumi.com/skipAwait: "true"}}}`, true},
		"job runs":               {`{apiVersion: batch/v1, kind: Job, status: {startTime: "2026-01-01T00:00:00Z", active: 1}}`, false},
		"job is done":            {`{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Complete, status: "True"}]}}`, true},
		"no address":             {`{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}}`, false},
		"address":                {`{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{hostname: h}]}}}`, true},
		"no pods":                {`{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop}, spec: {selector: {a: b}}}`, false},
		"pods":                   {`{apiVersion: v1, kind: Service, metadata: {name: served, namespace: shop}, spec: {selector: {a: b}}}`, true},
		"headless":               {`{apiVersion: v1, kind: Service, spec: {clusterIP: None, selector: {a: b}}}`, true},
		"OnDelete without pods":  {`{apiVersion: apps/v1, kind: StatefulSet, spec: {updateStrategy: {type: OnDelete}}}`, false},
		"ingress":                {`{apiVersion: networking.k8s.io/v1, kind: Ingress}`, false},
		"claim without a class":  {`{apiVersion: v1, kind: PersistentVolumeClaim, spec: {storageClassName: none}}`, false},
		"claim that has it":      {`{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Bound}}`, true},
		"deployment rolling out": {`{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 2}, status: {observedGeneration: 1}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			ready, message, err := p.ready(t.Context(), object(props(t, c.text)))
			require.NoError(t, err)
			require.Equal(t, c.ready, ready, message)
		})
	}
	_, _, err := p.ready(t.Context(), object(props(t, `{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Failed, status: "True", reason: R}]}}`)))
	require.ErrorContains(t, err, "the job failed: R")
}

func TestReasonsAreToldOnceAndInTheWordsOfThoseWhoKnow(t *testing.T) {
	now := metav1.Now()
	var objects []runtime.Object
	for _, name := range []string{"web-1-a", "web-1-b"} {
		objects = append(objects, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": "web"}},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu",
			}}},
		})
	}
	event := func(name, about, message string, at metav1.Time) *corev1.Event {
		return &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Type: "Warning", Reason: "FailedCreate", Message: message,
			InvolvedObject: corev1.ObjectReference{Kind: "ReplicaSet", Name: about}, LastTimestamp: at,
		}
	}
	objects = append(objects,
		event("1", "web-1", "forbidden: pod x", now), event("2", "web-1", "forbidden: pod y", now),
		event("3", "other", "not ours", now), event("4", "web-0", "long ago", metav1.NewTime(now.Add(-time.Hour))))
	c := &cluster{typed: fake.NewClientset(objects...)}
	web := object(props(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}, spec: {selector: {matchLabels: {app: web}}}}`))
	require.Equal(t, []string{
		"2 times: pod is Unschedulable: 0/3 nodes are available: 3 Insufficient cpu",
		"FailedCreate: forbidden: pod x",
	}, c.reasons(t.Context(), web, now.Time))
}
