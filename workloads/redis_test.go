package workloads_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

func redis(t *testing.T) *recorder.Run {
	t.Helper()
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewRedis(ctx, place, &workloads.RedisArgs{Spec: p.Workloads.Redis})
		return err
	})
	require.NoError(t, err)
	return run
}

// environment are a container's variables: values, or where they come from.
func environment(t *testing.T, made recorder.Resource, container string) map[string]any {
	t.Helper()
	got := map[string]any{}
	list, ok := made.At(container + "env").([]any)
	require.True(t, ok)
	for _, one := range list {
		variable := one.(map[string]any)
		name := variable["name"].(string)
		require.NotContains(t, got, name)
		got[name] = variable["value"]
		from, _ := variable["valueFrom"].(map[string]any)
		if field, ok := from["fieldRef"].(map[string]any); ok {
			got[name] = field["fieldPath"]
		}
		if secret, ok := from["secretKeyRef"].(map[string]any); ok {
			got[name] = secret
		}
	}
	return got
}

func TestD7RedisClusterIsTheSourcesStatefulSet(t *testing.T) {
	run := redis(t)
	made := run.Find(t, statefulSet, "redis-cluster")
	assert.EqualValues(t, 6, made.At("spec.replicas"))
	assert.Equal(t, "redis-cluster", made.At("spec.serviceName"))
	assert.Equal(t, map[string]any{"matchLabels": map[string]any{"app": "redis"}}, made.At("spec.selector"))
	assert.Equal(t, "Parallel", made.At("spec.podManagementPolicy"), "they wait for each other")
	assert.Equal(t, "RollingUpdate", made.At("spec.updateStrategy.type"))
	assert.Equal(t, "10Gi", made.At("spec.volumeClaimTemplates[0].spec.resources.requests.storage"))
	assert.Equal(t, "gp3", made.At("spec.volumeClaimTemplates[0].spec.storageClassName"))
	assert.Regexp(t, "/redis:7.4", made.At(container+"image"))
	assert.Nil(t, made.At(`metadata.annotations["secret.reloader.stakater.com/reload"]`), "a new password is taken up, not rolled out")

	door := run.Find(t, service, "redis-cluster")
	assert.Equal(t, "None", door.At("spec.clusterIP"))
	assert.Equal(t, true, door.At("spec.publishNotReadyAddresses"), "pods find each other to become ready")
	assert.Equal(t, []any{map[string]any{"name": "redis-6379", "port": 6379., "targetPort": 6379., "protocol": "TCP"}}, door.At("spec.ports"))
	assert.EqualValues(t, 1, run.Find(t, budget, "redis-cluster").At("spec.maxUnavailable"))
	assert.Empty(t, run.All(autoscaler))
}

func TestD7PodsRunTheFilesThatAreTriedOnSixServers(t *testing.T) {
	run := redis(t)
	files := run.Find(t, configMap, "redis-cluster-config")
	paths, err := filepath.Glob("redis/*") // local/e2e/redis runs them
	require.NoError(t, err)
	assert.Len(t, files.At("data"), len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(text), files.At(fmt.Sprintf("data[%q]", filepath.Base(path))), path)
	}
	made, creation := run.Find(t, statefulSet, "redis-cluster"), run.Find(t, job, "redis-cluster-create")
	script := func(name string) []any { return []any{"/bin/sh", "/etc/redis/" + name} }
	assert.Equal(t, script("start.sh"), made.At(container+"command"))
	assert.Equal(t, script("stop.sh"), made.At(container+"lifecycle.preStop.exec.command"))
	assert.Equal(t, script("live.sh"), made.At(container+"livenessProbe.exec.command"))
	assert.Equal(t, script("ready.sh"), made.At(container+"readinessProbe.exec.command"))
	assert.Equal(t, script("create.sh"), creation.At(container+"command"))
	const digest = `spec.template.metadata.annotations["alphapulse.com/redis-cluster-config"]`
	assert.NotEmpty(t, made.At(digest))
	assert.Equal(t, made.At(digest), creation.At(digest), "changed files roll the pods, and run the job again")
	assert.Equal(t, "redis-cluster-create", creation.At("spec.template.metadata.labels.app"), "it is none of the pods that it asks")
}

// The kubelet changes a ConfigMap's files in running pods: those of a release must not reach pods before the rollout does.
func TestD7APodKeepsItsFilesUntilItIsReplaced(t *testing.T) {
	run := redis(t)
	made, files := run.Find(t, statefulSet, "redis-cluster"), run.Find(t, configMap, "redis-cluster-config")
	assert.Equal(t, true, files.At("immutable"), "other texts are another ConfigMap")
	assert.Nil(t, files.At("metadata.name"), "whose name Pulumi makes up: one that comes again would collide with what a failed rollout has left")
	var mounted []any
	volumes, _ := made.At(pod + "volumes").([]any)
	for i := range volumes {
		mounted = append(mounted, made.At(fmt.Sprintf("%svolumes[%d].configMap.name", pod, i)))
	}
	assert.Contains(t, mounted, recorder.MadeUpName("redis-cluster-config"))
}

