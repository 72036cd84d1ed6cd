package outputs_test

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/outputs"
)

// A program of another team's looks up where prod's cluster is.
func ExampleRead() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		stack, err := pulumi.NewStackReference(ctx, "organization/alphapulse/prod", nil)
		if err != nil {
			return err
		}
		ctx.Export("endpoint", outputs.Read(stack).ApplyT(func(platform outputs.Platform) string { return platform.Cluster.Endpoint }))
		return nil
	})
}
