package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamic "k8s.io/client-go/dynamic/fake"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

const webhooksText = `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [
	{name: pod, clientConfig: {service: {name: s, namespace: n}}},
	{name: picky, clientConfig: {service: {name: s, namespace: n}}, matchConditions: [{name: mine, expression: "true"}]},
	{name: outside, clientConfig: {url: "https://example.com"}}]}`

// The API server gets a condition that nobody else sees.
func TestWebhooksOfSimulatedPodsAreNeverCalled(t *testing.T) {
	kind := schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingWebhookConfiguration"}
	known := meta.NewDefaultRESTMapper(nil)
	known.Add(kind, meta.RESTScopeRoot)
	client := dynamic.NewSimpleDynamicClient(runtime.NewScheme())
	p := New(silent{})
	p.cluster = &cluster{mapper: mapper{known}, dynamic: client}
	inputs := props(t, webhooksText)

	created, err := p.create(t.Context(), object(inputs), false)
	require.NoError(t, err)
	require.Equal(t, object(inputs), created)

	kept, err := client.Resource(schema.GroupVersionResource{Group: kind.Group, Version: "v1", Resource: "validatingwebhookconfigurations"}).
		Get(t.Context(), "w", metav1.GetOptions{})
	require.NoError(t, err)
	never := map[string]any{"name": silenced, "expression": "false"}
	webhooks, _, err := unstructured.NestedSlice(kept.Object, "webhooks")
	require.NoError(t, err)
	require.Equal(t, []any{never}, webhooks[0].(map[string]any)["matchConditions"])
	require.Equal(t, []any{map[string]any{"name": "mine", "expression": "true"}, never}, webhooks[1].(map[string]any)["matchConditions"])
	require.NotContains(t, webhooks[2], "matchConditions")

	read, err := p.get(t.Context(), plugin.ReadRequest{ID: "w"}, kind)
	require.NoError(t, err)
	require.Equal(t, inputs, liveInputs(kind, inputs, read))

	original := object(inputs)
	registered := silence(original)
	require.Equal(t, object(inputs), original)
	require.Equal(t, object(inputs), unsilence(registered))
}
