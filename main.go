// The program that builds AlphaPulse: `pulumi up -s prod`. It reads like the diagram it deploys, top to bottom.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/outputs"
	"github.com/alphapulse/infrastructure/rules"
)

func main() { pulumi.Run(rules.Enforced(deploy)) }

func deploy(ctx *pulumi.Context) error {
	b, err := compose(ctx)
	if err != nil {
		return err
	}
	ctx.Export(outputs.Name, b.contract())
	return nil
}

func compose(ctx *pulumi.Context) (*build, error) {
	stack, err := preflight(ctx)
	if err != nil {
		return nil, err
	}
	b := &build{ctx: ctx, Platform: stack, name: stack.Name(), tags: map[string]string{
		"Project": config.Namespace, "Environment": stack.Environment, "ManagedBy": "pulumi",
	}}
	for _, step := range []func() error{
		b.newProviders,
		b.inspect,
		b.newNetwork,
		b.newCluster,
		b.newNetworkPolicies,
		b.newRegistries,
		b.newData,
		b.newOperators,
		b.newKarpenter,
		b.newScaler,
		b.newSecrets,
		b.newIssuers,
		b.newWorkloads,
		b.newIngress,
		b.newObservability,
		b.newEdge,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b, nil
}