// What a script needs from its environment it says so itself, as ${NAME:?}.
func TestD7ScriptsAreToldAllThatTheyAsk(t *testing.T) {
	run := redis(t)
	asked := func(file string) (names []string) {
		text, err := os.ReadFile("redis/" + file)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`\$\{([A-Z_]+):?\?\}`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
		require.NotEmpty(t, names)
		return names
	}
	told := environment(t, run.Find(t, statefulSet, "redis-cluster"), container)
	assert.ElementsMatch(t, asked("start.sh"), sorted(told))
	assert.Equal(t, map[string]any{
		"POD_NAME": "metadata.name", "POD_IP": "status.podIP", "ZONE": "metadata.labels['topology.kubernetes.io/zone']", "SERVICE": "redis-cluster",
		"PODS": "6", "DATA": "/data", "RUN": "/tmp", "FILES": "/etc/redis", "CREDENTIALS": "/etc/redis-credentials",
		"MAXMEMORY": strconv.FormatInt(config.ClusterRedis.MaxMemory(prod(t).Workloads.Redis.Limits), 10),
	}, told)
	assert.ElementsMatch(t, asked("create.sh"), sorted(environment(t, run.Find(t, job, "redis-cluster-create"), container)))
}

func sorted(of map[string]any) (names []string) {
	for name := range of {
		names = append(names, name)
	}
	return names
}

func TestS2PasswordOfRedisIsAFileAndInNoArgument(t *testing.T) {
	run := redis(t)
	for kind, name := range map[string]string{statefulSet: "redis-cluster", job: "redis-cluster-create"} {
		made := run.Find(t, kind, name)
		mounted := fmt.Sprint(made.At(container + "volumeMounts"))
		assert.Contains(t, mounted, "/etc/redis-credentials")
		assert.NotContains(t, fmt.Sprint(made.At(pod+"containers")), "secretKeyRef")
		assert.Contains(t, fmt.Sprint(made.At(pod+"volumes")), "secretName:redis-credentials")
	}
	const exporter = pod + "containers[1]."
	made := run.Find(t, statefulSet, "redis-cluster")
	assert.Equal(t, map[string]any{
		"REDIS_ADDR": "unix:///tmp/redis.sock", "REDIS_PASSWORD_FILE": "/etc/redis-credentials/exporter.json",
	}, environment(t, made, exporter))
	keep, err := os.ReadFile("redis/keep.sh")
	require.NoError(t, err)
	assert.Contains(t, string(keep), ":"+made.At(`spec.template.metadata.annotations["prometheus.io/port"]`).(string)+"/-/reload", "it learns a new one")
}

func TestD7PodsShareWhatTheStackGivesThemWithTheExporter(t *testing.T) {
	p, made := prod(t), redis(t).Find(t, statefulSet, "redis-cluster")
	for _, kind := range []string{"requests", "limits"} {
		whole := map[string]config.Amount{"requests": p.Workloads.Redis.Requests, "limits": p.Workloads.Redis.Limits}[kind]
		for _, c := range []string{container, pod + "containers[1]."} {
			whole = whole.Less(config.Amount{CPU: made.At(c + "resources." + kind + ".cpu").(string), Memory: made.At(c + "resources." + kind + ".memory").(string)})
		}
		assert.Zero(t, whole.MilliCPU(), kind)
		assert.Zero(t, whole.MemoryMiB(), kind)
	}
	assert.Nil(t, made.At(pod+"containers[1].readinessProbe"))
	assert.Equal(t, true, made.At(pod+"shareProcessNamespace"), "what busybox's timeout leaves behind is not Redis' to end")
	assert.Greater(t, seconds(t, made, pod+"terminationGracePeriodSeconds"), 20+10, "the handover, and the server's own wait for its replica")
}

func TestD7KeysLeaveRoomForACopyOfAllOfThem(t *testing.T) {
	limits := prod(t).Workloads.Redis.Limits
	share := float64(config.ClusterRedis.MaxMemory(limits)) / float64(limits.MemoryMiB()<<20)
	assert.Greater(t, share, 0.35)
	assert.Less(t, share, 0.4, "twice all pages, with a fifth between keys, is less than the pod has")
	conf, err := os.ReadFile("redis/redis.conf")
	require.NoError(t, err)
	for _, line := range []string{"appendonly yes", "appendfsync everysec", "save 21600 1", "cluster-enabled yes", "cluster-allow-replica-migration no", "maxmemory-policy volatile-lfu"} {
		assert.Contains(t, strings.Split(string(conf), "\n"), line)
	}
}
