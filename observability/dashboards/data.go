package main

var data = dashboard{
	uid: "data", title: "Data", about: "PostgreSQL and PgBouncer, Redis, Vault, and what is secret",
	rows: []row{
		{title: "PostgreSQL", height: 4, panels: []panel{
			{
				title: "Primary", kind: light, width: 4, unit: count, limits: atLeastOne, says: upDown, about: "Whether the exporter is let in. A failover to the other zone takes one to two minutes.",
				queries: []query{ask(`min(pg_up)`, "")},
			},
			{
				title: "Connections", kind: light, width: 4, unit: share, limits: rising(0.7, 0.9), about: "Of those that the server allows. All but a few are PgBouncer's.",
				queries: []query{ask(`sum(pg_stat_activity_count) / max(pg_settings_max_connections)`, "")},
			},
			{
				title: "Longest transaction", kind: light, width: 4, unit: seconds, limits: rising(60, 600), about: "It holds its locks, and a connection of the pooler.",
				queries: []query{ask(`max(pg_stat_activity_max_tx_duration)`, "")},
			},
			{
				title: "Deadlocks", kind: light, width: 4, unit: count, limits: rising(1, 10), about: "In an hour.",
				queries: []query{ask(`sum(increase(pg_stat_database_deadlocks[1h]))`, "")},
			},
			{
				title: "Found in memory", kind: light, width: 4, unit: share, limits: falling(0.95, 0.8), about: "Of the blocks that were read in 5 minutes.",
				queries: []query{ask(`sum(rate(pg_stat_database_blks_hit[5m])) / (sum(rate(pg_stat_database_blks_hit[5m])) + sum(rate(pg_stat_database_blks_read[5m])))`, "")},
			},
			{
				title: "Replica behind", kind: light, width: 4, unit: size, limits: rising(64<<20, 1<<30), about: "What the read replica has not got yet. No data: there is none, or it does not read.",
				queries: []query{ask(`max(pg_stat_replication_pg_wal_lsn_diff)`, "")},
			},
		}},
		{title: "PostgreSQL, how it came about", height: 7, panels: []panel{
			{
				title: "Transactions", kind: graph, width: 8, unit: perSecond, floor: number(0), about: "Committed, and given up.",
				queries: []query{ask(`sum(rate(pg_stat_database_xact_commit[$__rate_interval]))`, "committed"), ask(`sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))`, "given up")},
			},
			{
				title: "Connections by state", kind: graph, width: 8, unit: count, stacked: true, floor: number(0), about: "Idle in a transaction is a program that holds locks and does nothing.",
				queries: []query{ask(`sum by (state) (pg_stat_activity_count)`, "{{state}}")},
			},
			{
				title: "Size", kind: graph, width: 8, unit: size, floor: number(0), about: "Data, the log, and what of it is kept for a slot. The storage does not grow by itself: `data.postgres.storageGiB` in the stack file.",
				queries: []query{
					ask(`pg_database_size_bytes`, "{{datname}}"), ask(`max(pg_wal_size_bytes)`, "log"),
					ask(`max by (slot_name) (pg_replication_slots_pg_wal_lsn_diff)`, "kept for {{slot_name}}"),
				},
			},
		}},
		{title: "PgBouncer", height: 7, panels: []panel{
			{
				title: "Clients that wait", kind: light, width: 4, unit: count, limits: rising(1, 20), about: "For one of the connections to PostgreSQL.",
				queries: []query{ask(`sum(pgbouncer_pools_client_waiting_connections)`, "")},
			},
			{
				title: "Longest wait", kind: light, width: 4, unit: seconds, limits: rising(1, 5), about: "Of a client for a connection, now.",
				queries: []query{ask(`max(pgbouncer_pools_client_maxwait_seconds)`, "")},
			},
			{
				title: "Connections to PostgreSQL", kind: graph, width: 8, unit: count, stacked: true, floor: number(0), about: "Of 180 in all.",
				queries: []query{ask(`sum(pgbouncer_pools_server_active_connections)`, "busy"), ask(`sum(pgbouncer_pools_server_idle_connections)`, "idle")},
			},
			{
				title: "Clients", kind: graph, width: 8, unit: count, floor: number(0), about: "Those that have a connection, and those that wait.",
				queries: []query{ask(`sum(pgbouncer_pools_client_active_connections)`, "served"), ask(`sum(pgbouncer_pools_client_waiting_connections)`, "wait")},
			},
		}},
		{title: "Redis Cluster", height: 4, panels: []panel{
			{
				title: "Slots served", kind: light, width: 4, unit: share, limits: atLeastOne, about: "As the one of the six sees it that sees fewest. 67 %: a shard is away; 0: most masters are.",
				queries: []query{ask(redisServed, "")},
			},
			{
				title: "Masters", kind: light, width: 4, unit: count, limits: []limit{{0, red}, {3, green}, {4, orange}}, about: "Three serve, one in each zone.",
				queries: []query{ask(`count(redis_instance_info{workload="redis", role="master"})`, "")},
			},
			{
				title: "Replicas in step", kind: light, width: 4, unit: count, limits: falling(3, 1), about: "Of three. A master without one is a zone away from losing its keys.",
				queries: []query{ask(`sum(redis_master_link_up{workload="redis"}) or 0 * count(redis_up{workload="redis"})`, "")},
			},
			{
				title: "Memory", kind: light, width: 4, unit: share, limits: rising(0.8, 0.95), about: "The fullest. At the limit keys that expire go early, and writes of others are refused.",
				queries: []query{ask(`max(redis_memory_used_bytes{workload="redis"} / redis_memory_max_bytes{workload="redis"})`, "")},
			},
			{
				title: "Keys found", kind: light, width: 4, unit: share, limits: falling(0.8, 0.5), about: "Of those that were asked for in 5 minutes, by anybody.",
				queries: []query{ask(`sum(rate(redis_keyspace_hits_total{workload="redis"}[5m])) / (sum(rate(redis_keyspace_hits_total{workload="redis"}[5m])) + sum(rate(redis_keyspace_misses_total{workload="redis"}[5m])))`, "")},
			},
			{
				title: "Log written", kind: light, width: 4, unit: count, limits: atLeastOne, says: map[string]state{"1": {"yes", green}, "0": {"no", red}}, about: "Whether the last write of the append-only file went well, of all.",
				queries: []query{ask(`min(redis_aof_last_write_status{workload="redis"})`, "")},
			},
		}},
		{title: "Redis, how it came about", height: 7, panels: []panel{
			{
				title: "Memory by pod", kind: graph, width: 8, unit: share, limits: rising(0.8, 0.95), floor: number(0), about: "Used, of what keys may use.",
				queries: []query{ask(`redis_memory_used_bytes{workload="redis"} / redis_memory_max_bytes{workload="redis"}`, "{{pod}}")},
			},
			{
				title: "Commands by pod", kind: graph, width: 8, unit: perSecond, floor: number(0), about: "One that does far more than the others has a key that all want.",
				queries: []query{ask(`rate(redis_commands_processed_total{workload="redis"}[$__rate_interval])`, "{{pod}}")},
			},
			{
				title: "Keys that went", kind: graph, width: 8, unit: perSecond, floor: number(0), about: "In their time, and before it, for want of memory.",
				queries: []query{
					ask(`sum(rate(redis_expired_keys_total{workload="redis"}[$__rate_interval]))`, "in time"),
					ask(`sum(rate(redis_evicted_keys_total{workload="redis"}[$__rate_interval]))`, "early"),
				},
			},
		}},
		{title: "Vault", height: 4, panels: []panel{
			{
				title: "Unsealed", kind: light, width: 4, unit: count, limits: falling(3, 2), about: "Of three. Two are needed; with one nothing is served. They unseal themselves, with AWS's KMS.",
				queries: []query{ask(unsealed, "")},
			},
			{
				title: "Leaders", kind: light, width: 4, unit: count, limits: []limit{{0, red}, {1, green}, {2, orange}}, about: "One answers; the others pass on what they are asked.",
				queries: []query{ask(`sum(max by (pod) (vault_core_active))`, "")},
			},
			{
				title: "May lose", kind: light, width: 4, unit: count, limits: atLeastOne, about: "Pods that may still go, as the leader sees it. 0: one more and nothing can be written.",
				queries: []query{ask(`max(vault_autopilot_failure_tolerance)`, "")},
			},
			{
				title: "Requests", kind: light, width: 4, unit: requests, about: "To all.",
				queries: []query{ask(`sum(rate(vault_core_handle_request_count[5m]))`, "")},
			},
			{
				title: "Slowest requests", kind: light, width: 4, unit: "ms", limits: rising(100, 1000), about: "p99, of the leader.",
				queries: []query{ask(`max(vault_core_handle_request{quantile="0.99"} >= 0) or 0 * sum(rate(vault_core_handle_request_count[5m]))`, "")},
			},
			{
				title: "Leases", kind: light, width: 4, unit: count, about: "Secrets and tokens that are lent.",
				queries: []query{ask(`max(vault_expire_num_leases)`, "")},
			},
		}},
		{title: "Secrets and certificates", height: 7, panels: []panel{
			{
				title: "Secrets out of step", kind: light, width: 4, unit: count, limits: none(orange), about: "That External Secrets could not bring from AWS. What is in the cluster stays in use.",
				queries: []query{ask(`sum(externalsecret_status_condition{condition="Ready", status="False"}) or 0 * count(externalsecret_status_condition)`, "")},
			},
			{
				title: "Certificates not ready", kind: light, width: 4, unit: count, limits: none(orange), about: "That cert-manager could not renew.",
				queries: []query{ask(`sum(certmanager_certificate_ready_status{condition!="True"}) or 0 * count(certmanager_certificate_ready_status)`, "")},
			},
			{
				title: "Certificates last", kind: bars, width: 16, unit: seconds, limits: falling(13*day, 5*day), floor: number(0), about: "Until they run out; what was never issued is not here. They are renewed when a third of their life is left, 15 days of the shortest.",
				queries: []query{ask(`sort(min by (name) (certmanager_certificate_expiration_timestamp_seconds > 0) - time())`, "{{name}}")},
			},
		}},
		errorLines("redis|broker|vault|pgbouncer|database-roles", "Last lines that say error"),
	},
}
