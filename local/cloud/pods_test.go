package cloud

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// What kwok has overlooked is brought to its mind, every five seconds; what waits for a node, has begun or ends is left alone.
func TestOverlookedPodsAreBroughtToMind(t *testing.T) {
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(time.Now().Add(-d)) }
	pod := func(name string, change func(*corev1.Pod)) *corev1.Pod {
		made := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "n", CreationTimestamp: ago(time.Minute)},
			Spec:       corev1.PodSpec{NodeName: "node"}, Status: corev1.PodStatus{Phase: corev1.PodPending},
		}
		change(made)
		return made
	}
	began := ago(time.Second)
	client := fake.NewClientset(
		pod("overlooked", func(*corev1.Pod) {}),
		pod("overlooked-again", func(p *corev1.Pod) {
			p.Annotations = map[string]string{remindedAt: ago(10 * time.Second).Format(time.RFC3339)}
		}),
		pod("just-reminded", func(p *corev1.Pod) {
			p.Annotations = map[string]string{remindedAt: ago(time.Second).Format(time.RFC3339)}
		}),
		pod("just-placed", func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, LastTransitionTime: ago(time.Second)}}
		}),
		pod("without-a-node", func(p *corev1.Pod) { p.Spec.NodeName = "" }),
		pod("begun", func(p *corev1.Pod) { p.Status.StartTime = &began }),
		pod("ending", func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &began, []string{"held"} }),
	)
	require.NoError(t, (&cloud{client: client}).remind(t.Context()))
	var reminded []string
	for _, a := range client.Actions() {
		if patch, ok := a.(interface{ GetName() string }); ok && a.GetVerb() == "patch" {
			reminded = append(reminded, patch.GetName())
		}
	}
	assert.ElementsMatch(t, []string{"overlooked", "overlooked-again"}, reminded)
	list, err := client.CoreV1().Pods("n").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, p := range list.Items {
		if p.Name == "overlooked" || p.Name == "overlooked-again" {
			assert.False(t, overlooked(p, time.Now()), "%s has been spoken of", p.Name)
		}
	}
}
