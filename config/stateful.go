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
