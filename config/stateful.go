package config

// Stateful is a program that keeps what it is told: so many pods as it takes, each with a volume of its own. What it is stands in package
// workloads.
type Stateful struct {
	Image string `json:"image"`
	Pool  string `json:"pool"`
	// StorageGiB is the size of each pod's volume. It can grow later, never shrink.
	StorageGiB int `json:"storageGiB"`
	// Requests and Limits are for one pod, with all that runs beside the program in it.
	Requests Amount `json:"requests"`
	Limits   Amount `json:"limits"`
}

// How many pods each has. None is a size: three masters with a replica each, and three that agree by majority.
const (
	RedisPods  = 6
	BrokerPods = 3
	VaultPods  = 3
)

// The names by which others call them.
const (
	RedisName  = "redis-cluster"
	BrokerName = "broker"
	VaultName  = "vault"
)

// Sentinel runs beside Redis in the broker's pods, and has its share of what the stack file gives those.
var (
	BrokerSentinelRequests = Amount{CPU: "10m", Memory: "32Mi"}
	BrokerSentinelLimits   = Amount{CPU: "100m", Memory: "32Mi"}
)

// leastBrokerMiB is what Redis itself needs beside tasks and the copy of them that it makes when it writes its file anew.
const leastBrokerMiB = 64

// validateBroker wants room for Redis beside what runs in the same pod.
func (s Stateful) validateBroker() (ps Problems) {
	for _, share := range []struct {
		key            string
		all, one, more Amount
	}{
		{"requests", s.Requests, RedisExporterRequests, BrokerSentinelRequests}, {"limits", s.Limits, RedisExporterLimits, BrokerSentinelLimits},
	} {
		if left := share.all.Less(share.one).Less(share.more); left.MilliCPU() <= 0 || left.MemoryMiB() < leastBrokerMiB {
			ps.add(share.key, share.all.CPU+", "+share.all.Memory, "must leave some CPU and %d Mi to Redis, beside the exporter (%s, %s) and Sentinel (%s, %s) in the same pod",
				leastBrokerMiB, share.one.CPU, share.one.Memory, share.more.CPU, share.more.Memory)
		}
	}
	return ps
}

// Workload is the program as one with that many pods, at all times.
func (s Stateful) Workload(pods int) Workload {
	return Workload{Image: s.Image, Pool: s.Pool, Replicas: Replicas{Min: pods, Max: pods}, Requests: s.Requests, Limits: s.Limits}
}

func (s Stateful) named(name string, pods int) Named {
	return Named{Name: name, Workload: s.Workload(pods), Volumes: 1, StorageGiB: s.StorageGiB}
}

// mostStorageGiB is what one gp3 volume holds.
const mostStorageGiB = 16384

func (s Stateful) validate(pools []NodePool) (ps Problems) {
	ps = s.Workload(1).validate(pools)
	if s.StorageGiB < 1 || s.StorageGiB > mostStorageGiB {
		ps.add("storageGiB", s.StorageGiB, "must be 1 to %d GiB", mostStorageGiB)
	}
	return ps
}
