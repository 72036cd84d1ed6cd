// Package kubernetes stands in for the Pulumi Kubernetes provider 4.32: it speaks the provider protocol with the real engine and
// applies to a real API server, so that validation, admission, defaulting and scheduling are the real ones. Charts are rendered by
// Helm's own engine. What it does not model (Helm releases, YAML files, patches, lists) is an error that says so.
package kubernetes

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/alphapulse/infrastructure/local/faults"
)

// version is the version of the real provider that is copied.
var version = semver.MustParse("4.32.0")

// engine is what the provider tells the Pulumi engine while it works; *provider.HostClient is the real one.
type engine interface {
	Log(ctx context.Context, severity diag.Severity, urn resource.URN, message string) error
	LogStatus(ctx context.Context, severity diag.Severity, urn resource.URN, message string) error
}

// Provider is one configured Kubernetes provider: one cluster.
type Provider struct {
	plugin.UnimplementedProvider

	engine   engine
	settings settings
	cluster  *cluster // nil until Configure, and in a preview in which the cluster does not exist yet
	warned   sync.Map // warnings that were shown, so that polling does not repeat them
	// definitions are the kinds whose CustomResourceDefinitions this run makes: schema.GroupKind to whether it is namespaced.
	definitions sync.Map

	running context.Context // ends with SignalCancellation
	cancel  context.CancelFunc
}

var _ plugin.Provider = (*Provider)(nil)

// New makes a provider that reports to the engine.
func New(engine engine) *Provider {
	running, cancel := context.WithCancel(context.Background())
	return &Provider{engine: engine, running: running, cancel: cancel}
}

// Serve is the main function of pulumi-resource-kubernetes.
func Serve() error {
	klog.LogToStderr(false) // client-go logs errors that it returns too, and the engine would show both
	klog.SetOutput(io.Discard)
	return faults.Serve("kubernetes", func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		if host == nil {
			return nil, fmt.Errorf("pulumi-resource-kubernetes is started by the Pulumi engine, which passes its address")
		}
		p := New(host)
		return server{plugin.NewProviderServer(p), p, host.EngineConn()}, nil
	})
}

// server adds what plugin.Provider cannot express: the construction of components, see chart.go, and the answer to Diff.
type server struct {
	pulumirpc.ResourceProviderServer
	provider *Provider
	engine   *grpc.ClientConn
}

// Diff corrects the SDK's server, which fills Diffs with the paths of the detailed diff: the engine takes them for the names of
// properties and shows no others.
func (s server) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	response, err := s.ResourceProviderServer.Diff(ctx, req)
	if err == nil {
		response.Diffs, response.Replaces = roots(response.Diffs), roots(response.Replaces)
	}
	return response, err
}

func roots(paths []string) []string {
	for i, path := range paths {
		paths[i] = strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' })[0]
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func (p *Provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &version}, nil
}

func (p *Provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: []byte("{}")}, nil
}

func (p *Provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, notModelled("function", string(req.Tok))
}

func (p *Provider) Call(_ context.Context, req plugin.CallRequest) (plugin.CallResponse, error) {
	return plugin.CallResponse{}, notModelled("method", string(req.Tok))
}

func (p *Provider) Construct(_ context.Context, req plugin.ConstructRequest) (plugin.ConstructResponse, error) {
	return plugin.ConstructResponse{}, notModelled("component", string(req.Type))
}

func (p *Provider) SignalCancellation(context.Context) error {
	p.cancel()
	return nil
}

func (p *Provider) Close() error { return nil }

func notModelled(what, name string) error {
	return fmt.Errorf("%s %s is not modelled by the local engine: use plain Kubernetes resources, or model it in local/kubernetes", what, name)
}

// tokenOf is the reverse of kindOf.
func tokenOf(kind schema.GroupVersionKind) string {
	group := kind.Group
	if group == "" {
		group = "core"
	}
	return "kubernetes:" + group + "/" + kind.Version + ":" + kind.Kind
}

// kindOf gives the kind of a token: "kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Namespace".
func kindOf(token tokens.Type) (schema.GroupVersionKind, error) {
	parts := strings.Split(string(token), ":")
	if len(parts) != 3 {
		return schema.GroupVersionKind{}, fmt.Errorf("%q is no type of a Kubernetes resource", token)
	}
	module, kind := parts[1], parts[2]
	group, apiVersion, found := strings.Cut(module, "/")
	if !found || group == "helm.sh" || group == "yaml" || group == "kustomize" ||
		strings.HasSuffix(kind, "Patch") || strings.HasSuffix(kind, "List") {
		return schema.GroupVersionKind{}, notModelled("resource type", string(token))
	}
	if group == "core" {
		group = ""
	}
	return schema.GroupVersionKind{Group: group, Version: apiVersion, Kind: kind}, nil
}

type urnKey struct{}

// about marks the calls that are made for a resource, so that the API server's warnings are shown at that resource.
func about(ctx context.Context, urn resource.URN) context.Context {
	return context.WithValue(ctx, urnKey{}, urn)
}

// HandleWarningHeaderWithContext shows what the API server warns of, such as pods that an enforced Pod Security level will refuse:
// it answers so to the Deployment, whose creation it accepts.
func (p *Provider) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	urn, _ := ctx.Value(urnKey{}).(resource.URN)
	if _, shown := p.warned.LoadOrStore(string(urn)+text, true); !shown {
		p.warn(ctx, urn, text)
	}
}

func (p *Provider) warn(ctx context.Context, urn resource.URN, text string) {
	if err := p.engine.Log(context.WithoutCancel(ctx), diag.Warning, urn, text); err != nil {
		fmt.Fprintf(os.Stderr, "warning: %s: %s\n", urn, text)
	}
}
