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
	return ps
}
