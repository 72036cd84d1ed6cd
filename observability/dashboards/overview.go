package main

// overview answers within ten seconds whether customers are hurt: its first line is all green, or not.
var overview = dashboard{
	uid: "overview", title: "Overview", about: "Are customers hurt, and by what",
	rows: []row{
		{title: "Are customers hurt?", height: 5, panels: []panel{
			{
				title: "Requests that fail", kind: light, width: 4, unit: share, limits: rising(0.001, 0.01), leads: "api",
				about:   "Share of the API's requests in 5 minutes that ended with a 5xx. The objective is one in a thousand over 30 days.",
				queries: []query{ask(`api:errors:ratio5m`, "")},
			},
			{
				title: "One in twenty takes longer than", kind: light, width: 4, unit: seconds, limits: rising(0.4, 0.5), leads: "api",
				about:   "The API's 95th percentile in 5 minutes. The objective is 500 ms.",
				queries: []query{ask(`api:latency:p95_5m`, "")},
			},
			{
				title: "Error budget burns at", kind: light, width: 4, unit: times, limits: rising(1, 14.4), leads: "api",
				about:   "How many times faster than the objective allows, in the last hour. At 1 the month's budget lasts the month; at 14.4 two days, and somebody is woken.",
				queries: []query{ask(`api:errors:ratio1h / 0.001`, "")},
			},
			{
				title: "Fail at the door", kind: light, width: 4, unit: share, limits: rising(0.001, 0.01), leads: "api",
				about: "Share of all requests that Traefik answered with a 5xx in 5 minutes, also those that no pod of ours has ever seen. Red here and green at the left: " +
					"the ingress finds no pod.",
				queries: []query{ask(doorErrors+` / sum(rate(traefik_entrypoint_requests_total{entrypoint="websecure"}[5m]))`, "")},
			},
			{
				title: "Tasks wait for", kind: light, width: 4, unit: seconds, limits: rising(300, 900), leads: "agents",
				about:   "The longest wait of all queues: what waits, at the pace of the last ten minutes. Signals come late by so much.",
				queries: []query{ask(longestWait, "")},
			},
			{
				title: "Alerts that page", kind: light, width: 4, unit: count, limits: none(red), about: "Somebody has been woken for these; they stand below.",
				queries: []query{ask(`count(ALERTS{alertstate="firing", severity="page"}) or vector(0)`, "")},
			},
		}},
		{title: "What is wrong", height: 8, panels: []panel{
			{
				title: "Alerts that fire", kind: table, width: 18, unit: count,
				about: "All alerts but the dead man's switch. Each has a page in docs/runbooks with what to do; Alertmanager's message leads there.",
				columns: []column{
					{"severity", "Severity"}, {"alertname", "Alert"}, {"owner", "Owner"}, {"namespace", "Namespace"}, {"workload", "Workload"}, {value, "How many"},
				},
				queries: []query{ask(`count by (severity, alertname, owner, namespace, workload) (ALERTS{alertstate="firing", alertname!="Watchdog"})`, "")},
			},
			{
				title: "Alerts for the morning", kind: light, width: 3, unit: count, limits: none(orange), about: "Tickets: nobody is hurt yet.",
				queries: []query{ask(`count(ALERTS{alertstate="firing", severity="ticket"}) or vector(0)`, "")},
			},
			{
				title: "Who watches", kind: light, width: 3, unit: count, limits: none(orange), leads: "nodes",
				about: "Targets that Prometheus does not reach; and whether the dead man's switch is on: without it no alert would come at all.",
				queries: []query{
					ask(`count(up == 0) or vector(0)`, "targets silent"),
					ask(`1 - (count(ALERTS{alertstate="firing", alertname="Watchdog"}) > bool 0 or vector(0))`, "switch off"),
				},
			},
		}},
		{title: "One light each", height: 4, panels: []panel{
			ready("API", "api", "api"),
			ready("Ingress", "ingress", "api"),
			ready("Billing", "billing", "api"),
			ready("Agents", "agent-worker-.+", "agents"),
			ready("Risk workers", "risk-worker", "agents"),
			ready("PgBouncer", "pgbouncer", "data"),
			{
				title: "PostgreSQL", kind: light, width: 4, unit: count, limits: atLeastOne, says: upDown, leads: "data",
				about:   "Whether the exporter is let in by the primary.",
				queries: []query{ask(`min(pg_up)`, "")},
			},
			{
				title: "Redis Cluster", kind: light, width: 4, unit: share, limits: atLeastOne, leads: "data",
				about:   "Slots that are served, as the one of the six sees it that sees fewest. 67 %: a shard is away; 0: most masters are.",
				queries: []query{ask(redisServed, "")},
			},
			{
				title: "Broker's primaries", kind: light, width: 4, unit: count, limits: []limit{{0, red}, {1, green}, {2, orange}}, leads: "agents",
				about:   "One takes tasks. None: nothing is put into a queue. Two, for more than a moment: an election went wrong.",
				queries: []query{ask(brokerPrimaries, "")},
			},
			{
				title: "Vaults unsealed", kind: light, width: 4, unit: count, limits: falling(3, 2), leads: "data",
				about:   "Of three. Two are needed; with one nothing is served.",
				queries: []query{ask(unsealed, "")},
			},
			{
				title: "Nodes not ready", kind: light, width: 4, unit: count, limits: rising(1, 3), leads: "nodes", about: "Their pods are made anew elsewhere after 30 s; those with a volume after five minutes at the earliest.",
				queries: []query{ask(`sum(kube_node_status_condition{condition="Ready", status!="true"})`, "")},
			},
			{
				title: "Pods without a node", kind: light, width: 4, unit: count, limits: rising(1, 10), leads: "nodes",
				about:   "A new node takes one to two minutes. More than a few, for longer: a pool is at its maximum, or AWS has no machines.",
				queries: []query{ask(unscheduled, "")},
			},
			{
				title: "Certificates last", kind: light, width: 4, unit: seconds, limits: falling(13*day, 5*day), leads: "data",
				about:   "Until the first one runs out. They are renewed when a third of their life is left, 15 days of the shortest: below 13 something is wrong.",
				queries: []query{ask(`min(certmanager_certificate_expiration_timestamp_seconds > 0) - time()`, "")},
			},
			{
				title: "Backups overdue", kind: light, width: 4, unit: count, limits: none(red), leads: "backups",
				about:   "Backups that are older than may be lost. No data: nothing says when there was one.",
				queries: []query{ask(overdue, "")},
			},
			{
				title: "Cache hits", kind: light, width: 4, unit: share, limits: falling(0.8, 0.5), leads: "api", about: "What the API finds in Redis, of what it looks for. What it does not find it asks PostgreSQL.",
				queries: []query{ask(`avg(cache_hit_rate{workload="api"})`, "")},
			},
			{
				title: "Pools at their maximum", kind: light, width: 4, unit: count, limits: none(orange), leads: "nodes", about: "Node pools that may grow by less than a tenth.",
				queries: []query{ask(`count(pool:cpu:used_ratio > 0.9) or 0 * count(pool:cpu:used_ratio)`, "")},
			},
			{
				title: "Autoscalers at their maximum", kind: light, width: 4, unit: count, limits: none(orange), leads: "agents", about: "What has all the pods it may have, and may want more.",
				queries: []query{ask(`count(`+atMaximum+`) or 0 * count(kube_horizontalpodautoscaler_spec_max_replicas)`, "")},
			},
			{
				title: "Fullest volume", kind: light, width: 4, unit: share, limits: rising(0.8, 0.9), leads: "nodes", about: "Of all volumes of Redis, the broker, Vault, Prometheus, Alertmanager and Loki.",
				queries: []query{ask(`1 - min(volume:bytes:free_ratio)`, "")},
			},
		}},
		{title: "How it came about", height: 8, panels: []panel{
			requestsByStatus(12, ""),
			latencies(12, ""),
			{
				title: "Wait by queue", kind: graph, width: 12, unit: seconds, limits: rising(300, 900), about: "What waits in each queue, at the pace of the last ten minutes.", floor: number(0),
				queries: []query{ask(`queue:wait:seconds`, "{{queue}}")},
			},
			{
				title: "Lines that say error, by workload", kind: graph, width: 12, unit: perMinute, stacked: true, floor: number(0),
				about:   "From the logs, by the level that each line has.",
				queries: []query{logs(`sum by (workload) (count_over_time({namespace=~"alphapulse-.+"} | detected_level=~"error|critical|fatal" [1m]))`, "{{workload}}")},
			},
		}},
	},
}

