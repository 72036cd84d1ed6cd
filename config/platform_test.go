package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

// change is one change of production's config, and what is said of it: the key and a part of the sentence, or nothing.
type change struct {
	key   string
	value any
	at    string
	says  string
}

func check(t *testing.T, changes []change) {
	t.Helper()
	for _, c := range changes {
		t.Run(strings.TrimPrefix(c.key, "alphapulse:")+" "+fmt.Sprintf("%.20v", c.value), func(t *testing.T) {
			_, problems := config.Load(recorder.Change(t, prod(t), c.key, c.value))
			if c.says == "" {
				assert.NoError(t, problems.Err())
				return
			}
			require.Len(t, problems, 1, "%v", problems.Err())
			assert.Equal(t, "alphapulse:"+c.at, problems[0].Key)
			assert.Contains(t, problems[0].String(), c.says)
		})
	}
}

func TestD1DatabaseIsTheSourcesInProd(t *testing.T) {
	platform, _ := config.Load(prod(t))
	assert.Equal(t, config.Postgres{
		Version: "14", InstanceType: "db.r5.xlarge", StorageGiB: 500, MultiAZ: true, Replica: true, BackupDays: 7,
	}, platform.Data.Postgres)
	assert.Equal(t, "alphapulse-prod-222222222222", platform.Data.BucketPrefix)
}

func TestD1DatabaseSettingsFollowRDSRules(t *testing.T) {
	const at = "data.postgres."
	check(t, []change{
		{"alphapulse:data.postgres.iops", 3000, at + "iops", "must be 12000 to 64000 for gp3 from 400 GiB on: RDS refuses less; leave it out for the 12000 that are included"},
		{"alphapulse:data.postgres.iops", 12000, "", ""},
		{"alphapulse:data.postgres.iops", 64001, at + "iops", "64001: must be 12000 to 64000"},
		{"alphapulse:data.postgres.throughput", 125, at + "throughput", "must be 500 to 4000 MiB/s"},
		{"alphapulse:data.postgres.throughput", 500, "", ""},
		{"alphapulse:data.postgres.storageGiB", 399, "", ""},
		{"alphapulse:data.postgres.storageGiB", 19, at + "storageGiB", "must be 20 to 65536 GiB"},
		{"alphapulse:data.postgres.version", "14.19", at + "version", "RDS makes no new instances of it since 1 Oct 2026; use 14.20 or later"},
		{"alphapulse:data.postgres.version", "14.20", "", ""},
		{"alphapulse:data.postgres.version", "17.2", "", ""},
		{"alphapulse:data.postgres.version", "13", at + "version", "legal: 14, 15, 16, 17"},
		{"alphapulse:data.postgres.version", "14.x", at + "version", `"14.x"`},
		{"alphapulse:data.postgres.instanceType", "db.r5.huge", at + "instanceType", "legal: db.t4g.micro, "},
		{"alphapulse:data.postgres.backupDays", 0, at + "backupDays", "must be 1 to 35 days"},
		{"alphapulse:data.postgres.backupDays", 36, at + "backupDays", "must be 1 to 35 days"},
	})
}

func TestD1SmallGp3HasNoIOPSToChoose(t *testing.T) {
	raw := recorder.Change(t, prod(t), "alphapulse:data.postgres.storageGiB", 100)
	raw = recorder.Change(t, raw, "alphapulse:data.postgres.iops", 12000)
	raw = recorder.Change(t, raw, "alphapulse:data.postgres.throughput", 500)
	_, problems := config.Load(raw)
	assert.ErrorContains(t, problems.Err(), "data.postgres.iops: 12000: cannot be chosen for gp3 below 400 GiB")
	assert.ErrorContains(t, problems.Err(), "data.postgres.throughput: 500: cannot be chosen for gp3 below 400 GiB")
}

