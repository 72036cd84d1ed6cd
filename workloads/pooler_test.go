package workloads_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

func poolerArgs(p config.Platform) *workloads.PoolerArgs {
	return &workloads.PoolerArgs{
		Spec: p.Workloads.Pooler, Region: "us-east-1", Host: pulumi.String("primary.rds.example"), Port: pulumi.Int(5432), Database: pulumi.String("alphapulse"),
		PoolSize: 30, MaxClients: 2560,
	}
}

func pgbouncer(t *testing.T) *recorder.Run {
	t.Helper()
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewPooler(ctx, place, poolerArgs(p))
		return err
	})
	require.NoError(t, err)
	return run
}

// settings are those of a section of pgbouncer.ini.
func settings(t *testing.T, run *recorder.Run) map[string]string {
	t.Helper()
	text, ok := run.Find(t, configMap, "pgbouncer-config").At(`data["pgbouncer.ini"]`).(string)
	require.True(t, ok)
	assert.NotContains(t, text, "${", "everything is filled in")
	read := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && !strings.HasPrefix(key, ";") {
			require.NotContains(t, read, key)
			read[key] = value
		}
	}
	return read
}

func TestD4PoolerKeepsToTheBudgetInTransactionMode(t *testing.T) {
	got := settings(t, pgbouncer(t))
	for key, want := range map[string]string{
		"alphapulse": "host=primary.rds.example port=5432 dbname=alphapulse", "pool_mode": "transaction", "max_client_conn": "2560",
		"default_pool_size": "30", "max_db_connections": "30",
	} {
		assert.Equal(t, want, got[key], key)
	}
	for _, key := range []string{"min_pool_size", "reserve_pool_size", "admin_users", "stats_users"} {
		assert.NotContains(t, got, key)
	}
	assert.Equal(t, "extra_float_digits", got["ignore_startup_parameters"], "other settings that clients send are refused, not forgotten")
	assert.Equal(t, "200", got["max_prepared_statements"])
}

func TestD4PoolerSpeaksTLSOnBothSidesAndKnowsTheDatabase(t *testing.T) {
	run := pgbouncer(t)
	got := settings(t, run)
	for key, want := range map[string]string{
		"client_tls_sslmode": "require", "server_tls_sslmode": "verify-full", "auth_type": "scram-sha-256",
		"server_tls_ca_file": "/etc/pgbouncer/config/rds-roots.pem", "client_tls_cert_file": "/etc/pgbouncer/tls/tls.crt",
		"client_tls_key_file": "/etc/pgbouncer/tls/tls.key", "auth_file": "/etc/pgbouncer/credentials/userlist.txt",
	} {
		assert.Equal(t, want, got[key], key)
	}
	roots := run.Find(t, configMap, "pgbouncer-config").At(`data["rds-roots.pem"]`).(string)
	assert.Equal(t, 3, strings.Count(roots, "BEGIN CERTIFICATE"), "RSA of 2048 and 4096 bits, and ECC: of this region alone")
	made := run.Find(t, deployment, "pgbouncer")
	mounted := map[any]any{}
	for _, mount := range made.At(container + "volumeMounts").([]any) {
		mounted[mount.(map[string]any)["name"]] = mount.(map[string]any)["mountPath"]
	}
	assert.Equal(t, map[any]any{
		"tmp": "/tmp", "pgbouncer-config": "/etc/pgbouncer/config", "pgbouncer-users": "/etc/pgbouncer/credentials", "pgbouncer-tls": "/etc/pgbouncer/tls",
	}, mounted)
	assert.Equal(t, "pgbouncer-credentials,pgbouncer-tls", made.At(`metadata.annotations["secret.reloader.stakater.com/reload"]`),
		"a renewed certificate and a new password are read at the start")
}

func TestD4UnknownRegionHasNoAuthorityAndMakesNothing(t *testing.T) {
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		args := poolerArgs(p)
		args.Region = "us-east-9"
		_, err := workloads.NewPooler(ctx, place, args)
		return err
	})
	assert.ErrorContains(t, err, `no authority of RDS for the region "us-east-9"`)
	assert.Empty(t, run.All(workloads.PoolerToken))
	for _, region := range []string{"us-east-1", "eu-west-1", "eu-central-1"} {
		_, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
			args := poolerArgs(p)
			args.Region = region
			_, err := workloads.NewPooler(ctx, place, args)
			return err
		})
		assert.NoError(t, err)
	}
}

