package rules

import (
	"encoding/json"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alphapulse/infrastructure/config"
)

const (
	eksCluster  = "aws:eks/cluster:Cluster"
	addOn       = "aws:eks/addon:Addon"
	accessEntry = "aws:eks/accessEntry:AccessEntry"
	accessScope = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
)

// clusterRules are EKS's for clusters, add-ons and access (C1, C4). They see what the EKS component makes of our arguments.
var clusterRules = []Rule{
	{Name: "eks-authentication", Types: []string{eksCluster}, Source: "requirement C1",
		Check: must("accessConfig.authenticationMode", "API", "access entries are the only way in", "set it to API")},
	{Name: "eks-version", Types: []string{eksCluster, nodeGroup}, Source: "AWS release calendar", Check: kubernetesVersion},
	{Name: "eks-logs", Types: []string{eksCluster}, Source: "requirement C1", Check: controlPlaneLogs},
	{Name: "eks-secrets-encryption", Types: []string{eksCluster}, Source: "requirement C1",
		Check: given("encryptionConfig.provider.keyArn", "secrets are not encrypted with our key", "set it, with secrets as the resources")},
	{Name: "eks-endpoint", Types: []string{eksCluster}, Source: "requirement C1", Check: endpoint},
	{Name: "eks-public-cidrs", Types: []string{eksCluster}, Source: "AWS docs", Check: publicCIDRs},
	{Name: "eks-service-range", Types: []string{eksCluster}, Source: "AWS docs", Check: serviceRange},
	{Name: "eks-cluster-subnets", Types: []string{eksCluster}, Source: "AWS docs",
		Check: atLeast("vpcConfig.subnetIds", 2, "EKS wants subnets in two zones at least", "name a subnet of each zone")},
	{Name: "eks-addon-conflicts", Types: []string{addOn}, Source: "AWS docs", Check: all(addOnConflicts,
		oneOf("resolveConflictsOnCreate", "a way to resolve conflicts on creation", "NONE", "OVERWRITE"),
		unset("the argument is deprecated", "use resolveConflictsOnCreate and resolveConflictsOnUpdate", "resolveConflicts"))},
	{Name: "eks-addon-values", Types: []string{addOn}, Source: "AWS docs", Check: addOnValues},
	{Name: "eks-network-policy", Types: []string{addOn}, Source: "AWS docs, requirement C4", Check: when("addonName", "vpc-cni", networkPolicy)},
	{Name: "eks-access-entry", Types: []string{accessEntry}, Source: "AWS docs", Check: accessEntryArguments},
	{Name: "eks-access-scope", Types: []string{accessScope}, Source: "AWS docs", Check: all(
		like("policyArn", accessPolicy, "is not an access policy of EKS", "use arn:aws:eks::aws:cluster-access-policy/..., not an IAM policy"),
		oneOf("accessScope.type", "a scope", "cluster", "namespace"), scopeNamespaces)},
}

func kubernetesVersion(in Resource) []Finding {
	v := in.At("version")
	text, ok := v.Text()
	if _, supported := config.KubernetesSupport[text]; !ok || supported {
		return nil
	}
	return v.Breaks("EKS does not run it under standard support",
		"use one of "+strings.Join(slices.Sorted(maps.Keys(config.KubernetesSupport)), ", "))
}

func controlPlaneLogs(in Resource) []Finding {
	v := in.At("enabledClusterLogTypes")
	for _, kind := range []string{"api", "audit", "authenticator", "controllerManager", "scheduler"} {
		if found, sure := v.holds(kind); sure && !found {
			return v.Breaks(kind+" is missing", "name api, audit, authenticator, controllerManager and scheduler")
		}
	}
	return nil
}

// endpoint: what is not set is public for EKS, and for the whole internet.
func endpoint(in Resource) []Finding {
	found := must("vpcConfig.endpointPrivateAccess", true, "nodes and pods would go through the internet", "set it to true")(in)
	public, ranges := in.At("vpcConfig.endpointPublicAccess"), in.At("vpcConfig.publicAccessCidrs")
	if !public.IsKnown() || public.Is(false) {
		return found
	}
	if ranges.IsEmpty() || len(publicList("vpcConfig.publicAccessCidrs")(in)) > 0 {
		found = append(found, ranges.Breaks("the API server is open to the internet",
			"name the ranges that may reach it, or set endpointPublicAccess to false")...)
	}
	return found
}