func TestD5BucketsHaveNamesThatS3Takes(t *testing.T) {
	check(t, []change{
		{"alphapulse:data.bucketPrefix", "other-name", "", ""},
		{"alphapulse:data.bucketPrefix", "Alpha_Pulse", "data.bucketPrefix", "must be 3 to 51 lower-case letters, digits or hyphens"},
		{"alphapulse:data.bucketPrefix", strings.Repeat("a", 52), "data.bucketPrefix", "must be 3 to 51"},
		{"alphapulse:data.bucketPrefix", "xn--alpha", "data.bucketPrefix", "must be 3 to 51"},
		{"alphapulse:data.retention.backupLock", 91, "data.retention.backupLock", "must be 0 to 90 days: a locked backup cannot expire before its lock"},
		{"alphapulse:data.retention.auditLogs", 0, "data.retention.auditLogs", "must be 1 to 3650 days"},
	})
}

func TestW1RoutesAreATable(t *testing.T) {
	check(t, []change{
		{"alphapulse:ingress.routes[0].path", "/api", "ingress.routes", `is required: a route with path "/"`},
		{"alphapulse:ingress.routes[1].path", "/webhooks/stripe", "ingress.routes[3].path", "is the path of two routes"},
		{"alphapulse:ingress.routes[1].path", "billing", "ingress.routes[1].path", "must be a path such as / or /billing"},
		{"alphapulse:ingress.routes[1].path", "/billing/", "ingress.routes[1].path", "without a slash at its end"},
		{"alphapulse:ingress.routes[1].service", "biling-service", "ingress.routes[1].service", "legal: api-service, billing-service"},
		{"alphapulse:ingress.routes[2].unlimited", true, "", ""},
		{"alphapulse:ingress.routes[2].signed", true, "", ""},
	})
	platform, _ := config.Load(prod(t))
	assert.Equal(t, []string{"/webhooks/stripe"}, platform.Ingress.Signed(), "a flood of health checks ends at the edge, and not at pods that it would end")
}

func TestN5WhatThePlanLacksIsRefused(t *testing.T) {
	check(t, []change{
		{"alphapulse:edge.plan", "gold", "edge.plan", "must be a plan of Cloudflare's: free, pro, business or enterprise"},
		{"alphapulse:edge.plan", "business", "", ""},
		{"alphapulse:edge.rateLimit.periodSeconds", 10, "", ""},
		{"alphapulse:edge.rateLimit.periodSeconds", 300, "edge.rateLimit.periodSeconds", "the plan pro counts over 10, 60 seconds only"},
		{"alphapulse:edge.rateLimit.requests", 0, "edge.rateLimit.requests", "must be at least 1 request"},
		{"alphapulse:edge.zone", "alphapulse", "edge.zone", "must be a domain"},
		{"alphapulse:edge.host", "api.eu.alphapulse.com", "edge.host", "Cloudflare's certificate covers nothing deeper"},
		{"alphapulse:edge.host", "api.example.com", "edge.host", "must be alphapulse.com or one name under it, such as api.alphapulse.com"},
		{"alphapulse:edge.host", "alphapulse.com", "", ""},
	})
	_, problems := config.Load(recorder.Change(t, recorder.Change(t, prod(t), "alphapulse:edge.plan", "free"), "alphapulse:edge.rateLimit.periodSeconds", 10))
	require.Len(t, problems, 1)
	assert.Equal(t, "alphapulse:edge.waf: true: the plan free has no managed rules; set waf: false, or a plan of pro or more", problems[0].String())
}

func TestN5ZoneWideSettingsBelongToTheOwner(t *testing.T) {
	_, problems := config.Load(recorder.Change(t, prod(t), "alphapulse:edge.ownsZone", false))
	require.Len(t, problems, 2)
	for _, problem := range problems {
		assert.Contains(t, problem.String(), "leave it to the stack with ownsZone: true")
	}
}

func TestN5TwoOwnersOfAZoneAreRefused(t *testing.T) {
	owner, _ := config.Load(prod(t))
	assert.Empty(t, owner.OtherOwners(".."), "the committed stacks agree")

	folder := t.TempDir()
	data, err := os.ReadFile("../Pulumi.prod.yaml")
	require.NoError(t, err)
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("Pulumi.prod.yaml", string(data))
	write("Pulumi.broken.yaml", "config: [")
	assert.Empty(t, owner.OtherOwners(folder), "a stack is no rival of itself")
	write("Pulumi.blue.yaml", strings.Replace(string(data), "environment: prod", "environment: blue", 1))
	problems := owner.OtherOwners(folder)
	require.Len(t, problems, 1)
	assert.Equal(t, "alphapulse:edge.ownsZone: true: Pulumi.blue.yaml owns the zone alphapulse.com already, and a zone has one owner; "+
		"set ownsZone: false in one of the two", problems[0].String())
	owner.Edge.OwnsZone = false
	assert.Empty(t, owner.OtherOwners(folder))
}

