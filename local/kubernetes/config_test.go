package kubernetes

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

// diffImported compares inputs that an import made with a program's.
func diffImported(t *testing.T, inputs, state, news resource.PropertyMap) map[string]plugin.PropertyDiff {
	t.Helper()
	u := urn("kubernetes:apps/v1:Deployment", "a")
	response, err := New(silent{}).Diff(t.Context(), plugin.DiffRequest{URN: u, Type: u.Type(), OldInputs: inputs, OldOutputs: state, NewInputs: news})
	require.NoError(t, err)
	return response.DetailedDiff
}

func kubeconfig(server, user string) resource.PropertyValue {
	return resource.MakeSecret(resource.NewProperty(fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c,
		clusters: [{name: k, cluster: {server: %q}}], contexts: [{name: c, context: {cluster: k, user: u}}],
		users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws, args: [%s]}}}]}`, server, user)))
}

func TestAProviderIsReplacedWhenItPointsToAnotherCluster(t *testing.T) {
	unknown := resource.MakeComputed(resource.NewProperty(""))
	id := resource.NewProperty[string]
	for name, c := range map[string]struct {
		old, new resource.PropertyMap
		replace  bool
	}{
		"another server": {resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x")}, resource.PropertyMap{"kubeconfig": kubeconfig("https://b", "x")}, true},
		"another user":   {resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x")}, resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "z")}, false},
		"unknown":        {resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x")}, resource.PropertyMap{"kubeconfig": unknown}, true},
		"unknown, same identifier": {
			resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x"), "clusterIdentifier": id("i")},
			resource.PropertyMap{"kubeconfig": unknown, "clusterIdentifier": id("i")}, false,
		},
		"another server, same identifier": {
			resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x"), "clusterIdentifier": id("i")},
			resource.PropertyMap{"kubeconfig": kubeconfig("https://b", "x"), "clusterIdentifier": id("i")}, false,
		},
		"another identifier": {
			resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x"), "clusterIdentifier": id("i")},
			resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x"), "clusterIdentifier": id("j")}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := New(silent{}).DiffConfig(t.Context(), plugin.DiffConfigRequest{OldInputs: c.old, NewInputs: c.new})
			require.NoError(t, err)
			require.Equal(t, plugin.DiffSome, r.Changes)
			require.Equal(t, c.replace, r.Replace())
		})
	}
}

func TestSettingsThatAreNotModelledAreNamed(t *testing.T) {
	for key, value := range map[resource.PropertyKey]any{
		"cluster": "x", "enableServerSideApply": "false", "upsertExistingObjects": "maybe", "kubeconfig": "/home/somebody/.kube/config",
	} {
		inputs := resource.PropertyMap{"kubeconfig": kubeconfig("https://a", "x"), key: resource.NewPropertyValue(value)}
		r, err := New(silent{}).CheckConfig(t.Context(), plugin.CheckConfigRequest{News: inputs})
		require.NoError(t, err)
		require.Len(t, r.Failures, 1, key)
		require.Equal(t, key, r.Failures[0].Property)
	}
	r, err := New(silent{}).CheckConfig(t.Context(), plugin.CheckConfigRequest{News: resource.PropertyMap{}})
	require.NoError(t, err)
	require.Len(t, r.Failures, 1, "the machine's own kubeconfig is never used")
}

func TestAPreviewWithoutAClusterPlansTheInputs(t *testing.T) {
	p := New(silent{})
	_, err := p.Configure(t.Context(), plugin.ConfigureRequest{Inputs: resource.PropertyMap{
		"kubeconfig": resource.MakeComputed(resource.NewProperty("")), "enableConfigMapMutable": resource.NewProperty("true"),
	}})
	require.NoError(t, err)
	require.True(t, p.settings.configMapMutable)
	inputs := props(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
	created, err := p.Create(t.Context(), plugin.CreateRequest{Properties: inputs, Preview: true})
	require.NoError(t, err)
	require.Equal(t, inputs, created.Properties)
	_, err = p.Create(t.Context(), plugin.CreateRequest{Properties: inputs})
	require.ErrorIs(t, err, errNoCluster)
}
