package kubernetes

import (
	"slices"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiversion "k8s.io/apimachinery/pkg/version"
	discovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/alphapulse/infrastructure/local/home"
)

const tiny = `chart: tiny, version: v1.2.3, repositoryOpts: {repo: https://charts.example.com/}, namespace: store`

// chartProvider is a provider of Kubernetes 1.36 with the charts of testdata.
func chartProvider(t *testing.T) *Provider {
	t.Helper()
	t.Setenv(home.ToolsVariable, "testdata")
	p := testProvider()
	p.cluster.mapper.(mapper).Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace)
	typed := fake.NewClientset()
	typed.Resources = []*metav1.APIResourceList{{GroupVersion: "v1", APIResources: []metav1.APIResource{{Kind: "ConfigMap"}}}}
	typed.Discovery().(*discovery.FakeDiscovery).FakedServerVersion = &apiversion.Info{Major: "1", Minor: "36", GitVersion: "v1.36.3"}
	p.cluster.typed = typed
	return p
}

// registry is a Pulumi engine that writes down what is registered.
type registry struct {
	lock       sync.Mutex
	registered map[string]pulumi.MockResourceArgs // by type and name
	order      []string
}

func (r *registry) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	key := args.TypeToken + " " + args.Name
	r.registered[key], r.order = args, append(r.order, key)
	return args.Name, args.Inputs, nil
}

func (*registry) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// construct makes a chart with the name "release" of arguments as a program would write them.
func construct(t *testing.T, inputs resource.PropertyMap) (*registry, error) {
	t.Helper()
	p, seen := chartProvider(t), &registry{registered: map[string]pulumi.MockResourceArgs{}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		component := &chart{}
		if err := ctx.RegisterComponentResource(chartToken, "release", component); err != nil {
			return err
		}
		return p.expand(ctx, component, "release", inputs)
	}, pulumi.WithMocks("alphapulse", "dev", seen))
	return seen, err
}

const (
	definitionKey = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition release:widgets.example.com"
	widgetKey     = "kubernetes:example.com/v1:Widget release:store/release"
	greetingKey   = "kubernetes:core/v1:ConfigMap release:store/greeting"
	elsewhereKey  = "kubernetes:core/v1:ConfigMap release:other/elsewhere"
	secretKey     = "kubernetes:core/v1:Secret release:store/password"
	otherKey      = "kubernetes:core/v1:Namespace release:other"
)

func TestAChartRegistersWhatHelmRenders(t *testing.T) {
	seen, err := construct(t, props(t, `{`+tiny+`, values: {greeting: {german: null, french: salut}}}`))
	require.NoError(t, err)
	// Neither the hook nor the notes; the list's items each.
	all := []string{chartToken + " release", definitionKey, widgetKey, greetingKey, elsewhereKey, secretKey, otherKey}
	require.ElementsMatch(t, all, seen.order)
	require.Equal(t, map[string]any{"english": "hello", "french": "salut"}, seen.registered[greetingKey].Inputs["data"].Mappable())
	require.Equal(t, map[string]any{"version": "v1.36.3", "hasConfigMaps": "true", "hasWidgets": "false"},
		seen.registered[elsewhereKey].Inputs["data"].Mappable())
	// The cluster does not know widgets yet; their definition is in the chart.
	for key, namespace := range map[string]any{greetingKey: "store", elsewhereKey: "other", widgetKey: "store", definitionKey: nil, otherKey: nil} {
		require.Equal(t, namespace, seen.registered[key].Inputs["metadata"].Mappable().(map[string]any)["namespace"], key)
	}
	require.True(t, seen.registered[secretKey].Inputs["data"].IsSecret())
}

func TestAChartsObjectsComeInTheOrderOfTheirNeeds(t *testing.T) {
	seen, err := construct(t, props(t, `{`+tiny+`}`))
	require.NoError(t, err)
	require.Less(t, slices.Index(seen.order, definitionKey), slices.Index(seen.order, widgetKey))
	require.Less(t, slices.Index(seen.order, otherKey), slices.Index(seen.order, elsewhereKey))
	for key, needs := range map[string]string{
		widgetKey: "release:widgets.example.com", elsewhereKey: "release:other", greetingKey: "", definitionKey: "",
	} {
		request := seen.registered[key].RegisterRPC
		require.Contains(t, request.GetParent(), chartToken+"::release", key)
		require.Equal(t, key == greetingKey, request.GetRetainOnDelete(), key)
		var dependencies []string
		for _, dependency := range request.GetDependencies() {
			dependencies = append(dependencies, resource.URN(dependency).Name())
		}
		if needs == "" {
			require.Empty(t, dependencies, key)
		} else {
			require.Equal(t, []string{needs}, dependencies, key)
		}
	}
}

