package main

var nodes = dashboard{
	uid: "nodes", title: "Nodes and capacity", about: "Is there room, and does what watches work",
	rows: []row{
		{title: "Is there room?", height: 4, panels: []panel{
			{
				title: "Nodes", kind: light, width: 4, unit: count, about: "All of them.", queries: []query{ask(`count(kube_node_info)`, "")},
			},
			{
				title: "Not ready", kind: light, width: 4, unit: count, limits: rising(1, 3), about: "Their pods are made anew elsewhere after 30 s; those with a volume after five minutes at the earliest.",
				queries: []query{ask(`sum(kube_node_status_condition{condition="Ready", status!="true"})`, "")},
			},
			{
				title: "Pods without a node", kind: light, width: 4, unit: count, limits: rising(1, 10), about: "A new node takes one to two minutes.",
				queries: []query{ask(unscheduled, "")},
			},
			{
				title: "Karpenter has no node for", kind: light, width: 4, unit: count, limits: none(red), about: "Pods for which none of its pools may make a node.",
				queries: []query{ask(`max(karpenter_scheduler_unschedulable_pods_count) or 0 * count(karpenter_nodepools_limit)`, "")},
			},
			{
				title: "CPU asked for", kind: light, width: 4, unit: share, limits: rising(0.85, 0.95), about: "Of what all nodes have. High is cheap; too high leaves no room for a lost zone.",
				queries: []query{ask(`sum(kube_pod_container_resource_requests{resource="cpu"}) / sum(kube_node_status_allocatable{resource="cpu"})`, "")},
			},
			{
				title: "Memory asked for", kind: light, width: 4, unit: share, limits: rising(0.85, 0.95), about: "Of what all nodes have.",
				queries: []query{ask(`sum(kube_pod_container_resource_requests{resource="memory"}) / sum(kube_node_status_allocatable{resource="memory"})`, "")},
			},
		}},
		{title: "Pools and autoscalers", height: 8, panels: []panel{
			{
				title: "Pools, of what they may grow", kind: bars, width: 8, unit: share, limits: rising(0.8, 0.95), floor: number(0), ceiling: number(1),
				about:   "What Karpenter has made, of what it may. At the end pods wait until others go: `max` of the pool in the stack file.",
				queries: []query{ask(`pool:cpu:used_ratio`, "{{nodepool}}")},
			},
			{
				title: "Autoscalers, of what they may grow", kind: bars, width: 8, unit: share, limits: rising(0.8, 1), floor: number(0), ceiling: number(1), about: "Pods that there are, of those that there may be.",
				queries: []query{ask(`max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas / kube_horizontalpodautoscaler_spec_max_replicas)`, "{{horizontalpodautoscaler}}")},
			},
			{
				title: "Volumes, fullest first", kind: bars, width: 8, unit: share, limits: rising(0.8, 0.9), floor: number(0), ceiling: number(1), about: "They can grow: `storageGiB` in the stack file.",
				queries: []query{ask(`sort_desc(topk(12, 1 - volume:bytes:free_ratio))`, "{{persistentvolumeclaim}}")},
			},
			{
				title: "Nodes made and ended", kind: graph, width: 8, unit: count, floor: number(0), about: "In an hour, by pool. Spot machines come and go.",
				queries: []query{
					ask(`sum by (nodepool) (increase(karpenter_nodeclaims_created_total[1h]))`, "made {{nodepool}}"),
					ask(`sum by (nodepool) (increase(karpenter_nodeclaims_terminated_total[1h]))`, "ended {{nodepool}}"),
				},
			},
			{
				title: "Containers that wait, by reason", kind: graph, width: 8, unit: count, stacked: true, floor: number(0), about: "ImagePullBackOff: no image. CrashLoopBackOff: it ends by itself.",
				queries: []query{ask(`sum by (reason) (kube_pod_container_status_waiting_reason)`, "{{reason}}")},
			},
			{
				title: "Restarts in an hour", kind: graph, width: 8, unit: count, floor: number(0), about: "The ten pods that restart most.",
				queries: []query{ask(`topk(10, sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[1h])) > 0)`, "{{namespace}} {{pod}}")},
			},
		}},
		{title: "Nodes", height: 8, panels: []panel{
			node("CPU in use", share, rising(0.8, 0.95), `1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))`, "Used, not asked for."),
			node("Memory in use", share, rising(0.85, 0.95), `1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes`, "At the end the kernel kills."),
			node("Disk in use", share, rising(0.7, 0.85), `1 - max by (node) (node_filesystem_avail_bytes{mountpoint="/", fstype!="tmpfs"} / node_filesystem_size_bytes{mountpoint="/", fstype!="tmpfs"})`, "Images, logs and what containers write. At 85 % the kubelet begins to clean up."),
			node("Waiting for CPU", share, rising(0.2, 0.5), `rate(node_pressure_cpu_waiting_seconds_total[$__rate_interval])`, "Share of the time in which something could have run, and had to wait."),
			node("Waiting for the disk", share, rising(0.2, 0.5), `rate(node_pressure_io_stalled_seconds_total[$__rate_interval])`, "Share of the time in which everything waited for it."),
			node("Received", "Bps", nil, `sum by (node) (rate(node_network_receive_bytes_total{device=~"e.+"}[$__rate_interval]))`, "From the network."),
		}},
		{title: "Names", height: 7, panels: []panel{
			{
				title: "Answers of CoreDNS", kind: graph, width: 12, unit: perSecond, stacked: true, floor: number(0), about: "SERVFAIL: it cannot ask further up.",
				queries: []query{ask(`sum by (rcode) (rate(coredns_dns_responses_total[$__rate_interval]))`, "{{rcode}}")},
			},
			{
				title: "How long they take", kind: graph, width: 12, unit: seconds, floor: number(0), about: "p99.",
				queries: []query{ask(`histogram_quantile(0.99, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket[$__rate_interval])))`, "p99")},
			},
		}},
		{title: "Does what watches work?", height: 5, panels: []panel{
			{
				title: "Targets silent", kind: light, width: 4, unit: count, limits: none(orange), about: "That Prometheus does not reach. A pod that is being replaced is among them for a minute.",
				queries: []query{ask(`count(up == 0) or vector(0)`, "")},
			},
			{
				title: "Rules that fail", kind: light, width: 4, unit: count, limits: none(red), about: "In an hour. An alert that cannot be computed does not fire.",
				queries: []query{ask(`sum(increase(prometheus_rule_evaluation_failures_total[1h]))`, "")},
			},
			{
				title: "Configuration read", kind: light, width: 4, unit: count, limits: atLeastOne, says: map[string]state{"1": {"yes", green}, "0": {"no", red}}, about: "By Prometheus and Alertmanager. No: they go on with the old one.",
				queries: []query{ask(`min(prometheus_config_last_reload_successful)`, "Prometheus"), ask(`min(alertmanager_config_last_reload_successful)`, "Alertmanager")},
			},
			{
				title: "Messages that failed", kind: light, width: 4, unit: count, limits: none(red), about: "Of Alertmanager to PagerDuty, in an hour. It tries again.",
				queries: []query{ask(`sum(increase(alertmanager_notifications_failed_total[1h]))`, "")},
			},
			{
				title: "Log lines dropped", kind: light, width: 4, unit: count, limits: none(orange), about: "By the collectors, and by Loki, in an hour.",
				queries: []query{ask(`sum(increase(loki_write_dropped_entries_total[1h]))`, "collectors"), ask(`sum(increase(loki_discarded_samples_total[1h])) or 0 * sum(loki_distributor_lines_received_total)`, "Loki")},
			},
			{
				title: "Log lines", kind: light, width: 4, unit: perSecond, about: "That reach Loki. None at all: the collectors do not.",
				queries: []query{ask(`sum(rate(loki_distributor_lines_received_total[5m]))`, "")},
			},
			{
				title: "Silent targets", kind: table, width: 12, unit: count, about: "Which.",
				columns: []column{{"job", "Job"}, {"namespace", "Namespace"}, {"pod", "Pod"}, {"node", "Node"}, {"instance", "Address"}},
				queries: []query{ask(`up == 0`, "")},
			},
			{
				title: "Prometheus' series", kind: graph, width: 12, unit: count, floor: number(0), about: "Twice as many as usual: a label has values without end. Its memory is planned for some.",
				queries: []query{ask(`prometheus_tsdb_head_series`, "series")},
			},
		}},
	},
}

// node is a graph with a line for each node, the ten highest.
func node(title string, unit unit, limits []limit, expr, about string) panel {
	return panel{title: title, kind: graph, width: 8, unit: unit, limits: limits, floor: number(0), about: about + " The ten highest.", queries: []query{ask("topk(10, "+expr+")", "{{node}}")}}
}
