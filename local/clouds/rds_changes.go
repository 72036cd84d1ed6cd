package clouds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// updateInstance refuses the ways that an instance cannot go from what it was.
func updateInstance(_ context.Context, p *Provider, old inventory.Record, r *inventory.Record) error {
	if namesake, ok, err := p.instance(str(r.Inputs["identifier"])); err != nil || ok && namesake.ID != r.ID {
		return orError(err, "DBInstanceAlreadyExists", "DB instance already exists: %v", r.Inputs["identifier"])
	}
	was, now := str(old.Inputs["replicateSourceDb"]), str(r.Inputs["replicateSourceDb"])
	if source, _, err := p.instance(now); err != nil || now != "" && now != was && !called(source, was) {
		return orError(err, combination, "cannot elect new source database for replication")
	}
	had, asked := number(old.Outputs["allocatedStorage"]), number(r.Inputs["allocatedStorage"])
	if asked != 0 && asked < had {
		if number(r.Inputs["maxAllocatedStorage"]) <= asked {
			return apiError(combination, "Requested storage size (%d) cannot be less than the current storage size (%d)", asked, had)
		}
		// Storage that has grown by itself stays: the provider takes no notice of the difference.
		r.Inputs["allocatedStorage"], r.Outputs["allocatedStorage"] = float64(had), float64(had)
	}
	if had < asked && 10*asked < 11*had {
		return apiError(combination, "Requested storage size (%d) must be at least 10%% more than the current storage size (%d)", asked, had)
	}
	if asked >= striped && asked != had && r.Inputs["iops"] == nil {
		// The provider sends what it knows of, with a new size (hashicorp/terraform-provider-aws#28382).
		sent := inventory.Record{Inputs: maps.Clone(r.Inputs), Outputs: r.Outputs}
		sent.Inputs["iops"] = old.Outputs["iops"]
		if err := storageFits(&sent); err != nil {
			return err
		}
	}
	replicas, err := p.replicas(old)
	if err != nil {
		return err
	}
	if number(old.Outputs["backupRetentionPeriod"]) > 0 && number(r.Outputs["backupRetentionPeriod"]) == 0 && len(replicas) > 0 {
		return apiError("InvalidDBInstanceState", "backups cannot be turned off: %s is the source of the replica %v",
			r.ID, replicas[0].Outputs["identifier"])
	}
	if r.Inputs["applyImmediately"] == true {
		return p.upgrade(old, r, replicas)
	}
	if err := errors.Join(p.upgrade(old, r, nil), admitInstance(p, r)); err != nil {
		return err
	}
	for _, key := range waiting {
		restore(r.Inputs, old.Inputs, key)
		restore(r.Outputs, old.Outputs, key)
	}
	return nil
}

// waiting is what RDS changes in the maintenance window, unless it is told to at once. Until then it shows what it has, and so does the
// provider: every plan has the change again. The window never comes here.
var waiting = []string{"instanceClass", "allocatedStorage", "iops", "storageThroughput", "multiAz", "engineVersion", "engineVersionActual"}

func restore(to, from map[string]any, key string) {
	delete(to, key)
	if value, ok := from[key]; ok {
		to[key] = value
	}
}

// upgrade moves an instance to the version asked for. The replicas of its region go with it to a new major.
func (p *Provider) upgrade(old inventory.Record, r *inventory.Record, replicas []inventory.Record) error {
	asked := str(r.Inputs["engineVersion"])
	if asked == "" || asked == strconv.Itoa(majorOf(old)) { // the major that it has: RDS chooses the minor
		return nil
	}
	has := str(old.Outputs["engineVersionActual"])
	major, minor, err := resolveVersion(asked)
	_, hasMinor, _ := resolveVersion(has)
	switch {
	case err != nil || major < majorOf(old) || major == majorOf(old) && minor < hasMinor:
		return apiError(combination, "Cannot upgrade postgres from %s to %s", has, asked)
	case major > majorOf(old) && str(r.Inputs["replicateSourceDb"]) != "":
		return apiError(combination, "a read replica goes to a new major version with its source")
	case major > majorOf(old) && r.Inputs["allowMajorVersionUpgrade"] != true:
		return apiError(combination, "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	case at(r.Inputs, "blueGreenUpdate.enabled") == true && (len(replicas) > 0 || number(r.Outputs["backupRetentionPeriod"]) == 0):
		return fmt.Errorf("low-downtime updates need backups, and cannot be used with replicas") // the provider's documentation
	}
	for _, replica := range replicas {
		if _, its, _ := resolveVersion(str(replica.Outputs["engineVersionActual"])); majorOf(replica) == major && its < minor {
			return apiError("DBUpgradeDependencyFailure", "One or more of the DB Instance's read replicas need to be upgraded: %s", replica.ID)
		}
	}
	setVersionActual(r, major, minor)
	if err := admitInstance(p, r); err != nil { // before the replicas change
		return err
	}
	for _, replica := range replicas {
		if majorOf(replica) < major {
			setVersionActual(&replica, major, minor)
			if err := p.put(replica); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteInstance leaves the final snapshot. Replicas live on, as instances of their own.
func deleteInstance(_ context.Context, p *Provider, r inventory.Record) error {
	if r.Inputs["deletionProtection"] == true {
		return apiError(combination, "Cannot delete protected DB Instance, please disable deletion protection and try again.")
	}
	if r.Inputs["skipFinalSnapshot"] != true {
		if err := p.takeFinalSnapshot(r); err != nil {
			return err
		}
	}
	replicas, err := p.replicas(r)
	if err != nil {
		return err
	}
	for _, replica := range replicas {
		delete(replica.Inputs, "replicateSourceDb")
		delete(replica.Outputs, "replicateSourceDb")
		if err := p.put(replica); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) takeFinalSnapshot(r inventory.Record) error {
	name := str(r.Inputs["finalSnapshotIdentifier"])
	if name == "" {
		return fmt.Errorf("finalSnapshotIdentifier is required when skipFinalSnapshot is false")
	}
	if str(r.Inputs["replicateSourceDb"]) != "" {
		return apiError(combination, "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance")
	}
	if _, taken, err := p.get(snapshotType, name); taken || err != nil {
		return orError(err, "DBSnapshotAlreadyExists",
			"Cannot create the snapshot because a snapshot with the identifier %s already exists.", name)
	}
	out := map[string]any{"snapshotType": "manual", "status": "available", "engineVersion": r.Outputs["engineVersionActual"],
		"dbSnapshotArn": fmt.Sprintf("arn:aws:rds:%s:%s:snapshot:%s", p.region, p.account, name), "encrypted": r.Outputs["storageEncrypted"]}
	for _, key := range []string{"allocatedStorage", "engine", "kmsKeyId", "port", "storageType"} {
		out[key] = r.Outputs[key]
	}
	return p.put(inventory.Record{Type: snapshotType, ID: name, Outputs: out,
		Inputs: map[string]any{"dbInstanceIdentifier": r.Outputs["identifier"], "dbSnapshotIdentifier": name}})
}
