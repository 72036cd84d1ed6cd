package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestD8BrokersMemoryIsBounded(t *testing.T) {
	limit := func(memory string) Amount { return Amount{CPU: "1", Memory: memory} }
	// 1024 MiB less 48 for the exporter, 32 for Sentinel and 32 for the server, by 3
	assert.EqualValues(t, 304, BrokerMaxMemory(limit("1Gi"))>>20)
	for memory, want := range map[string]string{"80Mi": "must be more than the 100m, 48Mi of the exporter and the 100m, 32Mi of Sentinel", "140Mi": "tasks would get 9 MiB of it, the least is 16"} {
		ps := Stateful{Requests: limit("1Gi"), Limits: limit(memory)}.validateBroker()
		require.Len(t, ps, 1)
		assert.Contains(t, ps.Err().Error(), want)
	}
	for _, stack := range []string{"prod", "staging", "local"} {
		raw, err := FromFile("../Pulumi." + stack + ".yaml")
		require.NoError(t, err)
		platform, problems := Load(raw)
		require.NoError(t, problems.Err())
		assert.Empty(t, platform.Workloads.Broker.validateBroker(), stack)
	}
}
