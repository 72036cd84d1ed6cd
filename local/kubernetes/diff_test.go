package kubernetes

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

func diff(t *testing.T, p *Provider, token string, olds, news resource.PropertyMap) plugin.DiffResponse {
	t.Helper()
	u := urn(token, "x")
	response, err := p.Diff(t.Context(), plugin.DiffRequest{URN: u, Type: u.Type(), OldInputs: olds, NewInputs: news})
	require.NoError(t, err)
	return response
}

func TestReplacementFollowsTheRealProvider(t *testing.T) {
	for _, c := range []struct {
		name, token, old, new, path string
		replace                     bool
	}{
		{"name", configMap, `{metadata: {name: a}}`, `{metadata: {name: b}}`, "metadata.name", true},
		{"namespace", configMap, `{metadata: {namespace: a}}`, `{metadata: {namespace: b}}`, "metadata.namespace", true},
		{"label", configMap, `{metadata: {labels: {x: a}}}`, `{metadata: {labels: {x: b}}}`, "metadata.labels.x", false},
		{"data", configMap, `{data: {a: b}}`, `{data: {a: c}}`, "data.a", true},
		{"stringData", "kubernetes:core/v1:Secret", `{stringData: {a: b}}`, `{stringData: {a: c}}`, "stringData.a", true},
		{"selector", "kubernetes:apps/v1:Deployment", `{spec: {selector: {matchLabels: {a: b}}}}`,
			`{spec: {selector: {matchLabels: {a: c}}}}`, "spec.selector.matchLabels.a", true},
		{"image", "kubernetes:apps/v1:Deployment", `{spec: {template: {spec: {containers: [{image: a}]}}}}`,
			`{spec: {template: {spec: {containers: [{image: b}]}}}}`, "spec.template.spec.containers[0].image", false},
		{"claim template", "kubernetes:apps/v1:StatefulSet", `{spec: {volumeClaimTemplates: [{spec: {storageClassName: a}}]}}`,
			`{spec: {volumeClaimTemplates: [{spec: {storageClassName: b}}]}}`, "spec.volumeClaimTemplates[0].spec.storageClassName", true},
		{"job", "kubernetes:batch/v1:Job", `{spec: {template: {spec: {a: b}}}}`, `{spec: {template: {spec: {a: c}}}}`, "spec.template.spec.a", true},
		{"claim's class", "kubernetes:core/v1:PersistentVolumeClaim", `{spec: {storageClassName: a}}`, `{spec: {storageClassName: b}}`,
			"spec.storageClassName", true},
		{"claim's size", "kubernetes:core/v1:PersistentVolumeClaim", `{spec: {resources: {requests: {storage: 1Gi}}}}`,
			`{spec: {resources: {requests: {storage: 2Gi}}}}`, "spec.resources.requests.storage", false},
		{"role", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", `{roleRef: {name: a}}`, `{roleRef: {name: b}}`, "roleRef.name", true},
		{"storage", "kubernetes:storage.k8s.io/v1:StorageClass", `{parameters: {type: gp2}}`, `{parameters: {type: gp3}}`, "parameters.type", true},
		{"like a key", "kubernetes:storage.k8s.io/v1:StorageClass", `{parametersX: a}`, `{parametersX: b}`, "parametersX", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := diff(t, New(silent{}), c.token, props(t, c.old), props(t, c.new))
			require.Contains(t, r.DetailedDiff, c.path)
			require.Equal(t, c.replace, r.Replace())
		})
	}
}

func TestMutableConfigMapsChangeInPlaceUnlessTheyAreImmutable(t *testing.T) {
	p := New(silent{})
	p.settings.configMapMutable = true
	require.False(t, diff(t, p, configMap, props(t, `{data: {a: b}}`), props(t, `{data: {a: c}}`)).Replace())
	require.True(t, diff(t, p, configMap, props(t, `{immutable: true, data: {a: b}}`), props(t, `{immutable: true, data: {a: c}}`)).Replace())
}

func TestAnExplicitNameIsDeletedBeforeItIsReplaced(t *testing.T) {
	fixed := `{metadata: {name: a, namespace: shop}, data: {a: %}}`
	auto := `{metadata: {name: a, namespace: shop, annotations: {pulumi.com/autonamed: 'true'}}, data: {a: %}}`
	with := func(text, value string) resource.PropertyMap { return props(t, strings.Replace(text, "%", value, 1)) }
	require.True(t, diff(t, New(silent{}), configMap, with(fixed, "x"), with(fixed, "y")).DeleteBeforeReplace)
	require.False(t, diff(t, New(silent{}), configMap, with(auto, "x"), with(auto, "y")).DeleteBeforeReplace)
	moved := diff(t, New(silent{}), configMap, props(t, `{metadata: {name: a}}`), props(t, `{metadata: {name: b}}`))
	require.False(t, moved.DeleteBeforeReplace, "the two can stand side by side")
}

func TestASecretThatStaysTheSameIsNoChange(t *testing.T) {
	plain, secret := props(t, `{data: {a: b}}`), props(t, `{data: {a: b}}`)
	secret["data"] = resource.MakeSecret(secret["data"])
	require.Equal(t, plugin.DiffNone, diff(t, New(silent{}), configMap, secret, plain).Changes)
}

func TestAnUnknownValueIsAChange(t *testing.T) {
	news := props(t, `{data: {a: b}}`)
	news["data"].ObjectValue()["a"] = resource.MakeComputed(resource.NewProperty(""))
	require.Contains(t, diff(t, New(silent{}), configMap, props(t, `{data: {a: b}}`), news).DetailedDiff, "data.a")
}

func TestTheEngineIsToldPropertiesNotPaths(t *testing.T) {
	require.Equal(t, []string{"metadata", "spec"}, roots([]string{"spec.a[0].b", "metadata.name", "spec[\"x.y\"]"}))
}
