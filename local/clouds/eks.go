package clouds

import (
	"fmt"
	"slices"
)

var eksTypes = []Type{
	{Name: "eks.Cluster", ID: "{name}", Unique: "ResourceInUseException name",
		Props: `name@* roleArn!~iam.Role version vpcConfig!{subnetIds!>ec2.Subnet securityGroupIds>ec2.SecurityGroup endpointPrivateAccess
				endpointPublicAccess publicAccessCidrs}
			accessConfig{authenticationMode bootstrapClusterCreatorAdminPermissions*} bootstrapSelfManagedAddons*=true defaultAddonsToRemoves
			enabledClusterLogTypes encryptionConfig{resources!* provider!{keyArn!*~kms.Key}} forceUpdateVersion
			kubernetesNetworkConfig{ipFamily* serviceIpv4Cidr* elasticLoadBalancing{enabled}} upgradePolicy{supportType} zonalShiftConfig{enabled} tags{}`,
		Out: `arn=arn:aws:eks:{region}:{account}:cluster/{name} status=ACTIVE platformVersion=eks.1 createdAt={now} version=? endpoint=?
			certificateAuthority=? certificateAuthorities=? identities=? vpcConfig.clusterSecurityGroupId=? vpcConfig.vpcId=?`,
		create: createCluster, update: updateCluster, delete: deleteCluster},
	// Principals are often of another program, or of AWS's single sign-on: that they exist is not asked for.
	{Name: "eks.AccessEntry", ID: "{clusterName}:{principalArn}", Unique: "ResourceInUseException clusterName principalArn",
		Props: `clusterName!*^eks.Cluster principalArn!* kubernetesGroups type*=STANDARD userName tags{}`,
		Out:   `accessEntryArn=arn:aws:eks:{region}:{account}:access-entry/{clusterName}/{uuid} createdAt={now} modifiedAt={now}`},
	{Name: "eks.AccessPolicyAssociation", ID: "{clusterName}#{principalArn}#{policyArn}",
		Unique: "ResourceInUseException clusterName principalArn policyArn", create: needsAccessEntry,
		Props: `clusterName!*^eks.Cluster principalArn!* policyArn!* accessScope!*{type! namespaces}`,
		Out:   `associatedAt={now} modifiedAt={now}`},
	{Name: "eks.NodeGroup", ID: "{clusterName}:{nodeGroupName}", Unique: "ResourceInUseException clusterName nodeGroupName", check: checkNodeGroup,
		Props: `clusterName!*>eks.Cluster nodeGroupName@* nodeRoleArn!*~iam.Role subnetIds!*>ec2.Subnet amiType* capacityType* diskSize*
			instanceTypes*# scalingConfig!{desiredSize! maxSize! minSize!} launchTemplate{id*~ec2.LaunchTemplate name* version!}
			labels{} taints{key! value effect!} updateConfig{maxUnavailable maxUnavailablePercentage} nodeRepairConfig{enabled}
			version releaseVersion forceUpdateVersion tags{}`,
		Out: `arn=arn:aws:eks:{region}:{account}:nodegroup/{clusterName}/{nodeGroupName}/{uuid} status=ACTIVE amiType=AL2023_x86_64_STANDARD
			capacityType=ON_DEMAND version=? releaseVersion=? resources=?`,
		create: createNodeGroup, update: updateNodeGroup, delete: deleteNodeGroup},
	{Name: "eks.Addon", ID: "{clusterName}:{addonName}", Unique: "ResourceInUseException clusterName addonName",
		Props: `clusterName!*^eks.Cluster addonName!* addonVersion configurationValues serviceAccountRoleArn~iam.Role preserve
			podIdentityAssociations{roleArn!~iam.Role serviceAccount!} resolveConflicts resolveConflictsOnCreate resolveConflictsOnUpdate tags{}`,
		Out:    `arn=arn:aws:eks:{region}:{account}:addon/{clusterName}/{addonName}/{uuid} addonVersion=? createdAt={now} modifiedAt={now}`,
		create: createAddon, update: updateAddon, delete: deleteAddon},
	{Name: "eks.PodIdentityAssociation", ID: "a-{hex}", Unique: "ResourceInUseException clusterName namespace serviceAccount",
		Props: `clusterName!*^eks.Cluster namespace!* serviceAccount!* roleArn!~iam.Role tags{}`,
		Out:   `associationId={id} associationArn=arn:aws:eks:{region}:{account}:podidentityassociation/{clusterName}/{id}`},
}

// taintEffects are EKS's names of what Kubernetes calls otherwise.
var taintEffects = map[string]string{
	"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}

func checkNodeGroup(in map[string]any) error {
	for _, taint := range objects(in["taints"]) {
		if effect := str(taint["effect"]); effect != "" && taintEffects[effect] == "" {
			return fmt.Errorf("taint %v: expected effect to be one of NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE, got %s", taint["key"], effect)
		}
	}
	if kind := str(in["capacityType"]); kind != "" && !slices.Contains([]string{"ON_DEMAND", "SPOT", "CAPACITY_BLOCK"}, kind) {
		return fmt.Errorf("expected capacityType to be one of ON_DEMAND, SPOT, CAPACITY_BLOCK, got %s", kind)
	}
	return nil
}
