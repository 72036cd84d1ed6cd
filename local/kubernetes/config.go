package kubernetes

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// settings is the provider's configuration.
type settings struct {
	kubeconfig, context, namespace, clusterIdentifier string

	serverSideApply, force               bool
	configMapMutable, secretMutable      bool
	upsert                               bool
	skipUpdateUnreachable, deleteUnreach bool

	unknown bool // the kubeconfig is another resource's output, which a preview does not know yet
}

// parse reads the configuration; every key that is not modelled is a failure.
func parse(inputs resource.PropertyMap) (settings, []plugin.CheckFailure) {
	s := settings{serverSideApply: true}
	texts := map[resource.PropertyKey]*string{
		"kubeconfig": &s.kubeconfig, "context": &s.context, "namespace": &s.namespace, "clusterIdentifier": &s.clusterIdentifier,
	}
	flags := map[resource.PropertyKey]*bool{
		"enableServerSideApply":  &s.serverSideApply,
		"enablePatchForce":       &s.force,
		"enableConfigMapMutable": &s.configMapMutable, "enableSecretMutable": &s.secretMutable,
		"upsertExistingObjects": &s.upsert,
		"skipUpdateUnreachable": &s.skipUpdateUnreachable, "deleteUnreachable": &s.deleteUnreach,
	}
	var failures []plugin.CheckFailure
	fail := func(key resource.PropertyKey, format string, args ...any) {
		failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(format, args...)})
	}
	for key, secret := range inputs {
		value := reveal(secret)
		text, flag := texts[key], flags[key]
		switch {
		case key == "version" || key == "pluginDownloadURL" || resource.IsInternalPropertyKey(key) || value.IsNull():
		case text == nil && flag == nil:
			fail(key, "the provider's setting %q is not modelled by the local engine: leave it out, or model it in local/kubernetes", key)
		case value.IsComputed():
			s.unknown = s.unknown || key == "kubeconfig" || key == "context"
		case text != nil && value.IsString():
			*text = value.StringValue()
		case flag != nil && value.IsBool():
			*flag = value.BoolValue()
		case flag != nil && value.IsString(): // the engine passes what is no string as JSON
			var err error
			if *flag, err = strconv.ParseBool(value.StringValue()); err != nil {
				fail(key, "the provider's setting %q is %q, which is neither true nor false", key, value.StringValue())
			}
		default:
			fail(key, "the provider's setting %q has the type %s", key, value.TypeString())
		}
	}
	if !s.serverSideApply {
		fail("enableServerSideApply", "client-side apply is not modelled by the local engine: leave enableServerSideApply out")
	}
	if s.kubeconfig == "" && !s.unknown {
		fail("kubeconfig", "the Kubernetes provider has no kubeconfig: pass the cluster's; the local engine never uses the one of this machine")
	}
	sort.Slice(failures, func(i, j int) bool { return failures[i].Property < failures[j].Property })
	return s, failures
}

func (p *Provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	s, failures := parse(req.News)
	if len(failures) == 0 && !s.unknown {
		if _, err := s.load(); err != nil {
			failures = append(failures, plugin.CheckFailure{Property: "kubeconfig", Reason: err.Error()})
		}
	}
	return plugin.CheckConfigResponse{Properties: req.News, Failures: failures}, nil
}

// DiffConfig replaces the provider, and with it all that it holds, when it points to another cluster. As in the real one, a
// clusterIdentifier that stays the same says that it does not, whatever the kubeconfig says and even if that is unknown.
func (p *Provider) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	olds, news := revealAll(req.OldInputs), revealAll(req.NewInputs)
	diff := olds.Diff(news, resource.IsInternalPropertyKey)
	if diff == nil {
		return plugin.DiffConfigResponse{Changes: plugin.DiffNone}, nil
	}
	result := plugin.DiffConfigResponse{Changes: plugin.DiffSome, ChangedKeys: diff.ChangedKeys()}
	switch {
	case diff.Updated("clusterIdentifier"):
		result.ReplaceKeys = []resource.PropertyKey{"clusterIdentifier"}
	case news.HasValue("clusterIdentifier") && olds.HasValue("clusterIdentifier"):
	case diff.Changed("kubeconfig") || diff.Changed("context"):
		old, _ := parse(olds)
		new, _ := parse(news)
		if new.unknown || !reflect.DeepEqual(old.activeCluster(), new.activeCluster()) {
			for _, key := range []resource.PropertyKey{"kubeconfig", "context"} {
				if diff.Changed(key) {
					result.ReplaceKeys = append(result.ReplaceKeys, key)
				}
			}
		}
	}
	return result, nil
}

func (p *Provider) Configure(_ context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	s, failures := parse(req.Inputs)
	if len(failures) > 0 {
		return plugin.ConfigureResponse{}, fmt.Errorf("configuring the Kubernetes provider: %s", failures[0].Reason)
	}
	p.settings = s
	if s.unknown {
		return plugin.ConfigureResponse{}, nil
	}
	var err error
	p.cluster, err = connect(s, p)
	return plugin.ConfigureResponse{}, err
}

// load reads the kubeconfig. Unlike the real provider it takes no path: a file of this machine may lead to a real cluster.
func (s settings) load() (*api.Config, error) {
	config, err := clientcmd.Load([]byte(s.kubeconfig))
	if err != nil {
		return nil, fmt.Errorf("reading the provider's kubeconfig, which must be the contents in JSON or YAML and no path: %w", err)
	}
	if s.context != "" {
		config.CurrentContext = s.context
	}
	if _, found := config.Contexts[config.CurrentContext]; !found {
		return nil, fmt.Errorf("the provider's kubeconfig has no context %q", config.CurrentContext)
	}
	return config, nil
}

// activeCluster is what tells one cluster from another: its address and authority.
func (s settings) activeCluster() *api.Cluster {
	config, err := s.load()
	if err != nil {
		return nil
	}
	return config.Clusters[config.Contexts[config.CurrentContext].Cluster]
}
