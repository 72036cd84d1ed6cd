package data

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

const (
	// The quiet hours of both regions' markets, UTC. Backups end before maintenance begins: RDS refuses windows that overlap.
	backupWindow      = "03:00-04:00"
	maintenanceWindow = "sun:04:30-sun:05:30"

	monitoringSeconds = 60
	insightsDays      = 7 // what costs nothing
)

// instance are the settings that the primary and its replica share (D1).
func (b *postgresBuilder) instance(identifier string) *rds.InstanceArgs {
	spec, keys := b.args.Spec, b.args.Keys
	pinned := strings.Contains(spec.Version, ".")
	included := config.IncludedInGP3(spec.StorageGiB)
	return &rds.InstanceArgs{
		Identifier:    pulumi.String(identifier),
		InstanceClass: pulumi.String(spec.InstanceType),

		AllocatedStorage:  pulumi.Int(spec.StorageGiB),
		StorageType:       pulumi.String("gp3"),
		Iops:              chosen(spec.IOPS, included.IOPS),
		StorageThroughput: chosen(spec.Throughput, included.Throughput),
		// A replica is encrypted with its source's key, but has to say that it is: left out, it would be replaced in every plan.
		StorageEncrypted: pulumi.Bool(true),

		PubliclyAccessible:  pulumi.Bool(false),
		VpcSecurityGroupIds: pulumi.StringArray{b.group.ID()},
		ParameterGroupName:  b.parameters.Name,

		CopyTagsToSnapshot: pulumi.Bool(true),
		MaintenanceWindow:  pulumi.String(maintenanceWindow),
		ApplyImmediately:   pulumi.Bool(appliesAtOnce(spec, b.args.Protect)),
		// With a pinned minor it would drift away from the config.
		AutoMinorVersionUpgrade: pulumi.Bool(!pinned),
		// A new major is a step of its own, with a runbook and a rehearsal, never a side effect of a plan.
		AllowMajorVersionUpgrade: pulumi.Bool(false),

		PerformanceInsightsEnabled:         pulumi.Bool(true),
		PerformanceInsightsKmsKeyId:        keys.Data,
		PerformanceInsightsRetentionPeriod: pulumi.Int(insightsDays),
		MonitoringInterval:                 pulumi.Int(monitoringSeconds),
		MonitoringRoleArn:                  b.monitoring.Arn,
		EnabledCloudwatchLogsExports:       pulumi.ToStringArray(exportedLogs),
		Tags:                               pulumi.StringMap{"Name": pulumi.String(identifier)},
	}
}

// newPrimary makes the instance that is written to.
func (b *postgresBuilder) newPrimary() (err error) {
	if b.master, err = security.NewPassword(b.ctx, b.child("master"), b.under()); err != nil {
		return err
	}
	// A snapshot's name is taken for as long as the snapshot is kept, which is after the instance. What replaces the instance therefore
	// makes a new name too.
	last, err := random.NewRandomId(b.ctx, b.child("final-snapshot"), &random.RandomIdArgs{
		ByteLength: pulumi.Int(4),
		Keepers:    pulumi.StringMap{"instance": pulumi.String(b.args.Name), "key": b.args.Keys.Data},
	}, b.under())
	if err != nil {
		return creating("the name of the database's final snapshot", err)
	}
	args := b.instance(b.args.Name)
	args.Engine = pulumi.String("postgres")
	args.EngineVersion = pulumi.String(b.args.Spec.Version)
	// With extended support off, AWS upgrades the major by itself when standard support ends, and the choice is for ever (D1).
	args.EngineLifecycleSupport = pulumi.String("open-source-rds-extended-support")
	args.MultiAz = pulumi.Bool(b.args.Spec.MultiAZ)
	args.DbSubnetGroupName = b.subnets.Name
	args.Port = pulumi.Int(postgresPort)
	args.KmsKeyId = b.args.Keys.Data
	args.DbName = pulumi.String(databaseName)
	args.Username = pulumi.String(masterUser)
	args.Password = b.master
	args.BackupRetentionPeriod = pulumi.Int(b.args.Spec.BackupDays)
	args.BackupWindow = pulumi.String(backupWindow)
	args.DeleteAutomatedBackups = pulumi.Bool(!b.args.Protect)
	args.DeletionProtection = pulumi.Bool(b.args.Protect)
	args.SkipFinalSnapshot = pulumi.Bool(!b.args.Protect)
	args.FinalSnapshotIdentifier = pulumi.Sprintf("%s-final-%s", b.args.Name, last.Hex)
	b.primary, err = rds.NewInstance(b.ctx, b.name, args, append(b.lifecycle(b.args.Name), pulumi.Protect(b.args.Protect))...)
	return creating("the database instance "+b.args.Name, err)
}

// newReplica makes the read replica. It stands in its source's subnet group, which in the same region is neither said nor allowed beside an
// identifier (provider docs), and has no backups and no final snapshot: nothing of it is its own, so it is not protected either.
func (b *postgresBuilder) newReplica() error {
	if !b.args.Spec.Replica {
		b.parent.ReplicaAddress = pulumi.String("").ToStringOutput()
		return nil
	}
	args := b.instance(b.replicaIdentifier())
	args.ReplicateSourceDb = b.primary.Identifier
	args.AvailabilityZone = pulumi.String(b.replicaZone)
	args.SkipFinalSnapshot = pulumi.Bool(true)
	replica, err := rds.NewInstance(b.ctx, b.child("replica"), args, b.lifecycle(b.replicaIdentifier())...)
	if err != nil {
		return creating("the read replica "+b.replicaIdentifier(), err)
	}
	b.parent.ReplicaAddress = replica.Address
	return nil
}

// lifecycle are the options of an instance. RDS takes its time: 20 to 40 minutes for a Multi-AZ instance, longer for a change of class.
func (b *postgresBuilder) lifecycle(identifier string) []pulumi.ResourceOption {
	return []pulumi.ResourceOption{
		b.under(),
		pulumi.DeleteBeforeReplace(true), // the identifier is taken until the old one is gone
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "60m", Update: "80m", Delete: "60m"}),
		// The logs' groups must be there before the first line, and the role must be allowed to write what it is asked for.
		pulumi.DependsOn(append(b.logs[identifier], b.monitoring.Permissions...)),
	}
}

// chosen is a number of config, or what there is without; 0 is left out.
func chosen(n, otherwise int) pulumi.IntPtrInput {
	if n == 0 {
		n = otherwise
	}
	if n == 0 {
		return nil
	}
	return pulumi.Int(n)
}
