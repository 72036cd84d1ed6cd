package clouds

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

var ecrTypes = []Type{
	{Name: "ecr.Repository", ID: "{name}", Unique: "RepositoryAlreadyExistsException name", check: checkRepository,
		Props: `name@* imageTagMutability=MUTABLE imageScanningConfiguration{scanOnPush!} forceDelete tags{}
			encryptionConfigurations*{encryptionType kmsKey~kms.Key}`,
		Out: `arn=arn:aws:ecr:{region}:{account}:repository/{name} registryId={account}
			repositoryUrl={account}.dkr.ecr.{region}.amazonaws.com/{name}`},
	{Name: "ecr.LifecyclePolicy", ID: "{repository}", check: checkPolicies,
		Props: `repository!*^ecr.Repository policy!`,
		Out:   `registryId={account}`},
	{Name: "ecr.PullThroughCacheRule", ID: "{ecrRepositoryPrefix}", Missing: "PullThroughCacheRuleNotFoundException",
		Unique: "PullThroughCacheRuleAlreadyExistsException ecrRepositoryPrefix", check: checkCachePrefix,
		admit: upstreamIsReachable,
		Props: `ecrRepositoryPrefix!* upstreamRegistryUrl!* upstreamRepositoryPrefix* credentialArn~secretsmanager.Secret customRoleArn~iam.Role`,
		Out:   `registryId={account} upstreamRepositoryPrefix=ROOT`},
	{Name: "ecr.RepositoryCreationTemplate", ID: "{prefix}", Missing: "TemplateNotFoundException",
		Unique: "TemplateAlreadyExistsException prefix", check: checkTemplate, admit: templateHasRole,
		Props: `prefix!* appliedFors! description customRoleArn~iam.Role imageTagMutability=MUTABLE lifecyclePolicy repositoryPolicy
			resourceTags{} encryptionConfigurations{encryptionType kmsKey~kms.Key}`,
		Out: `registryId={account}`},
	// A registry is an account's in a region: it has one policy and one way of scanning, and the last word counts.
	{Name: "ecr.RegistryPolicy", ID: "{account}", check: checkPolicies,
		Props: `policy!`,
		Out:   `registryId={account}`},
	{Name: "ecr.RegistryScanningConfiguration", ID: "{account}", check: checkScanning,
		Props: `scanType! rules{scanFrequency! repositoryFilters!{filter! filterType!}}`,
		Out:   `registryId={account}`},
}

var repositoryName = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

func checkRepository(in map[string]any) error {
	if name, ok := in["name"].(string); ok && (len(name) < 2 || len(name) > 256 || !repositoryName.MatchString(name)) {
		return fmt.Errorf("%q is not a valid ECR repository name: 2 to 256 lower-case letters and digits with single ._-/ between them", name)
	}
	return oneOf("imageTagMutability", in["imageTagMutability"], "MUTABLE", "IMMUTABLE")
}

func checkCachePrefix(in map[string]any) error {
	return checkPrefix("ecrRepositoryPrefix", in["ecrRepositoryPrefix"])
}

func checkPrefix(property string, value any) error {
	prefix, ok := value.(string)
	if ok && prefix != "ROOT" && (len(prefix) < 2 || len(prefix) > 30 || !repositoryName.MatchString(prefix)) {
		return fmt.Errorf("%s %q: 2 to 30 lower-case letters and digits with single ._-/ between them, or ROOT", property, prefix)
	}
	return nil
}

// upstreams are the registries that ECR can stand before, and whether it must log in to them (ECR user guide, "Creating a pull through
// cache rule").
var upstreams = map[string]bool{
	"registry-1.docker.io": true, "ghcr.io": true, "registry.gitlab.com": true, "cgr.dev": true,
	"public.ecr.aws": false, "registry.k8s.io": false, "quay.io": false,
}

func upstreamIsReachable(_ *Provider, r *inventory.Record) error {
	url, credential := str(r.Inputs["upstreamRegistryUrl"]), str(r.Inputs["credentialArn"])
	login, known := upstreams[url]
	private := strings.HasSuffix(url, ".amazonaws.com")
	login = login || strings.HasSuffix(url, ".azurecr.io")
	switch {
	case !known && !private && !login:
		return apiError("UnsupportedUpstreamRegistryException",
			"The upstream registry URL %s is invalid. Specify a valid upstream registry URL and try again", url)
	case login && credential == "":
		return apiError("UnsupportedUpstreamRegistryException",
			"The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN: %s", url)
	case credential != "" && !strings.Contains(credential, ":secret:ecr-pullthroughcache/"):
		return apiError("InvalidParameterException", "credentialArn: the secret's name must begin with ecr-pullthroughcache/, got %s", credential)
	}
	return nil
}

func checkTemplate(in map[string]any) error {
	for _, use := range strs(in["appliedFors"]) {
		if err := oneOf("appliedFors", use, "PULL_THROUGH_CACHE", "REPLICATION"); err != nil {
			return err
		}
	}
	return checkPrefix("prefix", in["prefix"])
}

// templateHasRole: ECR's own role may neither use our keys nor set tags (ECR user guide, "Repository creation templates").
func templateHasRole(_ *Provider, r *inventory.Record) error {
	encryption := objects(r.Inputs["encryptionConfigurations"])
	needsRole := len(object(r.Inputs["resourceTags"])) > 0 || len(encryption) > 0 && encryption[0]["encryptionType"] == "KMS"
	if needsRole && str(r.Inputs["customRoleArn"]) == "" {
		return apiError("InvalidParameterException", "customRoleArn is required when the template sets resourceTags or KMS encryption")
	}
	return nil
}

func checkScanning(in map[string]any) error {
	return oneOf("scanType", in["scanType"], "BASIC", "ENHANCED")
}
