package capacity

import (
	"fmt"
	"strings"

	"github.com/alphapulse/infrastructure/config"
)

// leastPool is the smallest pool that makes sense: with fewer, a slow statement or two hold up all that one pooler pod serves.
const leastPool = 5

// What a pooler pod needs beside its clients, and for each of them: a socket, two buffers of 4 kB and OpenSSL's state with its two of
// 16 kB (computed from the sources of both, and rounded up).
const (
	poolerMiB    = 32
	perClientKiB = 64
)

// reservedConnections are those that the pooler must leave free.
var reservedConnections = []struct {
	of string
	n  int
}{
	{"superuser_reserved_connections (RDS's own agents)", 3},
	{"rds.rds_superuser_reserved_connections (the master user, when all else is taken)", 2},
	{"jobs: roles, migration, nightly dump", 4},
	{"metrics: an exporter, asked by two, and the one that takes its place", 6},
	{"people", 5},
}

// Connections is the budget of connections to PostgreSQL: workloads to pooler, and pooler to database (D4).
type Connections struct {
	// Limit is what the database takes, Reserved what the pooler leaves of it.
	Limit, Reserved int
	// Poolers is how many pooler pods hold connections at once, at most; PoolSize how many each may hold.
	Poolers, PoolSize int
	// Users are the workloads behind the pooler; MaxClients is how many connections one pooler pod can take from them.
	Users      []ConnectionUser
	MaxClients int

	pooler config.Workload
	class  string
}

// ConnectionUser is a workload that uses the database: Pods at most, each with up to Each connections.
type ConnectionUser struct {
	Name       string
	Pods, Each int
}

// ConnectionsFor counts a platform's connections at their worst: every workload at its maximum and in a rollout, with each old pod still
// finishing what it does while the new one works.
func ConnectionsFor(p config.Platform) Connections {
	class, _ := config.FindDatabaseClass(p.Data.Postgres.InstanceType)
	c := Connections{Limit: class.Connections(), Poolers: inRollout(p.Workloads.Pooler), pooler: p.Workloads.Pooler, class: class.Name}
	for _, reserved := range reservedConnections {
		c.Reserved += reserved.n
	}
	if c.Poolers > 0 {
		c.PoolSize = max(0, c.Limit-c.Reserved) / c.Poolers
	}
	for _, w := range p.Workloads.All() {
		if w.Connections > 0 {
			c.Users = append(c.Users, ConnectionUser{Name: w.Name, Pods: inRollout(w.Workload), Each: w.Connections})
		}
	}
	c.MaxClients = max(0, int(c.pooler.Limits.MemoryMiB())-c.fixedMiB()) * 1024 / perClientKiB
	return c
}

// fixedMiB is what a pooler pod needs without any client.
func (c Connections) fixedMiB() int { return poolerMiB + int(config.PoolerExporterLimits.MemoryMiB()) }

func inRollout(w config.Workload) int { return 2 * w.Replicas.Max }

// Clients are all connections that workloads open. They may all reach one pooler pod: the others may be gone, and nothing evens them out.
func (c Connections) Clients() (all int) {
	for _, user := range c.Users {
		all += user.Pods * user.Each
	}
	return all
}

// Problems are the reasons to refuse the budget, each under the key that could be changed.
func (c Connections) Problems() (problems config.Problems) {
	if c.class == "" || c.Poolers < 1 { // refused already; there is nothing to count with
		return nil
	}
	add := func(key, value, want string, args ...any) {
		problems = append(problems, config.Problem{Key: config.Namespace + ":workloads.pooler." + key, Value: value, Want: fmt.Sprintf(want, args...)})
	}
	if c.PoolSize < leastPool {
		add("replicas.max", fmt.Sprint(c.pooler.Replicas.Max), "%s takes %d connections, %d of them reserved; %d pods in a rollout leave %d for each, and less than %d "+
			"make everybody wait; would fit: max: %d", c.class, c.Limit, c.Reserved, c.Poolers, c.PoolSize, leastPool, (c.Limit-c.Reserved)/leastPool/2)
	}
	if short := c.Clients() - c.MaxClients; short > 0 {
		add("limits.memory", c.pooler.Limits.Memory, "workloads open %d connections at most, and all may reach one pod, which has memory for %d: %d too few; "+
			"would fit: memory: %dMi, or fewer `connections`", c.Clients(), c.MaxClients, short, c.fixedMiB()+(c.Clients()*perClientKiB+1023)/1024)
	}
	return problems
}

// Table is the budget for people.
func (c Connections) Table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "connections: %s takes %d; %d reserved, %d pooler pods in a rollout with %d each = %d\n",
		c.class, c.Limit, c.Reserved, c.Poolers, c.PoolSize, c.Reserved+c.Poolers*c.PoolSize)
	for _, reserved := range reservedConnections {
		fmt.Fprintf(&out, "  %3d reserved for %s\n", reserved.n, reserved.of)
	}
	for _, user := range c.Users {
		fmt.Fprintf(&out, "  %5d = %d pods x %d from %s\n", user.Pods*user.Each, user.Pods, user.Each, user.Name)
	}
	fmt.Fprintf(&out, "  %5d from workloads in all; one pooler pod takes %d\n", c.Clients(), c.MaxClients)
	for _, problem := range c.Problems() {
		fmt.Fprintf(&out, "does not fit: %s\n", problem)
	}
	return out.String()
}
