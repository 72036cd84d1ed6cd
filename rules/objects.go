package rules

import (
	"regexp"
	"strings"
)

// objectRules are for other Kubernetes objects (C4, C5, N7, S4).
var objectRules = []Rule{
	{Name: "storage-provisioner", Types: []string{"kubernetes:storage.k8s.io/v1:StorageClass"}, Source: "Kubernetes docs",
		Check: mustNot("provisioner", "kubernetes.io/aws-ebs", "the in-tree provisioner was removed in 1.27", "use ebs.csi.aws.com")},
	{Name: "storage-encrypted", Guardrail: true, Types: []string{"kubernetes:storage.k8s.io/v1:StorageClass"}, Source: "requirement C4",
		Check: when("provisioner", "ebs.csi.aws.com", all(
			must("parameters.encrypted", "true", "volumes are not encrypted; a parameter is a string", `set it to "true"`),
			must("parameters.type", "gp3", "is not what volumes are", "set it to gp3")))},
	{Name: "pod-security-version", Types: []string{"kubernetes:core/v1:Namespace"}, Source: "Kubernetes docs, requirement C5",
		Check: podSecurityVersion},
	guardrail("unseen-objects", unseen, "kubernetes:*"),
	{Name: "service-ports", Types: []string{"kubernetes:core/v1:Service"}, Source: "AWS docs, requirement N7", Check: servicePorts},
}

// unseen refuses what makes or changes objects that are never registered: no preview shows them, and no other rule judges them.
func unseen(in Resource) []Finding {
	v := Value{path: "type", raw: in.Type}
	const wrong = "no rule judges the objects in it"
	switch {
	case in.Type == "kubernetes:helm.sh/v3:Release":
		return v.Breaks(wrong, "use Chart of helm/v4, whose objects are resources")
	case strings.HasSuffix(in.Type, "Patch"):
		return v.Breaks(wrong, "change the object where it is made")
	case strings.HasSuffix(in.Type, "List"):
		return v.Breaks(wrong, "make each object a resource")
	}
	return nil
}

var podSecurity = regexp.MustCompile(`^v1\.\d+$`)

func podSecurityVersion(in Resource) []Finding {
	labels := in.At("metadata.labels")
	level := labels.Key("pod-security.kubernetes.io/enforce")
	version := labels.Key("pod-security.kubernetes.io/enforce-version")
	if text, ok := version.Text(); !level.IsSet() || !version.IsKnown() || ok && podSecurity.MatchString(text) {
		return nil
	}
	return version.Breaks("what is admitted would change with every upgrade of the cluster", "pin a minor, such as v1.36")
}

// servicePorts: the VPC CNI's policy agent sees a connection to a Service with the container's port, and lets it pass only if the Service
// has that port too. Webhooks keep 443: the control plane calls them, past the agent.
func servicePorts(in Resource) []Finding {
	spec := in.At("spec")
	if kind := spec.At("type"); kind.IsSet() && !kind.Is("ClusterIP") || spec.At("selector").IsEmpty() {
		return nil
	}
	offered := map[float64]bool{}
	for _, port := range spec.At("ports").Items() {
		n, ok := port.At("port").Number()
		if !ok {
			return nil
		}
		offered[n] = true
	}
	for _, port := range spec.At("ports").Items() {
		target := port.At("targetPort")
		if n, ok := target.Number(); ok && !offered[n] && !port.At("port").Is(443.) {
			return target.Breaks("network policies drop connections to a Service whose port is another than the container's",
				"offer the container's port as well")
		}
	}
	return nil
}
