// Package clouds stands in for Pulumi's providers of AWS and Cloudflare: the same resource types, properties and replacements, with an
// inventory of files where the cloud would be. What a resource type is, is said in tables, one row each, a file for each service; what
// tables cannot say (an EKS cluster is a real control plane) is in hooks. Whatever is not modelled is an error that names it.
package clouds

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// vendor is what differs between the clouds; everything else is in the tables.
type vendor struct {
	name    string // of the Pulumi package
	version string // of the SDK that the program uses
	// settings are the provider's configuration keys; those that only concern the way to the real cloud are accepted and ignored.
	settings []string
	// locate reads from the configuration which account and region are played.
	locate func(p *Provider, config map[string]any)
}

var vendors = map[string]vendor{
	"aws": {
		name: "aws", version: "6.83.2", locate: locateAWS,
		settings: []string{"region", "allowedAccountIds", "defaultTags", "profile", "version", "skipCredentialsValidation",
			"skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"},
	},
	"cloudflare": {
		name: "cloudflare", version: "5.49.1", locate: locateCloudflare,
		settings: []string{"apiBasePath", "apiClientLogging", "apiHostname", "apiKey", "apiToken", "apiUserServiceKey", "email",
			"maxBackoff", "minBackoff", "retries", "rps", "userAgentOperatorSuffix", "version"},
	},
}

// Provider plays one account in one region.
type Provider struct {
	plugin.UnimplementedProvider
	vendor

	account, region string
	defaultTags     map[string]any
	mu              sync.Mutex // of the inventory, while something is looked up and then written
}

// New makes the provider of a cloud: "aws" or "cloudflare".
func New(cloud string) *Provider { return &Provider{vendor: vendors[cloud]} }

// Serve runs the provider of a cloud until the engine ends it.
func Serve(cloud string) error {
	return faults.Serve(cloud, func(*provider.HostClient) (rpc.ResourceProviderServer, error) {
		return plugin.NewProviderServer(New(cloud)), nil
	})
}

// Handshake asks for references to resources as plain ids, as the real provider does: a role given as a whole is its name.
func (p *Provider) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true}, nil
}

func (p *Provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse(p.version)
	return plugin.PluginInfo{Version: &version}, nil
}

func (p *Provider) SignalCancellation(context.Context) error { return nil }
func (p *Provider) Close() error                             { return nil }

func (p *Provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	resp := plugin.CheckConfigResponse{Properties: req.News}
	for key := range req.News {
		if !slices.Contains(p.settings, string(key)) {
			resp.Failures = append(resp.Failures, plugin.CheckFailure{Property: key,
				Reason: fmt.Sprintf("%s provider setting %q is not modelled by the local engine", p.name, key)})
		}
	}
	return resp, nil
}

// DiffConfig replaces the provider, and so all it holds, when it moves to another region.
func (p *Provider) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	if !req.OldInputs["region"].DeepEquals(req.NewInputs["region"]) {
		return plugin.DiffResult{Changes: plugin.DiffSome, ReplaceKeys: []resource.PropertyKey{"region"}}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffUnknown}, nil
}

func (p *Provider) Configure(_ context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	config, _ := plain(resource.NewProperty(req.Inputs)).(map[string]any)
	for key, value := range config {
		// The protocol carries everything but strings as JSON.
		if text, ok := value.(string); ok && strings.ContainsAny(text[:min(1, len(text))], "[{") {
			var decoded any
			if err := json.Unmarshal([]byte(text), &decoded); err != nil {
				return plugin.ConfigureResponse{}, fmt.Errorf("%s provider setting %s: %w", p.name, key, err)
			}
			config[key] = decoded
		}
	}
	p.locate(p, config)
	return plugin.ConfigureResponse{}, nil
}

func locateAWS(p *Provider, config map[string]any) {
	p.region, p.account = "us-east-1", "000000000000"
	if region, ok := config["region"].(string); ok {
		p.region = region
	}
	if accounts := strs(config["allowedAccountIds"]); len(accounts) > 0 {
		p.account = accounts[0]
	}
	p.defaultTags = object(object(config["defaultTags"])["tags"])
}

// store is where records of a type are kept; an ARN of another region leads to that region's.
func (p *Provider) store(typ, value string) (*inventory.Store, error) {
	region := p.region
	if part := strings.SplitN(value, ":", 6); len(part) == 6 && part[0] == "arn" && part[3] != "" {
		region = part[3]
	}
	if strings.HasPrefix(typ, "aws:iam/") {
		region = "global"
	}
	return inventory.Open(p.account, region)
}
