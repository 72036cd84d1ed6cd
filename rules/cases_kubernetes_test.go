package rules

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	podType      = "kubernetes:core/v1:Pod"
	cronJob      = "kubernetes:batch/v1:CronJob"
	deployment   = "kubernetes:apps/v1:Deployment"
	storageClass = "kubernetes:storage.k8s.io/v1:StorageClass"
	namespace    = "kubernetes:core/v1:Namespace"
	service      = "kubernetes:core/v1:Service"
	ingressType  = "kubernetes:networking.k8s.io/v1:Ingress"
	middleware   = "kubernetes:traefik.io/v1alpha1:Middleware"
)

func pod(image string) string { return `{"containers":[{"image":"` + image + `"}]}` }

func template(pod string) string { return `{"spec":{"template":{"spec":` + pod + `}}}` }

func ports(list string) string { return `{"spec":{"selector":{"app":"a"},"ports":[` + list + `]}}` }

func labels(list string) string { return `{"metadata":{"labels":{` + list + `}}}` }

const enforce = `"pod-security.kubernetes.io/enforce":"restricted"`

var kubernetesCases = []breakage{
	{"image-pinned", deployment, template(pod("alphapulse/api:latest")), "spec.template.spec.containers[0].image alphapulse/api:latest: nobody can say", template(pod("alphapulse/api:1.0.0"))},
	{"image-pinned", podType, `{"spec":` + pod("registry:5000/api") + `}`, "name a version", `{"spec":` + pod("registry:5000/api:1") + `}`},
	{"image-pinned", cronJob, `{"spec":{"jobTemplate":` + template(pod("dump")) + `}}`, "image dump", `{"spec":{"jobTemplate":` + template(pod("dump@sha256:00")) + `}}`},
	{"image-pinned", deployment, template(`{"initContainers":[{"image":"wait"}],"containers":[]}`), "initContainers[0]", template(`{"initContainers":[{"image":"wait:2"}]}`)},
	{"image-retired", deployment, template(pod("docker.io/bitnami/redis:7.0")), "without updates", template(pod("docker.io/library/redis:7.0"))},
	{"image-retired", "kubernetes:apps/v1:DaemonSet", template(pod("grafana/promtail:3.0")), "use grafana/alloy", template(pod("grafana/alloy:v1.11.0"))},
	{"image-retired", deployment, template(pod("registry.k8s.io/ingress-nginx/controller:v1.9")), "retired in 2026", template(pod("traefik:v3.7.13"))},
	{"image-retired", "kubernetes:apps/v1:StatefulSet", template(pod("hashicorp/vault:1.15.6")), "use 1.21", template(pod("hashicorp/vault:1.21.4"))},
	{"image-retired", deployment, template(pod("k8s.gcr.io/pause:3")), "use registry.k8s.io", template(pod("registry.k8s.io/pause:3"))},
	{"storage-provisioner", storageClass, `{"provisioner":"kubernetes.io/aws-ebs"}`, "use ebs.csi.aws.com", `{"provisioner":"ebs.csi.aws.com"}`},
	{"storage-encrypted", storageClass, `{"provisioner":"ebs.csi.aws.com","parameters":{"type":"gp3"}}`, "parameters.encrypted (not set)",
		`{"provisioner":"ebs.csi.aws.com","parameters":{"type":"gp3","encrypted":"true"}}`},
	{"storage-encrypted", storageClass, `{"provisioner":"ebs.csi.aws.com","parameters":{"type":"gp2","encrypted":"true"}}`, "set it to gp3", `{"provisioner":"efs.csi.aws.com"}`},
	{"pod-security-version", namespace, labels(enforce), "pin a minor", labels(`"a":"b"`)},
	{"pod-security-version", namespace, labels(enforce + `,"pod-security.kubernetes.io/enforce-version":"latest"`), "enforce-version latest", labels(enforce + `,"pod-security.kubernetes.io/enforce-version":"v1.34"`)},
	{"unseen-objects", "kubernetes:helm.sh/v3:Release", `{}`, "use Chart of helm/v4", ""},
	{"unseen-objects", "kubernetes:apps/v1:DeploymentPatch", `{}`, "type kubernetes:apps/v1:DeploymentPatch: no rule judges the objects in it", ""},
	{"unseen-objects", "kubernetes:core/v1:PodList", `{}`, "make each object a resource", ""},
	{"service-ports", service, ports(`{"port":80,"targetPort":8000}`), "spec.ports[0].targetPort 8000", ports(`{"port":80,"targetPort":8000},{"port":8000,"targetPort":8000}`)},
	{"service-ports", service, ports(`{"port":5432,"targetPort":6432}`), "offer the container's port", ports(`{"port":443,"targetPort":10250},{"port":80,"targetPort":"http"}`)},
	{"removed-pod-security-policy", "kubernetes:policy/v1beta1:PodSecurityPolicy", `{"apiVersion":"policy/v1beta1"}`, "Pod Security Admission", ""},
	{"removed-workload-apis", "kubernetes:extensions/v1beta1:Deployment", `{}`, "use apps/v1", ""},
	{"removed-network-apis", "kubernetes:networking.k8s.io/v1beta1:Ingress", `{}`, "use networking.k8s.io/v1", ""},
	{"removed-disruption-budget-api", "kubernetes:policy/v1beta1:PodDisruptionBudget", `{}`, "use policy/v1", ""},
	{"removed-autoscaling-apis", "kubernetes:autoscaling/v2beta2:HorizontalPodAutoscaler", `{}`, "use autoscaling/v2", ""},
	{"removed-cron-job-api", "kubernetes:batch/v1beta1:CronJob", `{}`, "use batch/v1", ""},
	{"removed-rbac-apis", "kubernetes:rbac.authorization.k8s.io/v1beta1:ClusterRole", `{}`, "use rbac", ""},
	{"removed-crd-api", "kubernetes:apiextensions.k8s.io/v1beta1:CustomResourceDefinition", `{}`, "use apiextensions", ""},
	{"removed-webhook-api", "kubernetes:admissionregistration.k8s.io/v1beta1:ValidatingWebhookConfiguration", `{}`, "use admissionregistration", ""},
	{"removed-storage-apis", "kubernetes:storage.k8s.io/v1beta1:CSIDriver", `{}`, "use storage", ""},
	{"removed-priority-class-api", "kubernetes:scheduling.k8s.io/v1beta1:PriorityClass", `{}`, "use scheduling", ""},
	{"removed-flow-control-apis", "kubernetes:flowcontrol.apiserver.k8s.io/v1beta3:FlowSchema", `{}`, "use flowcontrol", ""},
	{"removed-external-secrets-api", "kubernetes:external-secrets.io/v1beta1:ExternalSecret", `{}`, "use external-secrets.io/v1", ""},
	{"removed-cert-manager-apis", "kubernetes:cert-manager.io/v1alpha2:Certificate", `{}`, "use cert-manager.io/v1", ""},
	{"removed-karpenter-apis", "kubernetes:karpenter.sh/v1beta1:NodePool", `{}`, "use karpenter.sh/v1", ""},
}

