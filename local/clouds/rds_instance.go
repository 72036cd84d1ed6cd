package clouds

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

var (
	instancePatterns = map[string]*regexp.Regexp{
		"identifier":              regexp.MustCompile(`^[a-z]([a-z0-9]|-[a-z0-9]){0,62}$`),
		"finalSnapshotIdentifier": regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9])*$`),
		"kmsKeyId":                regexp.MustCompile(`^arn:`),
		"backupWindow":            regexp.MustCompile(`^\d\d:\d\d-\d\d:\d\d$`),
		"maintenanceWindow":       regexp.MustCompile(`(?i)^(mon|tue|wed|thu|fri|sat|sun):\d\d:\d\d-(mon|tue|wed|thu|fri|sat|sun):\d\d:\d\d$`),
	}
	databaseName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)
)

// checkInstance refuses what the real provider refuses in preview.
func checkInstance(in map[string]any) error {
	for name, pattern := range instancePatterns {
		if text, ok := in[name].(string); ok && !pattern.MatchString(text) {
			return fmt.Errorf("%q is not a valid %s: it must match %s", text, name, pattern)
		}
	}
	if days, ok := in["backupRetentionPeriod"].(float64); ok && (days < 0 || days > 35) {
		return fmt.Errorf("expected backupRetentionPeriod to be in the range (0 - 35), got %v", days)
	}
	if seconds, ok := in["monitoringInterval"].(float64); ok && !slices.Contains([]float64{0, 1, 5, 10, 15, 30, 60}, seconds) {
		return fmt.Errorf("expected monitoringInterval to be one of 0, 1, 5, 10, 15, 30, 60, got %v", seconds)
	}
	if days, ok := in["performanceInsightsRetentionPeriod"].(float64); ok && days != 7 && days != 731 && int(days)%31 != 0 {
		return fmt.Errorf("expected performanceInsightsRetentionPeriod to be 7, 731 or a multiple of 31, got %v", days)
	}
	if source, ok := in["replicateSourceDb"]; ok {
		for _, name := range []string{"dbName", "username"} {
			if in[name] != nil {
				return fmt.Errorf("%q: conflicts with replicateSourceDb", name)
			}
		}
		if name, known := source.(string); known && in["dbSubnetGroupName"] != nil && !strings.HasPrefix(name, "arn:") {
			return fmt.Errorf(`"replicateSourceDb" must be an ARN when "dbSubnetGroupName" is set`)
		}
	}
	if at(in, "blueGreenUpdate.enabled") == true && in["replicateSourceDb"] != nil {
		return fmt.Errorf(`"blueGreenUpdate.enabled" cannot be set when "replicateSourceDb" is set`)
	}
	if err := oneOf("engine", in["engine"], "postgres"); err != nil { // no other is modelled
		return err
	}
	return oneOf("engineLifecycleSupport", in["engineLifecycleSupport"],
		"open-source-rds-extended-support", "open-source-rds-extended-support-disabled")
}

// instance finds an instance by its identifier, its ARN or RDS's own id.
func (p *Provider) instance(name string) (inventory.Record, bool, error) {
	instances, err := p.all(token(instanceType))
	for _, r := range instances {
		if called(r, name) {
			return r, true, nil
		}
	}
	return inventory.Record{}, false, err
}

func called(r inventory.Record, name string) bool {
	return matches(r, name) || r.Outputs["identifier"] == name
}

func (p *Provider) replicas(source inventory.Record) ([]inventory.Record, error) {
	instances, err := p.all(token(instanceType))
	return slices.DeleteFunc(instances, func(r inventory.Record) bool { return !called(source, str(r.Inputs["replicateSourceDb"])) }), err
}

// admitInstance is what RDS asks of an instance, new or changed.
func admitInstance(p *Provider, r *inventory.Record) error {
	if r.Outputs["engineVersionActual"] == nil {
		if err := p.newInstance(r); err != nil {
			return err
		}
	}
	// A replica is encrypted like its source, asked for or not. A program that does not ask for it finds out at the next refresh, as for
	// real: the property is not computed, and replaces.
	if r.Outputs["storageEncrypted"] == true {
		r.Inputs["storageEncrypted"] = true
	}
	for _, rule := range []func(*inventory.Record) error{storageFits, zonesFit, p.familyFits, observable, namesAreLegal} {
		if err := rule(r); err != nil {
			return err
		}
	}
	return nil
}

// newInstance is CreateDBInstance, or CreateDBInstanceReadReplica where a source is named.
func (p *Provider) newInstance(r *inventory.Record) error {
	if name := str(r.Inputs["replicateSourceDb"]); name != "" {
		return p.newReplica(r, name)
	}
	for _, name := range []string{"allocatedStorage", "engine", "username", "password"} {
		if r.Inputs[name] == nil {
			return fmt.Errorf("%q: required field is not set", name)
		}
	}
	asked := str(r.Inputs["engineVersion"])
	major, minor, err := resolveVersion(asked)
	if oldest := minors[major].oldest; err != nil || minor < oldest {
		return apiError(combination, "Cannot find version %s for postgres", asked)
	}
	setVersionActual(r, major, minor)
	if r.Outputs["backupRetentionPeriod"] == nil {
		r.Outputs["backupRetentionPeriod"] = 0.0 // the provider says 0, where RDS by itself would say 1
	}
	return nil
}

// inherited is what a replica in its source's region has from there.
var inherited = []string{"engine", "engineVersion", "engineVersionActual", "allocatedStorage", "dbName", "username",
	"storageEncrypted", "kmsKeyId", "dbSubnetGroupName"}

func (p *Provider) newReplica(r *inventory.Record, name string) error {
	source, ok, err := p.instance(name)
	if !ok || err != nil {
		return orError(err, "DBInstanceNotFound", "The source instance could not be found: %s", name)
	}
	if number(source.Outputs["backupRetentionPeriod"]) == 0 {
		return apiError("InvalidDBInstanceState", "Automated backups are not enabled for this database instance: %s", name)
	}
	for _, key := range inherited {
		if r.Outputs[key] == nil {
			r.Outputs[key] = source.Outputs[key]
		}
	}
	return nil
}

// minors are, for each major of PostgreSQL, the minors between which RDS makes new instances: 14.18 and 14.19 are refused since
// 1 Oct 2026 (RDS release calendar); the oldest of the others is not modelled. The newest is what a bare major means.
var minors = map[int]struct{ oldest, newest int }{13: {0, 23}, 14: {20, 20}, 15: {0, 15}, 16: {0, 11}, 17: {0, 7}, 18: {1, 1}}

// resolveVersion reads "14" as the newest 14, and nothing as the newest of RDS's default major.
func resolveVersion(asked string) (major, minor int, err error) {
	if asked == "" {
		asked = "17"
	}
	before, after, exact := strings.Cut(asked, ".")
	if major, err = strconv.Atoi(before); err != nil {
		return 0, 0, err
	}
	minor = minors[major].newest
	if exact {
		if minor, err = strconv.Atoi(after); err != nil {
			return 0, 0, err
		}
	}
	if minor == 0 || minor > minors[major].newest {
		return 0, 0, fmt.Errorf("RDS has no PostgreSQL %s", asked)
	}
	return major, minor, nil
}

func setVersionActual(r *inventory.Record, major, minor int) {
	r.Outputs["engineVersionActual"] = fmt.Sprintf("%d.%d", major, minor)
	if r.Inputs["engineVersion"] == nil {
		r.Outputs["engineVersion"] = r.Outputs["engineVersionActual"]
	}
}

// majorOf is the major that an instance runs.
func majorOf(r inventory.Record) int {
	major, _, _ := resolveVersion(str(r.Outputs["engineVersionActual"]))
	return major
}

// striped is the size from which a volume has four disks, in GiB.
const striped = 400

// storageFits knows gp3 (RDS user guide, "gp3 storage"): from 400 GiB PostgreSQL's volume is striped, and what it includes is the
// least that can be asked for; below, nothing can.
func storageFits(r *inventory.Record) error {
	size, most := number(r.Outputs["allocatedStorage"]), number(r.Inputs["maxAllocatedStorage"])
	iops, throughput := number(r.Inputs["iops"]), number(r.Inputs["storageThroughput"])
	gp3, striped := r.Inputs["storageType"] == "gp3", size >= striped
	switch {
	case size < 20 || size > 65536:
		return apiError(combination, "Invalid storage size for engine name postgres: %d", size)
	case most != 0 && most*10 < size*11:
		return apiError(combination, "maxAllocatedStorage %d must be at least 10%% more than the storage, which is %d", most, size)
	case gp3 && !striped && (iops != 0 || throughput != 0):
		return apiError(combination, "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400.")
	case gp3 && iops != 0 && (iops < 12000 || iops > 64000):
		return apiError(combination, "Invalid iops value for engine postgres and storage type gp3: %d, must be 12000 to 64000", iops)
	case gp3 && throughput != 0 && (throughput < 500 || throughput > 4000):
		return apiError(combination, "Invalid storage throughput for engine postgres and storage type gp3: %d, must be 500 to 4000", throughput)
	}
	if gp3 {
		included := map[string]float64{"iops": 3000, "storageThroughput": 125}
		if striped {
			included = map[string]float64{"iops": 12000, "storageThroughput": 500}
		}
		for key, value := range included {
			if r.Inputs[key] == nil {
				r.Outputs[key] = value
			}
		}
	}
	return nil
}

func zonesFit(r *inventory.Record) error {
	if r.Inputs["multiAz"] == true && r.Inputs["availabilityZone"] != nil {
		return apiError(combination, "Requesting a specific availability zone is not valid for Multi-AZ instances.")
	}
	return nil
}

// familyFits: an instance's parameters are of its major. Without a group of its own it has AWS's.
func (p *Provider) familyFits(r *inventory.Record) error {
	family := fmt.Sprintf("postgres%d", majorOf(*r))
	name := str(r.Inputs["parameterGroupName"])
	if name == "" {
		r.Outputs["parameterGroupName"] = "default." + family
		return nil
	}
	group, _, err := p.find("rds.ParameterGroup", name)
	if has := group.Inputs["family"]; has != family {
		return orError(err, combination, "The parameter group %s with DBParameterGroupFamily %v cannot be used for this instance. "+
			"Please use a Parameter Group with DBParameterGroupFamily %s", name, has, family)
	}
	return nil
}

func observable(r *inventory.Record) error {
	if number(r.Inputs["monitoringInterval"]) != 0 && str(r.Inputs["monitoringRoleArn"]) == "" {
		return apiError(combination, "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
	}
	for _, kind := range strs(r.Inputs["enabledCloudwatchLogsExports"]) {
		if !slices.Contains([]string{"postgresql", "upgrade", "iam-db-auth-error"}, kind) {
			return apiError(combination, "You cannot use the log types '%s' with engine version postgres %v.",
				kind, r.Outputs["engineVersionActual"])
		}
	}
	return nil
}

func namesAreLegal(r *inventory.Record) error {
	if name, given := r.Inputs["dbName"].(string); given && !databaseName.MatchString(name) {
		return apiError("InvalidParameterValue", "DBName must begin with a letter and contain only alphanumeric characters: %s", name)
	}
	password, given := r.Inputs["password"].(string)
	illegal := strings.ContainsFunc(password, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`/@"`, c) })
	if given && (illegal || len(password) < 8 || len(password) > 128) {
		return apiError("InvalidParameterValue", "The parameter MasterUserPassword is not a valid password: it takes 8 to 128 printable "+
			"ASCII characters besides '/', '@', '\"', ' '")
	}
	return nil
}
