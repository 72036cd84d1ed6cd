package workloads_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

func broker(t *testing.T, p config.Platform) *recorder.Run {
	t.Helper()
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewBroker(ctx, place, p.Workloads.Broker)
		return err
	})
	require.NoError(t, err)
	return run
}

func TestD8BrokerIsThreePodsWithAVolumeEachAndNamesOfTheirOwn(t *testing.T) {
	run := broker(t, prod(t))
	made := run.Find(t, statefulSet, "broker")
	assert.EqualValues(t, 3, made.At("spec.replicas"))
	assert.Equal(t, "broker", made.At("spec.serviceName"))
	assert.Equal(t, map[string]any{"app": "broker"}, made.At("spec.selector.matchLabels"), "as the network policies know it (N7)")
	assert.Equal(t, "10Gi", made.At("spec.volumeClaimTemplates[0].spec.resources.requests.storage"))
	assert.Equal(t, "DoNotSchedule", made.At(pod+"topologySpreadConstraints[0].whenUnsatisfiable"), "a pod in each zone")
	assert.Equal(t, true, made.At(pod+"shareProcessNamespace"), "what busybox's timeout leaves behind is not Redis' to end")
	assert.Equal(t, []any{map[string]any{"name": "timeout", "value": "1"}, map[string]any{"name": "attempts", "value": "2"}}, made.At(pod+"dnsConfig.options"))
	door := run.Find(t, service, "broker")
	assert.Equal(t, "None", door.At("spec.clusterIP"))
	assert.Equal(t, true, door.At("spec.publishNotReadyAddresses"), "they find each other to become ready")
	for i, port := range []float64{6379, 26379} {
		assert.Equal(t, []any{port, port}, []any{door.At("spec.ports[" + string(rune('0'+i)) + "].port"), door.At("spec.ports[" + string(rune('0'+i)) + "].targetPort")})
	}
}

func TestD8EveryPodHasRedisSentinelAndAnExporter(t *testing.T) {
	p := prod(t)
	made := broker(t, p).Find(t, statefulSet, "broker")
	whole := map[string]config.Amount{"requests": p.Workloads.Broker.Requests, "limits": p.Workloads.Broker.Limits}
	for i, want := range []struct {
		name, image string
		command     any
	}{
		{"redis", p.Workloads.Broker.Image, []any{"/bin/sh", "/etc/broker/redis.sh"}},
		{"sentinel", p.Workloads.Broker.Image, []any{"/bin/sh", "/etc/broker/sentinel.sh"}},
		{"exporter", config.RedisExporterImage, []any{}},
	} {
		at := pod + "containers[" + string(rune('0'+i)) + "]."
		assert.Equal(t, want.name, made.At(at+"name"))
		assert.Equal(t, "registry.example/"+want.image, made.At(at+"image"))
		assert.Equal(t, want.command, made.At(at+"command"))
		for kind := range whole {
			whole[kind] = whole[kind].Less(config.Amount{CPU: made.At(at + "resources." + kind + ".cpu").(string), Memory: made.At(at + "resources." + kind + ".memory").(string)})
		}
	}
	assert.Equal(t, "*.dead-letters", environment(t, made, pod+"containers[2].")["REDIS_EXPORTER_CHECK_KEYS"], "tasks that are put aside are counted (W3, O5)")
	for kind, left := range whole {
		assert.Zero(t, left.MilliCPU(), kind)
		assert.Zero(t, left.MemoryMiB(), kind)
	}
	assert.Equal(t, "9121", made.At(`spec.template.metadata.annotations["prometheus.io/port"]`))
	assert.Equal(t, []any{"/bin/sh", "/etc/broker/stop.sh"}, made.At(container+"lifecycle.preStop.exec.command"), "a primary hands over first")
	assert.Equal(t, []any{"/bin/sh", "/etc/broker/live.sh"}, made.At(container+"livenessProbe.exec.command"))
	assert.Equal(t, []any{"/bin/sh", "/etc/broker/ready.sh"}, made.At(container+"readinessProbe.exec.command"))
	assert.Equal(t, []any{"/bin/sh", "/etc/broker/sentinel-live.sh"}, made.At(pod+"containers[1].livenessProbe.exec.command"))
	assert.Equal(t, 60, seconds(t, made, pod+"terminationGracePeriodSeconds"), "above the 35 s of the hand-over")
}

