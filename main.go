// The program that builds AlphaPulse: `pulumi up -s prod`. It reads like the diagram it deploys, top to bottom.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/cluster"
	"github.com/alphapulse/infrastructure/network"
	"github.com/alphapulse/infrastructure/security"
	"github.com/alphapulse/infrastructure/workloads"
)

func main() { pulumi.Run(deploy) }

func deploy(ctx *pulumi.Context) error {
	platform, sizes, err := preflight(ctx)
	if err != nil {
		return err
	}
	name := platform.Name()

	account, err := security.NewAccount(ctx, platform)
	if err != nil {
		return err
	}
	inAccount := pulumi.Providers(account)

	keys, err := security.NewKeys(ctx, "keys", &security.KeysArgs{
		Name: name, AWS: platform.AWS, Protect: platform.Protect,
	}, inAccount)
	if err != nil {
		return err
	}
	vpc, err := network.New(ctx, "network", &network.Args{
		Name: name, AWS: platform.AWS, Spec: platform.Network, LogKeyARN: keys.Logs, Protect: platform.Protect,
	}, inAccount)
	if err != nil {
		return err
	}
	eks, err := cluster.New(ctx, "cluster", &cluster.Args{
		Name: name, AWS: platform.AWS, Spec: platform.Cluster, StartSizes: sizes, Protect: platform.Protect,
		VpcID: vpc.VpcID.ToStringOutput().ToStringPtrOutput(), PublicSubnetIDs: vpc.PublicSubnetIDs, PrivateSubnetIDs: vpc.PrivateSubnetIDs,
		Egress: vpc.Egress, Keys: keys,
	}, inAccount)
	if err != nil {
		return err
	}

	if err := workloads.NewPriorities(ctx, eks.Provider); err != nil {
		return err
	}
	place := workloads.Place{Namespace: eks.Namespaces.Platform, Provider: eks.Provider, Pools: platform.Cluster.Pool}
	if _, err := workloads.NewAPI(ctx, place, platform.Workloads.API); err != nil {
		return err
	}

	ctx.Export("vpcId", vpc.VpcID)
	ctx.Export("egressIps", vpc.EgressIPs)
	ctx.Export("clusterName", eks.Name)
	ctx.Export("clusterEndpoint", eks.Endpoint)
	ctx.Export("addOnVersions", eks.AddOnVersions)
	ctx.Export("nodePoolStartSizes", pulumi.ToIntMap(sizes))
	return nil
}
