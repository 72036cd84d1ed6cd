package interruptions

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/faults"
)

// testUnreachableCluster cuts a complete stack off from its cluster, and destroys it, as the runbook says.
func testUnreachableCluster(t *testing.T) {
	r := suite.Rehearse(t, "unreachable-cluster")
	known := names(inState(t))
	cut := r.Next(t, faults.Variable+"=unreachable make up")
	require.Error(t, cut.Err)
	assert.Contains(t, cut.Output, "configured Kubernetes cluster is unreachable")
	assert.Contains(t, cut.Output, "failed to read resource state due to unreachable cluster")
	assert.ElementsMatch(t, known, names(inState(t)), "nothing is forgotten")
	back := r.Next(t, "make up")
	require.NoError(t, back.Err)
	assert.Zero(t, back.Figure(t, "changes"), suite.Tail(back.Output, 40))

	stuck := r.Next(t, faults.Variable+"=unreachable make down")
	require.Error(t, stuck.Err)
	assert.Contains(t, stuck.Output, faults.ForgetVariable)
	forgotten := r.Next(t, faults.ForgetVariable+"=true")
	assert.Contains(t, forgotten.Output, "Deleting the unreachable resource from Pulumi state")
	require.Error(t, forgotten.Err, "what the cluster's controllers made holds the network, and so do Karpenter's machines")
	assert.Regexp(t, `is in use by aws:(lb/loadBalancer:LoadBalancer|ec2/instance:Instance)`, forgotten.Output)
	require.NoError(t, r.Next(t, "rm ").Err)
	ended := r.Next(t, "make down")
	require.NoError(t, ended.Err, suite.Tail(ended.Output, 40))
	assert.Zero(t, ended.Figure(t, "left"))
	r.Over(t)
}
