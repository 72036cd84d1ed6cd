package data

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// parameter is one setting in the unit that RDS takes, which is PostgreSQL's own: blocks of 8 kB, kB, ms (AWS docs, "RDS for PostgreSQL
// parameters").
type parameter struct {
	name, value, apply string
}

// When a setting takes effect. Static ones must wait for a reboot, or RDS refuses them. A dynamic one whose value is RDS's own default
// is reported as waiting whatever was asked for, and would differ in every plan: those wait too
// (github.com/hashicorp/terraform-provider-aws/issues/39252). A new instance begins with all of them.
const (
	atOnce   = "immediate"
	atReboot = "pending-reboot"
)

// Of the memory that PostgreSQL runs on, for what it sets aside: a fifth above our share of it.
const roomPercent = 120

// parameters are the settings for an instance class (D2). The source's sizes are those of 32 GiB; they keep their share of the memory.
func parameters(class config.DatabaseClass) []parameter {
	const block = 8
	kB := class.MemoryGiB << 20
	number := strconv.Itoa
	// A larger class waits for the maintenance window, or for its turn in the same update; its settings do not. Until then what takes memory
	// must fit the machine of before, which would not start again with more than it has. RDS resolves a formula by the machine it runs on, in
	// bytes, and a little below the nominal size, for which there is room.
	fitting := func(share, unit int) string {
		return fmt.Sprintf("LEAST({DBInstanceClassMemory/%d},%d)", share*unit*1024*100/roomPercent, kB/share/unit)
	}
	return []parameter{
		{"max_connections", number(class.Connections()), atReboot},
		{"shared_buffers", fitting(4, block), atReboot},
		{"effective_cache_size", number(kB * 3 / 4 / block), atOnce},
		{"work_mem", fitting(512, 1), atOnce},
		{"maintenance_work_mem", fitting(16, 1), atOnce},
		{"checkpoint_completion_target", "0.9", atReboot}, // the default
		{"wal_buffers", number(16 << 10 / block), atReboot},
		{"default_statistics_target", "100", atReboot}, // the default
		{"random_page_cost", "1.1", atOnce},
		{"effective_io_concurrency", "200", atOnce},

		{"rds.force_ssl", "1", atReboot}, // the default from 15 on
		{"shared_preload_libraries", "pg_stat_statements", atReboot},
		// What is asked first at night: who came, which statement took longer than a second (ms), who waited for whose lock.
		{"log_connections", "1", atOnce},
		{"log_min_duration_statement", "1000", atOnce},
		{"log_lock_waits", "1", atOnce},
	}
}

// newParameterGroup makes the settings. The group has no name of ours, so that one of a new family can be made before the old goes.
func (b *postgresBuilder) newParameterGroup() (err error) {
	var list rds.ParameterGroupParameterArray
	for _, p := range parameters(b.class) {
		list = append(list, rds.ParameterGroupParameterArgs{
			Name: pulumi.String(p.name), Value: pulumi.String(p.value), ApplyMethod: pulumi.String(p.apply),
		})
	}
	b.parameters, err = rds.NewParameterGroup(b.ctx, b.name, &rds.ParameterGroupArgs{
		Family:      pulumi.String("postgres" + b.args.Spec.Major()),
		Description: pulumi.String("PostgreSQL of " + b.args.Name),
		Parameters:  list,
		Tags:        b.tags("-postgres"),
	}, b.under())
	return creating("the database's parameter group", err)
}
