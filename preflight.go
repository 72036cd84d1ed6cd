package main

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/rules"
)

// preflight finds all that is wrong before anything is registered, in previews too, and says it at once.
func preflight(ctx *pulumi.Context) (config.Platform, error) {
	raw, secret, err := config.FromEnvironment()
	if err != nil {
		return config.Platform{}, err
	}
	platform, problems := config.Load(raw, secret...)
	report := capacity.PlanFor(platform).Check()
	problems = problems.Then(platform.OfStack(ctx.Stack())).Then(report.ConfigProblems(platform)).Then(capacity.ConnectionsFor(platform).Problems()).Then(platform.OtherOwners(".")).
		Then(platform.Guardrails.ProblemsOn(time.Now(), rules.Guardrails()))
	if err := problems.Err(); err != nil {
		return platform, err
	}

	for _, warning := range append(tooFewAtOnce(ctx.Parallel()), warnings(platform, report, time.Now())...) {
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return platform, err
		}
	}
	return platform, nil
}

// enoughAtOnce is how many steps pulumi must be allowed at a time: more than there are things that wait for others.
const enoughAtOnce = 64

// tooFewAtOnce warns of a pulumi that may wait for itself: every Deployment that is not ready yet takes one of its places, and what it waits
// for, such as its service account out of the same chart, may find none until the first of them gives up. Pulumi's own number is four for
// each CPU.
func tooFewAtOnce(parallel int32) []string {
	if parallel >= enoughAtOnce {
		return nil
	}
	return []string{fmt.Sprintf("pulumi takes %d steps at a time, and things that wait for each other may take them all: set PULUMI_PARALLEL=%d", parallel, enoughAtOnce)}
}

// How long before the end of a version's support every preview says so: a cluster takes one quarter's plans, a database two.
const (
	clusterNotice  = 90 * 24 * time.Hour
	databaseNotice = 180 * 24 * time.Hour
	providerNotice = 180 * 24 * time.Hour
)

// warnings are what will go wrong later, but not today, and what is still a placeholder.
func warnings(platform config.Platform, report capacity.Report, today time.Time) []string {
	var list []string
	if end := config.KubernetesSupport[platform.Cluster.Version]; today.Add(clusterNotice).After(end) {
		list = append(list, fmt.Sprintf("%s:cluster.version: %s: EKS ends standard support on %s; afterwards it costs six times as much",
			config.Namespace, platform.Cluster.Version, end.Format(time.DateOnly)))
	}
	if end := platform.Data.Postgres.SupportEnds(); today.Add(databaseNotice).After(end) {
		list = append(list, fmt.Sprintf("%s:data.postgres.version: %s: RDS ends standard support on %s; afterwards each vCPU costs a surcharge, and "+
			"the upgrade is yours to schedule: docs/runbooks/postgres-major-upgrade.md", config.Namespace, platform.Data.Postgres.Version, end.Format(time.DateOnly)))
	}
	if platform.Edge.OwnsZone && today.Add(providerNotice).After(config.ZoneSettingsEnd) {
		list = append(list, fmt.Sprintf("%s:edge.ownsZone: true: from %s on Cloudflare refuses what its provider 5 keeps the zone's settings with; "+
			"move to the next major of pulumi-cloudflare before: docs/decisions.md", config.Namespace, config.ZoneSettingsEnd.Format(time.DateOnly)))
	}
	for _, placeholder := range platform.Cluster.Placeholders() {
		list = append(list, fmt.Sprintf("%s:cluster.publicAccessCidrs: %s: is a range for examples, which nobody has: the API server is open to no one outside "+
			"the VPC; name the ranges of your offices and pipelines", config.Namespace, placeholder))
	}
	for _, pool := range report.Pools {
		for _, warning := range pool.Warnings {
			list = append(list, fmt.Sprintf("%s:cluster.nodePools: %s: %s", config.Namespace, pool.Name, warning))
		}
	}
	return list
}
