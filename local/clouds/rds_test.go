package clouds

import (
	"context"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// database is an account with a network for databases, and the inputs of an instance as the platform has it.
func (c cloud) database() props {
	vpc := c.make("ec2.Vpc", "v", props{"cidrBlock": "10.0.0.0/16"})
	subnet := func(block, zone string) string {
		return c.make("ec2.Subnet", "s", props{"vpcId": vpc, "cidrBlock": block, "availabilityZone": "eu-west-1" + zone})
	}
	c.make("rds.SubnetGroup", "db", props{"name": "db", "subnetIds": []any{subnet("10.0.0.0/24", "a"), subnet("10.0.1.0/24", "b")}})
	c.make("rds.ParameterGroup", "pg14", props{"name": "pg14", "family": "postgres14"})
	return props{"identifier": "main", "engine": "postgres", "engineVersion": "14", "instanceClass": "db.r5.xlarge", "allocatedStorage": 500.0,
		"storageType": "gp3", "storageEncrypted": true, "dbName": "alphapulse", "username": "master", "password": "long-enough",
		"dbSubnetGroupName": "db", "parameterGroupName": "pg14", "backupRetentionPeriod": 7.0, "skipFinalSnapshot": true, "applyImmediately": true}
}

func TestD1SubnetGroupSpansTwoZonesOfOneNetwork(t *testing.T) {
	c := newCloud(t)
	subnet := func(vpc, block, zone string) string {
		return c.make("ec2.Subnet", "s", props{"vpcId": vpc, "cidrBlock": block, "availabilityZone": "eu-west-1" + zone})
	}
	here := c.make("ec2.Vpc", "here", props{"cidrBlock": "10.0.0.0/16"})
	there := c.make("ec2.Vpc", "there", props{"cidrBlock": "10.1.0.0/16"})
	a, also, b := subnet(here, "10.0.0.0/24", "a"), subnet(here, "10.0.1.0/24", "a"), subnet(here, "10.0.2.0/24", "b")
	group := func(ids ...any) props { return props{"name": "db", "subnetIds": ids} }
	cases := map[string]refusal{
		"one zone":     {group(a, also), "DBSubnetGroupDoesNotCoverEnoughAZs"},
		"two networks": {group(a, subnet(there, "10.1.0.0/24", "b")), "are not of one VPC"},
		"no subnet":    {group(a, "subnet-0"), "InvalidSubnetID.NotFound"},
	}
	c.refused("rds.SubnetGroup", "", cases)
	id := c.make("rds.SubnetGroup", "db", group(a, b))
	assert.Equal(t, here, c.record(token("rds.SubnetGroup"), id).Outputs["vpcId"])
	c.refused("rds.SubnetGroup", id, cases)
}

func TestD1InstanceIsWhatRDSTakes(t *testing.T) {
	c := newCloud(t)
	good := c.database()
	c.refused("rds.Instance", c.make("rds.Instance", "db", good), map[string]refusal{
		"source's IOPS":   {merged(good, props{"iops": 3000.0}), "InvalidParameterCombination: Invalid iops"},
		"throughput":      {merged(good, props{"storageThroughput": 499.0}), "InvalidParameterCombination: Invalid storage throughput"},
		"zone":            {merged(good, props{"multiAz": true, "availabilityZone": "eu-west-1a"}), "not valid for Multi-AZ"},
		"monitoring":      {merged(good, props{"monitoringInterval": 60.0}), "A MonitoringRoleARN value is required"},
		"log":             {merged(good, props{"enabledCloudwatchLogsExports": []any{"audit"}}), "cannot use the log types 'audit'"},
		"password":        {merged(good, props{"password": "with a space"}), "not a valid password"},
		"database":        {merged(good, props{"dbName": "alpha-pulse"}), "DBName must begin with a letter"},
		"storage ceiling": {merged(good, props{"maxAllocatedStorage": 510.0}), "at least 10% more"},
		"subnet group":    {merged(good, props{"dbSubnetGroupName": "none"}), "DBSubnetGroupNotFoundFault"},
	})
	fresh := merged(good, props{"identifier": "fresh"})
	c.refused("rds.Instance", "", map[string]refusal{
		"14.19":       {merged(fresh, props{"engineVersion": "14.19"}), "InvalidParameterCombination: Cannot find version 14.19 for postgres"},
		"14.18":       {merged(fresh, props{"engineVersion": "14.18"}), "Cannot find version 14.18"},
		"no version":  {merged(fresh, props{"engineVersion": "latest"}), "Cannot find version latest"},
		"no such":     {merged(fresh, props{"engineVersion": "14.99"}), "Cannot find version 14.99"},
		"below 400":   {merged(fresh, props{"allocatedStorage": 399.0, "iops": 12000.0}), "You can't specify IOPS or storage throughput"},
		"family":      {merged(fresh, props{"engineVersion": "15"}), "DBParameterGroupFamily postgres14 cannot be used"},
		"name":        {good, "DBInstanceAlreadyExists"},
		"no password": {merged(fresh, props{"password": nil}), `"password": required field is not set`},
	})
	c.make("rds.Instance", "db", merged(fresh, props{"iops": 12000.0, "storageThroughput": 500.0}))
	small := c.make("rds.Instance", "db", merged(good, props{"identifier": "small", "allocatedStorage": 399.0}))
	assert.Equal(t, 3000.0, c.record(token("rds.Instance"), small).Outputs["iops"])

	found, err := c.invoke("aws:rds/getInstance:getInstance", props{"dbInstanceIdentifier": "main"})
	require.NoError(t, err)
	assert.Equal(t, "14.20", found["engineVersion"])
	assert.Equal(t, 12000.0, found["iops"], "what gp3 includes from 400 GiB")
	assert.Regexp(t, `^main\.c[0-9a-f]+\.eu-west-1\.rds\.amazonaws\.com:5432$`, found["endpoint"])
	assert.NotContains(t, found, "password")
	_, err = c.invoke("aws:rds/getInstance:getInstance", props{"dbInstanceIdentifier": "none"})
	assert.EqualError(t, err, "reading RDS DB Instance (none): couldn't find resource")
}

func TestD1CheckRefusesInPreview(t *testing.T) {
	c := newCloud(t)
	for name, wrong := range map[string]props{
		"identifier":                         {"identifier": "Main"},
		"finalSnapshotIdentifier":            {"finalSnapshotIdentifier": "a--b"},
		"kmsKeyId":                           {"kmsKeyId": "alias/data"},
		"backupWindow":                       {"backupWindow": "3am"},
		"maintenanceWindow":                  {"maintenanceWindow": "03:00-04:00"},
		"backupRetentionPeriod":              {"backupRetentionPeriod": 36.0},
		"monitoringInterval":                 {"monitoringInterval": 20.0},
		"performanceInsightsRetentionPeriod": {"performanceInsightsRetentionPeriod": 30.0},
		"engine":                             {"engine": "mysql"},
		"engineLifecycleSupport":             {"engineLifecycleSupport": "off"},
		"conflicts with replicateSourceDb":   {"replicateSourceDb": "main", "username": "master"},
		"blueGreenUpdate.enabled":            {"replicateSourceDb": "main", "blueGreenUpdate": props{"enabled": true}},
		"must be an ARN":                     {"replicateSourceDb": "main", "dbSubnetGroupName": "db"},
	} {
		_, reasons := c.check("rds.Instance", "db", merged(props{"instanceClass": "db.r5.xlarge"}, wrong))
		assert.Contains(t, strings.Join(reasons, "\n"), name)
	}
	unknown := resource.MakeComputed(resource.NewProperty(""))
	_, reasons := c.check("rds.Instance", "db",
		props{"instanceClass": "db.r5.xlarge", "replicateSourceDb": unknown, "dbSubnetGroupName": unknown})
	assert.Empty(t, reasons)
}

func TestD1WhatReplacesAnInstance(t *testing.T) {
	c := newCloud(t)
	old := props{"identifier": "main", "engine": "postgres", "instanceClass": "db.r5.xlarge", "username": "a", "password": "long-enough"}
	replacing := props{"availabilityZone": "eu-west-1a", "dbName": "b", "kmsKeyId": "arn:aws:kms:x", "storageEncrypted": true, "username": "b"}
	for key, value := range replacing {
		diff := c.diff("rds.Instance", old, merged(old, props{key: value}))
		assert.Equal(t, []resource.PropertyKey{resource.PropertyKey(key)}, diff.ReplaceKeys)
		assert.True(t, diff.DeleteBeforeReplace, "its identifier is given: the old one must go first")
	}
	changing := props{"identifier": "b", "engineVersion": "15", "instanceClass": "db.m5.large", "allocatedStorage": 600.0, "iops": 12000.0,
		"storageType": "gp3", "multiAz": true, "password": "another-one", "dbSubnetGroupName": "b", "parameterGroupName": "b", "port": 5433.0,
		"deletionProtection": true, "replicateSourceDb": "b", "publiclyAccessible": true, "caCertIdentifier": "b"}
	for key, value := range changing {
		before := old
		if key == "replicateSourceDb" { // goes with no user name
			before = props{"identifier": "main", "instanceClass": "db.r5.xlarge"}
		}
		diff := c.diff("rds.Instance", before, merged(before, props{key: value}))
		assert.Equal(t, plugin.DiffSome, diff.Changes, key)
		assert.Empty(t, diff.ReplaceKeys, key)
	}
}

func TestD1StorageNeverShrinks(t *testing.T) {
	c := newCloud(t)
	in := c.database()
	id := c.make("rds.Instance", "db", in)
	assert.ErrorContains(t, c.update("rds.Instance", id, merged(in, props{"allocatedStorage": 400.0})),
		"Requested storage size (400) cannot be less than the current storage size (500)")
	assert.ErrorContains(t, c.update("rds.Instance", id, merged(in, props{"allocatedStorage": 520.0})),
		"Requested storage size (520) must be at least 10% more than the current storage size (500)")
	require.NoError(t, c.update("rds.Instance", id, merged(in, props{"allocatedStorage": 600.0, "maxAllocatedStorage": 1000.0})))
	require.NoError(t, c.update("rds.Instance", id, merged(in, props{"maxAllocatedStorage": 1000.0})))
	assert.Equal(t, 600.0, c.record(token("rds.Instance"), id).Outputs["allocatedStorage"], "where it can grow by itself, it stays grown")
}

// As the real provider: with a new size it sends the IOPS that it knows of.
func TestD1StorageThatGrowsOverTheBoundaryMustSayItsIOPS(t *testing.T) {
	c := newCloud(t)
	small := merged(c.database(), props{"allocatedStorage": 50.0})
	id := c.make("rds.Instance", "db", small)
	assert.ErrorContains(t, c.update("rds.Instance", id, merged(small, props{"allocatedStorage": 500.0})), "Invalid iops value for engine postgres and storage type gp3: 3000")
	require.NoError(t, c.update("rds.Instance", id, merged(small, props{"allocatedStorage": 500.0, "iops": 12000.0, "storageThroughput": 500.0})))
}

func TestD1ChangeWaitsForTheWindowUnlessItIsToldNotTo(t *testing.T) {
	c := newCloud(t)
	in := c.database()
	id := c.make("rds.Instance", "db", in)
	larger := props{"instanceClass": "db.r5.2xlarge", "allocatedStorage": 600.0, "backupRetentionPeriod": 14.0}
	has := func() []any {
		out := c.record(token("rds.Instance"), id).Outputs
		return []any{out["instanceClass"], out["allocatedStorage"], out["backupRetentionPeriod"]}
	}
	require.NoError(t, c.update("rds.Instance", id, merged(merged(in, larger), props{"applyImmediately": false})))
	assert.Equal(t, []any{"db.r5.xlarge", 500.0, 14.0}, has())
	assert.ErrorContains(t, c.update("rds.Instance", id, merged(in, props{"allocatedStorage": 70000.0, "applyImmediately": false})), "Invalid storage size",
		"what cannot be is refused at once")
	require.NoError(t, c.update("rds.Instance", id, merged(in, larger)))
	assert.Equal(t, []any{"db.r5.2xlarge", 600.0, 14.0}, has())
}

func TestD1ReadReplica(t *testing.T) {
	c := newCloud(t)
	in := c.database()
	source := c.make("rds.Instance", "db", merged(in, props{"backupRetentionPeriod": 0.0}))
	replica := props{"identifier": "replica", "instanceClass": "db.r5.xlarge", "replicateSourceDb": "main", "storageType": "gp3",
		"skipFinalSnapshot": true}
	_, err := c.try("rds.Instance", "r", merged(replica, props{"replicateSourceDb": "none"}))
	assert.ErrorContains(t, err, "DBInstanceNotFound")
	_, err = c.try("rds.Instance", "r", replica)
	assert.ErrorContains(t, err, "InvalidDBInstanceState: Automated backups are not enabled")
	require.NoError(t, c.update("rds.Instance", source, in))

	arn := c.record(token("rds.Instance"), source).Outputs["arn"]
	second := c.make("rds.Instance", "s", merged(replica, props{"identifier": "second", "replicateSourceDb": arn, "dbSubnetGroupName": "db"}))
	id := c.make("rds.Instance", "r", replica)
	made := c.record(token("rds.Instance"), id)
	assert.Equal(t, "14.20", made.Outputs["engineVersionActual"])
	assert.Equal(t, 500.0, made.Outputs["allocatedStorage"])
	assert.Equal(t, "master", made.Outputs["username"])
	assert.Equal(t, true, made.Inputs["storageEncrypted"], "a refresh shows it to a program that does not ask for it")

	assert.ErrorContains(t, c.update("rds.Instance", source, merged(in, props{"backupRetentionPeriod": 0.0})), "backups cannot be turned off")
	assert.ErrorContains(t, c.update("rds.Instance", id, merged(replica, props{"replicateSourceDb": "second"})), "cannot elect new source")
	require.NoError(t, c.update("rds.Instance", id, merged(replica, props{"replicateSourceDb": arn})), "the same source under its other name")
	assert.ErrorContains(t, c.update("rds.Instance", id, merged(replica, props{"identifier": "main"})), "DBInstanceAlreadyExists")

	promoted := props{"identifier": "second", "instanceClass": "db.r5.xlarge", "skipFinalSnapshot": true}
	require.NoError(t, c.update("rds.Instance", second, promoted))
	left, err := c.replicas(c.record(token("rds.Instance"), source))
	require.NoError(t, err)
	require.Len(t, left, 1, "without its source a replica is promoted")
	require.NoError(t, c.destroy("rds.Instance", source))
	assert.NotContains(t, c.record(token("rds.Instance"), id).Inputs, "replicateSourceDb", "and so it is when its source is deleted")
}

func TestD1MajorUpgrade(t *testing.T) {
	c := newCloud(t)
	in := c.database()
	source := c.make("rds.Instance", "db", in)
	replica := c.make("rds.Instance", "r", props{"identifier": "replica", "instanceClass": "db.r5.xlarge", "replicateSourceDb": "main"})
	version := func(id string) any { return c.record(token("rds.Instance"), id).Outputs["engineVersionActual"] }

	require.NoError(t, c.update("rds.Instance", source, merged(in, props{"engineVersion": "14.20"})))
	for _, older := range []string{"14.19", "13"} {
		assert.ErrorContains(t, c.update("rds.Instance", source, merged(in, props{"engineVersion": older})),
			"Cannot upgrade postgres from 14.20 to "+older)
	}
	next := merged(in, props{"engineVersion": "15"})
	assert.ErrorContains(t, c.update("rds.Instance", source, next), "The AllowMajorVersionUpgrade flag must be present")
	next["allowMajorVersionUpgrade"] = true
	assert.ErrorContains(t, c.update("rds.Instance", source, next), "Please use a Parameter Group with DBParameterGroupFamily postgres15")
	alone := props{"identifier": "replica", "instanceClass": "db.r5.xlarge", "replicateSourceDb": "main", "engineVersion": "15", "applyImmediately": true,
		"allowMajorVersionUpgrade": true}
	assert.ErrorContains(t, c.update("rds.Instance", replica, alone), "with its source")

	c.make("rds.ParameterGroup", "pg15", props{"name": "pg15", "family": "postgres15"})
	next["parameterGroupName"] = "pg15"
	assert.ErrorContains(t, c.update("rds.Instance", source, merged(next, props{"blueGreenUpdate": props{"enabled": true}})), "with replicas")
	assert.Equal(t, "14.20", version(replica), "what is refused changes nothing")
	require.NoError(t, c.update("rds.Instance", source, next))
	assert.Equal(t, "15.15", version(source))
	assert.Equal(t, "15.15", version(replica), "replicas go with their source")
	require.NoError(t, c.update("rds.Instance", replica, alone))
	require.NoError(t, c.destroy("rds.ParameterGroup", "pg14"))
	assert.ErrorContains(t, c.destroy("rds.ParameterGroup", "pg15"), "InvalidDBParameterGroupState")
}

func TestD1AReplicaGoesToAMinorBeforeItsSource(t *testing.T) {
	c := newCloud(t)
	in := c.database()
	source := c.make("rds.Instance", "db", in)
	follower := props{"identifier": "replica", "instanceClass": "db.r5.xlarge", "replicateSourceDb": "main", "skipFinalSnapshot": true}
	replica := c.make("rds.Instance", "r", follower)
	for _, id := range []string{source, replica} {
		r := c.record(token("rds.Instance"), id)
		r.Outputs["engineVersionActual"] = "14.19"
		require.NoError(t, c.put(r))
	}
	next := props{"engineVersion": "14.20", "applyImmediately": true}
	assert.ErrorContains(t, c.update("rds.Instance", source, merged(in, next)), "DBUpgradeDependencyFailure: One or more of the DB Instance's read replicas need to be upgraded")
	require.NoError(t, c.update("rds.Instance", replica, merged(follower, next)))
	require.NoError(t, c.update("rds.Instance", source, merged(in, next)))
}

func TestD1BareMajorIsNoDrift(t *testing.T) {
	c := newCloud(t)
	made, err := c.try("rds.Instance", "db", c.database())
	require.NoError(t, err)
	read, err := c.Read(context.Background(), plugin.ReadRequest{URN: urn("rds.Instance", "db"), ID: made.ID, State: made.Properties})
	require.NoError(t, err)
	assert.Equal(t, "14", read.Inputs["engineVersion"].StringValue())
	assert.Equal(t, made.Properties, read.Outputs)
}

func TestD1Deletion(t *testing.T) {
	c := newCloud(t)
	in := merged(c.database(), props{"deletionProtection": true, "skipFinalSnapshot": false})
	id := c.make("rds.Instance", "db", in)
	replica := c.make("rds.Instance", "r", props{"identifier": "replica", "instanceClass": "db.r5.xlarge", "replicateSourceDb": "main",
		"finalSnapshotIdentifier": "replica-final"})
	assert.ErrorContains(t, c.destroy("rds.Instance", id), "InvalidParameterCombination: Cannot delete protected DB Instance")
	in["deletionProtection"] = false
	require.NoError(t, c.update("rds.Instance", id, in))
	assert.ErrorContains(t, c.destroy("rds.Instance", id), "finalSnapshotIdentifier is required when skipFinalSnapshot is false")
	assert.ErrorContains(t, c.destroy("rds.Instance", replica), "when deleting a replica")
	in["finalSnapshotIdentifier"] = "main-final"
	require.NoError(t, c.update("rds.Instance", id, in))
	require.NoError(t, c.destroy("rds.Instance", id))
	assert.Equal(t, "14.20", c.record(snapshotType, "main-final").Outputs["engineVersion"])

	again := c.make("rds.Instance", "db", in)
	assert.ErrorContains(t, c.destroy("rds.Instance", again), "DBSnapshotAlreadyExists")
}

func TestD2ParametersApplyWhenTheyCan(t *testing.T) {
	c := newCloud(t)
	group := func(name, value, method string) props {
		parameter := props{"name": name, "value": value}
		if method != "" {
			parameter["applyMethod"] = method
		}
		return props{"name": "pg", "family": "postgres14", "parameters": []any{parameter}}
	}
	id := c.make("rds.ParameterGroup", "pg", group("max_connections", "200", "pending-reboot"))
	for name := range strings.FieldsSeq("max_connections shared_buffers wal_buffers shared_preload_libraries") {
		for _, method := range []string{"", "immediate"} {
			assert.ErrorContains(t, c.update("rds.ParameterGroup", id, group(name, "1", method)),
				"cannot use immediate apply method for static parameter")
		}
	}
	assert.ErrorContains(t, c.update("rds.ParameterGroup", id, group("work_mem", "64MB", "")),
		"InvalidParameterValue: Invalid parameter value: 64MB")
	require.NoError(t, c.update("rds.ParameterGroup", id, group("work_mem", "65536", "immediate")))
	assert.Equal(t, []resource.PropertyKey{"family"},
		c.diff("rds.ParameterGroup", props{"family": "postgres14"}, props{"family": "postgres15"}).ReplaceKeys)
}
