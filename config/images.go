package config

import (
	"regexp"
	"slices"
	"strings"
)

// OwnImages are the platform's own, each with a repository of its name (C7).
var OwnImages = []string{"alphapulse/api", "alphapulse/agent-worker", "alphapulse/risk-worker", "alphapulse/billing"}

// ImageCache is an upstream registry that ECR caches without credentials of ours, under a prefix in our registry.
type ImageCache struct{ Upstream, Prefix string }

// ImageCaches are all of them. What is in none of them, nor in PublicRegistries, nodes cannot pull: the DNS firewall may not let them,
// either.
var ImageCaches = []ImageCache{
	{"public.ecr.aws", "ecr-public"},
	{"registry.k8s.io", "kubernetes"},
	{"quay.io", "quay"},
}

// PublicRegistries are pulled from directly. GitHub's and Docker's want credentials from ECR, even for what is public, and a cache of them
// could not be made before somebody had put them in. Grafana's images are at Docker's only.
var PublicRegistries = []string{"ghcr.io", "docker.io/grafana"}

// PulledDirectly tells whether an image, by its name without a tag, is in one of the public registries.
func PulledDirectly(name string) bool {
	return slices.ContainsFunc(PublicRegistries, func(r string) bool { return strings.HasPrefix(name, r+"/") })
}

// imageVersion is a tag, a digest or both, as registries take them.
var imageVersion = regexp.MustCompile(`^(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

// validateImage wants an image that nodes can pull, with a tag that says what runs, or a digest (W6).
func validateImage(image string) (ps Problems) {
	last := strings.LastIndex(image, "/") + 1
	name, version := image, ""
	if end := strings.IndexAny(image[last:], ":@"); end >= 0 {
		name, version = image[:last+end], image[last+end:]
	}
	switch {
	case name == "" || version == "" || !imageVersion.MatchString(version):
		ps.add("image", image, "must be an image with a tag, of 128 letters, digits, dots, hyphens and underscores at most, or a digest, @sha256: and 64 hex digits; such as alphapulse/api:1.0.0")
	case version == ":latest":
		ps.add("image", image, "must not be `latest`: nobody could say what runs, or go back to it")
	case PulledDirectly(name):
	case !slices.Contains(OwnImages, name) && strings.Contains(version, "@"):
		ps.add("image", image, "must have a tag and no digest: ECR fills its caches by tag only; digests are for %s", strings.Join(OwnImages, ", "))
	case !slices.Contains(OwnImages, name) && !slices.ContainsFunc(ImageCaches, func(c ImageCache) bool { return strings.HasPrefix(name, c.Upstream+"/") }):
		ps.add("image", image, "is in no registry that nodes pull from; legal: %s", LegalImages())
	}
	return ps
}

// LegalImages says in words where images may come from.
func LegalImages() string {
	legal := slices.Clone(OwnImages)
	for _, cache := range ImageCaches {
		legal = append(legal, cache.Upstream+"/...")
	}
	for _, registry := range PublicRegistries {
		legal = append(legal, registry+"/...")
	}
	return strings.Join(legal, ", ") + " (Docker's own images are in public.ecr.aws/docker/library)"
}
