// Package data holds what must not be lost: PostgreSQL, the buckets for backups and logs, and the audit trail (D1-D3, D5).
package data

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// PostgresToken is the component's type.
const PostgresToken = "alphapulse:data:Postgres"

const (
	postgresPort = 5432
	databaseName = "alphapulse"
	// masterUser is for making roles and for emergencies. applicationUser and monitoringUser are made by a job: no workload uses the master (D4).
	masterUser      = "alphapulse_master"
	applicationUser = "alphapulse"
	monitoringUser  = "monitoring"
)

// PostgresArgs are what the database is made from.
type PostgresArgs struct {
	// Name is the environment's prefix, and the instance's identifier: runbooks, alarms and log groups know the database by it.
	Name        string
	Environment string
	AWS         config.AWS
	Spec        config.Postgres
	// Zones are the network's; the replica stands in the second in alphabetical order.
	Zones     []string
	VpcID     pulumi.StringPtrInput
	SubnetIDs pulumi.StringArrayInput
	// ClientSecurityGroupID is the group whose members may connect: the cluster's.
	ClientSecurityGroupID pulumi.StringPtrInput
	Keys                  *security.Keys
	// LogDays is how long the database's logs are kept.
	LogDays int
	Protect bool
}

// Postgres is the platform's database.
type Postgres struct {
	pulumi.ResourceState

	// Address is the host name of the primary, whichever zone it is in; ReplicaAddress the replica's, empty without one.
	Address, ReplicaAddress pulumi.StringOutput
	Port                    pulumi.IntOutput
	Database                pulumi.StringOutput
	// Ready are the primary and the way to it, for those who connect.
	Ready []pulumi.Resource
	// SecurityGroupID is the instances' own group.
	SecurityGroupID pulumi.StringOutput
	// MasterSecretARN, ApplicationSecretARN, MonitoringSecretARN and URLSecretARN are the secrets with the credentials of the master, the
	// application and what watches the database, and with the application's URL.
	MasterSecretARN, ApplicationSecretARN, MonitoringSecretARN, URLSecretARN pulumi.StringOutput
	// VerifierDigest is the SHA-256, in hexadecimal, of what the server should know of the application's password: it tells which, not what.
	// MonitoringDigest is the same of the other one.
	VerifierDigest, MonitoringDigest pulumi.StringOutput
}

// postgresBuilder carries what the steps of one database share.
type postgresBuilder struct {
	ctx         *pulumi.Context
	name        string
	args        *PostgresArgs
	class       config.DatabaseClass
	replicaZone string
	parent      *Postgres

	subnets    *rds.SubnetGroup
	group      *ec2.SecurityGroup
	clients    *vpc.SecurityGroupIngressRule
	parameters *rds.ParameterGroup
	monitoring *security.Role
	logs       map[string][]pulumi.Resource // by instance identifier
	master     pulumi.StringOutput
	primary    *rds.Instance

	masterSecret, applicationSecret, monitoringSecret, urlSecret *security.Secret
}

// NewPostgres makes the database.
func NewPostgres(ctx *pulumi.Context, name string, args *PostgresArgs, opts ...pulumi.ResourceOption) (*Postgres, error) {
	class, ok := config.FindDatabaseClass(args.Spec.InstanceType)
	if !ok {
		return nil, fmt.Errorf("the RDS instance class %q is not in the table of config, and its memory decides the settings", args.Spec.InstanceType)
	}
	if len(args.Zones) < 2 {
		return nil, fmt.Errorf("the database needs two zones, and has %v", args.Zones)
	}
	p := &Postgres{}
	if err := ctx.RegisterComponentResource(PostgresToken, name, p, opts...); err != nil {
		return nil, err
	}
	b := &postgresBuilder{
		ctx: ctx, name: name, args: args, class: class, parent: p,
		replicaZone: slices.Sorted(slices.Values(args.Zones))[1], logs: map[string][]pulumi.Resource{},
	}
	for _, step := range []func() error{
		b.newSubnetGroup,
		b.newSecurityGroup,
		b.newParameterGroup,
		b.newMonitoring,
		b.newPrimary,
		b.newReplica,
		b.newSecrets,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.Address, p.Port, p.Database = b.primary.Address, b.primary.Port, b.primary.DbName
	p.SecurityGroupID = b.group.ID().ToStringOutput()
	p.Ready = []pulumi.Resource{b.primary, b.clients}
	p.MasterSecretARN, p.ApplicationSecretARN, p.URLSecretARN = b.masterSecret.ARN, b.applicationSecret.ARN, b.urlSecret.ARN
	p.MonitoringSecretARN = b.monitoringSecret.ARN
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{
		"address": p.Address, "replicaAddress": p.ReplicaAddress, "port": p.Port, "database": p.Database,
		"securityGroupId": p.SecurityGroupID, "masterSecretArn": p.MasterSecretARN,
		"applicationSecretArn": p.ApplicationSecretARN, "monitoringSecretArn": p.MonitoringSecretARN, "urlSecretArn": p.URLSecretARN,
		"verifierDigest": p.VerifierDigest, "monitoringDigest": p.MonitoringDigest,
	})
}

func (b *postgresBuilder) child(part string) string { return b.name + "-" + part }

// under are the options of what belongs to the database.
func (b *postgresBuilder) under() pulumi.ResourceOption { return pulumi.Parent(b.parent) }

func (b *postgresBuilder) tags(suffix string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.args.Name + suffix)}
}

func creating(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("creating %s: %w", what, err)
}
