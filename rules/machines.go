package rules

import (
	"regexp"
	"strings"
)

const (
	launchTemplate = "aws:ec2/launchTemplate:LaunchTemplate"
	nodeClass      = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
	nodePool       = "kubernetes:karpenter.sh/v1:NodePool"
)

// machineRules are for what nodes are made from (C2): launch templates of managed node groups, and Karpenter's node classes.
var machineRules = []Rule{
	{Name: "node-template-settings", Types: []string{launchTemplate}, Source: "AWS docs",
		Check: all(
			unset("a node group refuses a launch template with it", "leave it to the node group",
				"iamInstanceProfile", "instanceMarketOptions", "hibernationOptions", "instanceInitiatedShutdownBehavior"),
			unset("the node group names instance types, and refuses two places", "leave it to the node group", "instanceType"),
			each("networkInterfaces", unset("a node group refuses a launch template with it", "leave it to the node group", "subnetId")))},
	{Name: "node-metadata", Types: []string{launchTemplate}, Source: "requirement C2", Check: all(
		must("metadataOptions.httpTokens", "required", imds, "set it to required"),
		must("metadataOptions.httpPutResponseHopLimit", 1., hop, "set it to 1"))},
	{Name: "node-disks", Guardrail: true, Types: []string{launchTemplate}, Source: "requirement C2", Check: all(
		given("blockDeviceMappings", "the image's own disk is not encrypted", "map /dev/xvda to an encrypted gp3 volume"),
		each("blockDeviceMappings", all(encryptedText("ebs.encrypted"), must("ebs.volumeType", "gp3", "is not what nodes have",
			"set it to gp3"))))},
	{Name: "node-class-metadata", Types: []string{nodeClass}, Source: "requirement C2", Check: all(
		oneOf("spec.metadataOptions.httpTokens", "enough: "+imds, "required"),
		oneOf("spec.metadataOptions.httpPutResponseHopLimit", "right: "+hop, 1.))},
	{Name: "node-class-disks", Guardrail: true, Types: []string{nodeClass}, Source: "requirement C2", Check: each("spec.blockDeviceMappings", all(
		must("ebs.encrypted", true, "the disk is not encrypted", "set it to true"), must("ebs.volumeType", "gp3",
			"is not what nodes have", "set it to gp3")))},
	{Name: "node-class-image", Types: []string{nodeClass}, Source: "AWS docs", Check: each("spec.amiSelectorTerms",
		like("alias", notAL2, "Amazon Linux 2 has no image for Kubernetes 1.33 and later", "use al2023@ and a version"))},
	{Name: "node-pool-limit", Types: []string{nodePool}, Source: "requirement C2",
		Check: given("spec.limits", "without a limit one wrong number of replicas makes nodes until the account's quota", "set limits.cpu")},
	{Name: "node-pool-drain", Types: []string{nodePool}, Source: "Karpenter docs",
		Check: given("spec.template.spec.terminationGracePeriod", "a pod that may not be evicted keeps its node, and a deletion, for ever", "set it")},
}

const (
	imds = "without tokens any program on the node, or a request it was tricked into, gets the node's credentials"
	hop  = "with another number of hops pods reach the node's credentials, or nobody does"
)

var notAL2 = regexp.MustCompile(`^al2023@|^bottlerocket@|^windows`)

// encryptedText wants what launch templates have in place of true.
func encryptedText(path string) check {
	return func(in Resource) []Finding {
		v := in.At(path)
		if text, ok := v.Text(); !v.IsKnown() || ok && strings.EqualFold(text, "true") {
			return nil
		}
		return v.Breaks("the disk is not encrypted", `set it to "true"`)
	}
}
