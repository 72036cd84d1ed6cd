package workloads_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

func redisCluster(t *testing.T) *recorder.Run {
	t.Helper()
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewRedis(ctx, place, p.Workloads.Redis)
		return err
	})
	require.NoError(t, err)
	return run
}

// values are a container's environment, by name.
func values(t *testing.T, made recorder.Resource, container string) map[string]any {
	t.Helper()
	found := map[string]any{}
	list, ok := made.At(container + "env").([]any)
	require.True(t, ok)
	for _, one := range list {
		variable := one.(map[string]any)
		found[variable["name"].(string)] = variable["value"]
		if from, ok := variable["valueFrom"].(map[string]any); ok {
			found[variable["name"].(string)] = from
		}
	}
	return found
}

func TestD7PodsRunTheFilesThatAreTriedWithRealServers(t *testing.T) {
	run := redisCluster(t)
	files := run.Find(t, configMap, "redis-cluster-config")
	for _, name := range []string{"start.sh", "keep.sh", "stop.sh", "node.sh", "create.sh", "plan.awk", "live.sh", "ready.sh", "redis.conf"} {
		file, err := os.ReadFile("redis/" + name) // local/e2e/redis runs them
		require.NoError(t, err)
		assert.Equal(t, string(file), files.At(`data["`+name+`"]`), name)
	}
	made := run.Find(t, statefulSet, "redis-cluster")
	assert.Equal(t, []any{"/bin/sh", "/etc/redis-cluster/start.sh"}, made.At(container+"command"))
	assert.Equal(t, []any{"/bin/sh", "/etc/redis-cluster/stop.sh"}, made.At(container+"lifecycle.preStop.exec.command"))
	assert.Equal(t, []any{"/bin/sh", "/etc/redis-cluster/ready.sh"}, made.At(container+"readinessProbe.exec.command"))
	assert.Equal(t, map[string]any{"app": "redis"}, made.At("spec.selector.matchLabels"), "the source's label")
	assert.Equal(t, 6., made.At("spec.replicas"))
	assert.Equal(t, []any{"redis-cluster", 6379., 16379.}, []any{
		run.Find(t, service, "redis-cluster").At("metadata.name"), run.Find(t, service, "redis-cluster").At("spec.ports[0].port"),
		run.Find(t, service, "redis-cluster").At("spec.ports[1].port"),
	})
	env := values(t, made, container)
	assert.Equal(t, map[string]any{"fieldRef": map[string]any{"fieldPath": "metadata.labels['topology.kubernetes.io/zone']"}}, env["ZONE"])
	assert.Equal(t, "6", env["PODS"])
}

func TestD7MemoryIsBoundedSoThatAForkFits(t *testing.T) {
	made := redisCluster(t).Find(t, statefulSet, "redis-cluster")
	limit, ok := values(t, made, container)["MAXMEMORY"].(string)
	require.True(t, ok)
	bytes, err := strconv.ParseInt(limit, 10, 64)
	require.NoError(t, err)
	assert.Equal(t, "3040Mi", made.At(container+"resources.limits.memory"), "3 GiB without the exporter's share")
	assert.InDelta(t, 0.4, float64(bytes)/float64(3040<<20), 0.001, "twice that, and what replicas have still to read, is less than all")
}

func TestD7AJobMakesTheCluster(t *testing.T) {
	run := redisCluster(t)
	made := run.Find(t, job, "redis-cluster-create")
	assert.Equal(t, []any{"/bin/sh", "/etc/redis-cluster/create.sh"}, made.At(container+"command"))
	assert.Contains(t, made.DependsOn, run.Find(t, statefulSet, "redis-cluster").URN)
	assert.NotEmpty(t, made.At(`spec.template.metadata.annotations["alphapulse.com/redis-cluster-config"]`), "new files run it again")
	for _, one := range []string{"POD_IP", "ZONE"} {
		assert.NotContains(t, values(t, made, container), one, "it is no pod of the cluster")
	}
}

func TestS2ThePasswordIsAFile(t *testing.T) {
	run := redisCluster(t)
	for _, made := range []recorder.Resource{run.Find(t, statefulSet, "redis-cluster"), run.Find(t, job, "redis-cluster-create")} {
		assert.Contains(t, made.At(pod+"volumes"), map[string]any{
			"name": "credentials", "secret": map[string]any{"secretName": "redis-credentials", "defaultMode": float64(0o440)},
		})
		assert.NotContains(t, values(t, made, container), "REDIS_PASSWORD")
	}
}
