package observability

import (
	"embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
	"github.com/alphapulse/infrastructure/workloads"
)

// LokiToken is the component's type.
const LokiToken = "alphapulse:observability:Loki"

//go:embed loki
var lokiFiles embed.FS

const (
	lokiPort = 3100
	lokiPath = "/etc/loki"
	lokiData = "/var/loki"
	// lokiStop is what it gets to write to S3 what it has in memory; what it does not manage is in its log on the volume.
	lokiStop = 300
)

// LokiArgs are what Loki is made from.
type LokiArgs struct {
	Spec   config.Stateful
	Stack  Stack
	Issuer security.Issuer
	// Bucket is the one for logs, DataKey the key that it is encrypted with, Days how long lines are kept.
	Bucket  *data.Bucket
	DataKey pulumi.StringInput
	Days    int
}

// Loki keeps what programs write.
type Loki struct {
	pulumi.ResourceState
}

// NewLoki runs it, with an identity that has its part of the bucket (O4, S3). The options must bring a provider of AWS.
func NewLoki(ctx *pulumi.Context, place workloads.Place, args *LokiArgs, opts ...pulumi.ResourceOption) (*Loki, error) {
	const name = config.LokiName
	l := &Loki{}
	if err := component(ctx, LokiToken, name, place, l, opts); err != nil {
		return nil, err
	}
	role, err := security.NewWorkloadRole(ctx, name, &security.WorkloadRoleArgs{
		Description: "Loki of " + args.Stack.Name,
		Issuer:      args.Issuer, Namespace: monitoring, ServiceAccount: name,
		Statements: lokiStatements(args),
	}, pulumi.Parent(l))
	if err != nil {
		return nil, err
	}
	files, err := workloads.NewFolder(ctx, place, name+"-config", name, lokiPath, lokiFiles, "loki", l)
	if err != nil {
		return nil, err
	}
	if _, err := workloads.NewService(ctx, name, place, &workloads.ServiceArgs{
		Spec:        args.Spec.Workload(config.LokiPods),
		Labels:      labels(name),
		ServiceName: name,
		Ports:       []workloads.Port{{Name: "http", Container: lokiPort, Service: []int{lokiPort}}},
		Command:     []string{"-config.file=" + lokiPath + "/loki.yaml", "-config.expand-env=true"},
		Env: append(args.Stack.env(),
			workloads.Env{Name: "AWS_REGION", Value: args.Stack.Region},
			workloads.Env{Name: "BUCKET", Input: args.Bucket.Name},
			workloads.Env{Name: "RETENTION", Value: fmt.Sprintf("%dh", args.Days*24)},
			// Half of what it may have, in its own unit: it reads its log with all that it has beside it.
			workloads.Env{Name: "REPLAY_MEMORY", Value: fmt.Sprintf("%dMB", args.Spec.Limits.MemoryMiB()/2)}),
		Files: []workloads.Files{files},
		State: &workloads.State{GiB: args.Spec.StorageGiB, Path: lokiData, Governing: names(name)},
		// It is ready some time after it has read its log anew, and answers the other one from the beginning.
		Probes:     asked("/loki/api/v1/status/buildinfo", "/ready"),
		Identity:   pulumi.OutputWithDependencies(ctx.Context(), role.Arn, role.Permissions...).(pulumi.StringOutput),
		Priority:   workloads.Watching,
		StopWithin: lokiStop,
	}, pulumi.Parent(l)); err != nil {
		return nil, err
	}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{})
}

// lokiStatements are all that Loki does at AWS: its own part of the bucket, and the bucket's key for that. Deleting is marking: the bucket keeps
// versions.
func lokiStatements(args *LokiArgs) []policy.Statement {
	return []policy.Statement{{
		Sid: "FindLogs", Actions: []string{"s3:ListBucket"}, Resources: []any{args.Bucket.ARN},
		Conditions: map[string]map[string]any{"StringLike": {"s3:prefix": data.ApplicationLogs + "*"}},
	}, {
		Sid: "KeepLogs", Actions: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
		Resources: []any{pulumi.Sprintf("%s/%s*", args.Bucket.ARN, data.ApplicationLogs)},
	}, {
		Sid: "EncryptThroughS3", Actions: []string{"kms:GenerateDataKey", "kms:Decrypt"}, Resources: []any{args.DataKey},
		Conditions: map[string]map[string]any{"StringEquals": {
			"kms:ViaService": "s3." + args.Stack.Region + ".amazonaws.com",
			// The bucket has a key of its own for its objects, which the bucket's name stands for.
			"kms:EncryptionContext:aws:s3:arn": args.Bucket.ARN,
		}},
	}}
}
