package production

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/alphapulse/infrastructure/config"
)

// unrestricted are the namespaces that are not ours, EKS's, its add-ons' and Kubernetes' own; and the collector's, which reads its nodes' logs.
var unrestricted = []string{"default", "kube-system", "kube-public", "kube-node-lease", "prometheus-node-exporter", "kube-state-metrics", config.CollectorNamespace}

// assertRestricted tries a pod in each of our namespaces that the restricted standard refuses, and one that it takes; and looks for pods
// of ours that were refused (C5).
func assertRestricted(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	namespaces, err := client.CoreV1().Namespaces().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	tried := 0
	for _, namespace := range namespaces.Items {
		if slices.Contains(unrestricted, namespace.Name) {
			continue
		}
		tried++
		_, err := client.CoreV1().Pods(namespace.Name).Create(t.Context(), pod(true), meta.CreateOptions{DryRun: []string{meta.DryRunAll}})
		assert.ErrorContains(t, err, `violates PodSecurity "restricted:`, namespace.Name)
		_, err = client.CoreV1().Pods(namespace.Name).Create(t.Context(), pod(false), meta.CreateOptions{DryRun: []string{meta.DryRunAll}})
		assert.NoError(t, err, namespace.Name)
	}
	assert.GreaterOrEqual(t, tried, 8, "the platform's, monitoring and one for each operator")
	alone, err := client.CoreV1().Pods(config.CollectorNamespace).List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, alone.Items)
	for _, pod := range alone.Items {
		assert.Equal(t, config.AlloyName, pod.Labels["app"], "nothing else is where the standard is not enforced")
	}

	events, err := client.CoreV1().Events("").List(t.Context(), meta.ListOptions{FieldSelector: "reason=FailedCreate"})
	require.NoError(t, err)
	for _, event := range events.Items {
		assert.NotContains(t, event.Message, "violates PodSecurity", "%s/%s", event.Namespace, event.InvolvedObject.Name)
	}
}

func pod(privileged bool) *core.Pod {
	yes, no := true, false
	security := &core.SecurityContext{
		RunAsNonRoot: &yes, AllowPrivilegeEscalation: &no, Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}},
		SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault},
	}
	if privileged {
		security = &core.SecurityContext{Privileged: &yes}
	}
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: "stranger"},
		Spec:       core.PodSpec{Containers: []core.Container{{Name: "stranger", Image: "example.com/stranger:1", SecurityContext: security}}},
	}
}
