package data

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/lookup"
)

// upgradeRunbook is how a new major is reached.
const upgradeRunbook = "docs/runbooks/postgres-major-upgrade.md"

// InspectPostgres asks AWS, in previews too, for the instance that is there, and refuses what would lose its data or what AWS would refuse
// half way through an update. No instance is no problem; an AWS that does not answer is an error. The warning names what RDS will do in the
// maintenance window only, where it is told to wait for that.
func InspectPostgres(ctx *pulumi.Context, name string, spec config.Postgres, protect bool, opts ...pulumi.InvokeOption) (config.Problems, string, error) {
	running, err := rds.LookupInstance(ctx, &rds.LookupInstanceArgs{DbInstanceIdentifier: &name}, opts...)
	switch {
	case lookup.Missing(err):
		return nil, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("asking for the database instance %s: %w", name, err)
	}
	var problems config.Problems
	add := func(key string, value any, want string, args ...any) {
		problems = append(problems, config.Problem{
			Key: config.Namespace + ":data.postgres." + key, Value: fmt.Sprint(value), Want: fmt.Sprintf(want, args...),
		})
	}
	switch least := leastLarger(running.AllocatedStorage); {
	case spec.StorageGiB < running.AllocatedStorage:
		add("storageGiB", spec.StorageGiB, "the instance %s has %d GiB, and RDS storage never shrinks: a smaller instance would be a new one, without the data; "+
			"set at least %d", name, running.AllocatedStorage, running.AllocatedStorage)
	case spec.StorageGiB > running.AllocatedStorage && spec.StorageGiB < least:
		add("storageGiB", spec.StorageGiB, "the instance %s has %d GiB, and RDS storage grows by a tenth at least; leave it, or set at least %d",
			name, running.AllocatedStorage, least)
	}
	switch wanted, now := version(spec.Version), version(running.EngineVersion); {
	case wanted.major < now.major || wanted.major == now.major && wanted.pinned && wanted.minor < now.minor:
		add("version", spec.Version, "the instance %s runs %s, and PostgreSQL does not go back; set %q, or at least %q",
			name, running.EngineVersion, strconv.Itoa(now.major), running.EngineVersion)
	case wanted.major > now.major:
		add("version", spec.Version, "the instance %s runs %s, and a new major is no change of config: follow %s, then set it here",
			name, running.EngineVersion, upgradeRunbook)
	case wanted.minor > now.minor && spec.Replica:
		behind, err := replicaBehind(ctx, replicaOf(name), wanted, opts)
		if err != nil {
			return nil, "", err
		}
		if behind != "" {
			add("version", spec.Version, "the read replica %[1]s runs %[2]s, and RDS takes a replica to a new minor before its source: first run "+
				"`aws rds modify-db-instance --db-instance-identifier %[1]s --engine-version %[3]s --apply-immediately`, then "+
				"`aws rds wait db-instance-available --db-instance-identifier %[1]s`", replicaOf(name), behind, spec.Version)
		}
	}
	return problems, waitingFor(running, spec, protect), nil
}

// replicaBehind is what the read replica runs, if that is less than what is wanted of its source. RDS refuses the source then
// (DBUpgradeDependencyFailure), and a plan changes the source first, since the replica is made of it. A replica that is not there is not behind.
func replicaBehind(ctx *pulumi.Context, name string, wanted engineVersion, opts []pulumi.InvokeOption) (string, error) {
	replica, err := rds.LookupInstance(ctx, &rds.LookupInstanceArgs{DbInstanceIdentifier: &name}, opts...)
	switch {
	case lookup.Missing(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("asking for the read replica %s: %w", name, err)
	}
	if now := version(replica.EngineVersion); now.major == wanted.major && now.minor < wanted.minor {
		return replica.EngineVersion, nil
	}
	return "", nil
}

// leastLarger is what storage can grow to in one step: RDS wants a tenth more at least (AWS docs, ModifyDBInstance, AllocatedStorage). Less is
// refused, or rounded up, and then the stack file would ask for storage that shrinks.
func leastLarger(storageGiB int) int { return (storageGiB*11 + 9) / 10 }

// appliesAtOnce: where people depend on the database, what is changed waits for the window, unless the stack file says that it is not to.
func appliesAtOnce(spec config.Postgres, protect bool) bool { return spec.ApplyImmediately || !protect }

func waitingFor(running *rds.LookupInstanceResult, spec config.Postgres, protect bool) string {
	if appliesAtOnce(spec, protect) {
		return ""
	}
	var list []string
	for _, c := range []struct {
		key           string
		wanted, found any
	}{
		{"instanceType", spec.InstanceType, running.DbInstanceClass},
		{"storageGiB", spec.StorageGiB, running.AllocatedStorage},
		{"multiAZ", spec.MultiAZ, running.MultiAz},
	} {
		if c.wanted != c.found {
			list = append(list, fmt.Sprintf("%s %v (it is %v)", c.key, c.wanted, c.found))
		}
	}
	if v := version(spec.Version); v.pinned && spec.Version != running.EngineVersion {
		list = append(list, fmt.Sprintf("version %s (it is %s)", spec.Version, running.EngineVersion))
	}
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("%s:data.postgres: %s: RDS changes that in its maintenance window (%s UTC), and every plan shows it until then; "+
		"applyImmediately: true does not wait: a class, a version and Multi-AZ take the database away for about a minute then, storage does not",
		config.Namespace, strings.Join(list, ", "), maintenanceWindow)
}

// engineVersion is a version of PostgreSQL; a major alone is not pinned.
type engineVersion struct {
	major, minor int
	pinned       bool
}

// version reads a version that config has checked, or AWS has given.
func version(text string) (v engineVersion) {
	major, minor, pinned := strings.Cut(text, ".")
	v.pinned = pinned
	v.major, _ = strconv.Atoi(major)
	v.minor, _ = strconv.Atoi(minor)
	return v
}
