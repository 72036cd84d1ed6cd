// Package generators stands in for Pulumi's random and tls providers. They make values, truly random passwords and keys and
// certificates that verify, and keep nothing anywhere but in Pulumi's state. A resource type is a row of a table; whatever is not
// modelled is an error that names it.
package generators

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// vendor is one provider: its version is that of the SDK which the program uses.
type vendor struct {
	version string
	types   map[string]kind
}

var vendors = map[string]vendor{
	"random": {"4.18.3", randomTypes},
	"tls":    {"5.2.0", tlsTypes},
}

// kind is a resource type.
type kind struct {
	inputs  []input
	outputs []string // what is made
	secrets []string // what is secret of all that, whoever gave it
	check   func(in values) error
	make    func(in values) (id string, out map[string]any, err error)
	// due tells whether a thing has had its time, from its outputs and the new inputs; nil is never.
	due func(old, in values) bool
}

// input is a property of a resource type. A change of it makes a new value, unless it is inPlace.
type input struct {
	name     string
	required bool
	fallback any      // the provider's default
	fields   []string // of an object
	inPlace  bool
}

// Provider makes the values of one of the providers.
type Provider struct {
	plugin.UnimplementedProvider
	vendor

	name string
}

// New makes a provider: "random" or "tls".
func New(name string) *Provider { return &Provider{name: name, vendor: vendors[name]} }

// Serve runs a provider until the engine ends it.
func Serve(name string) error {
	return provider.Main(name, func(*provider.HostClient) (rpc.ResourceProviderServer, error) {
		return plugin.NewProviderServer(New(name)), nil
	})
}

func (p *Provider) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true}, nil
}

func (p *Provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse(p.version)
	return plugin.PluginInfo{Version: &version}, nil
}

func (p *Provider) SignalCancellation(context.Context) error { return nil }
func (p *Provider) Close() error                             { return nil }

// CheckConfig knows no setting but the version that every provider may be given: there is nobody to talk to.
func (p *Provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	resp := plugin.CheckConfigResponse{Properties: req.News}
	for _, key := range req.News.StableKeys() {
		if key != "version" {
			resp.Failures = append(resp.Failures, plugin.CheckFailure{Property: key,
				Reason: fmt.Sprintf("%s provider setting %q is not modelled by the local engine", p.name, key)})
		}
	}
	return resp, nil
}

func (p *Provider) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffUnknown}, nil
}

func (p *Provider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (p *Provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, fmt.Errorf("%s: function is not modelled by the local engine", req.Tok)
}

func (p *Provider) kind(urn resource.URN) (kind, error) {
	k, ok := p.types[string(urn.Type())]
	if !ok {
		return kind{}, fmt.Errorf("resource type %s is not modelled by the local engine", urn.Type())
	}
	return k, nil
}

// Check names every property that is missing or not modelled, and fills in the defaults.
func (p *Provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	k, err := p.kind(req.URN)
	if err != nil {
		return plugin.CheckResponse{Failures: []plugin.CheckFailure{{Reason: err.Error()}}}, nil
	}
	in := maps.Clone(req.News)
	if in == nil {
		in = resource.PropertyMap{}
	}
	resp := plugin.CheckResponse{Properties: in}
	refuse := func(format string, args ...any) {
		resp.Failures = append(resp.Failures, plugin.CheckFailure{Reason: fmt.Sprintf(format, args...)})
	}
	for _, property := range k.inputs {
		key := resource.PropertyKey(property.name)
		if _, given := in[key]; given {
			continue
		}
		if property.required {
			refuse("missing required property %s of %s", property.name, req.URN.Type())
		}
		if property.fallback != nil {
			in[key] = resource.NewPropertyValue(property.fallback)
		}
	}
	given := plain(in)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.IndexFunc(k.inputs, func(property input) bool { return property.name == name })
		if i < 0 {
			refuse("property %s of %s is not modelled by the local engine", name, req.URN.Type())
			continue
		}
		fields := k.inputs[i].fields
		for _, field := range slices.Sorted(maps.Keys(given.object(name))) {
			if fields != nil && !slices.Contains(fields, field) {
				refuse("property %s.%s of %s is not modelled by the local engine", name, field, req.URN.Type())
			}
		}
	}
	if len(resp.Failures) == 0 && k.check != nil {
		if err := k.check(given); err != nil {
			refuse("%s", err)
		}
	}
	return resp, nil
}