const day = 24 * 3600

const (
	doorErrors      = `(sum(rate(traefik_entrypoint_requests_total{entrypoint="websecure", code=~"5.."}[5m])) or vector(0))`
	longestWait     = `max(queue:wait:seconds >= 0 or 0 * queue:tasks:waiting)` // where nothing waits and nothing is done there is no pace
	brokerPrimaries = `count(redis_instance_info{workload="broker", role="master"})`
	// The cluster calls itself well while a shard is away, so that the others go on (D7).
	redisServed = `min(redis_cluster_slots_ok{workload="redis"} * redis_cluster_state{workload="redis"}) / 16384`
	// Each pod of Vault has a second series without a cluster's name, from before it was unsealed.
	unsealed    = `sum(max by (pod) (vault_core_unsealed))`
	unscheduled = `sum(kube_pod_status_unschedulable) or 0 * count(kube_pod_info)`
	atMaximum   = `kube_horizontalpodautoscaler_status_current_replicas >= kube_horizontalpodautoscaler_spec_max_replicas`
	// overdue counts backups that are older than their alerts let them be: of Vault one an hour, of Redis one in six, of PostgreSQL a dump each
	// night, and a moment to go back to of a few minutes ago.
	overdue = `count(time() - backup_last_success_timestamp_seconds{backup="vault"} > 4200` +
		` or time() - backup_last_success_timestamp_seconds{backup="redis"} > 6.5 * 3600` +
		` or time() - backup_last_success_timestamp_seconds{backup="postgres"} > 26 * 3600` +
		` or time() - backup_last_success_timestamp_seconds{backup="postgres-restore-point"} > 600)` +
		` or 0 * count(backup_last_success_timestamp_seconds)`
)

