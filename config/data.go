package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Data is where the platform keeps what it knows (D1-D5).
type Data struct {
	// BucketPrefix begins the names of the S3 buckets, which are shared with the whole world. Left out it is the environment's name
	// and the account's number.
	BucketPrefix string   `json:"bucketPrefix"`
	Postgres     Postgres `json:"postgres"`
	// Retention is how long things are kept, in days.
	Retention Retention `json:"retention"`
}

// Postgres is the RDS instance (D1).
type Postgres struct {
	// Version is a major ("14") or a minor ("14.20"); with a major RDS chooses the minor, and upgrades it in the maintenance window.
	Version      string `json:"version"`
	InstanceType string `json:"instanceType"`
	StorageGiB   int    `json:"storageGiB"`
	// IOPS and Throughput (MiB/s) are left out for what gp3 includes.
	IOPS       int  `json:"iops"`
	Throughput int  `json:"throughput"`
	MultiAZ    bool `json:"multiAZ"`
	// Replica is one read replica in the region's second zone.
	Replica bool `json:"replica"`
	// BackupDays is how far back point-in-time recovery reaches.
	BackupDays int `json:"backupDays"`
	// ApplyImmediately is for a change of the class, the storage, the version or Multi-AZ that is not to wait for the maintenance window, in an
	// environment that is protected; others never wait. Plans show what waits again until it is done.
	ApplyImmediately bool `json:"applyImmediately"`
}

// Retention of what lies in buckets, in days.
type Retention struct {
	// BackupLock is how long a backup can be neither deleted nor overwritten; 0 leaves that out.
	BackupLock      int `json:"backupLock"`
	Backups         int `json:"backups"`
	ApplicationLogs int `json:"applicationLogs"`
	AuditLogs       int `json:"auditLogs"`
	AccessLogs      int `json:"accessLogs"`
}

// What RDS says about gp3 with PostgreSQL (AWS docs, "Amazon RDS DB instance storage"): from 400 GiB on the volume is striped over four,
// and begins with four times the baseline.
const (
	GP3StripedGiB    = 400
	GP3MinIOPS       = 12000
	GP3MaxIOPS       = 64000
	GP3MinThroughput = 500
	GP3MaxThroughput = 4000
)

// Performance of a volume.
type Performance struct{ IOPS, Throughput int }

// IncludedInGP3 is what a volume of the size includes, where it can be asked for: when a volume grows over the boundary the provider would
// ask for what it had before, which RDS refuses (github.com/hashicorp/terraform-provider-aws/issues/28382).
func IncludedInGP3(storageGiB int) Performance {
	if storageGiB < GP3StripedGiB {
		return Performance{}
	}
	return Performance{GP3MinIOPS, GP3MinThroughput}
}

// OldestMinors has the first minor of a major that RDS still makes new instances of, since 1 Oct 2026. Minors go oldest first.
var OldestMinors = map[string]int{"14": 20}

var (
	// "-access-logs" is the longest suffix, and S3's names have at most 63 characters.
	bucketPrefix    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,49}[a-z0-9]$`)
	postgresVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

// Major is the version's first number: parameter groups and support go by it.
func (p Postgres) Major() string {
	major, _, _ := strings.Cut(p.Version, ".")
	return major
}

// SupportEnds is the last day of RDS's standard support for the version.
func (p Postgres) SupportEnds() time.Time { return PostgresSupport[p.Major()] }

func (d *Data) setDefaults(p Platform) {
	if d.BucketPrefix == "" && environmentName.MatchString(p.Environment) && accountID.MatchString(p.AWS.Account) { // else that is said there
		d.BucketPrefix = p.Name() + "-" + p.AWS.Account
	}
}

func (d Data) validate() (ps Problems) {
	if d.BucketPrefix != "" && !bucketPrefix.MatchString(d.BucketPrefix) || strings.HasPrefix(d.BucketPrefix, "xn--") {
		ps.add("bucketPrefix", d.BucketPrefix, "must be 3 to 51 lower-case letters, digits or hyphens: buckets are named <prefix>-backups, <prefix>-access-logs")
	}
	ps = append(ps, d.Postgres.validate().under("postgres.")...)
	return append(ps, d.Retention.validate().under("retention.")...)
}

func (p Postgres) validate() (ps Problems) {
	p.validateVersion(&ps)
	if _, ok := FindDatabaseClass(p.InstanceType); !ok {
		ps.add("instanceType", p.InstanceType, "is not in the table of RDS instance classes; legal: %s", strings.Join(databaseClassNames(), ", "))
	}
	if p.StorageGiB < 20 || p.StorageGiB > 65536 {
		ps.add("storageGiB", p.StorageGiB, "must be 20 to 65536 GiB")
	}
	switch {
	case p.StorageGiB < GP3StripedGiB:
		for key, value := range map[string]int{"iops": p.IOPS, "throughput": p.Throughput} {
			if value != 0 {
				ps.add(key, value, "cannot be chosen for gp3 below %d GiB: RDS refuses it; leave it out (3000 IOPS and 125 MiB/s are included)", GP3StripedGiB)
			}
		}
	default:
		if p.IOPS != 0 && (p.IOPS < GP3MinIOPS || p.IOPS > GP3MaxIOPS) {
			ps.add("iops", p.IOPS, "must be %d to %d for gp3 from %d GiB on: RDS refuses less; leave it out for the %d that are included", GP3MinIOPS, GP3MaxIOPS, GP3StripedGiB, GP3MinIOPS)
		}
		if p.Throughput != 0 && (p.Throughput < GP3MinThroughput || p.Throughput > GP3MaxThroughput) {
			ps.add("throughput", p.Throughput, "must be %d to %d MiB/s for gp3 from %d GiB on; leave it out for the %d that are included", GP3MinThroughput, GP3MaxThroughput, GP3StripedGiB, GP3MinThroughput)
		}
	}
	// 0 would turn backups off: then there is no point-in-time recovery, and no replica can be made.
	if p.BackupDays < 1 || p.BackupDays > 35 {
		ps.add("backupDays", p.BackupDays, "must be 1 to 35 days")
	}
	return ps
}

func (p Postgres) validateVersion(ps *Problems) {
	if _, ok := PostgresSupport[p.Major()]; !ok || !postgresVersion.MatchString(p.Version) {
		ps.add("version", p.Version, "is not a PostgreSQL version that RDS has under standard support; legal: %s, or a minor of these",
			strings.Join(sortedKeys(PostgresSupport), ", "))
		return
	}
	oldest, listed := OldestMinors[p.Major()]
	if _, minor, pinned := strings.Cut(p.Version, "."); pinned && listed {
		if n, err := strconv.Atoi(minor); err != nil || n < oldest {
			ps.add("version", p.Version, "RDS makes no new instances of it since 1 Oct 2026; use %s.%d or later, or %q for the newest", p.Major(), oldest, p.Major())
		}
	}
}

func (r Retention) validate() (ps Problems) {
	for _, kept := range []struct {
		key  string
		days int
	}{
		{"backups", r.Backups}, {"applicationLogs", r.ApplicationLogs}, {"auditLogs", r.AuditLogs}, {"accessLogs", r.AccessLogs},
	} {
		if kept.days < 1 || kept.days > 3650 {
			ps.add(kept.key, kept.days, "must be 1 to 3650 days")
		}
	}
	if r.BackupLock < 0 || r.BackupLock > r.Backups {
		ps.add("backupLock", r.BackupLock, "must be 0 to %d days: a locked backup cannot expire before its lock", r.Backups)
	}
	return ps
}
