package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestD7D8MemoryOfARedisIsBounded(t *testing.T) {
	limit := func(memory string) Amount { return Amount{CPU: "1", Memory: memory} }
	// 3072 MiB less 48 for the exporter and 32 for the server, by 2.6
	assert.EqualValues(t, 1150, ClusterRedis.MaxMemory(limit("3Gi"))>>20)
	// 1024 MiB less 48 for the exporter, 32 for Sentinel and 32 for the server, by 3
	assert.EqualValues(t, 304, BrokerRedis.MaxMemory(limit("1Gi"))>>20)
	for _, c := range []struct {
		redis        Redis
		memory, want string
	}{
		{ClusterRedis, "48Mi", "must be more than the 100m, 48Mi of the exporter in the same pod"},
		{ClusterRedis, "100Mi", "keys would get 7 MiB of it, the least is 16"},
		{BrokerRedis, "80Mi", "must be more than the 100m, 48Mi of the exporter and the 100m, 32Mi of the sentinel in the same pod"},
		{BrokerRedis, "140Mi", "tasks would get 9 MiB of it, the least is 16"},
	} {
		ps := c.redis.validate(Stateful{Requests: limit("1Gi"), Limits: limit(c.memory)})
		require.Len(t, ps, 1, c.memory)
		assert.Contains(t, ps.Err().Error(), c.want)
	}
}

// A stack file whose pods have no room is refused by the name of the setting.
func TestD7D8StackFilesLeaveRedisItsRoom(t *testing.T) {
	raw, err := FromFile("../Pulumi.prod.yaml")
	require.NoError(t, err)
	platform, problems := Load(raw)
	require.NoError(t, problems.Err())
	for name, program := range map[string]*Stateful{"redis": &platform.Workloads.Redis, "broker": &platform.Workloads.Broker} {
		whole := program.Limits
		program.Limits.Memory = "40Mi"
		assert.ErrorContains(t, platform.Workloads.validate(platform.Cluster.NodePools).Err(), name+".limits")
		program.Limits = whole
	}
}
