package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const chartToken = "kubernetes:helm.sh/v4:Chart"

// chartArgs are the arguments of a Chart that are modelled. Secrets in them are plain: what the templates make of them cannot be told
// from other text, so that the real provider, too, hides only the data of Secrets.
type chartArgs struct {
	Name, Namespace, Chart, Version string
	RepositoryOpts                  struct{ Repo string }
	Values                          map[string]any
	SkipCrds                        bool
	ResourcePrefix                  *string
	SkipAwait                       bool
}

// chart is the component that a program gets. Its children are what the chart renders to.
type chart struct {
	pulumi.ResourceState
	Resources pulumi.ArrayOutput `pulumi:"resources"`
}

// Construct is the part of the protocol that registers resources; the SDK offers it on this side of plugin.Provider only.
func (s server) Construct(ctx context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	if req.GetType() != chartToken {
		return s.ResourceProviderServer.Construct(ctx, req)
	}
	inputs, err := plugin.UnmarshalProperties(req.GetInputs(), plugin.MarshalOptions{KeepUnknowns: true, RejectAssets: true})
	if err != nil {
		return nil, fmt.Errorf("reading the arguments of chart %q: %w", req.GetName(), err)
	}
	return provider.Construct(ctx, req, s.engine, func(
		ctx *pulumi.Context, token, name string, _ provider.ConstructInputs, options pulumi.ResourceOption,
	) (*provider.ConstructResult, error) {
		component := &chart{}
		if err := ctx.RegisterComponentResource(token, name, component, options); err != nil {
			return nil, err
		}
		if err := s.provider.expand(ctx, component, name, inputs); err != nil {
			return nil, fmt.Errorf("chart %q: %w", name, err)
		}
		return provider.NewConstructResult(component)
	})
}

// expand renders a chart and registers each object as a child. While an argument is unknown nothing can be rendered: like the real
// provider, a preview then shows the chart without its children. (When the whole cluster is unknown, the Pulumi engine does not ask.)
func (p *Provider) expand(ctx *pulumi.Context, component *chart, name string, inputs resource.PropertyMap) error {
	if inputs.ContainsUnknowns() {
		return ctx.Log.Warn("An argument of this chart is not known yet: the preview does not show its resources.",
			&pulumi.LogArgs{Resource: component})
	}
	args, err := readChartArgs(name, inputs)
	if err != nil {
		return err
	}
	objects, err := p.render(ctx.Context(), args)
	if err != nil {
		return err
	}
	component.Resources, err = register(ctx, component, args, objects)
	return err
}

func readChartArgs(name string, inputs resource.PropertyMap) (chartArgs, error) {
	args := chartArgs{Name: name, ResourcePrefix: &name}
	data, err := json.Marshal(inputs.Mappable())
	if err != nil {
		return args, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&args); err != nil {
		return args, fmt.Errorf("reading its arguments, of which only those in local/kubernetes/chart.go are modelled: %w", err)
	}
	return args, nil
}

// register makes the objects children of the chart. What others need comes first: definitions before the objects of their kinds,
// namespaces before what is in them. Everything else has no order, as in the real provider.
func register(
	ctx *pulumi.Context, component *chart, args chartArgs, objects []*unstructured.Unstructured,
) (pulumi.ArrayOutput, error) {
	needed := map[string]pulumi.Resource{} // by what others know them by
	resources := pulumi.Array{}
	for _, first := range []bool{true, false} {
		for _, obj := range objects {
			provides := providedBy(obj)
			if (provides != "") != first {
				continue
			}
			options := []pulumi.ResourceOption{pulumi.Parent(component)}
			for _, need := range []string{kindKey(obj.GroupVersionKind().GroupKind()), namespaceKey(obj.GetNamespace())} {
				if dependency, found := needed[need]; found {
					options = append(options, pulumi.DependsOn([]pulumi.Resource{dependency}))
				}
			}
			// Helm leaves such objects in the cluster when their chart goes (Helm docs: tips and tricks).
			if obj.GetAnnotations()["helm.sh/resource-policy"] == "keep" {
				options = append(options, pulumi.RetainOnDelete(true))
			}
			child, name := &pulumi.CustomResourceState{}, *args.ResourcePrefix+":"+idOf(obj)
			err := ctx.RegisterResource(tokenOf(obj.GroupVersionKind()), name, childInputs(obj, args), child, options...)
			if err != nil {
				return pulumi.ArrayOutput{}, fmt.Errorf("registering %s %q: %w", obj.GetKind(), idOf(obj), err)
			}
			if first {
				needed[provides] = child
			}
			resources = append(resources, pulumi.NewResourceOutput(child))
		}
	}
	return resources.ToArrayOutputWithContext(ctx.Context()), nil
}

// providedBy is what other objects need an object for; empty for most.
func providedBy(obj *unstructured.Unstructured) string {
	if defined, _, isDefinition := defines(obj); isDefinition {
		return kindKey(defined)
	}
	if obj.GroupVersionKind().GroupKind() == (schema.GroupKind{Kind: "Namespace"}) {
		return namespaceKey(obj.GetName())
	}
	return ""
}

func kindKey(kind schema.GroupKind) string { return "kind " + kind.String() }
func namespaceKey(name string) string      { return "namespace " + name }

// childInputs are an object as the arguments of a resource.
func childInputs(obj *unstructured.Unstructured, args chartArgs) pulumi.Map {
	if args.SkipAwait {
		annotations := obj.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[skipAwait] = "true"
		obj.SetAnnotations(annotations)
	}
	inputs := pulumi.Map{}
	for key, value := range obj.Object {
		inputs[key] = pulumi.Any(value)
		if obj.GetAPIVersion() == "v1" && obj.GetKind() == "Secret" && (key == "data" || key == "stringData") {
			inputs[key] = pulumi.ToSecret(value)
		}
	}
	return inputs
}
