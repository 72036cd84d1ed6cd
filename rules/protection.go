package rules

// protectionRules are for stacks that protect what they hold: what holds data, or cannot be made again, goes by no mistake (S4, E1). Pulumi's
// own protection stops a plan; the rest also stops whoever comes past Pulumi.
var protectionRules = []Rule{
	protecting("unprotected", unprotected, database, "aws:rds/cluster:Cluster", bucket, kmsKey, eksCluster, repository,
		"aws:efs/fileSystem:FileSystem", "aws:ebs/volume:Volume", "aws:dynamodb/table:Table", "kubernetes:core/v1:PersistentVolumeClaim"),
	protecting("database-deletable", deletionProtected, database, "aws:rds/cluster:Cluster"),
	protecting("emptied-on-deletion", all(emptied("forceDestroy"), emptied("forceDelete")), bucket, repository),
	protecting("volumes-deleted", all(keepsVolumes("whenDeleted"), keepsVolumes("whenScaled")), "kubernetes:apps/v1:StatefulSet"),
}

const repository = "aws:ecr/repository:Repository"

// protecting is a row that holds in stacks that protect what they hold.
func protecting(name string, holds check, types ...string) Rule {
	row := guardrail(name, holds, types...)
	row.Protecting = true
	return row
}

// unprotected: a replica holds nothing that its source does not have.
func unprotected(in Resource) []Finding {
	if in.Protected || in.At("replicateSourceDb").IsSet() {
		return nil
	}
	return Value{path: "protect", raw: false}.Breaks("it holds data, or cannot be made again, and a mistake could delete it", "pass pulumi.Protect(true)")
}

func deletionProtected(in Resource) []Finding {
	if in.At("replicateSourceDb").IsSet() {
		return nil
	}
	return must("deletionProtection", true, "who may change it may delete it", "set it to true")(in)
}

func emptied(path string) check {
	return mustNot(path, true, "who deletes it deletes what is in it", "leave it out")
}

func keepsVolumes(when string) check {
	return mustNot("spec.persistentVolumeClaimRetentionPolicy."+when, "Delete", "the pods' volumes go with them", "set it to Retain")
}