func TestD8BothProgramsAreToldWhatTheirScriptsAskFor(t *testing.T) {
	run := broker(t, prod(t))
	made := run.Find(t, statefulSet, "broker")
	want := map[string]any{
		"BROKER_DOMAIN": "broker.$(NAMESPACE).svc.cluster.local", "BROKER_PODS": "3", "BROKER_FILES": "/etc/broker",
		"BROKER_CREDENTIALS": "/etc/broker-credentials", "BROKER_DATA": "/data", "BROKER_RUN": "/tmp",
		"BROKER_MAXMEMORY":     "318767104", // a third of 1 GiB, without the two sidecars and 32 MiB
		"BROKER_OTHERS_WITHIN": "20", "BROKER_PRIMARY_WITHIN": "600",
	}
	for _, at := range []string{container, pod + "containers[1]."} {
		values, fields := map[string]any{}, map[string]any{}
		for _, one := range made.At(at + "env").([]any) {
			variable := recorder.Resource{Inputs: one.(map[string]any)}
			name := variable.At("name").(string)
			if value := variable.At("value"); value != nil {
				values[name] = value
			} else {
				fields[name] = variable.At("valueFrom.fieldRef.fieldPath")
			}
		}
		assert.Equal(t, want, values)
		assert.Equal(t, map[string]any{"BROKER_POD": "metadata.name", "NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP"}, fields)
		mounted := map[any]any{}
		for _, mount := range made.At(at + "volumeMounts").([]any) {
			mounted[mount.(map[string]any)["name"]] = mount.(map[string]any)["mountPath"]
		}
		assert.Equal(t, map[any]any{"tmp": "/tmp", "data": "/data", "broker-config": "/etc/broker", "credentials": "/etc/broker-credentials"}, mounted)
	}
	assert.Equal(t, "broker-credentials", made.At(pod+`volumes[2].secret.secretName`), "a file, that both read anew when it changes")

	files := run.Find(t, configMap, "broker-config").At("data").(map[string]any)
	entries, err := os.ReadDir("broker")
	require.NoError(t, err)
	require.Len(t, files, len(entries))
	for _, entry := range entries {
		text, err := os.ReadFile("broker/" + entry.Name())
		require.NoError(t, err)
		assert.Equal(t, string(text), files[entry.Name()], "what the tests with real programs run")
	}
}

// Two Sentinels that ask for the same votes elect nobody, and try again after twice the failover-timeout: that second time must be soon enough, too.
func TestD8ASplitVoteIsRepeatedInTime(t *testing.T) {
	conf, err := os.ReadFile("broker/sentinel.conf")
	require.NoError(t, err)
	seconds := func(setting string) float64 {
		found := regexp.MustCompile(`(?m)^sentinel ` + setting + ` broker (\d+)$`).FindSubmatch(conf)
		require.Len(t, found, 2, setting)
		value, err := strconv.ParseFloat(string(found[1]), 64)
		require.NoError(t, err)
		return value / 1000
	}
	const promised, spread = 15, 1 // Sentinels begin within a second of each other
	assert.Less(t, seconds("down-after-milliseconds")+2*seconds("failover-timeout")+2*spread, float64(promised))

	settings, err := os.ReadFile("worker/celery_settings.py")
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^NOTE_WITHIN = (\d+)`).FindSubmatch(settings)
	require.Len(t, found, 2)
	within, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, within, 3*promised, "a worker holds on to a task for as long")
}
