package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/alphapulse/infrastructure/config"
)

const database = "aws:rds/instance:Instance"

// databaseRules are RDS's for instances, mainly of PostgreSQL (D1, D3).
var databaseRules = []Rule{
	{Name: "rds-gp3-performance", Types: []string{database}, Source: "AWS docs", Check: gp3Performance},
	{Name: "rds-storage-type", Types: []string{database}, Source: "AWS docs", Check: storageType},
	{Name: "rds-engine-version", Types: []string{database}, Source: "AWS docs, refused for new instances since 1 Oct 2026",
		Check: engineVersion},
	{Name: "rds-lifecycle-support", Types: []string{database}, Source: "requirement D1",
		Check: mustNot("engineLifecycleSupport", "open-source-rds-extended-support-disabled",
			"AWS then upgrades the major version by itself when its support ends, and only a restore changes this setting",
			"leave it unset, and schedule the upgrade")},
	{Name: "rds-replica-source", Types: []string{database}, Source: "pulumi-aws docs", Check: replicaSource},
	{Name: "rds-replica-inherits", Types: []string{database}, Source: "pulumi-aws docs", Check: ofReplica(true,
		unset("a replica has its source's", "leave it unset on the replica", "username", "password", "dbName", "manageMasterUserPassword"))},
	{Name: "rds-backups", Types: []string{database}, Source: "requirement D3; AWS refuses a replica of an instance without backups", Check: all(
		when("engine", "postgres", ofReplica(false, backups)), between("backupRetentionPeriod", 0, 35, "a number of days that RDS keeps backups"))},
	{Name: "rds-master-password", Types: []string{database}, Source: "requirement D4",
		Check: mustNot("manageMasterUserPassword", true,
			"RDS changes the password every 7 days, and what read a URL once at its start is locked out", "set password from a generated secret")},
	{Name: "rds-final-snapshot", Types: []string{database}, Source: "AWS docs", Check: finalSnapshot},
	{Name: "rds-monitoring", Types: []string{database}, Source: "AWS docs", Check: monitoring},
	{Name: "rds-insights-retention", Types: []string{database}, Source: "AWS docs", Check: insightsRetention},
	{Name: "rds-log-exports", Types: []string{database}, Source: "AWS docs", Check: when("engine", "postgres", logExports)},
	{Name: "rds-encryption-key", Types: []string{database}, Source: "pulumi-aws docs", Check: all(
		like("kmsKeyId", arn, "RDS reports the key's ARN, and anything else is a change for ever", "give the key's ARN"),
		ofReplica(false, func(in Resource) []Finding {
			if !in.At("kmsKeyId").IsSet() {
				return nil
			}
			return must("storageEncrypted", true, "the key is not used", "set it to true")(in)
		}))},
	{Name: "rds-multi-az", Types: []string{database}, Source: "AWS docs", Check: when("multiAz", true,
		unset("RDS chooses the zones of a Multi-AZ instance", "leave it unset; the subnet group decides which zones there are",
			"availabilityZone"))},
	{Name: "rds-subnets", Types: []string{"aws:rds/subnetGroup:SubnetGroup"}, Source: "AWS docs",
		Check: atLeast("subnetIds", 2, "RDS wants subnets in two zones at least", "name a subnet of each zone")},
}

var arn = regexp.MustCompile(`^arn:aws[a-z-]*:`)

// ofReplica limits a check to replicas, or to all others. While nobody knows which it is, nothing is checked.
func ofReplica(replica bool, then check) check {
	return func(in Resource) []Finding {
		if in.At("replicateSourceDb").IsEmpty() == replica {
			return nil
		}
		return then(in)
	}
}

// gp3Performance: RDS stripes PostgreSQL's gp3 storage over four volumes from a size on.
func gp3Performance(in Resource) (found []Finding) {
	size, known := in.At("allocatedStorage").Number()
	if !known || !in.At("engine").Is("postgres") || !in.At("storageType").Is("gp3") {
		return nil
	}
	for _, p := range []struct {
		argument, unit string
		least, most    float64
	}{
		{"iops", "IOPS", config.GP3MinIOPS, config.GP3MaxIOPS}, {"storageThroughput", "MiB/s", config.GP3MinThroughput, config.GP3MaxThroughput},
	} {
		v := in.At(p.argument)
		n, known := v.Number()
		switch {
		case size < config.GP3StripedGiB && v.IsSet():
			found = append(found, v.Breaks(fmt.Sprintf("gp3 with PostgreSQL below %d GiB has a fixed performance", config.GP3StripedGiB), "leave "+p.argument+" unset")...)
		case size >= config.GP3StripedGiB && known && n < p.least:
			found = append(found, v.Breaks(fmt.Sprintf("gp3 with PostgreSQL from %d GiB starts at %g %s", config.GP3StripedGiB, p.least, p.unit),
				fmt.Sprintf("leave %s unset or set at least %g", p.argument, p.least))...)
		case size >= config.GP3StripedGiB && known && n > p.most:
			found = append(found, v.Breaks(fmt.Sprintf("gp3 with PostgreSQL ends at %g %s", p.most, p.unit), fmt.Sprintf("set %g at most", p.most))...)
		}
	}
	return found
}

