package workloads_test

import (
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

const job = "kubernetes:batch/v1:Job"

func roles(t *testing.T) *recorder.Run {
	t.Helper()
	run, err := try(prod(t), func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewRoles(ctx, place, &workloads.RolesArgs{Region: "us-east-1", VerifierDigest: pulumi.String("d1gest"), MonitoringDigest: pulumi.String("d2gest"), Connections: 180})
		return err
	})
	require.NoError(t, err)
	return run
}

func TestD4JobRunsTheSQLThatIsTriedOnPostgreSQL(t *testing.T) {
	run := roles(t)
	for _, name := range []string{"roles.sql", "monitoring.sql"} {
		file, err := os.ReadFile("roles/" + name) // local/e2e/roles runs it
		require.NoError(t, err)
		assert.Equal(t, string(file), run.Find(t, configMap, "database-roles").At(`data["`+name+`"]`))
	}
	made := run.Find(t, job, "database-roles")
	assert.Equal(t, []any{"psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction", "--file=/etc/roles/roles.sql", "--file=/etc/roles/monitoring.sql"}, made.At(container+"command"))
	assert.Equal(t, "registry.example/"+config.PostgresClientImage, made.At(container+"image"))
	assert.True(t, made.DeleteFirst, "a Job cannot change, and its name is taken")
	assert.Equal(t, "Never", made.At(pod+"restartPolicy"))
	assert.Equal(t, map[string]any{"workload-type": "general"}, made.At(pod+"nodeSelector"))
}

func TestS2JobAloneHasTheMasterUserAndItsPasswordInNoStatement(t *testing.T) {
	made := roles(t).Find(t, job, "database-roles")
	got := map[string]any{}
	for _, one := range made.At(container + "env").([]any) {
		variable := one.(map[string]any)
		got[variable["name"].(string)] = variable["value"]
		if from, ok := variable["valueFrom"].(map[string]any); ok {
			got[variable["name"].(string)] = from["secretKeyRef"]
		}
	}
	want := map[string]any{
		"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/roles/rds-roots.pem", "PGCONNECT_TIMEOUT": "10",
		"PGOPTIONS": "-c alphapulse.role=$(APPLICATION_USER) -c alphapulse.verifier=$(APPLICATION_VERIFIER) " +
			"-c alphapulse.verifier_digest=d1gest -c alphapulse.connections=180 " +
			"-c alphapulse.monitoring_role=$(MONITORING_USER) -c alphapulse.monitoring_verifier=$(MONITORING_VERIFIER) -c alphapulse.monitoring_digest=d2gest",
	}
	for _, key := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "APPLICATION_USER", "APPLICATION_VERIFIER", "MONITORING_USER", "MONITORING_VERIFIER"} {
		want[key] = map[string]any{"name": "database-roles", "key": key}
	}
	assert.Equal(t, want, got)
	env := made.At(container + "env").([]any)
	assert.Equal(t, "PGOPTIONS", env[len(env)-1].(map[string]any)["name"], "it names variables that stand before it")
}

func TestC5JobMayDoNothingInTheCluster(t *testing.T) {
	run := roles(t)
	made := run.Find(t, job, "database-roles")
	assert.Equal(t, run.Find(t, account, "database-roles").At("metadata.name"), made.At(pod+"serviceAccountName"))
	assert.Equal(t, false, made.At(pod+"automountServiceAccountToken"))
	assert.Equal(t, map[string]any{
		"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": map[string]any{"drop": []any{"ALL"}},
	}, made.At(container+"securityContext"))
	assert.Equal(t, true, made.At(pod+"securityContext.runAsNonRoot"))
	assert.NotEmpty(t, made.At(container+"resources.limits.memory"))
	assert.Equal(t, "database-roles", made.At("spec.template.metadata.labels.app"), "what the network policies know it by (N7)")
}
