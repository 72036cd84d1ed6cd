package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestD7RedisMemoryIsBounded(t *testing.T) {
	limit := func(memory string) Amount { return Amount{CPU: "1", Memory: memory} }
	// 3072 MiB less 48 for the exporter and 32 for the server, by 2.6
	assert.EqualValues(t, 1150, RedisMaxMemory(limit("3Gi"))>>20)
	for memory, want := range map[string]string{"48Mi": "must be more than the 100m, 48Mi of the exporter", "100Mi": "keys would get 7 MiB of it, the least is 16"} {
		ps := Stateful{Requests: limit("1Gi"), Limits: limit(memory)}.validateRedis()
		require.Len(t, ps, 1)
		assert.Contains(t, ps.Err().Error(), want)
	}
	for _, stack := range []string{"prod", "staging", "local"} {
		raw, err := FromFile("../Pulumi." + stack + ".yaml")
		require.NoError(t, err)
		platform, problems := Load(raw)
		require.NoError(t, problems.Err())
		assert.Empty(t, platform.Workloads.Redis.validateRedis(), stack)
	}
}
