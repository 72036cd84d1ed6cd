package cost

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
)

var update = flag.Bool("update", false, "write the figures into docs/cost.md")

const (
	document    = "../docs/cost.md"
	figuresFrom = "<!-- Figures: written by `go test ./cost -update`. -->\n"
	figuresTo   = "<!-- End of figures. -->\n"
)

func TestE4DocumentedFiguresAreThoseOfTheEstimate(t *testing.T) {
	prod, staging := committed(t, "prod"), committed(t, "staging")
	want := "\n" + totals(t, prod, staging) + "\n" + besideTheSource(estimate(t, prod, today)) + "\n" +
		lines(estimate(t, staging, today)) + "\n" + differences(t, prod, staging) + "\n"

	text, err := os.ReadFile(document)
	require.NoError(t, err)
	before, rest, begun := strings.Cut(string(text), figuresFrom)
	figures, after, ended := strings.Cut(rest, figuresTo)
	require.True(t, begun && ended, "the marks of the figures are gone from %s", document)
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(before+figuresFrom+want+figuresTo+after), 0o600))
		return
	}
	assert.Equal(t, want, figures, "to write the new figures: go test ./cost -update")
}

func totals(t *testing.T, platforms ...config.Platform) string {
	t.Helper()
	var out strings.Builder
	fmt.Fprint(&out, "### A month\n\n| USD | at minimum | at maximum | from 1 Mar 2027, if PostgreSQL stays at 14, more |\n|---|---|---|---|\n")
	for _, p := range platforms {
		now := estimate(t, p, today)
		later := estimate(t, p, time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC))
		fmt.Fprintf(&out, "| %s | %.0f | %.0f | %.0f |\n", p.Environment, now.Total().Min, now.Total().Max, later.Total().Min-now.Total().Min)
	}
	return out.String()
}

func besideTheSource(e Estimate) string {
	var out strings.Builder
	fmt.Fprintf(&out, "### %s beside the source\n\n| component | the source | USD | ours, USD | ours is |\n|---|---|---|---|---|\n", e.Environment)
	row := func(cells ...any) { fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", cells...) }
	for _, r := range Source {
		row(r.Component, r.Specification, r.Monthly.Dollars(), e.Of(r.Component).Dollars(), r.Ours)
	}
	row("**total**", "", SourceTotal.Dollars(), e.Total().Dollars(), "")
	row("per tenant", fmt.Sprintf("at %d tenants", Tenants), SourceTotal.times(1.0/Tenants).Dollars(), e.Total().times(1.0/Tenants).Dollars(), "")
	return out.String()
}

func lines(e Estimate) string {
	var out strings.Builder
	fmt.Fprintf(&out, "### %s line by line\n\n| component | what | quantity | unit | USD each | at minimum | at maximum |\n|---|---|---|---|---|---|---|\n", e.Environment)
	for _, l := range e.Lines {
		if m := l.Monthly(); e.Charged(l) {
			fmt.Fprintf(&out, "| %s | %s | %s | %s | %.4g | %.2f | %.2f |\n", l.Component, l.What, l.Count, l.Unit, l.USD, m.Min, m.Max)
		}
	}
	return out.String()
}

// differences are what makes staging cheaper, from the stack files: where the two are alike, staging proves it after all, and the row has to go.
func differences(t *testing.T, prod, staging config.Platform) string {
	t.Helper()
	var out strings.Builder
	fmt.Fprint(&out, "### What staging's size does not prove about prod\n\n| | prod | staging | so nobody has seen |\n|---|---|---|---|\n")
	for _, row := range []struct {
		what    string
		of      func(config.Platform) any
		notSeen string
	}{
		{"PostgreSQL, Multi-AZ", func(p config.Platform) any { return p.Data.Postgres.MultiAZ },
			"a failover to the standby within 5 minutes (R1); writes that wait for the standby. The loss of its zone is the loss of the database"},
		{"PostgreSQL, read replica", func(p config.Platform) any { return p.Data.Postgres.Replica }, "replication lag, a promotion, readers on it"},
		{"PostgreSQL, instance", func(p config.Platform) any { return p.Data.Postgres.InstanceType },
			"the source's memory settings at their real size; Intel beside Graviton; a CPU that earns no credits"},
		{"PostgreSQL, GiB", func(p config.Platform) any { return p.Data.Postgres.StorageGiB },
			"the striped disk with its IOPS; how long a restore or a dump of that size takes"},
		{"NAT gateways", func(p config.Platform) any { return p.Network.NATGateways },
			"the loss of a zone without the loss of the way out: here the one gateway's zone takes every exchange and Stripe with it"},
		{"interface endpoints", func(p config.Platform) any { return len(p.Network.InterfaceEndpoints) },
			"AWS's services through the endpoints, their security group, and that nothing needs the NAT gateways for them"},
		{"node types", poolTypes, "load on nodes that are not burstable; t3 throttles or pays when it works all day"},
		{"nodes at most", func(p config.Platform) any {
			most := 0
			for _, pool := range p.Cluster.NodePools {
				most += pool.Max
			}
			return most
		}, "50 API pods, the address space, quotas, the autoscaler over a dozen nodes"},
		{"spot pools", func(p config.Platform) any {
			spot := 0
			for _, pool := range p.Cluster.NodePools {
				if pool.CapacityType == config.Spot {
					spot++
				}
			}
			return spot
		}, "risk workers on spot: their interruptions happen on staging only, so prod is the calmer one"},
		{"API pods", func(p config.Platform) any {
			return fmt.Sprintf("%d..%d x %s CPU", p.Workloads.API.Replicas.Min, p.Workloads.API.Replicas.Max, p.Workloads.API.Requests.CPU)
		}, "throughput, connections at maximum (D4), scaling up under load, the loss of a zone's share of them"},
		{"deletion protection, final snapshots", func(p config.Platform) any { return p.Protect }, "what `pulumi destroy` refuses, and what a replacement of something protected needs"},
		{"backup lock, days", func(p config.Platform) any { return p.Data.Retention.BackupLock }, "backups that nobody can delete"},
		{"owns the Cloudflare zone", func(p config.Platform) any { return p.Edge.OwnsZone },
			"changes of the WAF, the edge's rate limit and the zone's TLS settings: they reach staging's host only when prod has them"},
	} {
		there, here := fmt.Sprint(row.of(prod)), fmt.Sprint(row.of(staging))
		assert.NotEqual(t, there, here, "%s: staging is like prod", row.what)
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", row.what, there, here, row.notSeen)
	}
	return out.String()
}

func poolTypes(p config.Platform) any {
	var types []string
	for _, pool := range p.Cluster.NodePools {
		types = append(types, strings.Join(pool.InstanceTypes, "/"))
	}
	return strings.Join(types, ", ")
}
