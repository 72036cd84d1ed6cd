package data

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// exportedLogs are all that RDS has of PostgreSQL.
var exportedLogs = []string{"postgresql", "upgrade"}

// newMonitoring makes what watches the instances: the role that enhanced monitoring writes with, and the groups of their logs.
func (b *postgresBuilder) newMonitoring() (err error) {
	b.monitoring, err = security.NewRole(b.ctx, b.child("monitoring"), &security.RoleArgs{
		Description:     "Enhanced monitoring of the database of " + b.args.Name,
		Trust:           policy.TrustService("monitoring.rds.amazonaws.com", b.args.AWS.Account),
		ManagedPolicies: []string{"service-role/AmazonRDSEnhancedMonitoringRole"},
	}, b.under())
	if err != nil {
		return err
	}
	for _, identifier := range b.instances() {
		suffix := strings.TrimPrefix(identifier, b.args.Name)
		for _, log := range exportedLogs {
			// RDS would make the groups by itself, unencrypted and kept for ever.
			group, err := cloudwatch.NewLogGroup(b.ctx, b.name+suffix+"-"+log, &cloudwatch.LogGroupArgs{
				Name:            pulumi.String("/aws/rds/instance/" + identifier + "/" + log),
				KmsKeyId:        b.args.Keys.Logs,
				RetentionInDays: pulumi.Int(b.args.LogDays),
			}, b.under())
			if err != nil {
				return creating("the log group "+log+" of "+identifier, err)
			}
			b.logs[identifier] = append(b.logs[identifier], group)
		}
	}
	return nil
}

// instances are the identifiers of the primary and, if there is one, of the replica.
func (b *postgresBuilder) instances() []string {
	if !b.args.Spec.Replica {
		return []string{b.args.Name}
	}
	return []string{b.args.Name, b.replicaIdentifier()}
}

func (b *postgresBuilder) replicaIdentifier() string { return replicaOf(b.args.Name) }

// replicaOf is the name of an instance's read replica.
func replicaOf(name string) string { return name + "-replica" }
