package config

// Sentinel runs beside the broker's Redis, and an exporter of metrics; what the stack file gives the pod is for all three.
var (
	BrokerSentinelRequests = Amount{CPU: "10m", Memory: "32Mi"}
	BrokerSentinelLimits   = Amount{CPU: "100m", Memory: "32Mi"}
)

const (
	// brokerBase is what a server takes without a task, with the probes beside it.
	brokerBase = 32 << 20
	// brokerShare is what the server needs for each byte that it may hold: 1.2 bytes, since memory between tasks lies idle; those twice, since a
	// copy of the process writes the log anew, and in the worst case every page changes meanwhile; and a quarter more, which it is given when it
	// is full (keep.sh).
	brokerShare = 1.2 * 2 * 1.25
	// leastBrokerMemory is below what a broker is of use for: some ten thousand tasks.
	leastBrokerMemory = 16 << 20
)

// BrokerServer is the part of an amount that is left for Redis.
func BrokerServer(all, exporter, sentinel Amount) Amount { return all.Less(exporter).Less(sentinel) }

// BrokerMaxMemory is how many bytes tasks may take in a pod with such limits, so that a copy of all fits beside them (D8).
func BrokerMaxMemory(limits Amount) int64 {
	server := BrokerServer(limits, RedisExporterLimits, BrokerSentinelLimits).MemoryMiB() << 20
	return int64(float64(server-brokerBase) / brokerShare)
}

// validateBroker wants room for what runs beside Redis, and for tasks.
func (s Stateful) validateBroker() (ps Problems) {
	for _, share := range []struct {
		key                     string
		all, exporter, sentinel Amount
	}{
		{"requests", s.Requests, RedisExporterRequests, BrokerSentinelRequests}, {"limits", s.Limits, RedisExporterLimits, BrokerSentinelLimits},
	} {
		if left := BrokerServer(share.all, share.exporter, share.sentinel); left.MilliCPU() <= 0 || left.MemoryMiB() <= 0 {
			ps.add(share.key, share.all.CPU+", "+share.all.Memory, "must be more than the %s, %s of the exporter and the %s, %s of Sentinel in the same pod",
				share.exporter.CPU, share.exporter.Memory, share.sentinel.CPU, share.sentinel.Memory)
		}
	}
	if len(ps) == 0 && BrokerMaxMemory(s.Limits) < leastBrokerMemory {
		ps.add("limits.memory", s.Limits.Memory, "must be more: tasks would get %d MiB of it, the least is %d", BrokerMaxMemory(s.Limits)>>20, leastBrokerMemory>>20)
	}
	return ps
}
