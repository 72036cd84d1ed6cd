package cluster

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	repositoryType = "aws:ecr/repository:Repository"
	lifecycleType  = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	templateType   = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
	cacheType      = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"

	digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

var inIreland = config.AWS{Account: "222222222222", Region: "eu-west-1"}

// registries records the registries and where the images are to be pulled from, if that is known in this mode.
func registries(t *testing.T, mode recorder.Mode, protect bool, refs ...string) (*recorder.Run, []string) {
	t.Helper()
	images := make([]string, len(refs))
	run := recorder.Record(t, mode, func(ctx *pulumi.Context) error {
		r, err := NewRegistries(ctx, "registries", &RegistriesArgs{Name: "alphapulse-prod", AWS: inIreland, Protect: protect})
		if err != nil {
			return err
		}
		for i, ref := range refs {
			image, err := r.Image(ref)
			if err != nil {
				return err
			}
			image.ApplyT(func(where string) error { images[i] = where; return nil })
		}
		return nil
	})
	return run, images
}

func TestC7EachOfTheFourImagesHasARepository(t *testing.T) {
	run, _ := registries(t, recorder.Up, true)
	require.Len(t, run.All(repositoryType), 4)
	for _, image := range []string{"api", "agent-worker", "risk-worker", "billing"} {
		repository := run.Find(t, repositoryType, "registries-"+image)
		assert.Equal(t, "alphapulse/"+image, repository.At("name"))
		assert.Equal(t, "IMMUTABLE", repository.At("imageTagMutability"), image)
		assert.Equal(t, true, repository.At("imageScanningConfiguration.scanOnPush"), image)
		assert.Equal(t, []any{map[string]any{"encryptionType": "AES256"}}, repository.At("encryptionConfigurations"), image)
	}
}

func TestC7ProtectedRepositoriesKeepTheirImages(t *testing.T) {
	for _, protect := range []bool{true, false} {
		run, _ := registries(t, recorder.Up, protect)
		for _, repository := range run.All(repositoryType) {
			assert.Equal(t, protect, repository.Protect, repository.Name)
			assert.Equal(t, !protect, repository.At("forceDelete"), repository.Name)
		}
		for _, cache := range run.All(cacheType) {
			assert.False(t, cache.Protect, "%s: what it holds can be fetched again", cache.Name)
		}
	}
}

// lifecycle reads a policy's rules.
func lifecycle(t *testing.T, text any) (rules []map[string]any) {
	t.Helper()
	var document struct{ Rules []map[string]any }
	require.IsType(t, "", text)
	require.NoError(t, json.Unmarshal([]byte(text.(string)), &document))
	for _, rule := range document.Rules {
		assert.Equal(t, map[string]any{"type": "expire"}, rule["action"])
		assert.NotEmpty(t, rule["description"])
	}
	return document.Rules
}

