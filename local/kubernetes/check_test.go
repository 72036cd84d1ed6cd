package kubernetes

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

const configMap, namespace = "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Namespace"

func check(t *testing.T, p *Provider, token string, olds, news resource.PropertyMap) plugin.CheckResponse {
	t.Helper()
	u := urn(token, "settings")
	response, err := p.Check(t.Context(), plugin.CheckRequest{URN: u, Type: u.Type(), Olds: olds, News: news, RandomSeed: []byte("seed")})
	require.NoError(t, err)
	return response
}

func metadataOf(r plugin.CheckResponse) map[string]any {
	return r.Properties["metadata"].ObjectValue().Mappable()
}

func TestCheckKeepsAFixedNameAndAddsTheNamespace(t *testing.T) {
	r := check(t, testProvider(), configMap, nil, props(t, `{metadata: {name: fixed}, data: {a: null}}`))
	require.Equal(t, map[string]any{"name": "fixed", "namespace": "shop"}, metadataOf(r))
	require.Equal(t, map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadataOf(r), "data": map[string]any{},
	}, r.Properties.Mappable())
}

func TestCheckMakesANameAndKeepsItAcrossUpdates(t *testing.T) {
	p := testProvider()
	first := check(t, p, configMap, nil, props(t, `{data: {a: b}}`))
	require.Regexp(t, "^settings-[0-9a-f]{8}$", metadataOf(first)["name"])
	require.Equal(t, map[string]any{autonamed: "true"}, metadataOf(first)["annotations"])

	second := check(t, p, configMap, first.Properties, props(t, `{data: {a: c}, metadata: {annotations: {x: z}}}`))
	require.Equal(t, metadataOf(first)["name"], metadataOf(second)["name"])
	require.Equal(t, map[string]any{autonamed: "true", "x": "z"}, metadataOf(second)["annotations"])

	fixed := check(t, p, configMap, nil, props(t, `{metadata: {name: fixed}}`))
	unnamed := check(t, p, configMap, fixed.Properties, props(t, `{}`))
	require.Regexp(t, "^settings-[0-9a-f]{8}$", metadataOf(unnamed)["name"])
}

func TestCheckPutsClusterWideKindsIntoNoNamespace(t *testing.T) {
	r := check(t, testProvider(), namespace, nil, props(t, `{metadata: {name: a, namespace: b}}`))
	require.Equal(t, map[string]any{"name": "a"}, metadataOf(r))
}

func TestCheckWithoutAClusterKeepsTheOldNamespace(t *testing.T) {
	p := New(silent{})
	require.Equal(t, map[string]any{"name": "a"}, metadataOf(check(t, p, configMap, nil, props(t, `{metadata: {name: a}}`))))
	olds := props(t, `{metadata: {name: a, namespace: shop}}`)
	require.Equal(t, map[string]any{"name": "a", "namespace": "shop"},
		metadataOf(check(t, p, configMap, olds, props(t, `{metadata: {name: a}}`))))
}

func TestCheckRefusesWhatIsNotModelled(t *testing.T) {
	for _, text := range []string{
		`{metadata: {generateName: a-}}`, `{metadata: {annotations: {pulumi.com/waitFor: x}}}`, `{kind: Secret}`,
	} {
		require.Len(t, check(t, testProvider(), configMap, nil, props(t, text)).Failures, 1, text)
	}
}

func TestCheckTakesAConditionForWhatOthersWriteIntoWebhooks(t *testing.T) {
	const webhooks = "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration"
	for condition, failures := range map[string]int{
		"jsonpath={.webhooks[0].clientConfig.caBundle}": 0, "jsonpath={.webhooks[}": 1, "jsonpath=.webhooks": 1, "condition=Ready": 1,
	} {
		news := resource.NewPropertyMapFromMap(map[string]any{"metadata": map[string]any{
			"name": "a", "annotations": map[string]any{"pulumi.com/waitFor": condition},
		}})
		require.Len(t, check(t, testProvider(), webhooks, nil, news).Failures, failures, condition)
	}
}

func TestCheckLeavesUnknownMetadataAlone(t *testing.T) {
	news := resource.PropertyMap{"metadata": resource.MakeComputed(resource.NewProperty(""))}
	require.True(t, check(t, testProvider(), configMap, nil, news).Properties["metadata"].IsComputed())
}

func TestCheckKnowsTheKindsThatTheSameRunDefines(t *testing.T) {
	const definition, widget = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "kubernetes:example.com/v1:Widget"
	p := testProvider()
	require.Equal(t, "shop", metadataOf(check(t, p, widget, nil, props(t, `{metadata: {name: a}}`)))["namespace"])
	check(t, p, definition, nil, props(t, `{metadata: {name: d}, spec: {group: example.com, scope: Cluster, names: {kind: Widget}}}`))
	require.NotContains(t, metadataOf(check(t, p, widget, nil, props(t, `{metadata: {name: a}}`))), "namespace")
}
