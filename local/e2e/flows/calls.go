package flows

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admission "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// everyMetricsPortIsOpen asks the pods themselves where their metrics are, and not the list.
func (c *check) everyMetricsPortIsOpen(t *testing.T) {
	policy := matcher.BuildNetworkPolicies(false, c.policies)
	asked := 0
	for _, pod := range c.pods {
		if pod.Annotations["prometheus.io/scrape"] != "true" || !c.guarded(pod.Namespace) {
			continue
		}
		number := port(pod.Annotations["prometheus.io/port"] + "/TCP")
		for _, prometheus := range c.are([]string{"prometheus"}) {
			a := arrow{prometheus, c.party(pod), number}
			assert.True(t, a.passes(policy), a.String())
			asked++
		}
	}
	assert.NotZero(t, asked)
}

// everyWebhookIsReached asks the API server whom it would call, and not the list.
func (c *check) everyWebhookIsReached(t *testing.T, client kubernetes.Interface) {
	policy := matcher.BuildNetworkPolicies(false, c.policies)
	asked := map[string]bool{}
	for _, to := range webhooks(t, client) {
		i := slices.IndexFunc(c.services, func(s core.Service) bool { return s.Namespace == to.Namespace && s.Name == to.Name })
		require.GreaterOrEqual(t, i, 0, "a webhook leads to the Service %s/%s, which is not there", to.Namespace, to.Name)
		s := &c.services[i]
		j := slices.IndexFunc(s.Spec.Ports, func(offered core.ServicePort) bool { return to.Port != nil && offered.Port == *to.Port })
		require.GreaterOrEqual(t, j, 0, "a webhook leads to the Service %s/%s, which has no such port", to.Namespace, to.Name)
		number := port(fmt.Sprintf("%d/TCP", c.leadsTo(s, s.Spec.Ports[j])))
		for _, pod := range c.behind(s) {
			for _, from := range c.are([]string{"private", "public"}) {
				a := arrow{from, c.party(pod), number}
				assert.True(t, a.passes(policy), "the control plane to a webhook: %s", a)
				asked[a.to.name] = true
			}
		}
	}
	assert.NotEmpty(t, asked)
	t.Logf("webhooks: %d", len(asked))
}

// webhooks are the Services that the API server calls before it writes.
func webhooks(t *testing.T, client kubernetes.Interface) (all []admission.ServiceReference) {
	t.Helper()
	registered := client.AdmissionregistrationV1()
	validating, err := registered.ValidatingWebhookConfigurations().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	mutating, err := registered.MutatingWebhookConfigurations().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	var calls []admission.WebhookClientConfig
	for _, one := range validating.Items {
		for _, w := range one.Webhooks {
			calls = append(calls, w.ClientConfig)
		}
	}
	for _, one := range mutating.Items {
		for _, w := range one.Webhooks {
			calls = append(calls, w.ClientConfig)
		}
	}
	for _, call := range calls {
		if call.Service != nil {
			all = append(all, *call.Service)
		}
	}
	return all
}

// party is a pod as it would be met.
func (c *check) party(pod core.Pod) party {
	return party{name: pod.Namespace + "/" + pod.Name, peer: &matcher.TrafficPeer{IP: podAddress(len(c.parties)), Internal: &matcher.InternalPeer{
		Namespace: pod.Namespace, PodLabels: pod.Labels, NamespaceLabels: map[string]string{core.LabelMetadataName: pod.Namespace},
	}}}
}