// ECR does not know which images run, so no number of newer ones may push a release out.
func TestC7ReleaseInUseNeverExpires(t *testing.T) {
	run, _ := registries(t, recorder.Up, true)
	require.Len(t, run.All(lifecycleType), 4)
	for _, of := range run.All(lifecycleType) {
		assert.Equal(t, run.Find(t, repositoryType, of.Name).At("name"), of.At("repository"))
		rules := lifecycle(t, of.At("policy"))
		require.Len(t, rules, 1)
		assert.Equal(t, map[string]any{"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14.}, rules[0]["selection"])
	}
}

func TestC7ThirdPartyImagesComeThroughACache(t *testing.T) {
	run, _ := registries(t, recorder.Up, true)
	upstreams := map[string]string{"ecr-public": "public.ecr.aws", "kubernetes": "registry.k8s.io", "quay": "quay.io"}
	require.Len(t, run.All(cacheType), len(upstreams))
	require.Len(t, run.All(templateType), len(upstreams))
	for prefix, upstream := range upstreams {
		cache := run.Find(t, cacheType, "registries-"+prefix)
		assert.Equal(t, map[string]any{"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": upstream}, cache.Inputs, "no credentials")
		template := run.Find(t, templateType, "registries-"+prefix)
		assert.Contains(t, cache.DependsOn, template.URN, "a repository keeps what it was made with")
		assert.Equal(t, []any{prefix, []any{"PULL_THROUGH_CACHE"}, "IMMUTABLE"},
			[]any{template.At("prefix"), template.At("appliedFors"), template.At("imageTagMutability")})
		assert.Equal(t, []any{map[string]any{"encryptionType": "AES256"}}, template.At("encryptionConfigurations"))
		rules := lifecycle(t, template.At("lifecyclePolicy"))
		require.Len(t, rules, 1)
		assert.Equal(t, map[string]any{"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 365.}, rules[0]["selection"])
		assert.Nil(t, template.At("resourceTags"), "they and a key of ours would need a role")
		assert.Nil(t, template.At("customRoleArn"))
	}
}

func TestC7ImagesArePulledFromOurRegistryByTagOrDigest(t *testing.T) {
	const registry = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/"
	want := map[string]string{
		"alphapulse/api:1.0.0":                                   "alphapulse/api:1.0.0",
		"alphapulse/risk-worker" + digest:                        "alphapulse/risk-worker" + digest,
		"alphapulse/billing:1.0.0" + digest:                      "alphapulse/billing:1.0.0" + digest,
		"public.ecr.aws/docker/library/traefik:v3.7.13":          "ecr-public/docker/library/traefik:v3.7.13",
		"registry.k8s.io/metrics-server/metrics-server" + digest: "kubernetes/metrics-server/metrics-server" + digest,
		"quay.io/jetstack/cert-manager-controller:v1.21.2":       "quay/jetstack/cert-manager-controller:v1.21.2",
	}
	var refs []string
	for ref := range want {
		refs = append(refs, ref)
	}
	for _, mode := range []recorder.Mode{recorder.Preview, recorder.Up} {
		_, images := registries(t, mode, true, refs...)
		for i, ref := range refs {
			assert.Equal(t, registry+want[ref], images[i], "%s: guardrails look at images in previews", ref)
		}
	}
}

func TestC7WorkloadsWaitForWhatHoldsTheirImage(t *testing.T) {
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		r, err := NewRegistries(ctx, "registries", &RegistriesArgs{Name: "alphapulse-prod", AWS: inIreland})
		if err != nil {
			return err
		}
		for name, ref := range map[string]string{"ours": "alphapulse/api:1.0.0", "cached": "quay.io/org/image:v1"} {
			image, err := r.Image(ref)
			if err != nil {
				return err
			}
			var user pulumi.CustomResourceState
			if err := ctx.RegisterResource("test:index:User", name, pulumi.Map{"image": image}, &user); err != nil {
				return err
			}
		}
		return nil
	})
	assert.Contains(t, run.Find(t, "test:index:User", "ours").DependsOn, run.Find(t, repositoryType, "registries-api").URN)
	assert.Contains(t, run.Find(t, "test:index:User", "cached").DependsOn, run.Find(t, cacheType, "registries-quay").URN)
}

func TestC7ImageFromElsewhereIsRefused(t *testing.T) {
	for ref, want := range map[string]string{
		"redis:7-alpine":                       "legal: alphapulse/api, alphapulse/agent-worker, alphapulse/risk-worker, alphapulse/billing, public.ecr.aws/..., registry.k8s.io/..., quay.io/...",
		"docker.io/library/redis:7":            `nodes cannot pull the image "docker.io/library/redis:7"`,
		"alphapulse/web:1.0.0":                 "nodes cannot pull",
		"quay.io:v1":                           "nodes cannot pull",
		"registry.example:5000/alphapulse/api": "has neither a tag nor a digest",
		"alphapulse/api":                       "has neither a tag nor a digest",
		"":                                     "has neither a tag nor a digest",
	} {
		_, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
			r, err := NewRegistries(ctx, "registries", &RegistriesArgs{Name: "alphapulse-prod", AWS: inIreland})
			if err != nil {
				return err
			}
			_, err = r.Image(ref)
			return err
		})
		assert.ErrorContains(t, err, want, ref)
	}
}

func TestC7NodesMayFillTheCachesAndNothingElse(t *testing.T) {
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		var user pulumi.CustomResourceState
		document := policy.Document(CachePermissions(inIreland))
		return ctx.RegisterResource("test:index:User", "policy", pulumi.Map{"policy": document}, &user)
	})
	statements := recorder.Statements(t, run.Find(t, "test:index:User", "policy").At("policy"))
	require.Len(t, statements, 1)
	assert.Equal(t, recorder.Strings{"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"}, statements[0].Action)
	assert.Len(t, statements[0].Resource, 3)
	for _, resource := range statements[0].Resource {
		assert.Regexp(t, `^arn:aws:ecr:eu-west-1:222222222222:repository/(ecr-public|kubernetes|quay)/\*$`, resource)
	}
}
