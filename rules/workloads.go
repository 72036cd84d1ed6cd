package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// podTemplates is where a type of workload says what its pods are.
var podTemplates = map[string]string{
	"kubernetes:core/v1:Pod":                   "spec",
	"kubernetes:apps/v1:Deployment":            templateSpec,
	"kubernetes:apps/v1:StatefulSet":           templateSpec,
	"kubernetes:apps/v1:DaemonSet":             templateSpec,
	"kubernetes:apps/v1:ReplicaSet":            templateSpec,
	"kubernetes:batch/v1:Job":                  templateSpec,
	"kubernetes:batch/v1:CronJob":              "spec.jobTemplate." + templateSpec,
	"kubernetes:core/v1:PodTemplate":           "template.spec",
	"kubernetes:core/v1:ReplicationController": templateSpec,
}

const templateSpec = "spec.template.spec"

// workloadRules are for pods, and for what scales them (W2, W6).
var workloadRules = []Rule{
	{Name: "image-pinned", Guardrail: true, Types: podOwners(), Source: "requirement W6", Check: eachContainer(pinnedImage)},
	{Name: "image-retired", Types: podOwners(), Source: "vendors' notices", Check: eachContainer(retiredImage)},
	{Name: "autoscaled-replicas", Source: "requirement W2", Pair: autoscaled, Types: []string{
		"kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet",
		"kubernetes:autoscaling/v1:HorizontalPodAutoscaler", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
		"kubernetes:keda.sh/v1alpha1:ScaledObject"}},
}

func podOwners() (types []string) {
	for typ := range podTemplates {
		types = append(types, typ)
	}
	slices.Sort(types)
	return types
}

// eachContainer checks all containers of a workload's pods, those that run first too.
func eachContainer(one check) check {
	return func(in Resource) (found []Finding) {
		pod := podTemplates[in.Type]
		for _, list := range []string{"initContainers", "containers"} {
			found = append(found, each(pod+"."+list, one)(in)...)
		}
		return found
	}
}

func pinnedImage(in Resource) []Finding {
	v := in.At("image")
	image, ok := v.Text()
	if !ok || strings.Contains(image, "@sha256:") {
		return nil
	}
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	if tagged && tag != "latest" {
		return nil
	}
	return v.Breaks("nobody can say what runs, or go back to it", "name a version or a digest")
}

// retiredImages are images that get no corrections any more.
var retiredImages = []struct {
	name      *regexp.Regexp
	why, then string
}{
	{regexp.MustCompile(`(^|/)bitnami/`), "versioned Bitnami images moved to a registry without updates", "use the project's own image"},
	{regexp.MustCompile(`(^|/)grafana/promtail(:|@|$)`), "Promtail has been at its end of life since Mar 2026", "use grafana/alloy"},
	{regexp.MustCompile(`(^|/)ingress-nginx/controller(:|@|$)`), "ingress-nginx was retired in 2026", "use Traefik"},
	{regexp.MustCompile(`(^|/)vault:(0|1\.(\d|1[0-5]))\.`), "Vault up to 1.15 is out of support", "use 1.21"},
	{regexp.MustCompile(`^k8s\.gcr\.io/`), "the registry has been frozen since 2023", "use registry.k8s.io"},
}

func retiredImage(in Resource) []Finding {
	v := in.At("image")
	image, _ := v.Text()
	for _, retired := range retiredImages {
		if retired.name.MatchString(image) {
			return v.Breaks(retired.why, retired.then)
		}
	}
	return nil
}

// autoscaled: a workload with an autoscaler sets no number, or every update would fight for it.
func autoscaled(in, earlier Resource) []Finding {
	scaler, workload := in, earlier
	if scaler.At("spec.scaleTargetRef").raw == nil {
		scaler, workload = earlier, in
	}
	target := scaler.At("spec.scaleTargetRef")
	if !target.IsSet() || workload.At("spec.scaleTargetRef").IsSet() || !workload.At("spec.replicas").IsSet() {
		return nil
	}
	kind, _ := target.At("kind").Text()
	if kind == "" {
		kind = "Deployment" // KEDA's default
	}
	name, named := target.At("name").Text()
	if !named || !workload.At("metadata.name").Is(name) || !strings.HasSuffix(workload.Type, ":"+kind) {
		return nil
	}
	if scaler.At("metadata.namespace").raw != workload.At("metadata.namespace").raw {
		return nil
	}
	return workload.At("spec.replicas").Breaks(fmt.Sprintf("%s %s scales it", scaler.Type, scaler.Name), "leave replicas unset")
}
