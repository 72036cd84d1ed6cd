package data_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

func assertInputs(t *testing.T, one recorder.Resource, want map[string]any) {
	t.Helper()
	for input, value := range want {
		if number, ok := value.(int); ok {
			value = float64(number)
		}
		assert.Equal(t, value, one.At(input), "%s: %s", one.Name, input)
	}
}

func TestD1PrimaryIsTheSourcesDatabase(t *testing.T) {
	assertInputs(t, up(t).Find(t, instance, "postgres"), map[string]any{
		"identifier":             "alphapulse-prod",
		"engine":                 "postgres",
		"engineVersion":          "14",
		"instanceClass":          "db.r5.xlarge",
		"allocatedStorage":       500,
		"storageType":            "gp3",
		"iops":                   12000, // the source's 3000 are refused; these are included
		"storageThroughput":      500,
		"multiAz":                true,
		"availabilityZone":       nil, // AWS chooses two
		"dbName":                 "alphapulse",
		"port":                   5432,
		"dbSubnetGroupName":      "postgres",
		"engineLifecycleSupport": "open-source-rds-extended-support",
	})
}

func TestD1PrimaryIsGuardedAndWatched(t *testing.T) {
	run := up(t)
	primary := run.Find(t, instance, "postgres")
	assertInputs(t, primary, map[string]any{
		"storageEncrypted":                   true,
		"kmsKeyId":                           "key-of-data",
		"deletionProtection":                 true,
		"skipFinalSnapshot":                  false,
		"finalSnapshotIdentifier":            "alphapulse-prod-final-hex-of-postgres-final-snapshot",
		"copyTagsToSnapshot":                 true,
		"publiclyAccessible":                 false,
		"performanceInsightsEnabled":         true,
		"performanceInsightsKmsKeyId":        "key-of-data",
		"performanceInsightsRetentionPeriod": 7,
		"monitoringInterval":                 60,
		"monitoringRoleArn":                  recorder.ARN(role, "postgres-monitoring"),
		"enabledCloudwatchLogsExports":       []any{"postgresql", "upgrade"},
		"manageMasterUserPassword":           nil, // RDS would change it each week
		"allowMajorVersionUpgrade":           false,
		"applyImmediately":                   false,
	})
	assert.True(t, primary.Protect)
	assert.True(t, primary.DeleteFirst, "its name is taken")
	id := run.Find(t, randomID, "postgres-final-snapshot")
	assert.Equal(t, map[string]any{"instance": "alphapulse-prod", "key": "key-of-data"}, id.At("keepers"), "what replaces the instance")
}

func TestD1UnprotectedDatabaseCanGo(t *testing.T) {
	run, _ := postgres(t, prod, false)
	primary := run.Find(t, instance, "postgres")
	assertInputs(t, primary, map[string]any{
		"deletionProtection": false, "skipFinalSnapshot": true, "deleteAutomatedBackups": true, "applyImmediately": true,
	})
	assert.False(t, primary.Protect)
}

func TestD1PinnedMinorDoesNotDriftAway(t *testing.T) {
	pinned := prod
	pinned.Version = "14.20"
	run, _ := postgres(t, pinned, true)
	assertInputs(t, run.Find(t, instance, "postgres"), map[string]any{"engineVersion": "14.20", "autoMinorVersionUpgrade": false})
	assertInputs(t, up(t).Find(t, instance, "postgres"), map[string]any{"engineVersion": "14", "autoMinorVersionUpgrade": true})
}

func TestD1ParameterFamilyFollowsTheVersion(t *testing.T) {
	for version, family := range map[string]string{"14": "postgres14", "14.20": "postgres14", "16": "postgres16"} {
		spec := prod
		spec.Version = version
		run, _ := postgres(t, spec, true)
		group := run.Find(t, parameterGroup, "postgres")
		assert.Equal(t, family, group.At("family"))
		assert.Nil(t, group.At("name"), "a new family's group is made before the old one goes")
		assert.Equal(t, "postgres", run.Find(t, instance, "postgres").At("parameterGroupName"))
	}
}

func TestD1StorageSpeedIsSaidOnlyWhenChosen(t *testing.T) {
	spec := prod
	spec.IOPS, spec.Throughput = 16000, 600
	run, _ := postgres(t, spec, true)
	for _, name := range []string{"postgres", "postgres-replica"} {
		assertInputs(t, run.Find(t, instance, name), map[string]any{"iops": 16000, "storageThroughput": 600})
	}
}