// publicCIDRs: EKS refuses ranges that do not come from the internet.
func publicCIDRs(in Resource) (found []Finding) {
	for _, v := range in.At("vpcConfig.publicAccessCidrs").Items() {
		text, ok := v.Text()
		if !ok {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		switch address := prefix.Addr(); {
		case err != nil:
			found = append(found, v.Breaks("is not a range", "write an address and a length, such as 203.0.113.0/24")...)
		case address.IsPrivate(), address.IsLoopback(), address.IsLinkLocalUnicast(), address.IsMulticast(), shared.Contains(address):
			found = append(found, v.Breaks("EKS refuses ranges that no request from the internet comes from",
				"use the private endpoint from there")...)
		}
	}
	return found
}

// shared is the range of carriers' own networks (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

func serviceRange(in Resource) []Finding {
	v := in.At("kubernetesNetworkConfig.serviceIpv4Cidr")
	text, ok := v.Text()
	if !ok {
		return nil
	}
	if prefix, err := netip.ParsePrefix(text); err != nil || !prefix.Addr().IsPrivate() || prefix.Bits() < 12 || prefix.Bits() > 24 {
		return v.Breaks("EKS takes private ranges from /24 to /12", "use one of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 that the VPC does not use")
	}
	return nil
}

// preinstalled are what EKS puts into every cluster by itself.
var preinstalled = set{"vpc-cni", "kube-proxy", "coredns"}

func addOnConflicts(in Resource) []Finding {
	if name := in.At("addonName"); !name.IsKnown() || !slices.Contains(preinstalled, name.raw) {
		return nil
	}
	return must("resolveConflictsOnCreate", "OVERWRITE", "EKS has put its own into the cluster already, and the add-on fails on it",
		"set it to OVERWRITE")(in)
}

func addOnValues(in Resource) []Finding {
	v := in.At("configurationValues")
	if _, err := readValues(v); err != nil {
		return v.Breaks("is no JSON object: "+err.Error(), "write it with encoding/json")
	}
	return nil
}

// readValues reads an add-on's settings; nil if they are not known.
func readValues(v Value) (map[string]any, error) {
	text, ok := v.Text()
	if !ok || text == "" {
		return nil, nil
	}
	values := map[string]any{}
	return values, json.Unmarshal([]byte(text), &values)
}

var cniVersion = regexp.MustCompile(`^v1\.(\d+)\.`)

func networkPolicy(in Resource) (found []Finding) {
	v := in.At("configurationValues")
	values, err := readValues(v)
	if v.IsKnown() && err == nil && values["enableNetworkPolicy"] != "true" {
		found = v.Breaks("network policies are off, or are asked for with a boolean, which the add-on's schema refuses",
			`set "enableNetworkPolicy": "true", a string`)
	}
	version := in.At("addonVersion")
	text, _ := version.Text()
	if m := cniVersion.FindStringSubmatch(text); m != nil {
		if minor, err := strconv.Atoi(m[1]); err == nil && minor < 14 {
			found = append(found, version.Breaks("network policies came with 1.14", "use v1.14 or later")...)
		}
	}
	return found
}

var (
	accessPolicy  = regexp.MustCompile(`^arn:aws[a-z-]*:eks::aws:cluster-access-policy/`)
	reservedGroup = regexp.MustCompile(`^(system|eks|aws|amazon|iam):`)
)

func accessEntryArguments(in Resource) []Finding {
	kind, groups := in.At("type"), in.At("kubernetesGroups")
	found := kind.oneOf("a type of access entries", set{"STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2",
		"HYBRID_LINUX", "HYPERPOD_LINUX"})
	if kind.IsSet() && kind.IsKnown() && !kind.Is("STANDARD") {
		found = append(found, unset("EKS itself names nodes and their groups", "leave it unset, or use type STANDARD", "userName")(in)...)
		if !groups.IsEmpty() {
			found = append(found, groups.Breaks("EKS itself names nodes and their groups", "leave it unset, or use type STANDARD")...)
		}
	}
	for _, group := range groups.Items() {
		if name, ok := group.Text(); ok && reservedGroup.MatchString(name) {
			found = append(found, group.Breaks("EKS refuses groups of Kubernetes' and its own",
				"associate an access policy, or bind a group of your own")...)
		}
	}
	principal := in.At("principalArn")
	if text, ok := principal.Text(); ok && strings.Contains(text, ":assumed-role/") {
		found = append(found, principal.Breaks("is a session, which EKS never matches", "give the role's ARN")...)
	}
	return found
}

func scopeNamespaces(in Resource) []Finding {
	kind, namespaces := in.At("accessScope.type"), in.At("accessScope.namespaces")
	switch {
	case kind.Is("cluster") && !namespaces.IsEmpty():
		return namespaces.Breaks("the whole cluster has no namespaces", "leave it unset, or set type to namespace")
	case kind.Is("namespace") && namespaces.IsEmpty():
		return namespaces.Breaks("the scope is empty", "name the namespaces")
	}
	return nil
}
