package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newLogGroup makes an encrypted log group. The logs key is for groups under the environment's name only.
func (b *builder) newLogGroup(name string) (*cloudwatch.LogGroup, error) {
	group, err := cloudwatch.NewLogGroup(b.ctx, b.child(name), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/" + b.args.Name + "/vpc/" + name),
		KmsKeyId:        b.args.LogKeyARN,
		RetentionInDays: pulumi.Int(b.args.Spec.FlowLogDays),
	}, pulumi.Parent(b.parent))
	return group, creating("the log group "+name, err)
}
