package clouds

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

const (
	instanceType = "rds.Instance"
	// snapshotType is the token of what deletions leave. No program makes one here.
	snapshotType = "aws:rds/snapshot:Snapshot"
	// combination is RDS's code for settings that do not go together.
	combination = "InvalidParameterCombination"
)

var rdsTypes = []Type{
	{Name: "rds.SubnetGroup", ID: "{name}", Missing: "DBSubnetGroupNotFoundFault", Unique: "DBSubnetGroupAlreadyExists name",
		admit: coversTwoZones,
		Props: `name@* description="Managed by Pulumi" subnetIds!>ec2.Subnet tags{}`,
		Out:   `arn=arn:aws:rds:{region}:{account}:subgrp:{name} vpcId=? supportedNetworkTypes=["IPV4"]`},
	{Name: "rds.ParameterGroup", ID: "{name}", Missing: "DBParameterGroupNotFound", Unique: "DBParameterGroupAlreadyExists name",
		admit: admitParameters,
		Props: `name@* family!* description*="Managed by Pulumi" parameters{name! value! applyMethod} skipDestroy=false tags{}`,
		Out:   `arn=arn:aws:rds:{region}:{account}:pg:{name}`},
	// The id is RDS's own: an instance can be renamed. A replica is promoted by taking replicateSourceDb away.
	{Name: instanceType, ID: "db-{hex}", Unique: "DBInstanceAlreadyExists identifier",
		check: checkInstance, admit: admitInstance, update: updateInstance, delete: deleteInstance,
		Props: `identifier@ engine* engineVersion instanceClass! allocatedStorage maxAllocatedStorage storageType iops storageThroughput
			storageEncrypted* kmsKeyId*~kms.Key dbName* username* password multiAz availabilityZone* dbSubnetGroupName>rds.SubnetGroup
			parameterGroupName>rds.ParameterGroup vpcSecurityGroupIds>ec2.SecurityGroup port publiclyAccessible=false replicateSourceDb
			backupRetentionPeriod backupWindow maintenanceWindow deletionProtection skipFinalSnapshot=false finalSnapshotIdentifier
			copyTagsToSnapshot=false deleteAutomatedBackups=true performanceInsightsEnabled=false performanceInsightsKmsKeyId~kms.Key
			performanceInsightsRetentionPeriod monitoringInterval=0 monitoringRoleArn~iam.Role enabledCloudwatchLogsExports
			autoMinorVersionUpgrade=true allowMajorVersionUpgrade applyImmediately=false caCertIdentifier engineLifecycleSupport
			iamDatabaseAuthenticationEnabled blueGreenUpdate{enabled} tags{}`,
		Out: `arn=arn:aws:rds:{region}:{account}:db:{identifier} resourceId={id} hostedZoneId=Z{hex} status=available port=5432
			address={identifier}.c{hex}.{region}.rds.amazonaws.com endpoint={address}:{port} multiAz=false availabilityZone={region}a
			vpcSecurityGroupIds=[] caCertIdentifier=rds-ca-rsa2048-g1 engineLifecycleSupport=open-source-rds-extended-support engine=?
			engineVersion=? engineVersionActual=? allocatedStorage=? iops=? storageThroughput=? backupRetentionPeriod=? dbName=? username=?
			storageEncrypted=? kmsKeyId=? dbSubnetGroupName=? parameterGroupName=?`},
}

// coversTwoZones: RDS takes a group only if an instance could fail over in it.
func coversTwoZones(p *Provider, r *inventory.Record) error {
	zones, networks := map[string]bool{}, map[string]bool{}
	for _, id := range strs(r.Inputs["subnetIds"]) {
		subnet, _, err := p.find("ec2.Subnet", id)
		if err != nil {
			return err
		}
		zones[str(subnet.Outputs["availabilityZone"])] = true
		networks[str(subnet.Outputs["vpcId"])] = true
		r.Outputs["vpcId"] = subnet.Outputs["vpcId"]
	}
	switch {
	case len(networks) > 1:
		return apiError("InvalidParameterValue", "the subnets of %s are not of one VPC", r.ID)
	case len(zones) < 2:
		return apiError("DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "+
			"Current AZ coverage: %d. Add subnets to cover at least 2 AZs.", len(zones))
	}
	return nil
}

// staticParameters take effect when PostgreSQL starts, not before (RDS user guide, "Parameters for RDS for PostgreSQL").
var staticParameters = []string{"autovacuum_freeze_max_age", "autovacuum_max_workers", "huge_pages", "max_connections",
	"max_files_per_process", "max_locks_per_transaction", "max_logical_replication_workers", "max_prepared_transactions",
	"max_replication_slots", "max_wal_senders", "max_worker_processes", "rds.logical_replication", "shared_buffers",
	"shared_preload_libraries", "superuser_reserved_connections", "track_activity_query_size", "track_commit_timestamp", "wal_buffers"}

// withUnit is a size as postgresql.conf has it. RDS wants the bare number, in the parameter's own unit.
var withUnit = regexp.MustCompile(`^\d+\s*([kMGT]?B|us|ms|s|min|h|d)$`)

func admitParameters(_ *Provider, r *inventory.Record) error {
	for _, parameter := range objects(r.Inputs["parameters"]) {
		name, value, method := str(parameter["name"]), str(parameter["value"]), str(parameter["applyMethod"])
		switch {
		case method != "pending-reboot" && slices.Contains(staticParameters, name): // immediate is the default
			return apiError(combination, "cannot use immediate apply method for static parameter: %s", name)
		case withUnit.MatchString(value):
			return apiError("InvalidParameterValue", "Invalid parameter value: %s for: %s", value, name)
		}
	}
	return nil
}

// instanceResult are the outputs of getInstance, with the property of the instance where that has another name.
const instanceResult = `address allocatedStorage autoMinorVersionUpgrade availabilityZone backupRetentionPeriod caCertIdentifier
	dbInstanceArn=arn dbInstanceClass=instanceClass dbInstanceIdentifier=identifier dbInstancePort=port dbName dbSubnetGroup=dbSubnetGroupName
	enabledCloudwatchLogsExports endpoint engine engineVersion=engineVersionActual hostedZoneId id=identifier iops kmsKeyId
	masterUsername=username maxAllocatedStorage monitoringInterval monitoringRoleArn multiAz port preferredBackupWindow=backupWindow
	preferredMaintenanceWindow=maintenanceWindow publiclyAccessible replicateSourceDb resourceId storageEncrypted storageThroughput
	storageType tags vpcSecurityGroups=vpcSecurityGroupIds`

// lookupInstance is getInstance. The password is not among its answers.
func (p *Provider) lookupInstance(args map[string]any) (map[string]any, error) {
	name := str(args["dbInstanceIdentifier"])
	r, ok, err := p.instance(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("reading RDS DB Instance (%s): couldn't find resource", name)
	}
	out := map[string]any{"dbParameterGroups": []any{r.Outputs["parameterGroupName"]}}
	for _, word := range strings.Fields(instanceResult) {
		key, property, renamed := strings.Cut(word, "=")
		if !renamed {
			property = key
		}
		if value := r.Outputs[property]; value != nil {
			out[key] = value
		}
	}
	return out, nil
}
