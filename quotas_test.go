package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
)

// vCPUs that a pool may have, and those that come beside it while its nodes are replaced: EKS starts two nodes in each zone for a group that
// rolls (AWS docs, "managed node update behavior"), and Karpenter moves a tenth at a time, one at least.
func quota(t *testing.T, platform config.Platform, capacityType string) (most, beside int) {
	t.Helper()
	for _, pool := range platform.Cluster.NodePools {
		if pool.CapacityType != capacityType {
			continue
		}
		instance, known := capacity.Instance(pool.InstanceTypes[0])
		require.True(t, known, pool.Name)
		successors := (pool.Max - pool.Min + 9) / 10
		if pool.Min > 0 {
			successors += 2 * len(platform.Network.Zones)
		}
		most, beside = most+pool.Max*instance.VCPU, beside+successors*instance.VCPU
	}
	return most, beside
}

func TestC2DocumentedQuotasAreWhatTheNodePoolsMayTake(t *testing.T) {
	text, err := os.ReadFile("docs/first-deploy.md")
	require.NoError(t, err)
	platform, problems := config.Load(committed(t, "prod"))
	require.NoError(t, problems.Err())
	onDemand, onDemandBeside := quota(t, platform, config.OnDemand)
	spot, spotBeside := quota(t, platform, config.Spot)
	assert.Contains(t, string(text), fmt.Sprintf("prod at its maximum: %d on demand, %d spot, which is a quota of its own; while all nodes are replaced %d and %d more",
		onDemand, spot, onDemandBeside, spotBeside))
}
