package main

// chosen is the matcher of the routes that are chosen at the top of the page.
const chosen = `, route=~"$route"`

var api = dashboard{
	uid: "api", title: "API", about: "What customers get, from the door to what stands behind",
	variables: []variable{{"route", "Route", `http_requests_total{workload="api"}`}},
	rows: []row{
		{title: "Objective: in 30 days 99.9 % without a 5xx, 95 % within 500 ms (all routes)", height: 4, panels: []panel{
			burn("Errors burn, 1 hour", `api:errors:ratio1h / 0.001`, 14.4),
			burn("Errors burn, 6 hours", `api:errors:ratio6h / 0.001`, 6),
			burn("Errors burn, 3 days", `api:errors:ratio3d / 0.001`, 2),
			burn("Slowness burns, 1 hour", `api:slow:ratio1h / 0.05`, 14.4),
			burn("Slowness burns, 6 hours", `api:slow:ratio6h / 0.05`, 6),
			burn("Slowness burns, 3 days", `api:slow:ratio3d / 0.05`, 2),
			{
				title: "Error budget left", kind: light, width: 6, unit: share, limits: falling(0.25, 0), about: "Of what the days that Prometheus keeps (15) may have failed.",
				queries: []query{ask(`1 - sum_over_time(api:errors:rate5m[15d]) / sum_over_time(api:requests:rate5m[15d]) / 0.001`, "")},
			},
			{
				title: "Budget left for slow ones", kind: light, width: 6, unit: share, limits: falling(0.25, 0), about: "Of what the days that Prometheus keeps (15) may have been slow.",
				queries: []query{ask(`1 - sum_over_time(api:slow:rate5m[15d]) / sum_over_time(api:timed:rate5m[15d]) / 0.05`, "")},
			},
			{
				title: "Requests", kind: light, width: 6, unit: requests, about: "None at all is as bad as many errors: look at the door.",
				queries: []query{ask(`api:requests:rate5m`, "")},
			},
			ready("Pods that answer", "api", ""),
			{
				title: "Autoscaler", kind: light, width: 2, unit: share, limits: rising(0.8, 1), about: "Pods that there are, of those that there may be.",
				queries: []query{ask(`max(kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="api-hpa"} / kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="api-hpa"})`, "")},
			},
		}},
		{title: "Requests of the chosen routes", height: 8, panels: []panel{
			requestsByStatus(12, chosen),
			latencies(12, chosen),
			{
				title: "Share that fails, by route", kind: graph, width: 12, unit: share, limits: []limit{{0, green}, {0.001, red}}, floor: number(0), about: "The ten worst.",
				queries: []query{ask(`topk(10, sum by (route) (rate(http_requests_total{workload="api", status=~"5.."`+chosen+`}[$__rate_interval])) / sum by (route) (rate(http_requests_total{workload="api"`+chosen+`}[$__rate_interval])))`, "{{route}}")},
			},
			{
				title: "p95 by route", kind: graph, width: 12, unit: seconds, limits: []limit{{0, green}, {0.5, red}}, floor: number(0), about: "The ten slowest.",
				queries: []query{ask(`topk(10, histogram_quantile(0.95, sum by (le, route) (rate(http_request_duration_seconds_bucket{workload="api"`+chosen+`}[$__rate_interval]))))`, "{{route}}")},
			},
			{
				title: "Requests by route", kind: bars, width: 12, unit: requests, floor: number(0), about: "The ten that are asked for most, in 5 minutes.",
				queries: []query{ask(`sort_desc(topk(10, sum by (method, route) (rate(http_requests_total{workload="api"`+chosen+`}[5m]))))`, "{{method}} {{route}}")},
			},
			{
				title: "Where the time goes", kind: bars, width: 12, unit: share, floor: number(0), ceiling: number(1), about: "The routes' shares of all the time that requests take.",
				queries: []query{ask(`sort_desc(topk(10, sum by (route) (rate(http_request_duration_seconds_sum{workload="api"`+chosen+`}[5m])) / scalar(sum(rate(http_request_duration_seconds_sum{workload="api"`+chosen+`}[5m])))))`, "{{route}}")},
			},
		}},
		{title: "The door: Traefik", height: 8, panels: []panel{
			{
				title: "Answers by status", kind: graph, width: 12, unit: requests, stacked: true, floor: number(0),
				about:   "All requests. 429 is a limit (100 a minute for a client, 1,000 for all together), 502 to 504 are pods that do not answer.",
				queries: []query{ask(`sum by (code) (rate(traefik_entrypoint_requests_total{entrypoint="websecure"}[$__rate_interval]))`, "{{code}}")},
			},
			{
				title: "How long it takes, by service", kind: graph, width: 6, unit: seconds, floor: number(0), about: "p95, from the door. Much more than the API's own: pods are too few.",
				queries: []query{ask(`histogram_quantile(0.95, sum by (le, service) (rate(traefik_service_request_duration_seconds_bucket[$__rate_interval])))`, "{{service}}")},
			},
			{
				title: "Connections", kind: graph, width: 6, unit: count, floor: number(0), about: "Open ones, of all replicas.",
				queries: []query{ask(`sum by (entrypoint) (traefik_open_connections)`, "{{entrypoint}}")},
			},
			{
				title: "Used of the limit for all", kind: light, width: 6, unit: share, limits: rising(0.8, 1),
				about:   "1,000 requests a minute are let through. Refused ones, webhooks and health checks are not counted.",
				queries: []query{ask(`(sum(rate(traefik_router_requests_total{code!="429", router!~".*(health|webhooks).*"}[5m])) or 0 * sum(rate(traefik_entrypoint_requests_total[5m]))) * 60 / 1000`, "")},
			},
			{
				title: "Refused by limits", kind: light, width: 6, unit: share, limits: rising(0.01, 0.1), about: "Share of all requests in 5 minutes. A single client's is his own affair; the access log names him.",
				queries: []query{ask(`(sum(rate(traefik_entrypoint_requests_total{entrypoint="websecure", code="429"}[5m])) or vector(0)) / sum(rate(traefik_entrypoint_requests_total{entrypoint="websecure"}[5m]))`, "")},
			},
			{
				title: "Configuration is of", kind: light, width: 6, unit: since, about: "When Traefik last read routes and certificates without an error.",
				queries: []query{ask(`max(traefik_config_last_reload_success) * 1000`, "")},
			},
			ready("Ingress pods that answer", "ingress", ""),
			{
				title: "Restarts", kind: light, width: 2, unit: count, limits: rising(1, 3), about: "Of Traefik, in an hour.",
				queries: []query{ask(`sum(increase(kube_pod_container_status_restarts_total{pod=~"ingress-.+"}[1h]))`, "")},
			},
		}},
		{title: "What stands behind", height: 8, panels: []panel{
			{
				title: "Cache hits", kind: graph, width: 8, unit: share, limits: falling(0.8, 0.5), floor: number(0), ceiling: number(1), about: "What the API finds in Redis, of what it looks for: the mean, and the worst pod.",
				queries: []query{ask(`avg(cache_hit_rate{workload="api"})`, "mean"), ask(`min(cache_hit_rate{workload="api"})`, "worst")},
			},
			{
				title: "Database connections in use", kind: graph, width: 8, unit: count, stacked: true, floor: number(0), about: "As the programs count them, before PgBouncer.",
				queries: []query{ask(`sum by (workload) (database_connections_active)`, "{{workload}}")},
			},
			{
				title: "Clients that wait for PgBouncer", kind: graph, width: 8, unit: count, floor: number(0), about: "None is good. Some, for longer than seconds: all 180 connections to PostgreSQL are busy.",
				queries: []query{ask(`sum by (pod) (pgbouncer_pools_client_waiting_connections)`, "{{pod}}")},
			},
			{
				title: "Pods", kind: graph, width: 8, unit: count, floor: number(0), about: "Those that there are, that the autoscaler wants, and that there may be.",
				queries: []query{
					ask(`max(kube_deployment_status_replicas_available{deployment="api"})`, "answer"),
					ask(`max(kube_horizontalpodautoscaler_status_desired_replicas{horizontalpodautoscaler="api-hpa"})`, "wanted"),
					ask(`max(kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="api-hpa"})`, "most"),
				},
			},
			usage("CPU of API pods, of what they may use", "api", cpuShare),
			usage("Memory of API pods, of what they may use", "api", memoryShare),
		}},
		errorLines("api", "The API's last lines that say error"),
	},
}

