package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var errNoCluster = errors.New("the provider's kubeconfig is not known yet, so that the cluster cannot be asked")

func (p *Provider) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	asPlanned := plugin.CreateResponse{Properties: req.Properties}
	if req.Preview && (p.cluster == nil || req.Properties.ContainsUnknowns()) {
		return asPlanned, nil
	}
	ctx, obj := about(ctx, req.URN), object(req.Properties)
	live, err := p.create(ctx, obj, req.Preview)
	switch {
	case req.Preview && (meta.IsNoMatchError(err) || missingNamespace(err) || errors.Is(err, errReplaced)):
		return asPlanned, nil
	case err != nil:
		return plugin.CreateResponse{}, failure("creating", obj.GroupVersionKind(), idOf(obj), err)
	case req.Preview:
		return plugin.CreateResponse{Properties: unsettled(live, req.Properties)}, nil
	}
	live, reasons := p.await(ctx, req.URN, live, req.Timeout)
	state := outputs(live, req.Properties)
	if len(reasons) > 0 {
		return plugin.CreateResponse{}, initFailed(idOf(live), req.Properties, state, reasons)
	}
	return plugin.CreateResponse{ID: resource.ID(idOf(live)), Properties: state}, nil
}

// errReplaced says that a previewed object exists because its replacement was not done yet: a preview deletes nothing.
var errReplaced = errors.New("the object that is to be replaced still exists")

func (p *Provider) create(ctx context.Context, obj *unstructured.Unstructured, preview bool) (*unstructured.Unstructured, error) {
	if p.cluster == nil {
		return nil, errNoCluster
	}
	client, err := p.cluster.at(obj.GroupVersionKind(), obj.GetNamespace())
	if err != nil {
		return nil, err
	}
	if p.settings.upsert {
		return apply(ctx, client, obj, dryRun(preview), p.settings.force)
	}
	live, err := create(ctx, client, obj, dryRun(preview))
	if preview && apierrors.IsAlreadyExists(err) {
		if current, e := client.Get(ctx, obj.GetName(), metav1.GetOptions{}); e == nil && ours(current) {
			return nil, errReplaced
		}
	}
	return live, err
}

func (p *Provider) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	asPlanned := plugin.UpdateResponse{Properties: req.NewInputs}
	if req.Preview && (p.cluster == nil || req.NewInputs.ContainsUnknowns()) {
		return asPlanned, nil
	}
	ctx, obj := about(ctx, req.URN), object(req.NewInputs)
	live, err := p.update(ctx, obj, req.Preview)
	switch {
	case req.Preview && meta.IsNoMatchError(err):
		return asPlanned, nil
	case unreachable(err) && p.settings.skipUpdateUnreachable:
		p.warn(ctx, req.URN, "the cluster cannot be reached: this update is skipped, as skipUpdateUnreachable says")
		return plugin.UpdateResponse{Properties: req.OldOutputs}, nil
	case apierrors.IsNotFound(err):
		err = fmt.Errorf("%w; somebody deleted it: run `pulumi refresh`, then it is made again", err)
	}
	if err != nil {
		return plugin.UpdateResponse{}, failure("updating", obj.GroupVersionKind(), idOf(obj), err)
	}
	var reasons []string
	if !req.Preview {
		live, reasons = p.await(ctx, req.URN, live, req.Timeout)
	}
	state := outputs(live, req.NewInputs)
	if len(reasons) > 0 {
		return plugin.UpdateResponse{}, initFailed(string(req.ID), req.NewInputs, state, reasons)
	}
	return plugin.UpdateResponse{Properties: state}, nil
}

func (p *Provider) update(ctx context.Context, obj *unstructured.Unstructured, preview bool) (*unstructured.Unstructured, error) {
	if p.cluster == nil {
		return nil, errNoCluster
	}
	client, err := p.cluster.at(obj.GroupVersionKind(), obj.GetNamespace())
	if err != nil {
		return nil, err
	}
	return update(ctx, client, obj, dryRun(preview), p.settings.force)
}