func TestD4RolledPoolerLetsTransactionsEnd(t *testing.T) {
	made := pgbouncer(t).Find(t, deployment, "pgbouncer")
	assert.Equal(t, []any{"/bin/sh", "-c", "ulimit -n 2718 && exec /usr/bin/pgbouncer /etc/pgbouncer/config/pgbouncer.ini"}, made.At(container+"command"),
		"PgBouncer is the first process, the one that gets signals")
	assert.Equal(t, []any{"/bin/sh", "-c", "sleep 15; kill -INT 1; while kill -0 1; do sleep 1; done"}, made.At(container+"lifecycle.preStop.exec.command"))
	idle := settings(t, pgbouncer(t))["idle_transaction_timeout"]
	assert.Equal(t, "60", idle)
	assert.Greater(t, seconds(t, made, pod+"terminationGracePeriodSeconds"), 15+60, "what idles in a transaction is ended before the pod is")
	assert.Equal(t, map[string]any{"maxSurge": "20%", "maxUnavailable": 0.}, made.At("spec.strategy.rollingUpdate"))
}

func TestD4PoolerIsAskedForItsPortAndNotForTheDatabase(t *testing.T) {
	made := pgbouncer(t).Find(t, deployment, "pgbouncer")
	for _, probe := range []string{"livenessProbe", "readinessProbe"} {
		assert.EqualValues(t, 5432, made.At(container+probe+".tcpSocket.port"), probe)
		assert.Nil(t, made.At(container+probe+".httpGet"), probe)
	}
	assert.Equal(t, 5, seconds(t, made, container+"livenessProbe.terminationGracePeriodSeconds"), "what hangs finishes nothing")
}

func TestD4ExporterSharesThePodAndItsRequests(t *testing.T) {
	p, run := prod(t), pgbouncer(t)
	made := run.Find(t, deployment, "pgbouncer")
	assert.Equal(t, "9127", made.At(`spec.template.metadata.annotations["prometheus.io/port"]`))
	const exporter = pod + "containers[1]."
	assert.Equal(t, "registry.example/"+config.PoolerExporterImage, made.At(exporter+"image"))
	assert.Equal(t, []any{map[string]any{
		"name": "PGBOUNCER_EXPORTER_CONNECTION_STRING", "value": "host=/tmp port=5432 user=pgbouncer dbname=pgbouncer sslmode=disable",
	}}, made.At(exporter+"env"), "no password")
	assert.Equal(t, "/tmp", settings(t, run)["unix_socket_dir"])
	for _, kind := range []string{"requests", "limits"} {
		whole := map[string]config.Amount{"requests": p.Workloads.Pooler.Requests, "limits": p.Workloads.Pooler.Limits}[kind]
		var sum config.Amount
		for _, c := range []string{container, exporter} {
			one := config.Amount{CPU: made.At(c + "resources." + kind + ".cpu").(string), Memory: made.At(c + "resources." + kind + ".memory").(string)}
			whole, sum = whole.Less(one), one
		}
		assert.Zero(t, whole.MilliCPU(), kind)
		assert.Zero(t, whole.MemoryMiB(), kind)
		assert.Positive(t, sum.MilliCPU())
	}
}

func TestD4WorkloadsFindThePoolerByItsName(t *testing.T) {
	door := pgbouncer(t).Find(t, service, "pgbouncer")
	assert.Equal(t, config.PoolerName, door.At("metadata.name"))
	assert.EqualValues(t, 5432, door.At("spec.ports[0].port"))
	assert.EqualValues(t, 5432, door.At("spec.ports[0].targetPort"), "as the network policies want it (N7)")
}

func TestD4ChangedSettingsRollThePooler(t *testing.T) {
	digest := func(size int) any {
		p := prod(t)
		run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
			args := poolerArgs(p)
			args.PoolSize = size
			_, err := workloads.NewPooler(ctx, place, args)
			return err
		})
		require.NoError(t, err)
		return run.Find(t, deployment, "pgbouncer").At(`spec.template.metadata.annotations["alphapulse.com/pgbouncer-config"]`)
	}
	assert.Equal(t, digest(30), digest(30))
	assert.NotEqual(t, digest(30), digest(31))
}
