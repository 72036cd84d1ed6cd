package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	templates "helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
)

// render gives the objects of a chart, as `helm template --dry-run=server` does, without its hooks: templates can look at the cluster.
func (p *Provider) render(ctx context.Context, args chartArgs) ([]*unstructured.Unstructured, error) {
	if p.cluster == nil {
		return nil, errNoCluster
	}
	if args.Namespace == "" {
		args.Namespace = p.cluster.namespace
	}
	found, err := findChart(args.RepositoryOpts.Repo, args.Chart, args.Version)
	if err != nil {
		return nil, err
	}
	if found.Metadata.Deprecated {
		p.warn(ctx, "", fmt.Sprintf("chart %s is deprecated", found.Name()))
	}
	capabilities, err := p.cluster.capabilities()
	if err != nil {
		return nil, fmt.Errorf("asking the cluster what it can do: %w", err)
	}
	manifests, err := p.cluster.execute(found, args, capabilities)
	if err != nil {
		return nil, fmt.Errorf("rendering %s %s: %w", found.Name(), found.Metadata.Version, err)
	}
	var objects []*unstructured.Unstructured
	for _, manifest := range manifests {
		decoded, err := decode(manifest.Content)
		if err != nil {
			return nil, fmt.Errorf("reading what %s rendered to: %w", manifest.Name, err)
		}
		objects = append(objects, decoded...)
	}
	return objects, p.place(objects, args.Namespace)
}

// capabilities are what templates may ask about the cluster: its version and its kinds.
func (c *cluster) capabilities() (*chartutil.Capabilities, error) {
	version, err := c.typed.Discovery().ServerVersion()
	if err != nil {
		return nil, err
	}
	groups, lists, err := c.typed.Discovery().ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) { // one broken API service does not hide the others
		return nil, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor}
	for _, group := range groups {
		for _, groupVersion := range group.Versions {
			capabilities.APIVersions = append(capabilities.APIVersions, groupVersion.GroupVersion)
		}
	}
	for _, list := range lists {
		for _, kind := range list.APIResources {
			capabilities.APIVersions = append(capabilities.APIVersions, path.Join(list.GroupVersion, kind.Kind))
		}
	}
	return capabilities, nil
}

// execute runs the templates. Definitions come first, then the objects in the order in which Helm installs their kinds.
func (c *cluster) execute(chart *helm.Chart, args chartArgs, capabilities *chartutil.Capabilities) ([]releaseutil.Manifest, error) {
	if want := chart.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, capabilities.KubeVersion.Version) {
		return nil, fmt.Errorf("it wants Kubernetes %s, and this is %s", want, capabilities.KubeVersion.Version)
	}
	if err := chartutil.ProcessDependenciesWithMerge(chart, args.Values); err != nil {
		return nil, err
	}
	for _, wanted := range chart.Metadata.Dependencies { // those that the values switch off are gone by now
		if !slices.ContainsFunc(chart.Dependencies(), func(has *helm.Chart) bool { return has.Name() == wanted.Name }) {
			return nil, fmt.Errorf("its dependency %s is switched on, but is not in its folder", wanted.Name)
		}
	}
	release := chartutil.ReleaseOptions{Name: args.Name, Namespace: args.Namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(chart, args.Values, release, capabilities)
	if err != nil {
		return nil, err
	}
	files, err := templates.New(c.config).Render(chart, values)
	if err != nil {
		return nil, err
	}
	for name := range files {
		if path.Base(name) == "NOTES.txt" {
			delete(files, name)
		}
	}
	_, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil || args.SkipCrds {
		return manifests, err
	}
	var definitions []releaseutil.Manifest
	for _, definition := range chart.CRDObjects() {
		definitions = append(definitions, releaseutil.Manifest{Name: definition.Filename, Content: string(definition.File.Data)})
	}
	return append(definitions, manifests...), nil
}

// decode reads the objects of a file, also those in lists, which the API server does not keep as lists.
func decode(text string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var obj unstructured.Unstructured
		if err := decoder.Decode(&obj.Object); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		switch {
		case len(obj.Object) == 0:
		case obj.IsList():
			err := obj.EachListItem(func(item runtime.Object) error {
				objects = append(objects, item.(*unstructured.Unstructured))
				return nil
			})
			if err != nil {
				return nil, err
			}
		default:
			objects = append(objects, &obj)
		}
	}
}

// The annotations by which a manifest's objects refer to each other. They are cli-utils', and the real provider obeys them.
var referring = []string{"config.kubernetes.io/depends-on", "config.kubernetes.io/apply-time-mutation"}

// place gives the objects that name no namespace the chart's, if their kind is in namespaces.
func (p *Provider) place(objects []*unstructured.Unstructured, namespace string) error {
	for _, obj := range objects {
		p.learn(obj)
	}
	for _, obj := range objects {
		kind := obj.GroupVersionKind()
		if kind.Kind == "" || kind.Version == "" || obj.GetName() == "" {
			return fmt.Errorf("it rendered an object without kind, apiVersion or name: kind %q, apiVersion %q, name %q",
				obj.GetKind(), obj.GetAPIVersion(), obj.GetName())
		}
		for _, annotation := range referring {
			if _, found := obj.GetAnnotations()[annotation]; found {
				return fmt.Errorf("%s %q: annotation %s is not modelled by the local engine", kind.Kind, obj.GetName(), annotation)
			}
		}
		if obj.GetNamespace() != "" {
			continue
		}
		isNamespaced, err := p.isNamespaced(kind)
		switch {
		case err == nil && isNamespaced:
			obj.SetNamespace(namespace)
		case err != nil && !meta.IsNoMatchError(err): // a kind that nobody knows is refused when it is created
			return fmt.Errorf("asking the cluster for kind %s: %w", kind, err)
		}
	}
	return nil
}