// Read is a refresh, or an import if there are no inputs yet.
func (p *Provider) Read(ctx context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	kind, err := kindOf(req.Type)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	unchanged := plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}}
	ctx = about(ctx, req.URN)
	live, err := p.get(ctx, req, kind)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err) && len(req.Inputs) > 0:
		return plugin.ReadResponse{}, nil
	case unreachable(err) && len(req.Inputs) > 0 && p.settings.deleteUnreach:
		p.warn(ctx, req.URN, "the cluster cannot be reached: this resource is forgotten, as deleteUnreachable says")
		return plugin.ReadResponse{}, nil
	case unreachable(err) && len(req.Inputs) > 0 && p.settings.skipUpdateUnreachable:
		p.warn(ctx, req.URN, "the cluster cannot be reached: this refresh is skipped, as skipUpdateUnreachable says")
		return unchanged, nil
	case err != nil:
		return plugin.ReadResponse{}, failure("reading", kind, string(req.ID), err)
	}

	inputs := liveInputs(kind, req.Inputs, live)
	state := outputs(live, inputs)
	if inputs.DeepEquals(req.Inputs) && settled(live, object(req.State)) {
		state = req.State
	}
	ready, message, err := p.ready(ctx, live)
	if err == nil && ready {
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: resource.ID(idOf(live)), Inputs: inputs, Outputs: state}}, nil
	}
	if err != nil {
		message = err.Error()
	}
	// The engine shows this as a warning, and the next update waits again.
	reasons := append([]string{message}, p.cluster.reasons(ctx, live, time.Now().Add(-5*time.Minute))...)
	return plugin.ReadResponse{}, initFailed(idOf(live), inputs, state, reasons)
}

// settled tells whether a refresh may keep the old outputs: status, versions and defaults change all the time without anybody's
// doing, and would make every refresh report changes. What other resources use does matter: which object it is, and the addresses
// of its load balancer.
func settled(live, old *unstructured.Unstructured) bool {
	now, _, _ := unstructured.NestedFieldNoCopy(live.Object, "status", "loadBalancer")
	then, _, _ := unstructured.NestedFieldNoCopy(old.Object, "status", "loadBalancer")
	return live.GetUID() == old.GetUID() &&
		resource.NewPropertyValue(now).DeepEquals(resource.NewPropertyValue(then))
}

func (p *Provider) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	kind, err := kindOf(req.Type)
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	ctx = about(ctx, req.URN)
	err = p.delete(ctx, req, kind)
	if unreachable(err) && p.settings.deleteUnreach {
		p.warn(ctx, req.URN, "the cluster cannot be reached: this resource is forgotten, as deleteUnreachable says")
		err = nil
	}
	return plugin.DeleteResponse{}, failure("deleting", kind, string(req.ID), err)
}

func dryRun(preview bool) []string {
	if preview {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// unsettled is the result of a dry run. What the API server makes up anew when it is done in earnest is unknown. In metadata it is left
// out instead: to a Go program one unknown field makes all of metadata unknown, and with it whatever takes the object's name from there.
func unsettled(live *unstructured.Unstructured, inputs resource.PropertyMap) resource.PropertyMap {
	live = live.DeepCopy()
	for _, key := range []string{"uid", "resourceVersion", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(live.Object, "metadata", key)
	}
	state := outputs(live, inputs)
	forget := func(props resource.PropertyMap, given resource.PropertyMap, keys ...resource.PropertyKey) {
		for _, key := range keys {
			if _, found := props[key]; found && !given.HasValue(key) {
				props[key] = resource.MakeComputed(resource.NewProperty(""))
			}
		}
	}
	forget(state, inputs, "status")
	if spec, known := child(state, "spec"); known && state.HasValue("spec") && !state["spec"].IsSecret() {
		given, _ := child(inputs, "spec")
		forget(spec, given, "clusterIP", "clusterIPs")
		state["spec"] = resource.NewProperty(spec)
	}
	return state
}

// initFailed is an object that exists but does not do its work: the engine keeps it in the state, and the next update waits again.
func initFailed(id string, inputs, state resource.PropertyMap, reasons []string) error {
	options := plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true}
	properties, err := plugin.MarshalProperties(state, options)
	if err != nil {
		return err
	}
	marshalled, err := plugin.MarshalProperties(inputs, options)
	if err != nil {
		return err
	}
	return rpcerror.WithDetails(
		rpcerror.New(codes.Unknown, fmt.Sprintf("%q exists but is not ready", id)),
		&pulumirpc.ErrorResourceInitFailed{Id: id, Properties: properties, Inputs: marshalled, Reasons: reasons},
	)
}