// ready is a light for the pods of Deployments, the worst of them.
func ready(title, deployment, leads string) panel {
	match := `{deployment=~"` + deployment + `"}`
	return panel{
		title: title, kind: light, width: 4, unit: share, limits: falling(0.9, 0.5), leads: leads,
		about:   "Pods that answer, of those that there are to be.",
		queries: []query{ask(`min(kube_deployment_status_replicas_available`+match+` / kube_deployment_spec_replicas`+match+`)`, "")},
	}
}

// requestsByStatus and latencies are of the API's routes that a matcher leaves.
func requestsByStatus(width int, matcher string) panel {
	return panel{
		title: "API: requests by status", kind: graph, width: width, unit: requests, stacked: true, floor: number(0), leads: "api", about: "What the API answers.",
		queries: []query{ask(`sum by (class) (label_replace(rate(http_requests_total{workload="api"`+matcher+`}[$__rate_interval]), "class", "${1}xx", "status", "(.).."))`, "{{class}}")},
	}
}

func latencies(width int, matcher string) panel {
	p := panel{
		title: "API: how long it takes", kind: graph, width: width, unit: seconds, limits: []limit{{0, green}, {0.5, red}}, floor: number(0), leads: "api",
		about: "Half of the requests are faster than p50, all but one in twenty than p95, all but one in a hundred than p99. The objective is 500 ms for p95.",
	}
	for _, quantile := range []struct{ part, name string }{{"0.50", "p50"}, {"0.95", "p95"}, {"0.99", "p99"}} {
		p.queries = append(p.queries, ask(`histogram_quantile(`+quantile.part+`, sum by (le) (rate(http_request_duration_seconds_bucket{workload="api"`+matcher+`}[$__rate_interval])))`, quantile.name))
	}
	return p
}