func TestAChartsArgumentsAreObeyed(t *testing.T) {
	seen, err := construct(t, props(t, `{`+tiny+`, name: mine, resourcePrefix: theirs, skipCrds: true, skipAwait: true}`))
	require.NoError(t, err)
	require.NotContains(t, seen.order, "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition theirs:widgets.example.com")
	for key, args := range seen.registered {
		if args.Custom {
			annotations := args.Inputs["metadata"].ObjectValue()["annotations"].ObjectValue().Mappable()
			require.Equal(t, "true", annotations[skipAwait], key)
		}
	}
	// Nobody knows the kind without its definition: like the real provider, leave its namespace open.
	require.Equal(t, "mine", seen.registered["kubernetes:example.com/v1:Widget theirs:mine"].Inputs["metadata"].ObjectValue()["name"].V)
}

func TestAChartThatNamesNoNamespaceGoesIntoTheProviders(t *testing.T) {
	seen, err := construct(t, props(t, `{chart: tiny, version: 1.2.3, repositoryOpts: {repo: https://charts.example.com}}`))
	require.NoError(t, err)
	require.Contains(t, seen.order, "kubernetes:core/v1:ConfigMap release:shop/greeting")
}

func TestAChartWhoseArgumentsAreUnknownHasNoChildrenYet(t *testing.T) {
	inputs := props(t, `{`+tiny+`}`)
	inputs["values"] = resource.NewProperty(resource.PropertyMap{"greeting": resource.MakeComputed(resource.NewProperty(""))})
	seen, err := construct(t, inputs)
	require.NoError(t, err)
	require.Equal(t, []string{chartToken + " release"}, seen.order)
}

func TestAChartThatCannotBeMadeSaysWhy(t *testing.T) {
	for name, c := range map[string]struct{ inputs, want string }{
		"version": {`{chart: tiny, version: 1.2.4, repositoryOpts: {repo: https://charts.example.com}}`,
			`chart "tiny" in version "1.2.4" of repository "https://charts.example.com", only tiny 1.2.3 of https://charts.example.com`},
		"no version": {`{chart: tiny, repositoryOpts: {repo: https://charts.example.com}}`, "add a row to tools/charts/charts.txt"},
		"repository": {`{chart: tiny, version: 1.2.3, repositoryOpts: {repo: https://charts.example.org}}`, "charts.example.org"},
		"argument":   {`{` + tiny + `, verify: true}`, `unknown field "verify"`},
		"dependency": {`{` + tiny + `, values: {absent: {enabled: true}}}`, "its dependency absent is switched on"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := construct(t, props(t, c.inputs))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestARegistrysChartIsFoundByItsReference(t *testing.T) {
	t.Setenv(home.ToolsVariable, t.TempDir())
	_, err := findChart("", "oci://registry.example.org/charts/tiny", "1.2.3")
	require.ErrorContains(t, err, "make tools")
	t.Setenv(home.ToolsVariable, "testdata")
	_, err = findChart("", "oci://registry.example.org/charts/tiny", "1.2.3")
	require.ErrorContains(t, err, `chart "tiny" in version "1.2.3" of repository "oci://registry.example.org/charts"`)
	found, err := findChart("", "oci://registry.example.com/charts/tiny", "1.2.3")
	require.NoError(t, err)
	require.Equal(t, "tiny", found.Name())
}

func TestAChartIsNotForAnOlderCluster(t *testing.T) {
	p := chartProvider(t)
	p.cluster.typed.Discovery().(*discovery.FakeDiscovery).FakedServerVersion.GitVersion = "v1.29.1"
	args, err := readChartArgs("release", props(t, `{`+tiny+`}`))
	require.NoError(t, err)
	_, err = p.render(t.Context(), args)
	require.ErrorContains(t, err, "it wants Kubernetes >= 1.30.0-0, and this is v1.29.1")
}

func TestAChartsObjectsRefuseWhatIsNotModelled(t *testing.T) {
	for text, want := range map[string]string{
		`{apiVersion: v1, kind: ConfigMap}`: "without kind, apiVersion or name",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {config.kubernetes.io/depends-on: b}}}`: "depends-on is not modelled",
	} {
		objects, err := decode(text)
		require.NoError(t, err)
		require.ErrorContains(t, testProvider().place(objects, "shop"), want)
	}
}
