package cost

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
)

// today is before PostgreSQL 14's extended support begins.
var today = time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC)

// committed is a stack as its file describes it. What is wrong with it is config's own to test.
func committed(t *testing.T, stack string) config.Platform {
	t.Helper()
	raw, err := config.FromFile("../Pulumi." + stack + ".yaml")
	require.NoError(t, err)
	platform, _ := config.Load(raw)
	return platform
}

func estimate(t *testing.T, p config.Platform, at time.Time) Estimate {
	t.Helper()
	e, err := For(p, at)
	require.NoError(t, err)
	return e
}

func line(t *testing.T, e Estimate, what string) Line {
	t.Helper()
	for _, l := range e.Lines {
		if strings.HasPrefix(l.What, what) {
			return l
		}
	}
	require.Fail(t, "no such line", "%q in %+v", what, e.Lines)
	return Line{}
}

// small is an environment that can be reckoned by hand.
func small() config.Platform {
	return config.Platform{
		Environment: "small",
		AWS:         config.AWS{Account: "111111111111", Region: "us-east-1"},
		Network: config.Network{
			CIDR: "10.0.0.0/18", Zones: []string{"us-east-1a", "us-east-1b", "us-east-1c"}, NATGateways: config.NATSingle, FlowLogDays: 30,
		},
		Cluster: config.Cluster{LogDays: 60, NodePools: []config.NodePool{
			{Name: "general", InstanceTypes: []string{"m5.xlarge"}, Min: 2, Max: 5, DiskGiB: 50, CapacityType: config.OnDemand},
		}},
		Data: config.Data{
			Postgres:  config.Postgres{Version: "14", InstanceType: "db.r5.large", StorageGiB: 100},
			Retention: config.Retention{Backups: 10, ApplicationLogs: 30, AuditLogs: 30, AccessLogs: 30},
		},
		Workloads: config.Workloads{API: config.Workload{Pool: "general", Replicas: config.Replicas{Min: 2, Max: 10}}},
		Edge:      config.Edge{Zone: "example.com", Plan: "pro"},
	}
}

func TestE4StagingCostsLessThan600(t *testing.T) {
	e := estimate(t, committed(t, "staging"), today)
	for _, l := range e.Lines {
		t.Logf("%8.2f  %s, %s", l.Monthly().Min, l.Component, l.What)
	}
	assert.Less(t, e.Total().Min, 600.0)
	assert.Greater(t, e.Total().Min, 300.0, "no environment of three nodes and a database costs less: something is not counted")
}

func TestE4EveryCommittedStackHasAnEstimate(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "local"} {
		e := estimate(t, committed(t, stack), today)
		assert.Equal(t, stack, e.Environment)
		assert.LessOrEqual(t, e.Total().Min, e.Total().Max)
		for _, l := range e.Lines {
			assert.Positive(t, l.USD, l.What)
			assert.LessOrEqual(t, l.Count.Min, l.Count.Max, l.What)
		}
	}
}

func TestE4LinesAreCountTimesPriceTimesHours(t *testing.T) {
	e := estimate(t, small(), today)
	for _, c := range []struct {
		what     string
		min, max float64
	}{
		{"EKS control plane", 73, 73},
		// Three, not two, because the API's spread needs a node in each zone.
		{"pool general, m5.xlarge", 3 * 0.192 * 730, 5 * 0.192 * 730},
		{"disks of the nodes", 150 * 0.08, 250 * 0.08},
		{"db.r5.large, primary", 0.25 * 730, 0.25 * 730},
		{"disks, gp3, each copy", 100 * 0.115, 100 * 0.115},
		{"NAT gateways, single", 0.045 * 730, 0.045 * 730},
		{"its public addresses", 3 * 0.005 * 730, 3 * 0.005 * 730},
		{"data to the internet", 0, (10*20 - 100) * 0.09}, // two replicas stay within what is free
		{"data through the NAT gateways", 3 * 30 * 0.045, 5 * 30 * 0.045},
		{"S3, nightly dumps of 10 days", 100 * 0.1 * 0.2 * 10 * 0.023, 100 * 0.5 * 0.2 * 10 * 0.023},
		{"CloudWatch Logs, ingested", (5 + 3*0.5 + 3*2.5 + 2) * 0.50, (5 + 5*0.5 + 5*2.5 + 2) * 0.50},
		{"CloudWatch Logs, kept", ((5+3*0.5+2)*2 + 3*2.5) * 0.15 * 0.03, ((5+5*0.5+2)*2 + 5*2.5) * 0.15 * 0.03},
		{"KMS keys", 5, 5},
	} {
		monthly := line(t, e, c.what).Monthly()
		assert.InDelta(t, c.min, monthly.Min, 1e-9, c.what)
		assert.InDelta(t, c.max, monthly.Max, 1e-9, c.what)
	}
	var sum Range
	for _, l := range e.Lines {
		if e.Charged(l) {
			sum = sum.plus(l.Monthly())
		}
	}
	assert.Equal(t, sum, e.Total())
}

