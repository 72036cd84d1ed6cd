package cost

import (
	"fmt"

	"github.com/alphapulse/infrastructure/config"
)

// What gp3 includes where more can be bought.
const (
	includedIOPS       = config.GP3MinIOPS
	includedThroughput = config.GP3MinThroughput // MiB/s
)

func (b *builder) addPostgres() {
	spec := b.platform.Data.Postgres
	class, known := config.FindDatabaseClass(spec.InstanceType)
	if !known {
		b.unknown = append(b.unknown, fmt.Errorf("the RDS instance class %q is not known: add it in config/database_classes.go and cost/prices.go",
			spec.InstanceType))
		return
	}
	copies, primary := 1.0, "primary"
	if spec.MultiAZ {
		copies, primary = 2, "primary and standby"
	}
	of := price{hour, database[class.Name]}
	b.add(PostgreSQL, class.Name+", "+primary, exactly(copies), of)
	if spec.Replica {
		b.add(PostgreSQL, class.Name+", read replica", exactly(1), of)
		copies++
	}
	b.add(PostgreSQL, "disks, gp3, each copy", exactly(copies*float64(spec.StorageGiB)), databaseDisk)
	b.add(PostgreSQL, "IOPS beyond the included, each copy", exactly(copies*float64(spec.IOPS)).without(copies*includedIOPS), databaseIOPS)
	b.add(PostgreSQL, "throughput beyond the included, each copy",
		exactly(copies*float64(spec.Throughput)).without(copies*includedThroughput), databaseThroughput)

	if ends := spec.SupportEnds(); !ends.IsZero() {
		// Standby and replica pay too (AWS docs, "Amazon RDS Extended Support charges").
		b.addFrom(ends.AddDate(0, 0, 1), PostgreSQL, fmt.Sprintf("extended support of PostgreSQL %s, per vCPU", spec.Major()),
			exactly(copies*float64(class.VCPU)), extendedSupport)
	}
}
