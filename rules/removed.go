package rules

// removedRules are versions of APIs that no supported cluster serves any more (Kubernetes' deprecation guide, and the operators' own).
// They are named one by one: some groups have since got new kinds under an old version.
var removedRules = []Rule{
	removed("pod-security-policy", "label namespaces for Pod Security Admission", "policy/v1beta1:PodSecurityPolicy*",
		"extensions/v1beta1:PodSecurityPolicy*"),
	removed("workload-apis", "use apps/v1", "apps/v1beta1:*", "apps/v1beta2:*", "extensions/v1beta1:D*", "extensions/v1beta1:Re*"),
	removed("network-apis", "use networking.k8s.io/v1", "extensions/v1beta1:I*", "extensions/v1beta1:N*",
		"networking.k8s.io/v1beta1:Ingress*"),
	removed("disruption-budget-api", "use policy/v1", "policy/v1beta1:PodDisruptionBudget*"),
	removed("autoscaling-apis", "use autoscaling/v2", "autoscaling/v2beta1:*", "autoscaling/v2beta2:*"),
	removed("cron-job-api", "use batch/v1", "batch/v1beta1:*", "batch/v2alpha1:*"),
	removed("rbac-apis", "use rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1alpha1:*", "rbac.authorization.k8s.io/v1beta1:*"),
	removed("crd-api", "use apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1:*"),
	removed("webhook-api", "use admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1:MutatingWebhook*",
		"admissionregistration.k8s.io/v1beta1:ValidatingWebhook*"),
	removed("storage-apis", "use storage.k8s.io/v1", "storage.k8s.io/v1beta1:StorageClass*", "storage.k8s.io/v1beta1:CSI*",
		"storage.k8s.io/v1beta1:VolumeAttachment*"),
	removed("priority-class-api", "use scheduling.k8s.io/v1", "scheduling.k8s.io/v1alpha1:PriorityClass*",
		"scheduling.k8s.io/v1beta1:PriorityClass*"),
	removed("flow-control-apis", "use flowcontrol.apiserver.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1alpha1:*",
		"flowcontrol.apiserver.k8s.io/v1beta*"),
	removed("external-secrets-api", "use external-secrets.io/v1", "external-secrets.io/v1beta1:*"),
	removed("cert-manager-apis", "use cert-manager.io/v1", "cert-manager.io/v1alpha*", "cert-manager.io/v1beta1:*"),
	removed("karpenter-apis", "use karpenter.sh/v1 and karpenter.k8s.aws/v1", "karpenter.sh/v1beta1:*", "karpenter.k8s.aws/v1beta1:*"),
}

func removed(name, remedy string, types ...string) Rule {
	rule := Rule{Name: "removed-" + name, Source: "Kubernetes and operator docs",
		Check: always("apiVersion", "no supported version serves it", remedy)}
	for _, typ := range types {
		rule.Types = append(rule.Types, "kubernetes:"+typ)
	}
	return rule
}