func TestE4WhatConfigSwitchesOnIsPaidFor(t *testing.T) {
	bare := estimate(t, small(), today).Total().Min
	for _, c := range []struct {
		name   string
		change func(*config.Platform)
		more   float64
	}{
		{"Multi-AZ is a second instance and disk", func(p *config.Platform) { p.Data.Postgres.MultiAZ = true }, 0.25*730 + 100*0.115},
		{"a replica too, and it logs", func(p *config.Platform) { p.Data.Postgres.Replica = true }, 0.25*730 + 100*0.115 + 2*(0.5+2*0.15*0.03)},
		{"a NAT gateway for each zone", func(p *config.Platform) { p.Network.NATGateways = config.NATPerZone }, 2 * (0.045 + 0.005) * 730},
		// 10 GB a node leave the NAT gateway for the endpoints.
		{"endpoints in each zone", func(p *config.Platform) { p.Network.InterfaceEndpoints = []string{"sts", "kms"} }, 2*3*0.01*730 - 3*10*(0.045-0.01)},
		{"the zone's plan for its owner", func(p *config.Platform) { p.Edge.OwnsZone = true }, 25},
		{"a free plan is free", func(p *config.Platform) { p.Edge.OwnsZone, p.Edge.Plan = true, "free" }, 0},
		{"spot is a share of the price", func(p *config.Platform) { p.Cluster.NodePools[0].CapacityType = config.Spot }, -0.4 * 3 * 0.192 * 730},
		{"of alternatives the dearest", func(p *config.Platform) { p.Cluster.NodePools[0].InstanceTypes = []string{"m5.xlarge", "m7i.xlarge"} }, 3 * (0.2016 - 0.192) * 730},
		{"IOPS above the included", func(p *config.Platform) {
			p.Data.Postgres.StorageGiB, p.Data.Postgres.IOPS, p.Data.Postgres.Throughput = 100, 13000, 600
		}, 1000*0.02 + 100*0.08},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := small()
			c.change(&p)
			assert.InDelta(t, c.more, estimate(t, p, today).Total().Min-bare, 1e-9)
		})
	}
}

// D1: standby and replica pay for their vCPUs as well, from the day after the end of standard support.
func TestE4ExtendedSupportIsShownBeforeAndCountedAfterItsDate(t *testing.T) {
	p := small()
	p.Data.Postgres.MultiAZ, p.Data.Postgres.Replica = true, true
	eve := time.Date(2027, time.February, 28, 23, 59, 0, 0, time.UTC)
	before, after := estimate(t, p, eve), estimate(t, p, eve.Add(time.Minute))
	surcharge := line(t, before, "extended support of PostgreSQL 14").Monthly().Min
	assert.InDelta(t, 3*2*0.10*730, surcharge, 1e-9)
	assert.InDelta(t, surcharge, after.Total().Min-before.Total().Min, 1e-9)
	assert.Contains(t, before.Table(), "not in the total: charged from 2027-03-01")
	assert.NotContains(t, after.Table(), "not in the total")
}