func storageType(in Resource) (found []Finding) {
	kind := in.At("storageType")
	if !kind.IsKnown() {
		return nil
	}
	iops := in.At("iops")
	if iops.IsSet() && (kind.Is("gp2") || kind.Is("standard")) {
		found = append(found, iops.Breaks("storage of this type takes none", "leave it unset, or use gp3")...)
	}
	if throughput := in.At("storageThroughput"); throughput.IsSet() && !kind.Is("gp3") {
		found = append(found, throughput.Breaks("only gp3 takes it", "leave it unset, or use gp3")...)
	}
	return found
}

func engineVersion(in Resource) []Finding {
	v := in.At("engineVersion")
	text, _ := v.Text()
	major, minor, named := strings.Cut(text, ".")
	oldest, listed := config.OldestMinors[major]
	n, err := strconv.Atoi(minor)
	if !in.At("engine").Is("postgres") || !named || !listed || err != nil || n >= oldest {
		return nil
	}
	return v.Breaks("RDS makes no new instance of this minor version", fmt.Sprintf("use %s.%d or later, or %s for its newest",
		major, oldest, major))
}

func replicaSource(in Resource) []Finding {
	source := in.At("replicateSourceDb")
	if name, ok := source.Text(); ok && in.At("dbSubnetGroupName").IsSet() && name != "" && !arn.MatchString(name) {
		return source.Breaks("with dbSubnetGroupName the source must be named by its ARN", "use the source's arn, or leave dbSubnetGroupName unset")
	}
	return nil
}

func backups(in Resource) []Finding {
	days := in.At("backupRetentionPeriod")
	if days.IsSet() && !days.Is(0.) {
		return nil
	}
	return days.Breaks("there are no backups then", "keep them for 1 to 35 days")
}

// finalSnapshot: what is missing is only noticed when the instance is deleted.
func finalSnapshot(in Resource) []Finding {
	skip := in.At("skipFinalSnapshot")
	switch replica := in.At("replicateSourceDb"); {
	case !skip.IsKnown() || !replica.IsKnown():
		return nil
	case !replica.IsEmpty() && !skip.Is(true):
		return skip.Breaks("RDS makes no final snapshot of a replica and refuses to delete it", "set it to true on the replica")
	case replica.IsEmpty() && !skip.Is(true) && in.At("finalSnapshotIdentifier").IsEmpty():
		return in.At("finalSnapshotIdentifier").Breaks("the instance cannot be deleted without a name for its final snapshot", "name the snapshot")
	}
	return nil
}

func monitoring(in Resource) []Finding {
	seconds := in.At("monitoringInterval")
	found := seconds.oneOf("an interval of enhanced monitoring", set{0., 1., 5., 10., 15., 30., 60.})
	if n, ok := seconds.Number(); ok && n > 0 && in.At("monitoringRoleArn").IsEmpty() {
		found = append(found, in.At("monitoringRoleArn").Breaks("enhanced monitoring needs a role to write with",
			"name a role that monitoring.rds.amazonaws.com takes on")...)
	}
	return found
}

func insightsRetention(in Resource) []Finding {
	days := in.At("performanceInsightsRetentionPeriod")
	n, ok := days.Number()
	if !ok {
		return nil
	}
	if months := n / 31; n != 7 && n != 731 && (months != float64(int(months)) || months < 1 || months > 23) {
		return days.Breaks("is not a retention of Performance Insights", "use 7, 731 or a multiple of 31 up to 713")
	}
	return must("performanceInsightsEnabled", true, "a retention needs something to retain", "set it to true")(in)
}

func logExports(in Resource) (found []Finding) {
	for _, v := range in.At("enabledCloudwatchLogsExports").Items() {
		found = append(found, v.oneOf("a log of PostgreSQL's", set{"postgresql", "upgrade", "iam-db-auth-error"})...)
	}
	return found
}
