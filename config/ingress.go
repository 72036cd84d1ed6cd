package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// IngressName is that of the ingress' Deployment, and its pods' label `app`.
const IngressName = "ingress"

// Ingress is what Traefik routes (W1); its replicas and resources are with the other workloads'.
type Ingress struct {
	// Routes send what comes for the edge's host to a service, by the longest path that matches.
	Routes []Route `json:"routes"`
}

// Route is a row of the routes' table.
type Route struct {
	// Path is a prefix of the request's path; "/" is everything else.
	Path    string `json:"path"`
	Service string `json:"service"`
	// Unlimited exempts the path from the ingress' rate limits: Stripe's webhooks come in bursts, and must arrive; so must health checks.
	Unlimited bool `json:"unlimited"`
	// Signed calls prove by themselves who sends them, as Stripe's do: the edge neither counts them nor weighs what they look like.
	Signed bool `json:"signed"`
}

// Services are what routes may lead to, with the port for callers inside the cluster. It equals the container's, which the network
// policy agent of the VPC CNI demands (N7).
var Services = map[string]int{"api-service": 8000, "billing-service": 8000}

var routePath = regexp.MustCompile(`^/([a-z0-9._-]+(/[a-z0-9._-]+)*)?$`)

func (i Ingress) validate() (ps Problems) {
	if !slices.ContainsFunc(i.Routes, func(r Route) bool { return r.Path == "/" }) {
		ps.missing("routes", `a route with path "/", for what no other one matches`)
	}
	seen := map[string]bool{}
	for n, route := range i.Routes {
		key := fmt.Sprintf("routes[%d].", n)
		if !routePath.MatchString(route.Path) {
			ps.add(key+"path", route.Path, "must be a path such as / or /billing, in lower case and without a slash at its end")
		} else if seen[route.Path] {
			ps.add(key+"path", route.Path, "is the path of two routes")
		}
		seen[route.Path] = true
		if _, ok := Services[route.Service]; !ok {
			ps.add(key+"service", route.Service, "is no service of this program; legal: %s", strings.Join(sortedKeys(Services), ", "))
		}
	}
	return ps
}

// Signed are the paths whose calls the edge lets through as they are.
func (i Ingress) Signed() (paths []string) {
	for _, route := range i.Routes {
		if route.Signed {
			paths = append(paths, route.Path)
		}
	}
	return paths
}
