package production

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// testRefusals changes what the clouds know while production runs there: a preview must see it, and say what to do.
func testRefusals(t *testing.T) {
	const ruleset, zone, cluster, bucket = "cloudflare:index/ruleset:Ruleset", "cloudflare:index/zone:Zone", "aws:eks/cluster:Cluster", "aws:s3/bucketV2:BucketV2"
	for _, c := range []struct {
		name, account, region, typ string
		change                     func(*inventory.Record)
		says                       string
	}{
		{"N5 a zone that another stack owns", "cloudflare", "global", ruleset,
			func(r *inventory.Record) {
				r.Inputs["name"] = strings.Replace(r.Inputs["name"].(string), "alphapulse-prod", "alphapulse-blue", 1)
			},
			`alphapulse:edge.ownsZone: true: the zone alphapulse.com has the ruleset "alphapulse-blue http_r`},
		{"N5 a plan that lacks a feature", "cloudflare", "global", zone,
			func(r *inventory.Record) { r.Inputs["plan"] = "Free Website"; r.Outputs["plan"] = "Free Website" },
			`alphapulse:edge.plan: "pro": Cloudflare has the zone alphapulse.com on "Free Website"; set plan: free, or change the zone's plan there`},
		{"C1 a cluster that somebody upgraded", "222222222222", "us-east-1", cluster,
			func(r *inventory.Record) { r.Inputs["version"] = "1.37"; r.Outputs["version"] = "1.37" },
			`alphapulse:cluster.version: "1.36": the cluster alphapulse-prod runs 1.37, and EKS does not go back; set "1.37"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := inventory.Open(c.account, c.region)
			require.NoError(t, err)
			all, err := store.List(c.typ)
			require.NoError(t, err)
			require.NotEmpty(t, all)
			for _, record := range all {
				changed, ok, err := store.Get(c.typ, record.ID)
				require.NoError(t, err)
				require.True(t, ok)
				c.change(&changed)
				require.NoError(t, store.Put(changed))
				defer func() { require.NoError(t, store.Put(record)) }()
			}
			seen := suite.Try(t, "--stack", "prod", "preview", "--refresh=false")
			require.Error(t, seen.Err)
			assert.Contains(t, seen.Output, c.says)
		})
	}
	t.Run("D5 a bucket name that is taken", func(t *testing.T) {
		theirs, err := inventory.Open("999999999999", "us-east-1")
		require.NoError(t, err)
		name := "alphapulse-local-000000000000-logs"
		taken := inventory.Record{Type: bucket, ID: name, Inputs: map[string]any{"bucket": name}}
		require.NoError(t, theirs.Put(taken))
		defer func() { require.NoError(t, theirs.Delete(bucket, name)) }()
		seen := suite.Try(t, "preview")
		require.Error(t, seen.Err)
		assert.Contains(t, seen.Output, `alphapulse:data.bucketPrefix: "alphapulse-local-000000000000": `+name+": somebody else's bucket")
		assert.Contains(t, seen.Output, "choose another prefix")
	})
	t.Run("N5 two stack files that own a zone, S2 a password in config", func(t *testing.T) {
		file := suite.Changed(t, "staging", "ownsZone: false", "ownsZone: true\n    rateLimit: {requests: 200, periodSeconds: 60}",
			"backupDays: 3", "backupDays: 3\n      password: hunter2")
		seen := suite.Try(t, "--stack", "staging", "--config", file, "preview")
		require.Error(t, seen.Err)
		assert.Contains(t, seen.Output, "alphapulse:edge.ownsZone: true: Pulumi.prod.yaml owns the zone alphapulse.com already")
		assert.Contains(t, seen.Output, "alphapulse:data.postgres.password: is a secret, and stack config holds none")
		assert.NotContains(t, seen.Output, "hunter2")
	})
}

// A minor up is an update of the cluster and of its node groups, where they are (C1).
func testMinorUpgrade(t *testing.T) {
	store, err := inventory.Open("222222222222", "us-east-1")
	require.NoError(t, err)
	for _, typ := range []string{"aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"} {
		all, err := store.List(typ)
		require.NoError(t, err)
		for _, record := range all {
			older, _, err := store.Get(typ, record.ID)
			require.NoError(t, err)
			older.Inputs["version"], older.Outputs["version"] = "1.35", "1.35"
			require.NoError(t, store.Put(older))
			defer func() { require.NoError(t, store.Put(record)) }()
		}
	}
	seen, shown := plan(t, "preview") // with its refresh, which finds the older minor
	require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
	assert.ElementsMatch(t, []string{
		"~ aws:eks:Cluster cluster-eksCluster",
		"~ aws:eks:NodeGroup cluster-compute-optimized", "~ aws:eks:NodeGroup cluster-general", "~ aws:eks:NodeGroup cluster-services", "~ aws:eks:NodeGroup cluster-stateful",
	}, shown)
}
