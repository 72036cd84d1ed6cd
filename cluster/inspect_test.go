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

// Whoever makes the cluster puts things into it, and nobody gets in but whom config names.
func TestC1ClusterIsMadeByOneOfItsAdministrators(t *testing.T) {
	spec := config.Cluster{Version: "1.36", BreakGlassRole: "arn:aws:iam::222222222222:role/break-glass", AdministratorRoles: []string{
		"arn:aws:iam::222222222222:role/platform-engineer", "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef",
	}}
	asks := func(mode recorder.Mode, caller string) (problems config.Problems) {
		_, err := recorder.Try(mode, func(ctx *pulumi.Context) (err error) {
			problems, err = Inspect(ctx, "alphapulse-prod", spec)
			return err
		}, recorder.Answers{recorder.GetCaller: map[string]any{"arn": caller}})
		require.NoError(t, err)
		return problems
	}
	for caller, listed := range map[string]bool{
		"arn:aws:sts::222222222222:assumed-role/platform-engineer/me":                     true,
		"arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/me": true,
		"arn:aws:sts::222222222222:assumed-role/break-glass/me":                           true,
		"arn:aws:sts::222222222222:assumed-role/deploy/me":                                false,
		"arn:aws:sts::333333333333:assumed-role/platform-engineer/me":                     false,
		"arn:aws:iam::222222222222:user/platform-engineer":                                false,
	} {
		problems := asks(recorder.Up, caller)
		assert.Equal(t, listed, len(problems) == 0, caller)
		if !listed {
			assert.ErrorContains(t, problems.Err(), "alphapulse:cluster.administratorRoles")
			assert.ErrorContains(t, problems.Err(), caller)
		}
		assert.Empty(t, asks(recorder.Preview, caller), "a preview needs no rights in the cluster")
	}
}
