package cluster

import (
	"fmt"
	"path"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
)

// RegistriesToken is the component's type.
const RegistriesToken = "alphapulse:cluster:Registries"

// RegistriesArgs are what the registries are made from.
type RegistriesArgs struct {
	// Name is the environment's prefix.
	Name    string
	AWS     config.AWS
	Protect bool
}

// Registries are where nodes get their images: our repositories, and caches of what others publish.
type Registries struct {
	pulumi.ResourceState

	images map[string]pulumi.StringOutput // by name without tag: where an image of ours is
	cached map[string]pulumi.StringOutput // by upstream: where its images begin
}

// NewRegistries makes the registries.
func NewRegistries(ctx *pulumi.Context, name string, args *RegistriesArgs, opts ...pulumi.ResourceOption) (*Registries, error) {
	r := &Registries{images: map[string]pulumi.StringOutput{}, cached: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(RegistriesToken, name, r, opts...); err != nil {
		return nil, err
	}
	for _, image := range config.OwnImages {
		if err := r.newRepository(ctx, name+"-"+path.Base(image), image, args); err != nil {
			return nil, err
		}
	}
	for _, cache := range config.ImageCaches {
		if err := r.newCache(ctx, name+"-"+cache.Prefix, cache.Upstream, cache.Prefix, args); err != nil {
			return nil, err
		}
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

// newRepository makes the repository of an image of ours. A tag means one image for ever, and so does a release.
func (r *Registries) newRepository(ctx *pulumi.Context, name, image string, args *RegistriesArgs) error {
	repository, err := ecr.NewRepository(ctx, name, &ecr.RepositoryArgs{
		Name:               pulumi.String(image),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
			ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("AES256")},
		},
		ImageScanningConfiguration: ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)},
		ForceDelete:                pulumi.Bool(!args.Protect), // else it can only be deleted when it is empty
		Tags:                       pulumi.StringMap{"Name": pulumi.String(args.Name + "-" + path.Base(image))},
	}, pulumi.Parent(r), pulumi.Protect(args.Protect))
	if err != nil {
		return fmt.Errorf("creating the repository %q: %w", image, err)
	}
	// Tagged images stay. ECR does not know which ones run: "the last 100" would one day be pushed by a busy week's builds, and the release
	// before them would not start on a new node, nor after a rollback. Layers are shared, so keeping them costs little.
	if _, err := ecr.NewLifecyclePolicy(ctx, name, &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     expire("untagged", 14, "Left over from builds: every release has a tag, also one that is deployed by its digest"),
	}, pulumi.Parent(r)); err != nil {
		return fmt.Errorf("creating the lifecycle policy of the repository %q: %w", image, err)
	}
	r.images[image] = inRegistry(args.AWS, repository.Name)
	return nil
}

// newCache makes ECR fetch what is asked for under the prefix from the upstream, once, into repositories that it makes by itself from the
// template. They get no tags of ours and AWS's own encryption: for other ones ECR would need a role, and what they hold is public.
func (r *Registries) newCache(ctx *pulumi.Context, name, upstream, prefix string, args *RegistriesArgs) error {
	template, err := ecr.NewRepositoryCreationTemplate(ctx, name, &ecr.RepositoryCreationTemplateArgs{
		Prefix:      pulumi.String(prefix),
		Description: pulumi.String(args.Name + ": images of " + upstream),
		AppliedFors: pulumi.ToStringArray([]string{"PULL_THROUGH_CACHE"}),
		EncryptionConfigurations: ecr.RepositoryCreationTemplateEncryptionConfigurationArray{
			ecr.RepositoryCreationTemplateEncryptionConfigurationArgs{EncryptionType: pulumi.String("AES256")},
		},
		ImageTagMutability: pulumi.String("IMMUTABLE"), // what was tried is what runs, whatever upstream does with its tag
		LifecyclePolicy:    expire("any", 365, "What is still in use is fetched again"),
	}, pulumi.Parent(r))
	if err != nil {
		return fmt.Errorf("creating the template of the cache of %s: %w", upstream, err)
	}
	rule, err := ecr.NewPullThroughCacheRule(ctx, name, &ecr.PullThroughCacheRuleArgs{
		EcrRepositoryPrefix: template.Prefix, // a repository keeps what it was made with, so the template comes first
		UpstreamRegistryUrl: pulumi.String(upstream),
	}, pulumi.Parent(r))
	if err != nil {
		return fmt.Errorf("creating the cache of %s: %w", upstream, err)
	}
	r.cached[upstream] = inRegistry(args.AWS, rule.EcrRepositoryPrefix)
	return nil
}

// URLs are where our images are pushed to, by image.
func (r *Registries) URLs() map[string]pulumi.StringOutput { return r.images }

// Image is where nodes pull an image from: one of ours, "alphapulse/api:1.0.0", or a cached one, "quay.io/org/image:v1", by tag, by digest
// or by both. It is known in previews, and waits for the repository or the cache.
func (r *Registries) Image(ref string) (pulumi.StringOutput, error) {
	last := strings.LastIndex(ref, "/") + 1
	end := strings.IndexAny(ref[last:], ":@")
	if end < 0 {
		return pulumi.StringOutput{}, fmt.Errorf("the image %q has neither a tag nor a digest", ref)
	}
	name, version := ref[:last+end], ref[last+end:]
	if repository, ok := r.images[name]; ok {
		return pulumi.Sprintf("%s%s", repository, version), nil
	}
	upstream, rest, _ := strings.Cut(name, "/")
	if prefix, ok := r.cached[upstream]; ok && rest != "" {
		return pulumi.Sprintf("%s/%s%s", prefix, rest, version), nil
	}
	if config.PulledDirectly(name) {
		return pulumi.String(ref).ToStringOutput(), nil
	}
	return pulumi.StringOutput{}, fmt.Errorf("nodes cannot pull the image %q; legal: %s", ref, config.LegalImages())
}

// CachePermissions are what nodes need besides pulling: the first that asks for an image has it fetched, into a repository made for it.
func CachePermissions(aws config.AWS) policy.Statement {
	var repositories []any
	for _, cache := range config.ImageCaches {
		repositories = append(repositories, "arn:aws:ecr:"+aws.Region+":"+aws.Account+":repository/"+cache.Prefix+"/*")
	}
	return policy.Statement{Actions: []string{"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"}, Resources: repositories}
}

// inRegistry is the address of what has that name in the account's registry.
func inRegistry(aws config.AWS, name pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s", aws.Account, aws.Region, name)
}

// expire is a lifecycle policy that deletes images some days after they came in.
func expire(tagStatus string, days int, why string) pulumi.StringOutput {
	return pulumi.JSONMarshal(map[string]any{"rules": []any{map[string]any{
		"rulePriority": 1,
		"description":  why,
		"selection":    map[string]any{"tagStatus": tagStatus, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days},
		"action":       map[string]any{"type": "expire"},
	}}})
}
