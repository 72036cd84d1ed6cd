-- What watches the database may see its figures, and none of its data (O5). The job database-roles runs it after roles.sql, in the same
-- transaction.
DO $$
DECLARE
  monitoring text := current_setting('alphapulse.monitoring_role');
  verifier   text := current_setting('alphapulse.monitoring_verifier');
  other      text;
BEGIN
  IF encode(sha256(convert_to(verifier, 'UTF8')), 'hex') <> current_setting('alphapulse.monitoring_digest') THEN
    RAISE EXCEPTION 'the Secret database-roles does not hold the newest password of % yet', monitoring
      USING HINT = 'kubectl describe externalsecret database-roles says when it was read last, and what was wrong';
  END IF;

  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = monitoring) THEN
    EXECUTE format('CREATE ROLE %I', monitoring);
  END IF;
  -- As many connections as are reserved for metrics.
  EXECUTE format('ALTER ROLE %I LOGIN INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 6 PASSWORD %L', monitoring, verifier);
  EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', monitoring, '10s');
  FOR other IN SELECT roleid::regrole FROM pg_auth_members WHERE member = monitoring::regrole AND roleid <> 'pg_monitor'::regrole LOOP
    EXECUTE format('REVOKE %s FROM %I', other, monitoring);
  END LOOP;
  EXECUTE format('GRANT pg_monitor TO %I', monitoring);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), monitoring);
END
$$;
