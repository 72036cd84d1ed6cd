package config

import (
	"fmt"
	"strings"
)

// Sidecar runs beside a program in its pods, and has its share of what the stack file gives those. It asks for all the memory that it may have,
// as Redis itself does.
type Sidecar struct {
	Name             string
	Requests, Limits Amount
}

var (
	// RedisExporter turns a Redis' own figures into metrics.
	RedisExporter = Sidecar{"exporter", Amount{CPU: "10m", Memory: "48Mi"}, Amount{CPU: "100m", Memory: "48Mi"}}
	// Sentinel decides with the others which of the broker's pods leads.
	Sentinel = Sidecar{"sentinel", Amount{CPU: "10m", Memory: "32Mi"}, Amount{CPU: "100m", Memory: "32Mi"}}
)

// Redis is how the memory of a pod with a Redis in it is shared out.
type Redis struct {
	Sidecars []Sidecar
	// holds is what takes its memory, perByte how many bytes each byte of that needs.
	holds   string
	perByte float64
}

const (
	// redisIdle: memory between keys lies idle.
	redisIdle = 1.2
	// redisCopy: a copy of the process writes the log anew, and in the worst case every page changes meanwhile.
	redisCopy = 2
	// redisBase is what a server takes while it holds nothing, with the scripts and probes beside it.
	redisBase = 32 << 20
	// leastRedisMemory is below what a server is of use for.
	leastRedisMemory = 16 << 20
)

var (
	// ClusterRedis has an eighth besides for a replica that reads slowly, and some for what has not reached the log (D7).
	ClusterRedis = Redis{[]Sidecar{RedisExporter}, "keys", redisIdle*redisCopy + 0.125 + 0.075}
	// BrokerRedis is given a quarter more when it is full (D8: keep.sh).
	BrokerRedis = Redis{[]Sidecar{RedisExporter, Sentinel}, "tasks", redisIdle * redisCopy * 1.25}
)

// Server is what is left for the server itself of what a pod asks for and may have.
func (r Redis) Server(requests, limits Amount) (Amount, Amount) {
	for _, s := range r.Sidecars {
		requests, limits = requests.Less(s.Requests), limits.Less(s.Limits)
	}
	return requests, limits
}

// MaxMemory is how many bytes it may hold in a pod with such limits, so that a copy of all fits beside them.
func (r Redis) MaxMemory(limits Amount) int64 {
	_, server := r.Server(limits, limits)
	return int64(float64(server.MemoryMiB()<<20-redisBase) / r.perByte)
}

// validate wants room for what runs in the same pod, and for something to remember.
func (r Redis) validate(s Stateful) (ps Problems) {
	requests, limits := r.Server(s.Requests, s.Limits)
	for _, share := range []struct {
		key       string
		all, left Amount
		of        func(Sidecar) Amount
	}{
		{"requests", s.Requests, requests, func(s Sidecar) Amount { return s.Requests }}, {"limits", s.Limits, limits, func(s Sidecar) Amount { return s.Limits }},
	} {
		if share.left.MilliCPU() <= 0 || share.left.MemoryMiB() <= 0 {
			var beside []string
			for _, s := range r.Sidecars {
				beside = append(beside, fmt.Sprintf("the %s, %s of the %s", share.of(s).CPU, share.of(s).Memory, s.Name))
			}
			ps.add(share.key, share.all.CPU+", "+share.all.Memory, "must be more than %s in the same pod", strings.Join(beside, " and "))
		}
	}
	if most := r.MaxMemory(s.Limits); len(ps) == 0 && most < leastRedisMemory {
		ps.add("limits.memory", s.Limits.Memory, "must be more: %s would get %d MiB of it, the least is %d; a server needs %d MiB for itself and %g bytes for each of %s",
			r.holds, most>>20, leastRedisMemory>>20, redisBase>>20, r.perByte, r.holds)
	}
	return ps
}
