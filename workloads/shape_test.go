package workloads_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

// pooler is a program that has all that the shape offers: files of Secrets, and a second container.
func shaped(t *testing.T) *recorder.Run {
	t.Helper()
	p := prod(t)
	certificate := workloads.Files{Name: "tls", Path: "/tls", Secret: "pooler-tls"}
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewService(ctx, "pooler", place, &workloads.ServiceArgs{
			Spec: p.Workloads.Pooler, Labels: map[string]string{"app": "pooler"}, ServiceName: "pooler",
			Ports: []workloads.Port{{Name: "postgres", Container: 5432, Service: []int{5432}}},
			Files: []workloads.Files{certificate, {Name: "settings", Path: "/etc/pooler", ConfigMap: pulumi.String("pooler"), Digest: pulumi.String("d1")}},
			Probes: workloads.Probes{
				Live:  workloads.Probe{Period: 10, Timeout: 2, Failures: 3},
				Ready: workloads.Probe{Path: "/ready", Period: 5, Timeout: 2, Failures: 1},
			},
			MetricsPort: 9127,
			Sidecars: []workloads.Container{{
				Name: "exporter", Image: "quay.io/example/exporter:v1", Ports: []workloads.Port{{Name: "metrics", Container: 9127}},
				Env: []workloads.Env{{Name: "PASSWORD", Secret: "pooler-credentials", Key: "password"}}, Files: []workloads.Files{certificate},
				Probes:   workloads.Probes{Live: workloads.Probe{Path: "/metrics"}, Ready: workloads.Probe{Path: "/metrics"}},
				Requests: config.Amount{CPU: "10m", Memory: "32Mi"}, Limits: config.Amount{CPU: "100m", Memory: "64Mi"},
			}},
			Autoscaler: "pooler-hpa", TargetCPU: 70, Priority: workloads.CustomerFacing, DrainSeconds: 5, StopWithin: 60,
		})
		return err
	})
	require.NoError(t, err)
	return run
}

func TestW6SecretsAreMountedForThePodsGroupOnlyAndOnceForAll(t *testing.T) {
	made := shaped(t).Find(t, deployment, "pooler")
	assert.Equal(t, []any{
		map[string]any{"name": "tmp", "emptyDir": map[string]any{"sizeLimit": "256Mi"}},
		map[string]any{"name": "tls", "secret": map[string]any{"secretName": "pooler-tls", "defaultMode": float64(0o440)}},
		map[string]any{"name": "settings", "configMap": map[string]any{"name": "pooler"}},
	}, made.At(pod+"volumes"))
	mount := func(name, path string) any {
		return map[string]any{"name": name, "mountPath": path, "readOnly": true}
	}
	tmp := map[string]any{"name": "tmp", "mountPath": "/tmp"}
	assert.Equal(t, []any{tmp, mount("tls", "/tls"), mount("settings", "/etc/pooler")}, made.At(container+"volumeMounts"))
	assert.Equal(t, []any{tmp, mount("tls", "/tls")}, made.At(pod+"containers[1].volumeMounts"), "a sidecar sees its own files only")
}

func TestW6AChangeOfWhatThePodsReadRollsThem(t *testing.T) {
	made := shaped(t).Find(t, deployment, "pooler")
	assert.Equal(t, "pooler-credentials,pooler-tls", made.At(`metadata.annotations["secret.reloader.stakater.com/reload"]`), "Secrets, by the reloader")
	assert.Equal(t, map[string]any{
		"alphapulse.com/settings": "d1", "prometheus.io/scrape": "true", "prometheus.io/port": "9127", "prometheus.io/path": "/metrics",
	}, made.At("spec.template.metadata.annotations"), "files, by their digest")
}

func TestW6ASidecarIsHeldToTheSameRules(t *testing.T) {
	made := shaped(t).Find(t, deployment, "pooler")
	assert.Len(t, made.At(pod+"containers"), 2)
	const exporter = pod + "containers[1]."
	assert.Equal(t, "exporter", made.At(exporter+"name"))
	assert.Equal(t, "registry.example/quay.io/example/exporter:v1", made.At(exporter+"image"))
	assert.Equal(t, made.At(container+"securityContext"), made.At(exporter+"securityContext"))
	assert.Equal(t, "64Mi", made.At(exporter+"resources.limits.memory"))
	assert.Equal(t, map[string]any{"path": "/metrics", "port": 9127.}, made.At(exporter+"livenessProbe.httpGet"))
	assert.Equal(t, 5., made.At(exporter+"lifecycle.preStop.sleep.seconds"), "it measures as long as the program answers")
}

func TestW6AProbeWithoutAPathTakesAConnection(t *testing.T) {
	made := shaped(t).Find(t, deployment, "pooler")
	assert.Equal(t, map[string]any{"port": 5432.}, made.At(container+"livenessProbe.tcpSocket"))
	assert.Nil(t, made.At(container+"livenessProbe.httpGet"))
	assert.Equal(t, map[string]any{"path": "/ready", "port": 5432.}, made.At(container+"readinessProbe.httpGet"))
}
