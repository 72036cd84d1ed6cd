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
// half way through an update. No instance is no problem; an AWS that does not answer is an error.
func InspectPostgres(ctx *pulumi.Context, name string, spec config.Postgres, opts ...pulumi.InvokeOption) (config.Problems, error) {
	running, err := rds.LookupInstance(ctx, &rds.LookupInstanceArgs{DbInstanceIdentifier: &name}, opts...)
	switch {
	case lookup.Missing(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("asking for the database instance %s: %w", name, err)
	}
	var problems config.Problems
	add := func(key string, value any, want string, args ...any) {
		problems = append(problems, config.Problem{
			Key: config.Namespace + ":data.postgres." + key, Value: fmt.Sprint(value), Want: fmt.Sprintf(want, args...),
		})
	}
	if spec.StorageGiB < running.AllocatedStorage {
		add("storageGiB", spec.StorageGiB, "the instance %s has %d GiB, and RDS storage never shrinks: a smaller instance would be a new one, without the data; "+
			"set at least %d", name, running.AllocatedStorage, running.AllocatedStorage)
	}
	switch wanted, now := version(spec.Version), version(running.EngineVersion); {
	case wanted.major < now.major || wanted.major == now.major && wanted.pinned && wanted.minor < now.minor:
		add("version", spec.Version, "the instance %s runs %s, and PostgreSQL does not go back; set %q, or at least %q",
			name, running.EngineVersion, strconv.Itoa(now.major), running.EngineVersion)
	case wanted.major > now.major:
		add("version", spec.Version, "the instance %s runs %s, and a new major is no change of config: follow %s, then set it here",
			name, running.EngineVersion, upgradeRunbook)
	}
	return problems, nil
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