func TestD1ReplicaStandsInTheSecondZone(t *testing.T) {
	run := up(t)
	replica := run.Find(t, instance, "postgres-replica")
	assertInputs(t, replica, map[string]any{
		"identifier":         "alphapulse-prod-replica",
		"replicateSourceDb":  "alphapulse-prod", // by identifier: the subnet group is its source's
		"dbSubnetGroupName":  nil,
		"availabilityZone":   "us-east-1b",
		"instanceClass":      "db.r5.xlarge",
		"storageType":        "gp3",
		"storageEncrypted":   true,
		"kmsKeyId":           nil, // RDS takes its source's, and refuses to be told
		"parameterGroupName": "postgres",
		"publiclyAccessible": false,
		"multiAz":            nil,
		"skipFinalSnapshot":  true,
		"backupWindow":       nil, "backupRetentionPeriod": nil, "finalSnapshotIdentifier": nil, "deletionProtection": nil,
		"engine": nil, "engineVersion": nil, "dbName": nil, "username": nil, "password": nil, "engineLifecycleSupport": nil,
		"vpcSecurityGroupIds":         []any{"postgres-id"}, // left out, it would get the VPC's default group
		"performanceInsightsEnabled":  true,
		"performanceInsightsKmsKeyId": "key-of-data",
		"monitoringInterval":          60,
	})
	assert.Contains(t, replica.DependsOn, run.Find(t, instance, "postgres").URN)
	assert.True(t, replica.DeleteFirst)
	assert.False(t, replica.Protect, "nothing of it is its own")
}

func TestD1WithoutReplicaThereIsOneInstance(t *testing.T) {
	spec := prod
	spec.Replica = false
	run, got := postgres(t, spec, true)
	require.Len(t, run.All(instance), 1)
	require.Len(t, run.All(logGroup), 2)
	assert.Equal(t, "", got["replica"])
}

func TestD1LogsAreEncryptedAndExpire(t *testing.T) {
	run := up(t)
	for name, group := range map[string]string{
		"postgres-postgresql":         "/aws/rds/instance/alphapulse-prod/postgresql",
		"postgres-upgrade":            "/aws/rds/instance/alphapulse-prod/upgrade",
		"postgres-replica-postgresql": "/aws/rds/instance/alphapulse-prod-replica/postgresql",
		"postgres-replica-upgrade":    "/aws/rds/instance/alphapulse-prod-replica/upgrade",
	} {
		one := run.Find(t, logGroup, name)
		assertInputs(t, one, map[string]any{"name": group, "kmsKeyId": "key-of-logs", "retentionInDays": 365})
		owner := "postgres"
		if strings.HasPrefix(name, "postgres-replica") {
			owner = "postgres-replica"
		}
		assert.Contains(t, run.Find(t, instance, owner).DependsOn, one.URN, "RDS would make it unencrypted")
	}
}

func TestD1MonitoringRoleIsRDSsAlone(t *testing.T) {
	run := up(t)
	trust := recorder.Statements(t, run.Find(t, role, "postgres-monitoring").At("assumeRolePolicy"))
	require.Len(t, trust, 1)
	assert.Equal(t, map[string]recorder.Strings{"Service": {"monitoring.rds.amazonaws.com"}}, trust[0].Principal)
	assert.Equal(t, recorder.Strings{account}, trust[0].Condition["StringEquals"]["aws:SourceAccount"])
	attached := run.Find(t, attachment, "postgres-monitoring-AmazonRDSEnhancedMonitoringRole")
	assert.Equal(t, "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole", attached.At("policyArn"))
	for _, one := range run.All(instance) {
		assert.Contains(t, one.DependsOn, attached.URN)
	}
}

func TestN3OnlyTheClusterReachesPostgreSQL(t *testing.T) {
	run := up(t)
	group := run.Find(t, securityGroup, "postgres")
	assertInputs(t, group, map[string]any{"vpcId": "vpc", "ingress": nil, "egress": nil})
	rules := run.All(ingressRule)
	require.Len(t, rules, 1)
	assertInputs(t, rules[0], map[string]any{
		"securityGroupId": "postgres-id", "referencedSecurityGroupId": "sg-cluster", "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432,
		"cidrIpv4": nil, "cidrIpv6": nil,
	})
	assert.Empty(t, run.All(egressRule), "the database begins no connections")
	for _, one := range run.All(instance) {
		assert.Equal(t, []any{"postgres-id"}, one.At("vpcSecurityGroupIds"), one.Name)
	}
	assert.Equal(t, []any{"database-a", "database-b", "database-c"}, run.Find(t, subnetGroup, "postgres").At("subnetIds"))
}

// inUnits gives a setting of postgresql.conf as RDS takes it: sizes in units of so many kB.
func inUnits(t *testing.T, text string, unit int) string {
	t.Helper()
	for suffix, kB := range map[string]int{"GB": 1 << 20, "MB": 1 << 10} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.Atoi(number)
			require.NoError(t, err)
			return strconv.Itoa(n * kB / unit)
		}
	}
	return text
}

