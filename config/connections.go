package config

// PostgresConnections is how many connections the database takes: the source's max_connections. What all workloads open together must
// stay below it (D4).
const PostgresConnections = 200

// bytesPerConnection is what RDS sets aside for each connection where nobody says otherwise: its own default is the memory divided by this
// (AWS docs, "Maximum number of database connections").
const bytesPerConnection = 9531392

// Connections is how many connections an instance of the class is told to take: the source's number, or less where the memory would not do.
func (c DatabaseClass) Connections() int {
	return min(PostgresConnections, c.MemoryGiB<<30/bytesPerConnection)
}

// PoolerName is the pooler's, and the host that workloads connect to: the database itself takes no more of them.
const PoolerName = "pgbouncer"

// The exporter of the pooler's metrics runs in its pod, and has its share of what the stack file gives that.
var (
	PoolerExporterRequests = Amount{CPU: "10m", Memory: "32Mi"}
	PoolerExporterLimits   = Amount{CPU: "100m", Memory: "64Mi"}
)

// maxConnections is the most that one pod may open. No program has use for more: behind the pooler stand a few dozen in all.
const maxConnections = 100

// validateConnections asks every program that uses the database how many connections its pods open, and no other.
func (w Workloads) validateConnections() (ps Problems) {
	for _, at := range []struct {
		key   string
		opens int
	}{
		{"api", w.API.Connections}, {"agents.worker", w.Agents.Worker.Connections}, {"risk", w.Risk.Connections}, {"billing", w.Billing.Connections},
	} {
		if at.opens < 1 || at.opens > maxConnections {
			ps.add(at.key+".connections", at.opens, "must be 1 to %d: what one pod opens to the database at most", maxConnections)
		}
	}
	for _, at := range []struct {
		key   string
		opens int
	}{{"ingress", w.Ingress.Connections}, {"pooler", w.Pooler.Connections}} {
		if at.opens != 0 {
			ps.add(at.key+".connections", at.opens, "must be left out: it is for programs that use the database through the pooler")
		}
	}
	for _, share := range []struct {
		key       string
		all, some Amount
	}{{"requests", w.Pooler.Requests, PoolerExporterRequests}, {"limits", w.Pooler.Limits, PoolerExporterLimits}} {
		if left := share.all.Less(share.some); left.MilliCPU() <= 0 || left.MemoryMiB() <= 0 {
			ps.add("pooler."+share.key, share.all.CPU+", "+share.all.Memory, "must be more than the %s, %s of the exporter in the same pod", share.some.CPU, share.some.Memory)
		}
	}
	return ps
}
