package config

// The exporter of metrics runs in the pod of a Redis, and has its share of what the stack file gives that. It asks for all the memory that it
// may have: so does Redis itself.
var (
	RedisExporterRequests = Amount{CPU: "10m", Memory: "48Mi"}
	RedisExporterLimits   = Amount{CPU: "100m", Memory: "48Mi"}
)

const (
	// redisBase is what a server takes without a key, with the scripts and probes beside it.
	redisBase = 32 << 20
	// redisShare is what the pod needs for each byte of keys: 1.2 bytes, since memory between keys lies idle; those twice, since a copy of the
	// process writes the log anew and in the worst case every page changes meanwhile; an eighth for a replica that reads slowly; and some for
	// what has not reached the log.
	redisShare = 1.2*2 + 0.125 + 0.075
	// leastRedisMemory is below what a server is of use for.
	leastRedisMemory = 16 << 20
)

// RedisMaxMemory is how many bytes keys and clients may take in a pod with such limits, so that a copy of all fits beside them (D7).
func RedisMaxMemory(limits Amount) int64 {
	server := limits.Less(RedisExporterLimits).MemoryMiB() << 20
	return int64(float64(server-redisBase) / redisShare)
}

// validateRedis wants room for the exporter, and for something to remember.
func (s Stateful) validateRedis() (ps Problems) {
	for _, share := range []struct {
		key       string
		all, some Amount
	}{{"requests", s.Requests, RedisExporterRequests}, {"limits", s.Limits, RedisExporterLimits}} {
		if left := share.all.Less(share.some); left.MilliCPU() <= 0 || left.MemoryMiB() <= 0 {
			ps.add(share.key, share.all.CPU+", "+share.all.Memory, "must be more than the %s, %s of the exporter in the same pod", share.some.CPU, share.some.Memory)
		}
	}
	if len(ps) == 0 && RedisMaxMemory(s.Limits) < leastRedisMemory {
		ps.add("limits.memory", s.Limits.Memory, "must be more: keys would get %d MiB of it, the least is %d; a pod needs %d MiB for itself and %g bytes for each of keys",
			RedisMaxMemory(s.Limits)>>20, leastRedisMemory>>20, RedisExporterLimits.MemoryMiB()+redisBase>>20, redisShare)
	}
	return ps
}
