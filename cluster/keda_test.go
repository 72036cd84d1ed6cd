package cluster

import (
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

func keda(t *testing.T) *recorder.Run {
	t.Helper()
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		_, err = NewKEDA(ctx, &KEDAArgs{
			Cluster: &Cluster{Provider: provider, Namespaces: Namespaces{
				Platform:  pulumi.String("alphapulse-prod").ToStringOutput(),
				Operators: map[string]pulumi.StringOutput{"keda": pulumi.String("keda").ToStringOutput()},
			}},
			Name: "alphapulse-prod", Images: registry,
		})
		return err
	})
}

func TestW3KEDARunsAsPlanned(t *testing.T) {
	made := keda(t).Find(t, chartType, "keda")
	assert.Equal(t, "https://kedacore.github.io/charts", made.At("repositoryOpts.repo"))
	assert.Equal(t, config.KEDAVersion, made.At("version"), "pinned")
	assert.Equal(t, "keda", made.At("namespace"))
	for path, want := range map[string]any{
		"watchNamespace": "alphapulse-prod", "nodeSelector.workload-type": "general", "rbac.enabledCustomScaledRefKinds": false,
		`podAnnotations.keda["prometheus.io/port"]`: "8080", "prometheus.operator.port": 8080.,
		"image.metricsApiServer.repository": "registry.example/ghcr.io/kedacore/keda-metrics-apiserver", "operator.replicaCount": 2.,
		"metricsServer.replicaCount": 2., "webhooks.replicaCount": 2., "topologySpreadConstraints.metricsServer[0].maxSkew": 1.,
	} {
		assert.Equal(t, want, made.At("values."+path), path)
	}
	// The chart's three programs, by its own keys.
	for image, part := range map[string]string{"keda": "operator", "metricsApiServer": "metricServer", "webhooks": "webhooks"} {
		for path, want := range map[string]any{
			"image." + image + ".registry": "", "image." + image + ".tag": config.KEDAVersion,
			"podDisruptionBudget." + part + ".maxUnavailable":     1.,
			"podSecurityContext." + part + ".runAsNonRoot":        true,
			"podSecurityContext." + part + ".seccompProfile.type": "RuntimeDefault",
			"securityContext." + part + ".readOnlyRootFilesystem": true,
			"securityContext." + part + ".capabilities.drop[0]":   "ALL",
			"resources." + part + ".limits.cpu":                   nil,
		} {
			assert.Equal(t, want, made.At("values."+path), path)
		}
		assert.NotEmpty(t, made.At("values.resources."+part+".requests.memory"))
	}
}

func TestW3KEDAAsksTheBrokerWithItsPassword(t *testing.T) {
	run := keda(t)
	made := run.Find(t, "kubernetes:keda.sh/v1alpha1:TriggerAuthentication", "keda-broker")
	assert.Equal(t, config.BrokerAuthentication, made.At("metadata.name"))
	assert.Equal(t, "alphapulse-prod", made.At("metadata.namespace"), "where what it scales is")
	from := func(parameter string) any {
		return map[string]any{"parameter": parameter, "name": "broker-credentials", "key": "password"}
	}
	assert.Equal(t, []any{from("password"), from("sentinelPassword")}, made.At("spec.secretTargetRef"))
	assert.Contains(t, made.DependsOn, run.Find(t, chartType, "keda").URN, "its kind comes with the chart")
}
