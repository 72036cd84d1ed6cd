package security_test

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	helmChart = "kubernetes:helm.sh/v4:Chart"

	// programs of the chart: the prefix of their values
	controller, injector, webhook = "values.", "values.cainjector.", "values.webhook."
)

func newCertManager(ctx *pulumi.Context, image func(string) (pulumi.StringInput, error)) (*security.CertManager, *kubernetes.Provider, error) {
	provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
	if err != nil {
		return nil, nil, err
	}
	made, err := security.NewCertManager(ctx, "cert-manager", &security.CertManagerArgs{
		Namespace: pulumi.String("cert-manager"), Provider: provider, Images: image,
	})
	return made, provider, err
}

func fromRegistry(name string) (pulumi.StringInput, error) {
	return pulumi.String("registry.example/" + name), nil
}

func certManager(t *testing.T) recorder.Resource {
	t.Helper()
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, _, err := newCertManager(ctx, fromRegistry)
		return err
	})
	return run.Find(t, helmChart, "cert-manager")
}

func TestW1CertManagerIsThePinnedChartInItsOwnNamespace(t *testing.T) {
	made := certManager(t)
	assert.Equal(t, []any{"cert-manager", "https://charts.jetstack.io", config.CertManagerVersion, "cert-manager"},
		[]any{made.At("chart"), made.At("repositoryOpts.repo"), made.At("version"), made.At("namespace")})
	assert.Equal(t, "cluster", made.Providers["kubernetes"])
	for path, want := range map[string]any{
		"crds.enabled": true, "crds.keep": false, "global.leaderElection.namespace": "cert-manager", "startupapicheck.enabled": false,
	} {
		assert.Equal(t, want, made.At(controller+path), path)
	}
}

func TestC3CertManagersProgramsAreWhatCapacityCounts(t *testing.T) {
	made := certManager(t)
	for name, prefix := range map[string]string{"controller": controller, "cainjector": injector, "webhook": webhook} {
		program := config.CertManager.Program(name)
		for path, want := range map[string]any{
			"replicaCount": float64(program.Replicas), "image.repository": "registry.example/" + program.Image, "image.tag": program.Tag,
			"resources.requests.cpu": program.Requests.CPU, "resources.requests.memory": program.Requests.Memory,
			"nodeSelector.workload-type": "general", "podDisruptionBudget.enabled": true, "podDisruptionBudget.maxUnavailable": 1.,
			"topologySpreadConstraints[0].topologyKey":                                              "topology.kubernetes.io/zone",
			`topologySpreadConstraints[0].labelSelector.matchLabels["app.kubernetes.io/component"]`: name,
		} {
			assert.Equal(t, want, made.At(prefix+path), "%s: %s", name, path)
		}
	}
}

func TestC5CertManagersPodsMeetTheRestrictedStandard(t *testing.T) {
	made := certManager(t)
	for _, prefix := range []string{controller, injector, webhook} {
		for path, want := range map[string]any{
			"securityContext.runAsNonRoot": true, "securityContext.seccompProfile.type": "RuntimeDefault",
			"containerSecurityContext.readOnlyRootFilesystem": true, "containerSecurityContext.allowPrivilegeEscalation": false,
			"containerSecurityContext.capabilities.drop[0]": "ALL",
		} {
			assert.Equal(t, want, made.At(prefix+path), prefix+path)
		}
		assert.NotNil(t, made.At(prefix+"resources.limits.memory"), prefix)
	}
}

func TestC6CertManagerMayNoMoreThanItUses(t *testing.T) {
	made := certManager(t)
	assert.Equal(t, false, made.At(controller+"global.rbac.aggregateClusterRoles"), "who may edit pods may not have certificates for that")
	assert.Equal(t, []any{
		"clusterissuers.cert-manager.io/letsencrypt-prod", "clusterissuers.cert-manager.io/letsencrypt-staging", "clusterissuers.cert-manager.io/internal",
	}, made.At(controller+"approveSignerNames"))
	assert.Equal(t, map[string]any{
		"namespace":              "cert-manager",
		"enableDataSourceConfig": map[string]any{"certificates": false},
		"enableInjectableConfig": map[string]any{"apiServices": false, "customResourceDefinitions": false},
	}, made.At(injector+"config"), "the injector serves the webhook, and sees no other namespace's secrets")
}

func TestW1ChartIsReadyOnceTheAPIServerCanReachTheWebhook(t *testing.T) {
	made := certManager(t)
	for _, kind := range []string{"validating", "mutating"} {
		assert.Equal(t, map[string]any{"pulumi.com/waitFor": "jsonpath={.webhooks[0].clientConfig.caBundle}"},
			made.At(webhook+kind+"WebhookConfigurationAnnotations"), kind)
	}
}

func TestC7ImageThatNodesCannotPullIsAnError(t *testing.T) {
	_, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		_, _, err := newCertManager(ctx, func(string) (pulumi.StringInput, error) { return nil, errors.New("no cache has it") })
		return err
	})
	require.ErrorContains(t, err, "the image quay.io/jetstack/cert-manager-controller:v1.21.2: no cache has it")
}
