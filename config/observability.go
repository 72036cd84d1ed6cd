package config

// Observability is what watches the platform and calls people. What each program is stands in package observability.
type Observability struct {
	Prometheus   Watcher `json:"prometheus"`
	Alertmanager Watcher `json:"alertmanager"`
	// Loki keeps its lines in S3; its volume has what is not there yet.
	Loki    Stateful `json:"loki"`
	Grafana Single   `json:"grafana"`
	// PostgresExporter shows Prometheus what PostgreSQL says of itself.
	PostgresExporter Single `json:"postgresExporter"`
	// Alloy collects the logs of each node.
	Alloy Agent `json:"alloy"`
}

// Watcher is one of several pods that do the same, each for itself and with a volume of its own, so that one is always there.
type Watcher struct {
	Image    string `json:"image"`
	Pool     string `json:"pool"`
	Replicas int    `json:"replicas"`
	// StorageGiB is the size of each pod's volume. It can grow later, never shrink.
	StorageGiB int    `json:"storageGiB"`
	Requests   Amount `json:"requests"`
	Limits     Amount `json:"limits"`
}

// Single is one pod that keeps nothing: another one is as good.
type Single struct {
	Image    string `json:"image"`
	Pool     string `json:"pool"`
	Requests Amount `json:"requests"`
	Limits   Amount `json:"limits"`
}

// Agent has a pod on every node.
type Agent struct {
	Image    string `json:"image"`
	Requests Amount `json:"requests"`
	Limits   Amount `json:"limits"`
}

// The names by which others call them, and the namespace that they are in: the collector, which reads files of its node, has its own.
const (
	PrometheusName       = "prometheus"
	AlertmanagerName     = "alertmanager"
	GrafanaName          = "grafana"
	LokiName             = "loki"
	PostgresExporterName = "postgres-exporter"
	AlloyName            = "alloy"

	MonitoringNamespace = "monitoring"
	CollectorNamespace  = "alloy"
)

// LokiPods is how many there are: a second one would need a ring to share the lines with. While it is away nodes keep some of what it misses.
const LokiPods = 1

// mostWatchers is one in each zone: more would see the same.
const mostWatchers = 3

// Stateful is the program as one of which each pod keeps something.
func (w Watcher) Stateful() Stateful {
	return Stateful{Image: w.Image, Pool: w.Pool, StorageGiB: w.StorageGiB, Requests: w.Requests, Limits: w.Limits}
}

// Workload is the program as one with that many pods, at all times.
func (w Watcher) Workload() Workload { return w.Stateful().Workload(w.Replicas) }

// Workload is the program as one with a single pod.
func (s Single) Workload() Workload {
	return Workload{Image: s.Image, Pool: s.Pool, Replicas: Replicas{Min: 1, Max: 1}, Requests: s.Requests, Limits: s.Limits}
}

// Workload is the agent as a program of no pool.
func (a Agent) Workload() Workload {
	return Workload{Image: a.Image, Replicas: Replicas{Min: 1, Max: 1}, Requests: a.Requests, Limits: a.Limits}
}

// All lists what has pods in a pool, for capacity and cost.
func (o Observability) All() []Named {
	return []Named{
		o.Prometheus.Stateful().named(PrometheusName, o.Prometheus.Replicas),
		o.Alertmanager.Stateful().named(AlertmanagerName, o.Alertmanager.Replicas),
		o.Loki.named(LokiName, LokiPods),
		{Name: GrafanaName, Workload: o.Grafana.Workload()},
		{Name: PostgresExporterName, Workload: o.PostgresExporter.Workload()},
	}
}

// Programs are all that have pods in a pool and figures in the stack file.
func (p Platform) Programs() []Named { return append(p.Workloads.All(), p.Observability.All()...) }

func (o Observability) validate(pools []NodePool) (ps Problems) {
	for _, at := range []struct {
		key string
		Watcher
	}{{"prometheus", o.Prometheus}, {"alertmanager", o.Alertmanager}} {
		ps = append(ps, at.Stateful().validate(pools).under(at.key+".")...)
		if at.Replicas < 1 || at.Replicas > mostWatchers {
			ps.add(at.key+".replicas", at.Replicas, "must be 1 to %d: one in each zone, and more would see the same", mostWatchers)
		}
	}
	ps = append(ps, o.Loki.validate(pools).under("loki.")...)
	for _, at := range []struct {
		key string
		Workload
	}{{"grafana", o.Grafana.Workload()}, {"postgresExporter", o.PostgresExporter.Workload()}} {
		ps = append(ps, at.validate(pools).under(at.key+".")...)
	}
	return append(ps, o.Alloy.Workload().validate(nil).under("alloy.")...)
}
