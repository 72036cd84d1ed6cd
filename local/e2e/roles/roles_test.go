// Package roles tries the SQL of the job database-roles on a real PostgreSQL of the major that RDS runs.
package roles

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/scram"
)

const (
	master, masterPassword = "alphapulse_master", "of-the-master"
	first, second          = "FirstPasswordOfTheApplication", "SecondPasswordOfTheApplication"
)

// newDatabase is RDS as far as roles go: an administrator that is not ours, and a master user that is no superuser but owns the database.
func newDatabase(t *testing.T) server {
	t.Helper()
	s := startPostgres(t)
	admin := s.as(t, administrator, adminPassword, "postgres")
	must(t, admin, "CREATE ROLE "+master+" LOGIN CREATEROLE CREATEDB PASSWORD '"+masterPassword+"'")
	must(t, admin, "CREATE DATABASE alphapulse OWNER "+master)
	return s
}

func must(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.Exec(statement)
	require.NoError(t, err, statement)
}

func refused(t *testing.T, db *sql.DB, statement, want string) {
	t.Helper()
	_, err := db.Exec(statement)
	assert.ErrorContains(t, err, want, statement)
}

func verifier(t *testing.T, password string) string {
	t.Helper()
	made, err := scram.Verifier(password, "salt-of-the-test")
	require.NoError(t, err)
	return made
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// runJob is what the job does: psql sends the file as one transaction, over a connection with these settings.
func runJob(t *testing.T, s server, password, digest, connections string) error {
	t.Helper()
	file, err := os.ReadFile("../../../workloads/roles/roles.sql")
	require.NoError(t, err)
	db := s.as(t, master, masterPassword, "alphapulse", "-c alphapulse.role=alphapulse", "-c alphapulse.verifier="+verifier(t, password),
		"-c alphapulse.verifier_digest="+digest, "-c alphapulse.connections="+connections)
	_, err = db.Exec("BEGIN;" + string(file) + "COMMIT;")
	return err
}

func TestD4RoleIsMadeAndChangedAsOftenAsTheJobRuns(t *testing.T) {
	s := newDatabase(t)
	for range 2 {
		require.NoError(t, runJob(t, s, first, digest(verifier(t, first)), "2"))
	}
	app := s.as(t, "alphapulse", first, "alphapulse")
	must(t, app, "CREATE TABLE orders (id bigserial PRIMARY KEY)")
	must(t, app, "INSERT INTO orders DEFAULT VALUES")
	var schema string
	require.NoError(t, app.QueryRow("SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'orders'").Scan(&schema))
	assert.Equal(t, "alphapulse", schema, "unqualified names mean its own schema")

	admin := s.as(t, administrator, adminPassword, "alphapulse")
	must(t, admin, "GRANT pg_read_all_data TO alphapulse")
	require.NoError(t, runJob(t, s, second, digest(verifier(t, second)), "3"))
	assert.ErrorContains(t, s.as(t, "alphapulse", first, "alphapulse").Ping(), "password authentication failed")
	require.NoError(t, s.as(t, "alphapulse", second, "alphapulse").Ping())
	var limit, memberships int
	require.NoError(t, admin.QueryRow("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'alphapulse'").Scan(&limit))
	require.NoError(t, admin.QueryRow("SELECT count(*) FROM pg_auth_members WHERE member = 'alphapulse'::regrole").Scan(&memberships))
	assert.Equal(t, 3, limit)
	assert.Zero(t, memberships, "what was granted by hand is gone")
}

func TestD4RoleMayDoWhatTheApplicationNeedsAndNoMore(t *testing.T) {
	s := newDatabase(t)
	admin := s.as(t, administrator, adminPassword, "alphapulse")
	must(t, admin, "ALTER SCHEMA public OWNER TO "+master)
	must(t, admin, "CREATE ROLE stranger LOGIN PASSWORD 'of-the-stranger'")
	require.NoError(t, runJob(t, s, first, digest(verifier(t, first)), "2"))
	must(t, s.as(t, master, masterPassword, "alphapulse"), "CREATE TABLE public.private_to_master (id int)")

	app := s.as(t, "alphapulse", first, "alphapulse")
	for statement, want := range map[string]string{
		"CREATE TABLE public.orders (id int)":      "permission denied for schema public",
		"CREATE SCHEMA other":                      "permission denied for database",
		"CREATE TEMPORARY TABLE scratch (id int)":  "permission denied to create temporary tables",
		"CREATE ROLE another":                      "permission denied to create role",
		"CREATE DATABASE another":                  "permission denied to create database",
		"SELECT * FROM public.private_to_master":   "permission denied for table private_to_master",
		"SELECT rolpassword FROM pg_authid":        "permission denied for table pg_authid",
		"SET ROLE " + master:                       "permission denied to set role",
		"ALTER ROLE alphapulse CONNECTION LIMIT 9": "permission denied",
		"DROP SCHEMA alphapulse":                   "must be owner of schema",
		"COPY (SELECT 1) TO PROGRAM 'true'":        "must be superuser",
	} {
		refused(t, app, statement, want)
	}
	assert.ErrorContains(t, s.as(t, "stranger", "of-the-stranger", "alphapulse").Ping(), "permission denied for database",
		"nobody connects who was not told to")
}

func TestD4RoleHasNoMoreConnectionsThanTheBudget(t *testing.T) {
	s := newDatabase(t)
	require.NoError(t, runJob(t, s, first, digest(verifier(t, first)), "2"))
	app := s.as(t, "alphapulse", first, "alphapulse")
	for range 2 {
		held, err := app.Conn(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, held.Close()) })
	}
	_, err := app.Conn(t.Context())
	var code *pq.Error
	require.ErrorAs(t, err, &code)
	assert.EqualValues(t, "53300", code.Code, "too many connections for the role")
}

func TestD4JobWaitsForTheNewestPassword(t *testing.T) {
	s := newDatabase(t)
	require.NoError(t, runJob(t, s, first, digest(verifier(t, first)), "2"))
	err := runJob(t, s, first, digest(verifier(t, second)), "9")
	require.ErrorContains(t, err, "the Secret database-roles does not hold the newest password yet")
	var limit int
	require.NoError(t, s.as(t, administrator, adminPassword, "postgres").QueryRow(
		"SELECT rolconnlimit FROM pg_roles WHERE rolname = 'alphapulse'").Scan(&limit))
	assert.Equal(t, 2, limit, "nothing was changed")
}

// On RDS the schema may belong to RDS itself: then the master user cannot close it, and says so.
func TestD4SchemaPublicThatIsNotOursIsNamedAndStopsNothing(t *testing.T) {
	s := newDatabase(t)
	require.NoError(t, runJob(t, s, first, digest(verifier(t, first)), "2"))
	assert.Contains(t, s.logged(t), "everybody may still create things in the schema public: it belongs to "+administrator)
}

func TestS2NeitherPasswordNorVerifierIsInTheServersLog(t *testing.T) {
	s := newDatabase(t)
	for _, password := range []string{first, second} {
		require.NoError(t, runJob(t, s, password, digest(verifier(t, password)), "2"))
		require.NoError(t, s.as(t, "alphapulse", password, "alphapulse").Ping())
	}
	require.Error(t, runJob(t, s, first, "another", "2"))
	log := s.logged(t)
	require.Contains(t, log, "ALTER ROLE %I LOGIN", "every statement is logged")
	for _, password := range []string{first, second} {
		assert.NotContains(t, log, password)
		keys := verifier(t, password)
		assert.NotContains(t, log, keys[strings.LastIndex(keys, "$"):])
	}
}
