package main

var agents = dashboard{
	uid: "agents", title: "Agents and queues", about: "Do tasks come through, and in time",
	variables: []variable{{"queue", "Queue", `queue:tasks:waiting`}},
	rows: []row{
		{title: "Do tasks come through?", height: 4, panels: []panel{
			{
				title: "Longest wait", kind: light, width: 4, unit: seconds, limits: rising(300, 900),
				about:   "What waits, at the pace of the last ten minutes. Infinity: something waits, and nothing is done at all.",
				queries: []query{ask(longestWait, "")},
			},
			{
				title: "Tasks that wait", kind: light, width: 4, unit: count, about: "In all queues, as KEDA counts them.",
				queries: []query{ask(`sum(queue:tasks:waiting)`, "")},
			},
			{
				title: "Tasks done", kind: light, width: 4, unit: perSecond, about: "By all workers, whatever came of them.",
				queries: []query{ask(`sum(queue:tasks_done:rate10m)`, "")},
			},
			{
				title: "Tasks that fail", kind: light, width: 4, unit: share, limits: rising(0.05, 0.2), about: "The queue with the largest share.",
				queries: []query{ask(`max(queue:tasks_failed:ratio10m) or 0 * sum(queue:tasks_done:rate10m)`, "")},
			},
			ready("Agents that answer", "agent-worker-.+", ""),
			ready("Risk workers that answer", "risk-worker", ""),
		}},
		{title: "Queues", height: 8, panels: []panel{
			{
				title: "Wait", kind: graph, width: 12, unit: seconds, limits: rising(300, 900), floor: number(0), about: "What waits, at the pace of the last ten minutes.",
				queries: []query{ask(`queue:wait:seconds{queue=~"$queue"}`, "{{queue}}")},
			},
			{
				title: "Tasks that wait", kind: graph, width: 12, unit: count, floor: number(0), about: "The lengths of the broker's lists.",
				queries: []query{ask(`queue:tasks:waiting{queue=~"$queue"}`, "{{queue}}")},
			},
			{
				title: "Tasks done, by outcome", kind: graph, width: 12, unit: perSecond, stacked: true, floor: number(0), about: "Retries are counted each time.",
				queries: []query{ask(`sum by (outcome) (rate(celery_task_duration_seconds_count{queue=~"$queue"}[$__rate_interval]))`, "{{outcome}}")},
			},
			{
				title: "How long tasks take", kind: graph, width: 12, unit: seconds, floor: number(0), about: "p95 of the ten slowest kinds. A task that takes longer than a worker gets to stop (W3) runs twice.",
				queries: []query{ask(`topk(10, histogram_quantile(0.95, sum by (le, task) (rate(celery_task_duration_seconds_bucket{queue=~"$queue"}[$__rate_interval]))))`, "{{task}}")},
			},
			{
				title: "Kinds of tasks that fail", kind: bars, width: 12, unit: share, limits: rising(0.05, 0.2), floor: number(0), ceiling: number(1), about: "In ten minutes, the ten worst.",
				queries: []query{ask(`sort_desc(topk(10, sum by (task) (rate(celery_task_duration_seconds_count{outcome="failure", queue=~"$queue"}[10m])) / sum by (task) (rate(celery_task_duration_seconds_count{queue=~"$queue"}[10m]))))`, "{{task}}")},
			},
			{
				title: "Pods of workers", kind: graph, width: 12, unit: count, floor: number(0), about: "As many as KEDA wants for what waits, and for the CPU.",
				queries: []query{ask(`kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler=~"(agent|risk).*"}`, "{{horizontalpodautoscaler}}")},
			},
		}},
		{title: "Workers", height: 8, panels: []panel{
			{
				title: "At their maximum", kind: bars, width: 8, unit: share, limits: rising(0.8, 1), floor: number(0), ceiling: number(1), about: "Pods that there are, of those that there may be.",
				queries: []query{ask(`max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler=~"(agent|risk).*"} / kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler=~"(agent|risk).*"})`, "{{horizontalpodautoscaler}}")},
			},
			usage("CPU, of what they may use", "(agent|risk)-worker", cpuShare),
			usage("Memory, of what they may use", "(agent|risk)-worker", memoryShare),
			{
				title: "Restarts in an hour", kind: graph, width: 8, unit: count, floor: number(0), about: "The ten that restart most. After a lost spot machine there are new pods, not restarts.",
				queries: []query{ask(`topk(10, increase(kube_pod_container_status_restarts_total{pod=~"(agent|risk)-worker-.+"}[1h]) > 0)`, "{{pod}}")},
			},
			{
				title: "Killed for want of memory", kind: light, width: 8, unit: count, limits: none(orange), about: "Containers whose last end was that.",
				queries: []query{ask(`sum(kube_pod_container_status_last_terminated_reason{reason="OOMKilled", pod=~"(agent|risk)-worker-.+"}) or 0 * count(kube_pod_info)`, "")},
			},
			{
				title: "KEDA cannot count", kind: light, width: 8, unit: perMinute, limits: rising(0.1, 1), about: "Errors when it asks the broker how much waits. Meanwhile no pods are taken away, and none are added.",
				queries: []query{ask(`sum(rate(keda_scaler_detail_errors_total[5m])) * 60 or 0 * count(keda_scaler_metrics_value)`, "")},
			},
		}},
		{title: "Broker", height: 6, panels: []panel{
			{
				title: "Primaries", kind: light, width: 4, unit: count, limits: []limit{{0, red}, {1, green}, {2, orange}}, about: "One takes tasks.",
				queries: []query{ask(brokerPrimaries, "")},
			},
			{
				title: "Replicas in step", kind: light, width: 4, unit: count, limits: falling(2, 1), about: "Of two. With none the primary takes no tasks.",
				queries: []query{ask(`sum(redis_master_link_up{workload="broker"}) or 0 * count(redis_up{workload="broker"})`, "")},
			},
			{
				title: "Memory", kind: light, width: 4, unit: share, limits: rising(0.6, 0.8), about: "At its limit new tasks are refused; what is in the queues stays.",
				queries: []query{ask(`max(redis_memory_used_bytes{workload="broker"} / redis_memory_max_bytes{workload="broker"})`, "")},
			},
			{
				title: "Tasks put aside", kind: light, width: 4, unit: count, limits: none(orange), about: "Each was lost with five workers. Nobody runs them any more.",
				queries: []query{ask(`sum(max by (key) (redis_key_size{workload="broker", key=~".+[.]dead-letters"})) or 0 * count(redis_up{workload="broker"})`, "")},
			},
			{
				title: "Clients", kind: graph, width: 4, unit: count, floor: number(0), about: "Connections, by pod.",
				queries: []query{ask(`redis_connected_clients{workload="broker"}`, "{{pod}}")},
			},
			{
				title: "Refusals", kind: graph, width: 4, unit: perSecond, floor: number(0), about: "By what the broker said: OOM is a full one, NOREPLICAS one without replicas, READONLY a client that asks a replica.",
				queries: []query{ask(`sum by (err) (rate(redis_errors_total{workload="broker"}[$__rate_interval]))`, "{{err}}")},
			},
		}},
		errorLines("agent-worker|risk-worker|broker", "The workers' last lines that say error"),
	},
}
