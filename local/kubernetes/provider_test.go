package kubernetes

import (
	"context"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// silent is an engine that nobody watches.
type silent struct{}

func (silent) Log(context.Context, diag.Severity, resource.URN, string) error       { return nil }
func (silent) LogStatus(context.Context, diag.Severity, resource.URN, string) error { return nil }

// mapper knows the kinds that the tests use, as a cluster's discovery would.
type mapper struct{ *meta.DefaultRESTMapper }

func (mapper) Reset() {}

func testProvider() *Provider {
	known := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion})
	known.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	known.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	p := New(silent{})
	p.cluster = &cluster{mapper: mapper{known}, namespace: "shop"}
	return p
}

// props reads inputs as a program would write them.
func props(t *testing.T, text string) resource.PropertyMap {
	t.Helper()
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &values))
	return resource.NewPropertyMapFromMap(values)
}

func urn(token, name string) resource.URN {
	return resource.NewURN("dev", "alphapulse", "", tokens.Type(token), name)
}

func TestOnlyPlainKindsAreModelled(t *testing.T) {
	kind, err := kindOf("kubernetes:apps/v1:Deployment")
	require.NoError(t, err)
	require.Equal(t, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, kind)
	require.Equal(t, "kubernetes:apps/v1:Deployment", tokenOf(kind))
	kind, err = kindOf("kubernetes:core/v1:Namespace")
	require.NoError(t, err)
	require.Equal(t, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, kind)
	require.Equal(t, "kubernetes:core/v1:Namespace", tokenOf(kind))
	for _, token := range []tokens.Type{
		"kubernetes:helm.sh/v4:Chart", "kubernetes:helm.sh/v3:Release", "kubernetes:yaml:ConfigFile", "kubernetes:yaml/v2:ConfigGroup",
		"kubernetes:kustomize/v2:Directory", "kubernetes:core/v1:ConfigMapPatch", "kubernetes:apps/v1:DeploymentList",
	} {
		_, err := kindOf(token)
		require.ErrorContains(t, err, "not modelled by the local engine", token)
	}
}
