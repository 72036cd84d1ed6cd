package roles

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const watcher, watcherPassword = "monitoring", "TheWatchersOwnPassword"

// runBoth is the whole job: both files in one transaction.
func runBoth(t *testing.T, s server, digestOfWatcher string) error {
	t.Helper()
	statements := "BEGIN;"
	for _, name := range []string{"roles.sql", "monitoring.sql"} {
		file, err := os.ReadFile("../../../workloads/roles/" + name)
		require.NoError(t, err)
		statements += string(file)
	}
	db := s.as(t, master, masterPassword, "alphapulse", "-c alphapulse.role=alphapulse", "-c alphapulse.verifier="+verifier(t, first),
		"-c alphapulse.verifier_digest="+digest(verifier(t, first)), "-c alphapulse.connections=2", "-c alphapulse.monitoring_role="+watcher,
		"-c alphapulse.monitoring_verifier="+verifier(t, watcherPassword), "-c alphapulse.monitoring_digest="+digestOfWatcher)
	_, err := db.Exec(statements + "COMMIT;")
	return err
}

func TestO5WhatWatchesTheDatabaseSeesItsFiguresAndNoData(t *testing.T) {
	s := newDatabase(t)
	must(t, s.as(t, administrator, adminPassword, "alphapulse"), "ALTER SCHEMA public OWNER TO "+master)
	for range 2 {
		require.NoError(t, runBoth(t, s, digest(verifier(t, watcherPassword))))
	}
	must(t, s.as(t, "alphapulse", first, "alphapulse"), "CREATE TABLE orders (id bigserial PRIMARY KEY)")

	watching := s.as(t, watcher, watcherPassword, "alphapulse")
	var queries int
	require.NoError(t, watching.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE query <> '<insufficient privilege>' AND usename <> current_user").Scan(&queries))
	assert.Positive(t, queries, "what others run")
	must(t, watching, "SELECT pg_database_size(datname), age(datfrozenxid) FROM pg_database")
	must(t, watching, "SELECT * FROM pg_stat_replication")
	for statement, want := range map[string]string{
		"SELECT * FROM alphapulse.orders":          "permission denied for schema alphapulse",
		"CREATE TABLE public.notes (id int)":       "permission denied for schema public",
		"CREATE TEMPORARY TABLE notes (id int)":    "permission denied to create temporary tables",
		"CREATE ROLE another":                      "permission denied to create role",
		"SELECT rolpassword FROM pg_authid":        "permission denied for table pg_authid",
		"SET ROLE alphapulse":                      "permission denied to set role",
		"COPY (SELECT 1) TO PROGRAM 'true'":        "must be superuser",
		"SELECT pg_read_file('postgresql.conf')":   "permission denied for function pg_read_file",
		"ALTER ROLE monitoring CONNECTION LIMIT 9": "permission denied",
	} {
		refused(t, watching, statement, want)
	}
}

func TestO5WhatWatchesHasTheReservedConnectionsOnlyAndNoOtherRole(t *testing.T) {
	s := newDatabase(t)
	admin := s.as(t, administrator, adminPassword, "alphapulse")
	require.NoError(t, runBoth(t, s, digest(verifier(t, watcherPassword))))
	must(t, admin, "GRANT pg_read_all_data TO "+watcher)
	require.NoError(t, runBoth(t, s, digest(verifier(t, watcherPassword))))
	var limit, memberships int
	require.NoError(t, admin.QueryRow("SELECT rolconnlimit FROM pg_roles WHERE rolname = $1", watcher).Scan(&limit))
	require.NoError(t, admin.QueryRow("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole", watcher).Scan(&memberships))
	assert.Equal(t, []int{6, 1}, []int{limit, memberships}, "as capacity reserves them; pg_monitor alone")
}

func TestO5JobChangesNothingBeforeItHasTheNewestPasswordOfWhatWatches(t *testing.T) {
	s := newDatabase(t)
	require.ErrorContains(t, runBoth(t, s, digest("another")), "does not hold the newest password of monitoring yet")
	var made int
	require.NoError(t, s.as(t, administrator, adminPassword, "postgres").QueryRow("SELECT count(*) FROM pg_roles WHERE rolname IN ('alphapulse', 'monitoring')").Scan(&made))
	assert.Zero(t, made, "one transaction")
	assert.NotContains(t, s.logged(t), watcherPassword)
}
