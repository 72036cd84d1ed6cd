package rules

import (
	"regexp"
	"strconv"
	"strings"
)

const nodeGroup = "aws:eks/nodeGroup:NodeGroup"

// nodeGroupRules are EKS's for managed node groups (C2).
var nodeGroupRules = []Rule{
	{Name: "eks-node-image", Types: []string{nodeGroup}, Source: "AWS docs", Check: nodeImage},
	{Name: "eks-node-subnets", Types: []string{nodeGroup, managedNodeGroup}, Source: "pulumi-eks source",
		Check: given("subnetIds", "the default is all of the cluster's, public ones too", "name the private subnets")},
	{Name: "eks-node-template", Types: []string{nodeGroup}, Source: "AWS docs", Check: nodeTemplate},
	{Name: "eks-node-taints", Types: []string{nodeGroup}, Source: "AWS docs", Check: each("taints",
		oneOf("effect", "an effect in EKS's spelling", "NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"))},
	{Name: "eks-node-capacity", Types: []string{nodeGroup}, Source: "AWS docs",
		Check: oneOf("capacityType", "a capacity type in EKS's spelling", "ON_DEMAND", "SPOT", "CAPACITY_BLOCK")},
	{Name: "eks-node-scaling", Types: []string{nodeGroup}, Source: "AWS docs", Check: nodeScaling},
	{Name: "eks-node-update", Types: []string{nodeGroup}, Source: "AWS docs", Check: nodeUpdate},
	{Name: "eks-node-labels", Types: []string{nodeGroup}, Source: "aws/containers-roadmap 1451", Check: nodeLabels},
}

// nodeImage: Amazon Linux 2 ends with 1.32. Without a version the group has the cluster's, and those we run are later.
func nodeImage(in Resource) []Finding {
	v := in.At("amiType")
	image, _ := v.Text()
	version, _ := in.At("version").Text()
	_, text, _ := strings.Cut(version, ".")
	if minor, err := strconv.Atoi(text); !strings.HasPrefix(image, "AL2_") || err == nil && minor < 33 {
		return nil
	}
	return v.Breaks("Amazon Linux 2 has no image for Kubernetes 1.33 and later", "use AL2023_x86_64_STANDARD, or AL2023_ARM_64_STANDARD")
}

func nodeTemplate(in Resource) []Finding {
	template := in.At("launchTemplate")
	if !template.IsSet() {
		return nil
	}
	found := unset("EKS refuses it beside a launch template", "say it in the launch template", "diskSize", "remoteAccess")(in)
	if template.At("id").IsSet() && template.At("name").IsSet() {
		found = append(found, template.At("name").Breaks("the template is named twice", "set id or name")...)
	}
	return append(found, given("launchTemplate.version", "a group has one version of its template", "set it, as a string")(in)...)
}

func nodeScaling(in Resource) []Finding {
	sizes := in.At("scalingConfig")
	least, ok1 := sizes.At("minSize").Number()
	most, ok2 := sizes.At("maxSize").Number()
	first, ok3 := sizes.At("desiredSize").Number()
	if !ok1 || !ok2 || !ok3 || least >= 0 && most >= 1 && least <= first && first <= most {
		return nil
	}
	return sizes.Breaks("EKS refuses these sizes", "keep 0 <= minSize <= desiredSize <= maxSize, and maxSize at 1 or more")
}

func nodeUpdate(in Resource) []Finding {
	v := in.At("updateConfig")
	if v.At("maxUnavailable").IsSet() && v.At("maxUnavailablePercentage").IsSet() {
		return v.Breaks("EKS takes one of the two", "set maxUnavailable or maxUnavailablePercentage")
	}
	return append(v.At("maxUnavailable").between(1, 100, "a number of nodes that EKS updates at once"),
		v.At("maxUnavailablePercentage").between(1, 100, "a percentage")...)
}

var reservedLabel = regexp.MustCompile(`(^|\.)(kubernetes\.io|k8s\.io)/|^eks\.amazonaws\.com/`)

func nodeLabels(in Resource) (found []Finding) {
	for name, v := range in.At("labels").Entries() {
		if reservedLabel.MatchString(name) {
			found = append(found, v.Breaks("EKS refuses labels of Kubernetes' and its own", "use a prefix of our own")...)
		}
	}
	return found
}

const (
	eksComponent     = "eks:index:Cluster"
	managedNodeGroup = "eks:index:ManagedNodeGroup"
)

// componentRules are about pulumi-eks 2.8.1, read in its source.
var componentRules = []Rule{
	{Name: "eks-component-oidc", Types: []string{eksComponent}, Source: "pulumi-eks source",
		Check: mustNot("createOidcProvider", true, "it opens a connection to AWS in every preview",
			"make iam.OpenIdConnectProvider from the cluster's issuer")},
	{Name: "eks-component-nodes", Types: []string{eksComponent}, Source: "requirement C2",
		Check: must("skipDefaultNodeGroup", true, "the component makes nodes of its own, with unencrypted disks", "set it to true")},
	{Name: "eks-component-cni", Types: []string{eksComponent}, Source: "requirement C4",
		Check: must("useDefaultVpcCni", true, "the component's vpc-cni has no switch for network policies",
			"set it to true, and manage the add-on with eks.NewAddon")},
	{Name: "eks-component-storage", Types: []string{eksComponent}, Source: "requirement C4",
		Check: unset("the component's classes use the in-tree provisioner", "make a StorageClass of ebs.csi.aws.com", "storageClasses")},
	{Name: "eks-component-roles", Types: []string{eksComponent}, Source: "pulumi-eks source", Check: when("authenticationMode", "API",
		unset("there is no aws-auth map with API authentication", "use accessEntries and instanceRole", "instanceRoles",
			"roleMappings", "userMappings"))},
	{Name: "eks-component-template", Types: []string{managedNodeGroup}, Source: "pulumi-eks source", Check: componentTemplate},
	{Name: "eks-component-addon", Types: []string{"eks:index:Addon"}, Source: "pulumi-eks source",
		Check: always("addonName", "its tags and configuration values are broken", "use eks.NewAddon of pulumi-aws")},
}

func componentTemplate(in Resource) []Finding {
	if !in.At("launchTemplate").IsSet() {
		return nil
	}
	return unset("the component makes a template of its own for it", "say it in the launch template", "enableIMDSv2",
		"kubeletExtraArgs", "bootstrapExtraArgs")(in)
}
