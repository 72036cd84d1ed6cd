package data

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// BucketsToken is the component's type.
const BucketsToken = "alphapulse:data:Buckets"

// What the buckets hold, by the prefix of its keys. Each prefix has one writer and a retention of its own.
const (
	PostgresBackups = "postgres/" // nightly dumps
	VaultBackups    = "vault/"    // Raft snapshots
	RedisBackups    = "redis/"    // snapshots

	ApplicationLogs = "application/"      // Loki's, which deletes what is too old itself
	AuditTrail      = "audit/cloudtrail/" // who did what in the account, from CloudTrail
	ClusterAudit    = "audit/eks/"        // who did what in the cluster, through Firehose
)

// lokiGrace is how many days longer the bucket keeps what Loki writes: it deletes by the age of lines, and what it still knows of must be there.
const lokiGrace = 7

// The purposes of the buckets, which their names end with.
const (
	backups    = "backups"
	logs       = "logs"
	accessLogs = "access-logs"
)

// BucketsArgs are what the buckets are made from.
type BucketsArgs struct {
	// Name is the environment's prefix; Prefix begins the buckets' own names, which the whole world shares.
	Name, Prefix string
	AWS          config.AWS
	Retention    config.Retention
	Keys         *security.Keys
	Protect      bool
}

// Buckets are where backups and logs lie, and who looked at them (D5).
type Buckets struct {
	pulumi.ResourceState

	Backups, Logs, AccessLogs *Bucket
}

// Bucket is a bucket as those see it who write to it.
type Bucket struct {
	Name, ARN pulumi.StringOutput
	// Policy is the bucket's: what writes by its leave must wait for it.
	Policy pulumi.Resource
}

// bucketSpec is what differs between the buckets.
type bucketSpec struct {
	purpose string
	// keyARN is nil for S3's own key.
	keyARN    pulumi.StringInput
	versioned bool
	// lockable makes object lock possible, which can be said only once, when a bucket is made; lockDays is what new objects get.
	lockable bool
	lockDays int
	// kept is for how many days, by prefix.
	kept       []kept
	statements []policy.Statement
}

type kept struct {
	prefix string
	days   int
}

// NewBuckets makes the buckets.
func NewBuckets(ctx *pulumi.Context, name string, args *BucketsArgs, opts ...pulumi.ResourceOption) (*Buckets, error) {
	all := &Buckets{}
	if err := ctx.RegisterComponentResource(BucketsToken, name, all, opts...); err != nil {
		return nil, err
	}
	b := &bucketBuilder{ctx: ctx, name: name, args: args, parent: all}
	days := args.Retention
	for _, one := range []struct {
		spec bucketSpec
		made **Bucket
	}{
		// First, since the others write to it. S3 delivers access logs to no bucket with a key of ours, nor to one with object lock.
		{bucketSpec{
			purpose:    accessLogs,
			kept:       []kept{{backups + "/", days.AccessLogs}, {logs + "/", days.AccessLogs}},
			statements: []policy.Statement{b.accessLogWriter()},
		}, &all.AccessLogs},
		{bucketSpec{
			purpose: backups, keyARN: args.Keys.Data, versioned: true, lockable: true, lockDays: days.BackupLock,
			kept:       []kept{{PostgresBackups, days.Backups}, {VaultBackups, days.Backups}, {RedisBackups, days.Backups}},
			statements: b.keepBackups(),
		}, &all.Backups},
		{bucketSpec{
			purpose: logs, keyARN: args.Keys.Data, versioned: true,
			kept:       []kept{{ApplicationLogs, days.ApplicationLogs + lokiGrace}, {AuditTrail, days.AuditLogs}, {ClusterAudit, days.AuditLogs}},
			statements: b.trailWriter(),
		}, &all.Logs},
	} {
		made, err := b.newBucket(one.spec)
		if err != nil {
			return nil, err
		}
		*one.made = made
		if one.spec.purpose != accessLogs {
			if err := b.newAccessLog(one.spec.purpose, made, all.AccessLogs); err != nil {
				return nil, err
			}
		}
	}
	return all, ctx.RegisterResourceOutputs(all, pulumi.Map{
		"backups": all.Backups.Name, "logs": all.Logs.Name, "accessLogs": all.AccessLogs.Name,
	})
}

// bucketNames are the names of the buckets under a prefix.
func bucketNames(prefix string) []string {
	return []string{bucketName(prefix, backups), bucketName(prefix, logs), bucketName(prefix, accessLogs)}
}

func bucketName(prefix, purpose string) string { return prefix + "-" + purpose }
