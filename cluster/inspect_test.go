package cluster

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

// inspect asks for a version while another one runs, or the look-up fails.
func inspect(t *testing.T, wanted string, answer any) (problems config.Problems, err error) {
	t.Helper()
	_, tried := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		problems, err = Inspect(ctx, "alphapulse-prod", config.Cluster{Version: wanted})
		return nil
	}, recorder.Answers{recorder.GetCluster: answer})
	require.NoError(t, tried)
	return problems, err
}

func TestC1ClusterGoesUpOneMinorAtATimeAndNeverBack(t *testing.T) {
	for running, says := range map[string]string{
		"1.36": "",
		"1.35": "",
		"1.34": `alphapulse:cluster.version: "1.36": the cluster alphapulse-prod runs 1.34, and EKS goes up one minor at a time; set "1.35" first`,
		"1.37": `alphapulse:cluster.version: "1.36": the cluster alphapulse-prod runs 1.37, and EKS does not go back; set "1.37"`,
	} {
		problems, err := inspect(t, "1.36", map[string]any{"version": running})
		require.NoError(t, err)
		if says == "" {
			assert.Empty(t, problems, running)
			continue
		}
		require.Len(t, problems, 1, running)
		assert.Equal(t, says, problems[0].String())
	}
}

func TestC1ClusterThatIsNotThereYetIsNoProblem(t *testing.T) {
	problems, err := inspect(t, "1.36", errors.New("reading EKS Cluster (alphapulse-prod): couldn't find resource"))
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestC1TroubleWithCredentialsIsNoAnswer(t *testing.T) {
	_, err := inspect(t, "1.36", errors.New("api error AccessDenied"))
	assert.ErrorContains(t, err, "asking for the EKS cluster alphapulse-prod")
}