var fitting = regexp.MustCompile(`^LEAST\(\{DBInstanceClassMemory/(\d+)\},(\d+)\)$`)

// on is what RDS makes of a value on a machine of so many GiB, of which PostgreSQL has a little less.
func on(t *testing.T, memoryGiB int, value any) string {
	t.Helper()
	found := fitting.FindStringSubmatch(value.(string))
	if found == nil {
		return value.(string)
	}
	share, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	most, err := strconv.Atoi(found[2])
	require.NoError(t, err)
	return strconv.Itoa(min(memoryGiB<<30*95/100/share, most))
}

// settings are what a parameter group sets, name by name.
func settings(t *testing.T, run *recorder.Run) map[string]map[string]any {
	t.Helper()
	list := map[string]map[string]any{}
	for _, one := range run.Find(t, parameterGroup, "postgres").At("parameters").([]any) {
		p := one.(map[string]any)
		require.NotContains(t, list, p["name"])
		list[p["name"].(string)] = p
	}
	return list
}

func TestD2SourcesTenSettingsAreInRDSUnits(t *testing.T) {
	const kB, block, plain = 1, 8, 1
	got := settings(t, up(t))
	for _, s := range []struct { // section 8 of the source
		name, value string
		unit        int
		static      bool
	}{
		{"max_connections", "200", plain, true},
		{"shared_buffers", "8GB", block, true},
		{"effective_cache_size", "24GB", block, false},
		{"work_mem", "64MB", kB, false},
		{"maintenance_work_mem", "2GB", kB, false},
		{"checkpoint_completion_target", "0.9", plain, false},
		{"wal_buffers", "16MB", block, true},
		{"default_statistics_target", "100", plain, false},
		{"random_page_cost", "1.1", plain, false},
		{"effective_io_concurrency", "200", plain, false},
	} {
		require.Contains(t, got, s.name)
		assert.Equal(t, inUnits(t, s.value, s.unit), on(t, 32, got[s.name]["value"]), s.name)
		if s.static {
			assert.Equal(t, "pending-reboot", got[s.name]["applyMethod"], "%s: RDS refuses the other", s.name)
		}
	}
}

func TestD2DynamicSettingsApplyAtOnceUnlessTheyAreTheDefault(t *testing.T) {
	waiting := []string{
		"max_connections", "shared_buffers", "wal_buffers", "shared_preload_libraries", // static
		"checkpoint_completion_target", "default_statistics_target", "rds.force_ssl", // RDS's own defaults of some versions
	}
	for name, s := range settings(t, up(t)) {
		assert.Equal(t, slices.Contains(waiting, name), s["applyMethod"] == "pending-reboot", name)
	}
}

func TestD1TLSIsForced(t *testing.T) {
	got := settings(t, up(t))
	assert.Equal(t, "1", got["rds.force_ssl"]["value"])
	assert.Equal(t, "pg_stat_statements", got["shared_preload_libraries"]["value"])
}

func TestD2SettingsKeepTheirShareOfASmallerInstance(t *testing.T) {
	for _, class := range []string{"db.t4g.micro", "db.t4g.medium", "db.m6g.large", "db.r6g.4xlarge"} {
		spec := prod
		spec.InstanceType = class
		run, _ := postgres(t, spec, false)
		got := settings(t, run)
		found, ok := config.FindDatabaseClass(class)
		require.True(t, ok, class)
		kB := func(name string, unit int) int {
			n, err := strconv.Atoi(on(t, found.MemoryGiB, got[name]["value"]))
			require.NoError(t, err)
			return n * unit
		}
		memory := found.MemoryGiB << 20
		assert.Equal(t, memory/4, kB("shared_buffers", 8), class)
		assert.Equal(t, memory*3/4, kB("effective_cache_size", 8), class)
		assert.Equal(t, memory/16, kB("maintenance_work_mem", 1), class)
		assert.LessOrEqual(t, kB("shared_buffers", 8)+found.Connections()*kB("work_mem", 1), memory*3/4, "%s: each connection may use it once", class)
		assert.Equal(t, strconv.Itoa(found.Connections()), got["max_connections"]["value"], "what the budget counts with")
	}
}

// A larger class waits for the maintenance window, its settings do not: a restart in between must find a machine that has the memory.
func TestD2SettingsOfALargerClassFitTheMachineOfBefore(t *testing.T) {
	spec := prod
	spec.InstanceType = "db.r5.4xlarge"
	run, _ := postgres(t, spec, true)
	got := settings(t, run)
	for name, c := range map[string]struct{ unit, percent int }{"shared_buffers": {8, 30}, "maintenance_work_mem": {1, 8}, "work_mem": {1, 1}} {
		n, err := strconv.Atoi(on(t, 32, got[name]["value"]))
		require.NoError(t, err)
		assert.LessOrEqual(t, n*c.unit, 32<<20*c.percent/100, "kB of %s on 32 GiB", name)
	}
}