// burn is how fast a budget is used up; hurt is from when on somebody is woken, or a ticket is written.
func burn(title, expr string, hurt float64) panel {
	return panel{
		title: title, kind: light, width: 4, unit: times, limits: rising(1, hurt), queries: []query{ask(expr, "")},
		about: "How many times faster than the objective allows. At 1 the month's budget lasts the month.",
	}
}

// A pod's use, as a share of its limit. One of the series of cAdvisor has no container: it is the pod's sum.
const (
	cpuShare = `max by (pod) (sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{container!="", pod=~"PODS"}[5m]))` +
		` / on (namespace, pod, container) group_left max by (namespace, pod, container) (kube_pod_container_resource_limits{resource="cpu", pod=~"PODS"}))`
	memoryShare = `max by (pod) (sum by (namespace, pod, container) (container_memory_working_set_bytes{container!="", pod=~"PODS"})` +
		` / on (namespace, pod, container) group_left max by (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory", pod=~"PODS"}))`
)

// errorLines is a strip of lines of some workloads.
func errorLines(workloads, title string) row {
	selector := `{namespace=~"alphapulse-.+", workload=~"` + workloads + `"}`
	return row{title: "Logs", height: 10, panels: []panel{
		{
			title: title, kind: lines, width: 16, about: "By the level that each line has. All lines are in Explore.",
			queries: []query{logs(selector+` | detected_level=~"error|critical|fatal"`, "")},
		},
		{
			title: "Lines by level", kind: graph, width: 8, unit: perMinute, stacked: true, floor: number(0), about: "Nothing at all: nobody collects them, or nobody works.",
			queries: []query{logs(`sum by (detected_level) (count_over_time(`+selector+` [1m]))`, "{{detected_level}}")},
		},
	}}
}