func TestKubernetesArgumentsOfC4C5N7W2W6(t *testing.T) { breakEach(t, kubernetesCases) }

func TestKindsThatAreServedAreNotRefused(t *testing.T) {
	for _, typ := range []string{
		"policy/v1:PodDisruptionBudget", "networking.k8s.io/v1beta1:ServiceCIDR", "storage.k8s.io/v1beta1:VolumeAttributesClass", "apps/v1:Deployment",
		"admissionregistration.k8s.io/v1beta1:ValidatingAdmissionPolicy", "batch/v1:CronJob", "autoscaling/v2:HorizontalPodAutoscaler",
		"external-secrets.io/v1:ExternalSecret", "external-secrets.io/v1alpha1:PushSecret", "cert-manager.io/v1:Certificate", "karpenter.sh/v1:NodeClaim",
		"flowcontrol.apiserver.k8s.io/v1:FlowSchema", "rbac.authorization.k8s.io/v1:Role",
	} {
		assert.Empty(t, judgeAlone("kubernetes:"+typ, "it", map[string]any{"metadata": Unknown{}}), typ)
	}
}

var ingressCases = []breakage{
	{"ingress-annotations", ingressType, `{"metadata":{"annotations":{"nginx.ingress.kubernetes.io/limit-rps":"10"}}}`, "Traefik does not read it",
		`{"metadata":{"annotations":{"traefik.ingress.kubernetes.io/router.middlewares":"a"}}}`},
	{"ingress-annotations", ingressType, `{"spec":{"ingressClassName":"nginx"}}`, "use the class of Traefik", `{"spec":{"ingressClassName":"traefik"}}`},
	{"traefik-rate-limit-client", middleware, `{"spec":{"rateLimit":{"sourceCriterion":{"requestHeaderName":"X-Real-Ip"}}}}`, "any peer can write this header",
		`{"spec":{"rateLimit":{"sourceCriterion":{"ipStrategy":{"depth":1}}}}}`},
	{"traefik-rate-limit-redis", middleware, `{"spec":{"rateLimit":{"redis":{"endpoints":["redis-cluster:6379"]}}}}`, "two endpoints",
		`{"spec":{"rateLimit":{"redis":{"endpoints":["redis-cluster-0:6379","redis-cluster-1:6379"]}}}}`},
	{"traefik-rate-limit-redis", middleware, `{"spec":{"rateLimit":{"redis":{"endpoints":["a","b"],"db":1}}}}`, "spec.rateLimit.redis.db 1", `{"spec":{"rateLimit":{"average":100}}}`},
}

func TestW1IngressArguments(t *testing.T) { breakEach(t, ingressCases) }
