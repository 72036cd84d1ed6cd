-- What the application may do in the database (D4). The job database-roles runs it as the master user, in one transaction, as often as
-- anything changes. Its settings come with the connection: statements are logged, and so hold nothing that is secret.
DO $$
DECLARE
  application text := current_setting('alphapulse.role');
  verifier    text := current_setting('alphapulse.verifier');
  other       text;
BEGIN
  -- External Secrets copies a new password some time after it was made. Until then the job fails, and tries again.
  IF encode(sha256(convert_to(verifier, 'UTF8')), 'hex') <> current_setting('alphapulse.verifier_digest') THEN
    RAISE EXCEPTION 'the Secret database-roles does not hold the newest password yet'
      USING HINT = 'kubectl describe externalsecret database-roles says when it was read last, and what was wrong';
  END IF;

  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = application) THEN
    EXECUTE format('CREATE ROLE %I', application);
  END IF;
  -- The master user of RDS is no superuser: it may not even say NOSUPERUSER.
  EXECUTE format('ALTER ROLE %I LOGIN INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT %s PASSWORD %L',
    application, current_setting('alphapulse.connections')::int, verifier);
  -- The server ends what holds a connection of the pooler's for too long. A program cannot say so itself: in transaction mode it may not
  -- SET, and the pooler refuses it among what comes with a connection.
  EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', application, '60s');
  EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', application, '60s');
  -- What somebody granted by hand does not stay.
  FOR other IN SELECT roleid::regrole FROM pg_auth_members WHERE member = application::regrole LOOP
    EXECUTE format('REVOKE %s FROM %I', other, application);
  END LOOP;

  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), application);

  -- Its tables lie in a schema that has its name, the first in its search path. Up to 14 everybody may create things in public, which the
  -- master user then runs by mistake; on RDS public may belong to RDS.
  EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', application);
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', application, application);
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  IF has_schema_privilege(application, 'public', 'CREATE') THEN
    RAISE WARNING 'everybody may still create things in the schema public: it belongs to %',
      (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'public');
  END IF;
END
$$;
