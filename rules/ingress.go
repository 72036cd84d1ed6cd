package rules

import "strings"

// ingressRules are for what Traefik reads (W1).
var ingressRules = []Rule{
	{Name: "ingress-annotations", Types: []string{"kubernetes:networking.k8s.io/v1:Ingress"}, Source: "Traefik docs", Check: nginxAnnotations},
	{Name: "traefik-rate-limit-client", Types: []string{"kubernetes:traefik.io/v1alpha1:Middleware"}, Source: "Traefik docs", Check: all(
		unset("any peer can write this header", "use ipStrategy.depth",
			"spec.rateLimit.sourceCriterion.requestHeaderName", "spec.inFlightReq.sourceCriterion.requestHeaderName"))},
	{Name: "traefik-rate-limit-redis", Types: []string{"kubernetes:traefik.io/v1alpha1:Middleware"}, Source: "Traefik docs", Check: redisLimit},
}

func nginxAnnotations(in Resource) (found []Finding) {
	if class := in.At("spec.ingressClassName"); class.Is("nginx") {
		found = class.Breaks("ingress-nginx was retired in 2026", "use the class of Traefik")
	}
	for name, v := range in.At("metadata.annotations").Entries() {
		if strings.HasPrefix(name, "nginx.ingress.kubernetes.io/") {
			found = append(found, v.Breaks("Traefik does not read it", "use a Middleware")...)
		}
	}
	return found
}

// redisLimit: a Redis Cluster is recognised by its second endpoint, and has database 0 only.
func redisLimit(in Resource) []Finding {
	redis := in.At("spec.rateLimit.redis")
	if !redis.IsSet() || !redis.IsKnown() {
		return nil
	}
	found := atLeast("spec.rateLimit.redis.endpoints", 2, "with one endpoint Traefik does not speak to it as a cluster",
		"name two endpoints or more")(in)
	return append(found, redis.At("db").oneOf("a database of a Redis Cluster", set{0.})...)
}