// Where RDS takes it, what gp3 includes is said: from below 400 GiB the provider would ask for the 3000 of before, which RDS refuses.
func TestD1WhatAVolumeIncludesIsSaidWhereItCanBe(t *testing.T) {
	for size, want := range map[int][]any{399: {nil, nil}, 400: {12000., 500.}} {
		spec := prod
		spec.StorageGiB = size
		run, _ := postgres(t, spec, true)
		for _, name := range []string{"postgres", "postgres-replica"} {
			one := run.Find(t, instance, name)
			assert.Equal(t, want, []any{one.At("iops"), one.At("storageThroughput")}, "%d GiB", size)
		}
	}
}

func TestD1ChangesWaitForTheWindowUnlessConfigSaysOtherwise(t *testing.T) {
	for _, c := range []struct{ protect, asked, atOnce bool }{{true, false, false}, {true, true, true}, {false, false, true}} {
		spec := prod
		spec.ApplyImmediately = c.asked
		run, _ := postgres(t, spec, c.protect)
		for _, name := range []string{"postgres", "postgres-replica"} {
			assert.Equal(t, c.atOnce, run.Find(t, instance, name).At("applyImmediately"), "%+v", c)
		}
	}
}

func TestD2InstanceClassWithoutKnownMemoryMakesNothing(t *testing.T) {
	spec := prod
	spec.InstanceType = "db.x9.huge"
	run, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		_, err := newPostgres(ctx, spec, true)
		return err
	})
	assert.ErrorContains(t, err, `"db.x9.huge"`)
	assert.Empty(t, run.Resources)
}

func TestD3BackupsReachBackAsConfigured(t *testing.T) {
	primary := up(t).Find(t, instance, "postgres")
	assertInputs(t, primary, map[string]any{
		"backupRetentionPeriod": 7, "deleteAutomatedBackups": false,
		"backupWindow": "03:00-04:00", "maintenanceWindow": "sun:04:30-sun:05:30", // RDS refuses windows that overlap
	})
}

func TestS2MasterCredentialsAreInSecretsManager(t *testing.T) {
	run := up(t)
	assert.Equal(t, "/alphapulse/prod/database/master", run.Find(t, secretType, "postgres-master-secret").At("name"))
	var read map[string]any
	text := run.Find(t, versionType, "postgres-master-secret").At("secretString")
	require.NoError(t, json.Unmarshal([]byte(fmt.Sprint(text)), &read))
	primary := run.Find(t, instance, "postgres")
	assert.Equal(t, map[string]any{
		"username": primary.At("username"), "password": primary.At("password"),
		"host": "address-of-postgres", "port": 5432., "dbname": "alphapulse",
	}, read)
	assert.NotContains(t, []string{"admin", "postgres", "rdsadmin", "root", "alphapulse"}, primary.At("username"), "reserved, or the application's")
}

func TestS2ApplicationConnectsWithItsOwnPasswordOverTLS(t *testing.T) {
	run := up(t)
	secret := run.Find(t, secretType, "postgres-url-secret")
	assertInputs(t, secret, map[string]any{"name": "/alphapulse/prod/database/url", "kmsKeyId": "key-of-data", "recoveryWindowInDays": 30})
	url := run.Find(t, versionType, "postgres-url-secret").At("secretString")
	assert.Equal(t, "postgresql://alphapulse:password-of-postgres-application@pgbouncer:5432/alphapulse?sslmode=require", url, "the database has no place for all of them (D4)")
	assert.NotContains(t, url, run.Find(t, instance, "postgres").At("password"), "no workload uses the master user (D4)")
}

func TestD4VerifierIsPostgreSQLsOwn(t *testing.T) {
	run := up(t)
	assertInputs(t, run.Find(t, randomID, "postgres-application-salt"), map[string]any{"byteLength": 16})
	var kept map[string]string
	text := run.Find(t, versionType, "postgres-application-secret").At("secretString")
	require.NoError(t, json.Unmarshal([]byte(fmt.Sprint(text)), &kept))
	assert.Equal(t, "/alphapulse/prod/database/application", run.Find(t, secretType, "postgres-application-secret").At("name"))
	// Computed by another implementation of RFC 5803 (Python's hashlib and hmac).
	assert.Equal(t, map[string]string{
		"username": "alphapulse", "password": "password-of-postgres-application",
		"verifier": "SCRAM-SHA-256$4096:aGV4LW9mLXBvc3RncmVzLWFwcGxpY2F0aW9uLXNhbHQ=$" +
			"SE7+Yupixl2ChgVwMiKNBMqaXSVt8NsRMt/91qpbd54=:CwR06NN0y6sQr6r/ryah97jCXGPibYACF8n8yRGRISA=",
	}, kept)
}
