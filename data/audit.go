package data

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// AuditToken is the component's type.
const AuditToken = "alphapulse:data:Audit"

// AuditArgs are what the audit logs are made from.
type AuditArgs struct {
	// Name is the environment's prefix, and the trail's name: keys and bucket policies know the trail by it.
	Name string
	AWS  config.AWS
	Logs *Bucket
	Keys *security.Keys
	// ClusterLogGroup is where EKS writes its audit log, "/aws/eks/<cluster>/cluster"; After is what makes it.
	ClusterLogGroup string
	After           []pulumi.Resource
	// LogDays is how long the record of failed deliveries is kept.
	LogDays int
}

// Audit writes who did what to the logs bucket: in the account (CloudTrail) and in the cluster (EKS's audit log) (D5).
type Audit struct {
	pulumi.ResourceState

	TrailARN pulumi.StringOutput
}

// auditBuilder carries what the steps share.
type auditBuilder struct {
	ctx    *pulumi.Context
	name   string
	args   *AuditArgs
	parent *Audit
}

// NewAudit makes the writers of the audit logs.
func NewAudit(ctx *pulumi.Context, name string, args *AuditArgs, opts ...pulumi.ResourceOption) (*Audit, error) {
	a := &Audit{}
	if err := ctx.RegisterComponentResource(AuditToken, name, a, opts...); err != nil {
		return nil, err
	}
	b := &auditBuilder{ctx: ctx, name: name, args: args, parent: a}
	if err := b.newTrail(); err != nil {
		return nil, err
	}
	stream, err := b.newDelivery()
	if err != nil {
		return nil, err
	}
	if err := b.newSubscription(stream); err != nil {
		return nil, err
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"trailArn": a.TrailARN})
}

// newTrail records management events of all regions: IAM's arise in us-east-1 wherever the stack is, and an intruder begins where nobody
// looks. The first copy of them costs nothing.
func (b *auditBuilder) newTrail() error {
	trail, err := cloudtrail.NewTrail(b.ctx, b.child("trail"), &cloudtrail.TrailArgs{
		Name:                       pulumi.String(b.args.Name),
		S3BucketName:               b.args.Logs.Name,
		S3KeyPrefix:                pulumi.String(strings.TrimSuffix(AuditTrail, "/")),
		KmsKeyId:                   b.args.Keys.Data,
		EnableLogFileValidation:    pulumi.Bool(true), // signed digests show whether a file was changed or removed
		IsMultiRegionTrail:         pulumi.Bool(true),
		IncludeGlobalServiceEvents: pulumi.Bool(true),
		Tags:                       b.tags("trail"),
	}, b.under(), pulumi.DependsOn([]pulumi.Resource{b.args.Logs.Policy})) // CloudTrail tries to write when it is made
	if err != nil {
		return creating("the audit trail", err)
	}
	b.parent.TrailARN = trail.Arn
	return nil
}

func (b *auditBuilder) child(part string) string { return b.name + "-" + part }

func (b *auditBuilder) under() pulumi.ResourceOption { return pulumi.Parent(b.parent) }

func (b *auditBuilder) tags(part string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.args.Name + "-" + part)}
}
