package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Workloads are the platform's own programs.
type Workloads struct {
	API     Workload `json:"api"`
	Agents  Agents   `json:"agents"`
	Risk    Workload `json:"risk"`
	Billing Workload `json:"billing"`
	// Ingress is Traefik, Pooler PgBouncer.
	Ingress Workload `json:"ingress"`
	Pooler  Workload `json:"pooler"`
	// Redis is the cluster for cache and rate limits, Broker the Redis of its own that Celery's queues are in.
	Redis  Stateful `json:"redis"`
	Broker Stateful `json:"broker"`
	Vault  Stateful `json:"vault"`
}

// Agents are workers of one shape. Each type has a Deployment, a queue and an autoscaler of its own (W3).
type Agents struct {
	Types  []string `json:"types"`
	Worker Workload `json:"worker"`
}

// AgentName is the name of a type's Deployment.
func AgentName(kind string) string { return "agent-worker-" + kind }

// Workload is what differs between environments for one program; what it is stands in package workloads.
type Workload struct {
	Image    string   `json:"image"`
	Pool     string   `json:"pool"`
	Replicas Replicas `json:"replicas"`
	// Requests are what the scheduler sets aside for one pod, Limits what it may use at most.
	Requests Amount `json:"requests"`
	Limits   Amount `json:"limits"`
	// Connections is how many connections to the database one pod opens at most; 0 for what does not use it (D4).
	Connections int `json:"connections"`
}

// Replicas are the bounds of a workload's autoscaler.
type Replicas struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Named is a workload under its Deployment's name.
type Named struct {
	Name string
	Workload
	// Worker: it takes tasks from a queue, and nobody waits for one of its pods. Zones are a preference then.
	Worker bool
	// Volumes are how many each pod has, StorageGiB how large one is: a pod stays in the zone of its volumes, and has no autoscaler.
	Volumes, StorageGiB int
}

// All lists the workloads; capacity, budgets and policies go through this one list.
func (w Workloads) All() []Named {
	all := []Named{{Name: "api", Workload: w.API}}
	for _, kind := range w.Agents.Types {
		all = append(all, Named{Name: AgentName(kind), Workload: w.Agents.Worker, Worker: true})
	}
	return append(all,
		Named{Name: "risk-worker", Workload: w.Risk, Worker: true},
		Named{Name: "billing", Workload: w.Billing},
		Named{Name: IngressName, Workload: w.Ingress},
		Named{Name: PoolerName, Workload: w.Pooler},
		w.Redis.named(RedisName, RedisPods), w.Broker.named(BrokerName, BrokerPods), w.Vault.named(VaultName, VaultPods))
}

var agentType = regexp.MustCompile(`^[a-z][a-z0-9]{1,19}$`)

func (w Workloads) validate(pools []NodePool) (ps Problems) {
	for _, at := range []struct {
		key string
		Workload
	}{{"api", w.API}, {"agents.worker", w.Agents.Worker}, {"risk", w.Risk}, {"billing", w.Billing}, {"ingress", w.Ingress}, {"pooler", w.Pooler}} {
		ps = append(ps, at.validate(pools).under(at.key+".")...)
	}
	for _, at := range []struct {
		key string
		Stateful
	}{{"redis", w.Redis}, {"broker", w.Broker}, {"vault", w.Vault}} {
		ps = append(ps, at.validate(pools).under(at.key+".")...)
	}
	ps = append(ps, ClusterRedis.validate(w.Redis).under("redis.")...)
	ps = append(ps, BrokerRedis.validate(w.Broker).under("broker.")...)
	ps = append(ps, w.validateConnections()...)
	if len(w.Agents.Types) == 0 {
		ps.missing("agents.types", "at least one type of agent, such as technical")
	}
	for i, kind := range w.Agents.Types {
		key := fmt.Sprintf("agents.types[%d]", i)
		if !agentType.MatchString(kind) {
			ps.add(key, kind, "must be 2 to 20 lower-case letters or digits, beginning with a letter: Deployment and queue are named after it")
		} else if slices.Index(w.Agents.Types, kind) < i {
			ps.add(key, kind, "is named twice")
		}
	}
	return ps
}

func (w Workload) validate(pools []NodePool) (ps Problems) {
	ps = append(ps, validateImage(w.Image)...)
	var names []string
	for _, pool := range pools {
		names = append(names, pool.Name)
	}
	if len(pools) > 0 && !slices.Contains(names, w.Pool) { // no pool at all is reported where pools are
		ps.add("pool", w.Pool, "is not a node pool of this stack; legal: %s", strings.Join(names, ", "))
	}
	if w.Replicas.Min < 1 || w.Replicas.Max < w.Replicas.Min {
		ps.add("replicas", fmt.Sprintf("min %d, max %d", w.Replicas.Min, w.Replicas.Max), "must be 1 <= min <= max")
	}
	ps = append(ps, w.Requests.validate().under("requests.")...)
	limits := w.Limits.validate().under("limits.")
	ps = append(ps, limits...)
	if len(limits) > 0 { // what is not legal by itself need not be compared
		return ps
	}
	if w.Limits.MilliCPU() < w.Requests.MilliCPU() || w.Limits.MemoryMiB() < w.Requests.MemoryMiB() {
		ps.add("limits", fmt.Sprintf("%s, %s", w.Limits.CPU, w.Limits.Memory), "must not be below the requests (%s, %s)", w.Requests.CPU, w.Requests.Memory)
	}
	return ps
}

// SurgePercent is how many more pods than its replicas a workload may have while a new version rolls out.
const SurgePercent = 20
