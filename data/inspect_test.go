package data_test

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/recorder"
)

func inspectPostgres(t *testing.T, spec config.Postgres, answer any) (problems config.Problems, err error) {
	t.Helper()
	problems, _, err = inspectAndWarn(t, spec, true, answer)
	return problems, err
}

func inspectAndWarn(t *testing.T, spec config.Postgres, protect bool, answer any) (problems config.Problems, warning string, err error) {
	t.Helper()
	run := recorder.Record(t, recorder.Preview, func(ctx *pulumi.Context) error {
		problems, warning, err = data.InspectPostgres(ctx, "alphapulse-prod", spec, protect)
		return nil
	}, recorder.Answers{recorder.GetInstance: answer})
	require.NotEmpty(t, run.Calls)
	assert.Equal(t, "alphapulse-prod", run.Calls[0].Args["dbInstanceIdentifier"])
	return problems, warning, err
}

// RDS takes replicas to a new minor before their source, which a plan changes first (D1).
func TestD1ANewMinorWaitsForTheReplica(t *testing.T) {
	spec := prod
	spec.Version = "14.21"
	inspect := func(spec config.Postgres, replica any) (config.Problems, error) {
		return inspectPostgres(t, spec, func(asked map[string]any) any {
			if asked["dbInstanceIdentifier"] == "alphapulse-prod-replica" {
				return replica
			}
			return map[string]any{"allocatedStorage": 500, "engineVersion": "14.20"}
		})
	}
	problems, err := inspect(spec, map[string]any{"engineVersion": "14.20"})
	require.NoError(t, err)
	require.Len(t, problems, 1)
	assert.Equal(t, "alphapulse:data.postgres.version", problems[0].Key)
	for _, text := range []string{"alphapulse-prod-replica runs 14.20", "aws rds modify-db-instance --db-instance-identifier alphapulse-prod-replica --engine-version 14.21 --apply-immediately"} {
		assert.Contains(t, problems[0].Want, text)
	}

	for name, replica := range map[string]any{
		"it is there already": map[string]any{"engineVersion": "14.21"},
		"there is none yet":   errors.New("no matching RDS DB Instance found"),
	} {
		problems, err := inspect(spec, replica)
		require.NoError(t, err, name)
		assert.Empty(t, problems, name)
	}
	_, err = inspect(spec, errors.New("api error ExpiredToken"))
	assert.ErrorContains(t, err, "asking for the read replica alphapulse-prod-replica")
	spec.Replica = false
	problems, err = inspect(spec, errors.New("nobody asks"))
	require.NoError(t, err)
	assert.Empty(t, problems, "without a replica")
}

// RDS says "done" to a change that waits for its window, and the next plan has it again: somebody who gives a full database more storage
// must know.
func TestD1WhatWaitsForTheWindowIsSaid(t *testing.T) {
	running := map[string]any{"allocatedStorage": 500, "engineVersion": "14.20", "dbInstanceClass": "db.r5.xlarge", "multiAz": true}
	warns := func(protect bool, change func(*config.Postgres)) string {
		spec := prod
		change(&spec)
		problems, warning, err := inspectAndWarn(t, spec, protect, running)
		require.NoError(t, err)
		assert.Empty(t, problems)
		return warning
	}
	assert.Empty(t, warns(true, func(*config.Postgres) {}))
	larger := func(p *config.Postgres) {
		p.StorageGiB, p.InstanceType, p.Version, p.Replica = 600, "db.r5.2xlarge", "14.21", false
	}
	for _, text := range []string{"instanceType db.r5.2xlarge (it is db.r5.xlarge)", "storageGiB 600 (it is 500)", "version 14.21 (it is 14.20)", "sun:04:30", "applyImmediately: true"} {
		assert.Contains(t, warns(true, larger), text)
	}
	assert.Empty(t, warns(false, larger), "where nothing is protected nothing waits")
	assert.Empty(t, warns(true, func(p *config.Postgres) { larger(p); p.ApplyImmediately = true }))
}

func TestD1WhatWouldLoseOrStopTheDatabaseIsRefused(t *testing.T) {
	running := map[string]any{"allocatedStorage": 500, "engineVersion": "14.20"}
	for name, c := range map[string]struct {
		change func(*config.Postgres)
		key    string
		says   []string
	}{
		"as it is":         {func(*config.Postgres) {}, "", nil},
		"its own minor":    {func(p *config.Postgres) { p.Version = "14.20" }, "", nil},
		"a later minor":    {func(p *config.Postgres) { p.Version, p.Replica = "14.21", false }, "", nil},
		"more storage":     {func(p *config.Postgres) { p.StorageGiB = 600 }, "", nil},
		"a tenth more":     {func(p *config.Postgres) { p.StorageGiB = 550 }, "", nil},
		"a little more":    {func(p *config.Postgres) { p.StorageGiB = 520 }, "storageGiB", []string{"500 GiB", "by a tenth at least", "set at least 550"}},
		"a GiB too little": {func(p *config.Postgres) { p.StorageGiB = 549 }, "storageGiB", []string{"set at least 550"}},
		"less storage":     {func(p *config.Postgres) { p.StorageGiB = 400 }, "storageGiB", []string{"500 GiB", "never shrinks", "without the data"}},
		"an earlier minor": {func(p *config.Postgres) { p.Version = "14.9" }, "version", []string{"14.20", "does not go back", `"14"`}},
		"an earlier major": {func(p *config.Postgres) { p.Version = "13" }, "version", []string{"14.20", "does not go back"}},
		"a later major":    {func(p *config.Postgres) { p.Version = "16" }, "version", []string{"14.20", "docs/runbooks/postgres-major-upgrade.md"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := prod
			c.change(&spec)
			problems, err := inspectPostgres(t, spec, running)
			require.NoError(t, err)
			if c.key == "" {
				assert.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			assert.Equal(t, "alphapulse:data.postgres."+c.key, problems[0].Key)
			assert.NotEmpty(t, problems[0].Value)
			for _, text := range c.says {
				assert.Contains(t, problems[0].Want, text)
			}
		})
	}
}

func TestD1LeastLargerStorageIsRoundedUp(t *testing.T) {
	spec := prod
	spec.StorageGiB = 60
	problems, err := inspectPostgres(t, spec, map[string]any{"allocatedStorage": 55, "engineVersion": "14.20"})
	require.NoError(t, err)
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].Want, "set at least 61", "60.5")
}

func TestD1AllThatIsWrongWithTheDatabaseIsSaidAtOnce(t *testing.T) {
	spec := prod
	spec.Version, spec.StorageGiB = "15", 20
	problems, err := inspectPostgres(t, spec, map[string]any{"allocatedStorage": 500, "engineVersion": "14.20"})
	require.NoError(t, err)
	assert.Len(t, problems, 2)
}

func TestD1DatabaseThatIsNotThereYetIsNoProblem(t *testing.T) {
	for _, text := range []string{
		"invoking aws:rds/getInstance:getInstance: 1 error occurred: no matching RDS DB Instance found",
		"reading RDS DB Instance (alphapulse-prod): couldn't find resource",
	} {
		problems, err := inspectPostgres(t, prod, errors.New(text))
		require.NoError(t, err, text)
		assert.Empty(t, problems)
	}
}

func TestD1TroubleWithCredentialsIsNoAnswer(t *testing.T) {
	_, err := inspectPostgres(t, prod, errors.New("api error ExpiredToken: the token has expired"))
	assert.ErrorContains(t, err, "asking for the database instance alphapulse-prod")
	assert.ErrorContains(t, err, "ExpiredToken")
}