func TestS2SecretsInConfigAreRefusedAndNeverShown(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		value  any
		marked []string
		at     string
	}{
		"a password, by its name":             {"alphapulse:data.postgres.password", "hunter2hunter2", nil, "alphapulse:data.postgres.password"},
		"a key of its own":                    {"alphapulse:stripeApiKey", "hunter2hunter2", nil, "alphapulse:stripeApiKey"},
		"a provider's token":                  {"cloudflare:apiToken", "hunter2hunter2", nil, "cloudflare:apiToken"},
		"a provider's secret key":             {"aws:secretKey", "hunter2hunter2", nil, "aws:secretKey"},
		"a URL with a password, by its look":  {"alphapulse:edge.zone", "postgresql://me:hunter2hunter2@db/x", nil, "alphapulse:edge.zone"},
		"an access key in a list":             {"alphapulse:network.zones[1]", "AKIAHUNTER2HUNTER2HU", nil, "alphapulse:network.zones[1]"},
		"what Pulumi was told is secret":      {"alphapulse:pin", "hunter2hunter2", []string{"alphapulse:pin"}, "alphapulse:pin"},
		"a secret that Pulumi was told about": {"alphapulse:password", "hunter2hunter2", []string{"alphapulse:password"}, "alphapulse:password"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := config.Load(recorder.Change(t, prod(t), c.key, c.value), c.marked...)
			err := problems.Err()
			require.Error(t, err)
			assert.Len(t, problems, 1, "%v", err)
			assert.Equal(t, c.at, problems[0].Key)
			assert.ErrorContains(t, err, "is a secret, and stack config holds none")
			assert.ErrorContains(t, err, "aws secretsmanager put-secret-value")
			assert.NotContains(t, strings.ToLower(err.Error()), "hunter2")
		})
	}
}

func TestC2AddOnsNeedThePlatformPool(t *testing.T) {
	_, problems := config.Load(recorder.Change(t, prod(t), "alphapulse:cluster.nodePools[0].name", "other"))
	assert.ErrorContains(t, problems.Err(), `cluster.nodePools: is required: a pool named "general"`)
	assert.ErrorContains(t, problems.Err(), `workloads.ingress.pool: "general": is not a node pool of this stack; legal: other, compute-optimized, services`)
}

func TestO1WhatWatchesIsOneInEachZoneAtMostAndHasRoom(t *testing.T) {
	const at = "observability."
	check(t, []change{
		{"alphapulse:observability.prometheus.replicas", 0, at + "prometheus.replicas", "must be 1 to 3: one in each zone, and more would see the same"},
		{"alphapulse:observability.alertmanager.replicas", 4, at + "alertmanager.replicas", "must be 1 to 3"},
		{"alphapulse:observability.alertmanager.replicas", 1, "", ""},
		{"alphapulse:observability.prometheus.storageGiB", 0, at + "prometheus.storageGiB", "must be 1 to 16384 GiB"},
		{"alphapulse:observability.loki.pool", "logs", at + "loki.pool", "is not a node pool of this stack"},
		{"alphapulse:observability.grafana.image", "grafana/grafana:13.2.3", at + "grafana.image", "is in no registry that nodes pull from"},
		{"alphapulse:observability.grafana.image", "docker.io/grafana/grafana:13.2.4", "", ""},
		{"alphapulse:observability.alloy.image", "docker.io/grafana/alloy:latest", at + "alloy.image", "must not be `latest`"},
		{"alphapulse:observability.postgresExporter.limits.memory", "32Mi", at + "postgresExporter.limits", "must not be below the requests"},
		{"alphapulse:observability.alloy.pool", "general", at + "alloy.pool", "is not a key of this program"},
	})
}
