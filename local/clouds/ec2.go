package clouds

import (
	"fmt"
	"net/netip"
)

// An inline rule of a security group.
const inlineRule = `{protocol! fromPort! toPort! cidrBlocks ipv6CidrBlocks prefixListIds securityGroups~ec2.SecurityGroup self description}`

// What the two kinds of rules as resources of their own have in common. A group's rules go with it; a rule that names another
// group as its peer holds that one.
const ruleProps = `securityGroupId!*^ec2.SecurityGroup ipProtocol! fromPort toPort cidrIpv4 cidrIpv6 prefixListId
	referencedSecurityGroupId>ec2.SecurityGroup description tags{}`

const ruleOut = `securityGroupRuleId={id} arn=arn:aws:ec2:{region}:{account}:security-group-rule/{id}`

var ec2Types = []Type{
	{Name: "ec2.Vpc", ID: "vpc-{hex}", Missing: "InvalidVpcID.NotFound", check: checkCIDR,
		Props: `cidrBlock* instanceTenancy*=default enableDnsSupport=true enableDnsHostnames=false enableNetworkAddressUsageMetrics tags{}`,
		Out: `arn=arn:aws:ec2:{region}:{account}:vpc/{id} ownerId={account} defaultRouteTableId=rtb-{hex} mainRouteTableId={defaultRouteTableId}
			defaultNetworkAclId=acl-{hex} defaultSecurityGroupId=sg-{hex} dhcpOptionsId=dopt-{hex}`},
	{Name: "ec2.Subnet", ID: "subnet-{hex}", Missing: "InvalidSubnetID.NotFound", check: checkCIDR, Unique: "InvalidSubnet.Conflict vpcId cidrBlock",
		Props: `vpcId!*>ec2.Vpc cidrBlock!* availabilityZone* availabilityZoneId* mapPublicIpOnLaunch=false assignIpv6AddressOnCreation=false
			privateDnsHostnameTypeOnLaunch enableResourceNameDnsARecordOnLaunch=false tags{}`,
		Out: `arn=arn:aws:ec2:{region}:{account}:subnet/{id} ownerId={account} availabilityZone={region}a`},
	{Name: "ec2.InternetGateway", ID: "igw-{hex}", Missing: "InvalidInternetGatewayID.NotFound", Unique: "Resource.AlreadyAssociated vpcId",
		Props: `vpcId>ec2.Vpc tags{}`,
		Out:   `arn=arn:aws:ec2:{region}:{account}:internet-gateway/{id} ownerId={account}`},
	{Name: "ec2.Eip", ID: "eipalloc-{hex}", Missing: "InvalidAllocationID.NotFound",
		Props: `domain* tags{}`,
		Out:   `allocationId={id} publicIp={ip} publicDns=ec2-{ip}.compute.amazonaws.com arn=arn:aws:ec2:{region}:{account}:elastic-ip/{id}`},
	{Name: "ec2.NatGateway", ID: "nat-{hex}", Missing: "NatGatewayNotFound", Unique: "Resource.AlreadyAssociated allocationId",
		Props: `subnetId!*>ec2.Subnet allocationId*>ec2.Eip connectivityType*=public privateIp* tags{}`,
		Out:   `publicIp={allocationId.publicIp} networkInterfaceId=eni-{hex} associationId=eipassoc-{hex}`},
	{Name: "ec2.RouteTable", ID: "rtb-{hex}", Missing: "InvalidRouteTableID.NotFound",
		Props: `vpcId!*>ec2.Vpc propagatingVgws tags{}
			routes{cidrBlock ipv6CidrBlock destinationPrefixListId gatewayId natGatewayId~ec2.NatGateway vpcEndpointId}`,
		Out: `arn=arn:aws:ec2:{region}:{account}:route-table/{id} ownerId={account}`},
	{Name: "ec2.Route", ID: "r-{hex}", Unique: "RouteAlreadyExists routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId",
		Props: `routeTableId!*^ec2.RouteTable destinationCidrBlock* destinationIpv6CidrBlock* destinationPrefixListId*
			gatewayId~ec2.InternetGateway natGatewayId~ec2.NatGateway vpcEndpointId~ec2.VpcEndpoint`,
		Out: `origin=CreateRoute state=active`},
	{Name: "ec2.RouteTableAssociation", ID: "rtbassoc-{hex}", Unique: "Resource.AlreadyAssociated subnetId gatewayId",
		Props: `subnetId*^ec2.Subnet gatewayId* routeTableId!>ec2.RouteTable`},
	// The default things come with the VPC: the resource takes them over, and its deletion leaves them.
	{Name: "ec2.DefaultSecurityGroup", ID: "{vpcId.defaultSecurityGroupId}",
		Props: `vpcId!*^ec2.Vpc ingress` + inlineRule + ` egress` + inlineRule + ` revokeRulesOnDelete=false tags{}`,
		Out:   `arn=arn:aws:ec2:{region}:{account}:security-group/{id} ownerId={account} name=default description=default`},
	{Name: "ec2.DefaultRouteTable", ID: "{defaultRouteTableId}",
		Props: `defaultRouteTableId!* routes{cidrBlock gatewayId~ec2.InternetGateway natGatewayId~ec2.NatGateway} tags{}`,
		Out:   `arn=arn:aws:ec2:{region}:{account}:route-table/{id} ownerId={account}`},
	{Name: "ec2.SecurityGroup", ID: "sg-{hex}", Missing: "InvalidGroup.NotFound", Unique: "InvalidGroup.Duplicate vpcId name",
		Props: `name@* description*="Managed by Pulumi" vpcId*>ec2.Vpc ingress` + inlineRule + ` egress` + inlineRule + ` revokeRulesOnDelete=false tags{}`,
		Out:   `arn=arn:aws:ec2:{region}:{account}:security-group/{id} ownerId={account}`},
	{Name: "ec2.SecurityGroupRule", ID: "sgrule-{hex}",
		Unique: "InvalidPermission.Duplicate securityGroupId type protocol fromPort toPort cidrBlocks ipv6CidrBlocks prefixListIds sourceSecurityGroupId self",
		Props: `securityGroupId!*^ec2.SecurityGroup type!* protocol!* fromPort!* toPort!* cidrBlocks* ipv6CidrBlocks* prefixListIds*
			sourceSecurityGroupId*>ec2.SecurityGroup self*=false description`,
		Out: `securityGroupRuleId=sgr-{hex}`},
	{Name: "vpc.SecurityGroupIngressRule", ID: "sgr-{hex}", Props: ruleProps, Out: ruleOut,
		Unique: "InvalidPermission.Duplicate securityGroupId ipProtocol fromPort toPort cidrIpv4 cidrIpv6 prefixListId referencedSecurityGroupId"},
	{Name: "vpc.SecurityGroupEgressRule", ID: "sgr-{hex}", Props: ruleProps, Out: ruleOut,
		Unique: "InvalidPermission.Duplicate securityGroupId ipProtocol fromPort toPort cidrIpv4 cidrIpv6 prefixListId referencedSecurityGroupId"},
	{Name: "ec2.VpcEndpoint", ID: "vpce-{hex}", Missing: "InvalidVpcEndpointId.NotFound",
		Props: `vpcId!*>ec2.Vpc serviceName!* vpcEndpointType*=Gateway policy privateDnsEnabled autoAccept ipAddressType routeTableIds~ec2.RouteTable
			subnetIds>ec2.Subnet securityGroupIds>ec2.SecurityGroup dnsOptions{dnsRecordIpType privateDnsOnlyForInboundResolverEndpoint} tags{}`,
		Out: `arn=arn:aws:ec2:{region}:{account}:vpc-endpoint/{id} ownerId={account} state=available prefixListId=pl-{hex} networkInterfaceIds=[]
			dnsEntries=[] cidrBlocks=[] requesterManaged=false`},
	{Name: "ec2.FlowLog", ID: "fl-{hex}", Unique: "FlowLogAlreadyExists vpcId subnetId logDestination trafficType",
		Props: `vpcId*~ec2.Vpc subnetId*~ec2.Subnet eniId* trafficType* logDestination* logDestinationType*=cloud-watch-logs iamRoleArn*~iam.Role
			logFormat* maxAggregationInterval*=600 destinationOptions*{fileFormat hiveCompatiblePartitions perHourPartition} tags{}`,
		Out: `arn=arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}`},
	{Name: "ec2.LaunchTemplate", ID: "lt-{hex}", Missing: "InvalidLaunchTemplateId.NotFound", Unique: "InvalidLaunchTemplateName.AlreadyExistsException name",
		Props: `name@* description defaultVersion updateDefaultVersion imageId instanceType keyName userData ebsOptimized disableApiTermination
			vpcSecurityGroupIds~ec2.SecurityGroup monitoring{enabled} creditSpecification{cpuCredits}
			metadataOptions{httpEndpoint httpTokens httpPutResponseHopLimit httpProtocolIpv6 instanceMetadataTags}
			blockDeviceMappings{deviceName noDevice virtualName
				ebs{volumeSize volumeType encrypted kmsKeyId~kms.Key iops throughput deleteOnTermination snapshotId}}
			networkInterfaces{deviceIndex associatePublicIpAddress deleteOnTermination securityGroups~ec2.SecurityGroup}
			tagSpecifications{resourceType tags{}} tags{}`,
		Out:    `arn=arn:aws:ec2:{region}:{account}:launch-template/{id} latestVersion=? defaultVersion=?`,
		Moves:  "latestVersion",
		create: firstVersion, update: nextVersion},
}

// checkCIDR refuses what the real provider refuses in preview: a block that is none, or whose host bits are set.
func checkCIDR(in map[string]any) error {
	block := str(in["cidrBlock"])
	if block == "" {
		return nil
	}
	if prefix, err := netip.ParsePrefix(block); err != nil || prefix != prefix.Masked() {
		return fmt.Errorf("%q is not a valid IPv4 CIDR block", block)
	}
	return nil
}