func TestE4WhatHasNoPriceIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*config.Platform)
		want   []string
	}{
		{"region", func(p *config.Platform) { p.AWS.Region = "ap-south-1" },
			[]string{`no prices of region "ap-south-1", only of us-east-1, eu-west-1`, "cost/prices.go"}},
		{"instance type", func(p *config.Platform) { p.Cluster.NodePools[0].InstanceTypes = []string{"m9z.large", "m5.xlarge"} },
			[]string{`the instance type "m9z.large" of pool general is not known: add it in capacity/instance_types.go, and its family in cost/prices.go`}},
		{"database class", func(p *config.Platform) { p.Data.Postgres.InstanceType = "db.z9.large" },
			[]string{`the RDS instance class "db.z9.large" is not known`, "cost/prices.go"}},
		{"database class in a region", func(p *config.Platform) { p.AWS.Region = "eu-west-1" },
			[]string{"the price of db.r5.large, primary in eu-west-1 is not known: add it in cost/prices.go"}},
		{"plan by contract", func(p *config.Platform) { p.Edge.OwnsZone, p.Edge.Plan = true, "enterprise" },
			[]string{"the price of Cloudflare, plan enterprise of example.com in us-east-1 is not known"}},
		{"two at once", func(p *config.Platform) {
			p.Data.Postgres.InstanceType, p.Cluster.NodePools[0].InstanceTypes = "db.z9.large", []string{"m9z.large"}
		}, []string{"db.z9.large", "m9z.large"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := small()
			c.change(&p)
			_, err := For(p, today)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestE4AnotherRegionHasItsOwnPrices(t *testing.T) {
	p := committed(t, "staging")
	p.AWS.Region = "eu-west-1"
	p.Network.Zones = []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}
	there := estimate(t, p, today)
	assert.InDelta(t, 4*0.0912*730, line(t, there, "pool general").Monthly().Min, 1e-9)
	assert.InDelta(t, 0.069*730, line(t, there, "db.t4g.medium").Monthly().Min, 1e-9)
	assert.Greater(t, there.Total().Min, estimate(t, committed(t, "staging"), today).Total().Min)
}

// Package capacity sorts by the same prices, so the two must agree; it also shows that a family's price goes by its memory.
func TestE4NodePricesAreThoseOfPackageCapacity(t *testing.T) {
	for _, name := range capacity.InstanceTypes() {
		known, _ := capacity.Instance(name)
		assert.InDelta(t, known.HourlyUSD, nodePrice(name).usd[0], 1e-9, name)
		assert.Positive(t, nodePrice(name).usd[1], name)
	}
}

func TestE4EveryDatabaseClassWithAPriceExists(t *testing.T) {
	for name, usd := range database {
		_, known := config.FindDatabaseClass(name)
		assert.True(t, known, name)
		assert.Positive(t, usd[0], name)
	}
}

func TestE4SourceRowsAddUpToItsTotal(t *testing.T) {
	var sum Range
	for _, row := range Source {
		sum = sum.plus(row.Monthly)
	}
	assert.Equal(t, SourceTotal, sum)
	assert.Equal(t, "24..38", SourceTotal.times(1.0/Tenants).Dollars(), "the source rounds down: 23-37")
}

func TestE4ReportShowsEveryLineAssumptionAndTheSourceBeside(t *testing.T) {
	e := estimate(t, committed(t, "prod"), today)
	table := e.Table()
	for _, l := range e.Lines {
		assert.Contains(t, table, l.What)
	}
	require.NotEmpty(t, e.Assumptions)
	for _, a := range e.Assumptions {
		assert.Contains(t, table, a.What)
		assert.Contains(t, table, a.Why)
	}
	for _, row := range Source {
		assert.Contains(t, table, row.Specification)
	}
	for _, part := range append([]string{"dated 2026-11", "2350..3750", "per tenant", "at 100 tenants"}, NotCounted...) {
		assert.Contains(t, table, part)
	}
	for _, l := range e.Lines {
		found := false
		for _, row := range Source {
			found = found || row.Component == l.Component
		}
		assert.True(t, found, "%s is in no row of the comparison, so the report would not show it", l.Component)
	}
}

func TestE4BilledFollowsConfig(t *testing.T) {
	prod, staging := Billed(committed(t, "prod")), Billed(committed(t, "staging"))
	for token, want := range map[string][2]int{
		natGateways: {3, 1}, "aws:ec2/eip:Eip": {3, 1}, databases: {2, 1},
		"aws:ec2/vpcEndpoint:VpcEndpoint": {7, 1}, "aws:eks/nodeGroup:NodeGroup": {4, 2}, kmsKeys: {5, 5},
	} {
		assert.Equal(t, want, [2]int{prod[token], staging[token]}, token)
	}
}
