package observability_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/observability"
)

func TestO5PrometheusIsToldWhatNoExporterTells(t *testing.T) {
	run := all(t, "prod")
	file, err := os.ReadFile("prometheus/facts/facts.yml")
	require.NoError(t, err)
	want := string(file)
	for name, figure := range map[string]string{
		observability.PostgresStorage: "536870912000", observability.OriginPullEnds: "1826000000", observability.BalancerWebhookEnds: "1827000000",
	} {
		require.Contains(t, want, "vector(0) # "+name)
		want = strings.Replace(want, "vector(0) # "+name, "vector("+figure+") # "+name, 1)
	}
	require.NotContains(t, want, "vector(0)", "every zero has a figure")
	assert.Equal(t, want, run.Find(t, configMap, "prometheus-facts").At(`data["facts.yml"]`))

	before := run.Find(t, statefulSet, "prometheus").At(`spec.template.metadata.annotations["alphapulse.com/prometheus-facts"]`)
	require.NotEmpty(t, before)
	was := facts[observability.OriginPullEnds]
	t.Cleanup(func() { facts[observability.OriginPullEnds] = was })
	facts[observability.OriginPullEnds] = pulumi.Int(1857000000)
	after := all(t, "prod").Find(t, statefulSet, "prometheus").At(`spec.template.metadata.annotations["alphapulse.com/prometheus-facts"]`)
	assert.NotEqual(t, before, after, "a certificate that is renewed reaches Prometheus")
}
