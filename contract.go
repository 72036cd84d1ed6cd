package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/outputs"
	"github.com/alphapulse/infrastructure/security"
)

// contract is what the stack promises to others, in the shape of outputs.Platform (E3).
func (b *build) contract() pulumi.Map {
	registries := pulumi.StringMap{}
	for image, url := range b.registries.URLs() {
		registries[image] = url
	}
	fixed := pulumi.IntMap{}
	for _, pool := range b.Cluster.NodePools {
		fixed[pool.Name] = pulumi.Int(pool.Min)
	}
	return pulumi.Map{
		"contractVersion": pulumi.String(outputs.Version),
		"environment":     pulumi.String(b.Environment),
		"account":         pulumi.String(b.AWS.Account),
		"region":          pulumi.String(b.AWS.Region),
		"network": pulumi.Map{
			"vpcId":             b.vpc.VpcID,
			"publicSubnetIds":   b.vpc.PublicSubnetIDs,
			"privateSubnetIds":  b.vpc.PrivateSubnetIDs,
			"databaseSubnetIds": b.vpc.DatabaseSubnetIDs,
			"egressIps":         b.vpc.EgressIPs,
		},
		"cluster": pulumi.Map{
			"name":                 b.eks.Name,
			"version":              pulumi.String(b.Cluster.Version),
			"endpoint":             b.eks.Endpoint,
			"certificateAuthority": b.eks.CertificateAuthority,
			"securityGroupId":      b.eks.SecurityGroupID,
			"oidcProviderArn":      b.eks.Issuer.ProviderARN,
			"oidcIssuer":           b.eks.Issuer.Host,
			"namespace":            b.eks.Namespaces.Platform,
			"addOnVersions":        b.eks.AddOnVersions,
			"nodePoolStartSizes":   fixed,
		},
		"database": pulumi.Map{
			"host":       b.database.Address,
			"readerHost": b.database.ReplicaAddress,
			"port":       b.database.Port,
			"name":       b.database.Database,
			"urlSecret":  pulumi.String(security.SecretName(b.Environment, "database/url")),
		},
		"buckets": pulumi.Map{
			"backups":    b.buckets.Backups.Name,
			"logs":       b.buckets.Logs.Name,
			"accessLogs": b.buckets.AccessLogs.Name,
		},
		"registries": registries,
		"keys": pulumi.Map{
			"vaultUnseal":    b.keys.VaultUnseal,
			"data":           b.keys.Data,
			"clusterSecrets": b.keys.ClusterSecrets,
			"disks":          b.keys.Disks,
			"logs":           b.keys.Logs,
		},
		"edge": pulumi.Map{
			"host":         pulumi.String(b.Edge.Host),
			"loadBalancer": b.ingress.Host,
		},
	}
}
