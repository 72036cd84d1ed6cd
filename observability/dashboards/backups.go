package main

// backups says how much would be lost, and not only whether jobs ran.
var backups = dashboard{
	uid: "backups", title: "Backups", about: "How much would be lost now",
	rows: []row{
		{title: "How old is the last one?", height: 5, panels: []panel{
			{
				title: "Overdue", kind: light, width: 4, unit: count, limits: none(red), about: "Backups that are older than may be lost. No data: nothing says when there was one.",
				queries: []query{ask(overdue, "")},
			},
			age("Vault", "vault", 3900, 4200, "A snapshot each hour; an hour may be lost."),
			age("Redis", "redis", 6.2*3600, 6.5*3600, "A snapshot every 6 hours; its log on the volumes and the replicas keep a loss under a second."),
			age("PostgreSQL's dump", "postgres", 25*3600, 26*3600, "One each night. RDS's own backups keep a loss under 5 minutes, and this one what is deleted with RDS."),
			age("PostgreSQL back to", "postgres-restore-point", 300, 600, "The latest moment that RDS can give back: at most 5 minutes may be lost."),
		}},
		{title: "How it came about", height: 8, panels: []panel{
			{
				title: "Age of the last backup", kind: graph, width: 12, unit: seconds, floor: number(0), about: "A saw: each tooth is a backup.",
				queries: []query{ask(`time() - max by (backup) (backup_last_success_timestamp_seconds)`, "{{backup}}")},
			},
			{
				title: "Jobs that failed", kind: table, width: 12, unit: count, about: "As long as Kubernetes keeps them.",
				columns: []column{{"namespace", "Namespace"}, {"job_name", "Job"}, {value, "Pods that failed"}},
				queries: []query{ask(`sum by (namespace, job_name) (kube_job_status_failed) > 0`, "")},
			},
		}},
		{title: "What is kept where it is used", height: 6, panels: []panel{
			{
				title: "Redis' last snapshot", kind: bars, width: 8, unit: seconds, limits: rising(6.2*3600, 7*3600), floor: number(0), about: "On the volumes, by pod: what is taken to the bucket.",
				queries: []query{ask(`sort_desc(time() - max by (pod) (redis_rdb_last_save_timestamp_seconds{workload="redis"}))`, "{{pod}}")},
			},
			{
				title: "Snapshots and logs written", kind: light, width: 8, unit: count, limits: atLeastOne, says: map[string]state{"1": {"yes", green}, "0": {"no", red}}, about: "Whether the last attempt went well, of all pods of Redis and the broker.",
				queries: []query{ask(`min(redis_rdb_last_bgsave_status)`, "snapshots"), ask(`min(redis_aof_last_write_status)`, "logs")},
			},
			{
				title: "PostgreSQL's log, pieces that failed", kind: light, width: 4, unit: count, limits: none(red), about: "To be put away, in an hour.",
				queries: []query{ask(`sum(increase(pg_stat_archiver_failed_count[1h]))`, "")},
			},
			{
				title: "PostgreSQL's log put away", kind: light, width: 4, unit: seconds, limits: rising(400, 900), about: "Since RDS last put a piece of it away; it does so every 5 minutes.",
				queries: []query{ask(`max(pg_stat_archiver_last_archive_age)`, "")},
			},
		}},
		{title: "What is not here", height: 6, panels: []panel{
			{
				title: "Where else to look", kind: words, width: 24, about: "What Prometheus cannot see.",
				text: "RDS's own backups are in its console, or: `aws rds describe-db-instances` and its `LatestRestorableTime`.\n\n" +
					"What lies in the bucket, and for how long: `aws s3 ls` of the backup bucket, whose name is the output `backups`.\n\n" +
					"How to restore: docs/runbooks.",
			},
		}},
		{title: "Logs", height: 8, panels: []panel{
			{
				title: "What the backups' jobs say", kind: lines, width: 24, about: "All lines, whatever their level.",
				queries: []query{logs(`{namespace=~"alphapulse-.+", workload=~".*(backup|snapshot|dump).*"}`, "")},
			},
		}},
	},
}

func age(title, backup string, look, hurt float64, about string) panel {
	return panel{
		title: title, kind: light, width: 5, unit: seconds, limits: rising(look, hurt), about: about,
		queries: []query{ask(`time() - max(backup_last_success_timestamp_seconds{backup="`+backup+`"})`, "")},
	}
}