// Diff compares the inputs. What depends on chance or time is made anew, or left alone; it cannot be changed.
func (p *Provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	k, err := p.kind(req.URN)
	if err != nil {
		return plugin.DiffResult{}, err
	}
	result := plugin.DiffResult{Changes: plugin.DiffNone, DetailedDiff: map[string]plugin.PropertyDiff{}}
	report := func(name string, replaces bool) {
		result.Changes = plugin.DiffSome
		result.ChangedKeys = append(result.ChangedKeys, resource.PropertyKey(name))
		kind := plugin.DiffUpdate
		if replaces {
			kind = kind.AsReplace()
			result.ReplaceKeys = append(result.ReplaceKeys, resource.PropertyKey(name))
		}
		result.DetailedDiff[name] = plugin.PropertyDiff{Kind: kind}
	}
	old, now := plain(req.OldInputs), plain(req.NewInputs)
	for _, property := range k.inputs {
		if !reflect.DeepEqual(old[property.name], now[property.name]) { // what is not known yet is another value, as it is for real
			report(property.name, !property.inPlace)
		}
	}
	if k.due != nil && k.due(plain(req.OldOutputs), now) {
		report("readyForRenewal", true)
	}
	return result, nil
}

func (p *Provider) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	k, err := p.kind(req.URN)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if req.Preview {
		return plugin.CreateResponse{Properties: k.properties(req.Properties, nil)}, nil
	}
	id, out, err := k.make(plain(req.Properties))
	if err != nil {
		return plugin.CreateResponse{}, fmt.Errorf("creating %s %q: %w", req.URN.Type(), req.URN.Name(), err)
	}
	return plugin.CreateResponse{ID: resource.ID(id), Properties: k.properties(req.Properties, resource.NewPropertyMapFromMap(out))}, nil
}

// properties are the inputs, and what was made with them: nil is not yet.
func (k kind) properties(inputs, made resource.PropertyMap) resource.PropertyMap {
	out := inputs.Copy()
	for _, name := range k.outputs {
		key := resource.PropertyKey(name)
		value, ok := made[key]
		if !ok && made == nil {
			value = resource.MakeComputed(resource.NewProperty(""))
		}
		out[key] = value
	}
	for _, name := range k.secrets {
		if key := resource.PropertyKey(name); !out[key].IsSecret() {
			out[key] = resource.MakeSecret(out[key])
		}
	}
	return out
}

// Read answers what the state says: there is nothing else to ask. So there is nothing to import either.
func (p *Provider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	k, err := p.kind(req.URN)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	if len(req.State) == 0 {
		return plugin.ReadResponse{}, fmt.Errorf("importing %s is not modelled by the local engine", req.URN.Type())
	}
	state := req.State.Copy()
	if k.due != nil && k.due(plain(state), plain(state)) {
		state["readyForRenewal"] = resource.NewProperty(true)
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: state}, Status: resource.StatusOK}, nil
}

// Update takes over the inputs that change nothing of what was made.
func (p *Provider) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	k, err := p.kind(req.URN)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	out := k.properties(req.NewInputs, req.OldOutputs)
	if k.due != nil {
		out["readyForRenewal"] = resource.NewProperty(false) // or it would have been replaced
	}
	return plugin.UpdateResponse{Properties: out, Status: resource.StatusOK}, nil
}

func (p *Provider) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}
