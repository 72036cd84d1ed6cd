package security

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
)

// ClusterSecretsToken is the component's type.
const ClusterSecretsToken = "alphapulse:security:ClusterSecrets"

const (
	// storeName is the source's. The service account that reads for a store has its name.
	storeName = "aws-secrets-manager"
	// secretRefresh is how long a changed value takes at most to reach the cluster. Each refresh asks for every secret once. What belongs
	// together, the database's, comes at the same minute: in between, server, pooler and programs do not know each other.
	secretRefresh, promptRefresh = "15m", "1m"

	externalSecretsAPI = "external-secrets.io/v1"
	// fillAnnotation tells who looks at an ExternalSecret that cannot be read what to do about it.
	fillAnnotation = config.Namespace + ".com/value-is-put-in-with"
)

// ClusterSecretsArgs are what the cluster's secrets are made from.
type ClusterSecretsArgs struct {
	// Name is the environment's prefix.
	Name        string
	Environment string
	AWS         config.AWS
	Issuer      Issuer
	// Provider is the cluster's.
	Provider *kubernetes.Provider
	// Operator serves what is made here, and goes after it.
	Operator   *ExternalSecrets
	Namespaces map[Space]pulumi.StringInput
	// Made are the ARNs of the secrets that package data makes, by path.
	Made    map[string]pulumi.StringInput
	DataKey pulumi.StringInput
	Protect bool
}

// ClusterSecrets are the secrets in AWS Secrets Manager that nothing else makes, and the objects that bring all secrets into the cluster
// (S2): for each namespace a store with an identity of its own, which may read exactly what the namespace needs (S3).
type ClusterSecrets struct {
	pulumi.ResourceState

	// External are what brings a namespace its secrets: whose pods read them comes afterwards.
	External map[Space][]pulumi.Resource
}

type clusterSecretsBuilder struct {
	ctx    *pulumi.Context
	name   string
	args   *ClusterSecretsArgs
	parent *ClusterSecrets
	arns   map[string]pulumi.StringInput // by path
}

// NewClusterSecrets makes them. Its options bring the provider of AWS. That of Kubernetes does not come with them: a component waits for its
// providers, with all that is in it, and what a person has to fill must be there long before the cluster is.
func NewClusterSecrets(ctx *pulumi.Context, name string, args *ClusterSecretsArgs, opts ...pulumi.ResourceOption) (*ClusterSecrets, error) {
	c := &ClusterSecrets{External: map[Space][]pulumi.Resource{}}
	if err := ctx.RegisterComponentResource(ClusterSecretsToken, name, c, opts...); err != nil {
		return nil, err
	}
	b := &clusterSecretsBuilder{ctx: ctx, name: name, args: args, parent: c, arns: map[string]pulumi.StringInput{}}
	for path, arn := range args.Made {
		b.arns[path] = arn
	}
	for _, s := range secretTable {
		if err := b.newStored(s); err != nil {
			return nil, err
		}
	}
	for _, space := range spaces() {
		if err := b.newSpace(space); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// newStored makes a secret in Secrets Manager, unless package data has made it. What only a person has stays empty: Pulumi never sees it.
func (b *clusterSecretsBuilder) newStored(s clusterSecret) error {
	if s.origin == fromData {
		return nil
	}
	child := b.name + "-" + strings.ReplaceAll(s.path, "/", "-")
	args := &SecretArgs{
		Environment: b.args.Environment, Path: s.path, Description: "For " + s.readers + " of " + b.args.Name,
		KeyARN: b.args.DataKey, Protect: b.args.Protect,
	}
	if s.origin == generated {
		password, err := NewPassword(b.ctx, child, pulumi.Parent(b.parent))
		if err != nil {
			return err
		}
		value := map[string]any{"password": password}
		if s.url != "" {
			value["url"] = pulumi.Sprintf(s.url, password)
		}
		args.Value = pulumi.JSONMarshal(value)
	}
	stored, err := NewSecret(b.ctx, child, args, pulumi.Parent(b.parent))
	if err != nil {
		return err
	}
	b.arns[s.path] = stored.ARN
	return nil
}

// newSpace makes what brings a namespace its secrets.
func (b *clusterSecretsBuilder) newSpace(space Space) error {
	namespace, ok := b.args.Namespaces[space]
	if !ok {
		return fmt.Errorf("secrets go into the namespace of %q, and nobody says what it is", space)
	}
	child := b.name + "-" + string(space)
	role, err := b.newReader(child, space)
	if err != nil {
		return err
	}
	account, err := corev1.NewServiceAccount(b.ctx, child, &corev1.ServiceAccountArgs{
		Metadata: metav1.ObjectMetaArgs{
			Name: pulumi.String(storeName), Namespace: namespace, Annotations: pulumi.StringMap{"eks.amazonaws.com/role-arn": role.Arn},
		},
		AutomountServiceAccountToken: pulumi.Bool(false), // no pod has it: the operator asks for a token in its name
	}, pulumi.Parent(b.parent), pulumi.Provider(b.args.Provider), pulumi.DependsOn(role.Permissions))
	if err != nil {
		return fmt.Errorf("creating the account that reads secrets for %q: %w", space, err)
	}
	// The operator watches and its webhooks admit what comes next; nothing of it is in their arguments.
	served := pulumi.DependsOn([]pulumi.Resource{b.args.Operator.chart})
	store, err := apiextensions.NewCustomResource(b.ctx, child+"-store", &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String(externalSecretsAPI),
		Kind:       pulumi.String("SecretStore"),
		Metadata:   metav1.ObjectMetaArgs{Name: pulumi.String(storeName), Namespace: namespace},
		OtherFields: map[string]any{"spec": pulumi.Map{"provider": pulumi.Map{"aws": pulumi.Map{
			"service": pulumi.String("SecretsManager"),
			"region":  pulumi.String(b.args.AWS.Region),
			"auth":    pulumi.Map{"jwt": pulumi.Map{"serviceAccountRef": pulumi.Map{"name": account.Metadata.Name().Elem()}}},
		}}}},
	}, pulumi.Parent(b.parent), pulumi.Provider(b.args.Provider), served)
	if err != nil {
		return fmt.Errorf("creating the store of secrets of %q: %w", space, err)
	}
	for _, s := range inSpace(space) {
		external, err := b.newExternal(s, namespace, store)
		if err != nil {
			return err
		}
		b.parent.External[space] = append(b.parent.External[space], external)
	}
	return nil
}

// newReader makes the identity that reads a namespace's secrets: those, and nothing with the key but what Secrets Manager asks of it.
func (b *clusterSecretsBuilder) newReader(child string, space Space) (*Role, error) {
	namespace := string(space)
	if space == InPlatform {
		namespace = b.args.Name
	}
	var arns []any
	seen := map[string]bool{}
	for _, s := range inSpace(space) {
		for _, path := range s.paths() {
			arn, ok := b.arns[path]
			if !ok {
				return nil, fmt.Errorf("the Secret %q is made from %s, which nobody has made", s.name, SecretName(b.args.Environment, path))
			}
			if !seen[path] {
				seen[path] = true
				arns = append(arns, arn)
			}
		}
	}
	return NewWorkloadRole(b.ctx, child, &WorkloadRoleArgs{
		Description: "Reads the secrets of namespace " + namespace,
		Issuer:      b.args.Issuer, Namespace: namespace, ServiceAccount: storeName,
		Statements: []policy.Statement{{
			Sid: "ReadSecrets", Actions: []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, Resources: arns,
		}, {
			Sid: "DecryptThroughSecretsManager", Actions: []string{"kms:Decrypt"}, Resources: []any{b.args.DataKey},
			Conditions: map[string]map[string]any{"StringEquals": {"kms:ViaService": "secretsmanager." + b.args.AWS.Region + ".amazonaws.com"}},
		}},
	}, pulumi.Parent(b.parent))
}

// newExternal makes the object that has the operator write a Secret, and keep it in step with what is stored. The Secret goes with it, but
// stays when the stored secret is gone: pods that run must start again.
func (b *clusterSecretsBuilder) newExternal(s clusterSecret, namespace pulumi.StringInput, store *apiextensions.CustomResource) (*apiextensions.CustomResource, error) {
	var data pulumi.Array
	for _, key := range s.keys {
		reference := pulumi.Map{"key": pulumi.String(SecretName(b.args.Environment, s.pathOf(key)))}
		if key.property != "" {
			reference["property"] = pulumi.String(key.property)
		}
		data = append(data, pulumi.Map{"secretKey": pulumi.String(key.name), "remoteRef": reference})
	}
	target := pulumi.Map{
		"name": pulumi.String(s.name), "creationPolicy": pulumi.String("Owner"), "deletionPolicy": pulumi.String("Retain"),
	}
	if s.template != nil {
		target["template"] = pulumi.Map{"data": pulumi.ToStringMap(s.template)}
	}
	metadata := metav1.ObjectMetaArgs{Name: pulumi.String(s.name), Namespace: namespace}
	if s.origin == byPerson {
		metadata.Annotations = pulumi.StringMap{fillAnnotation: pulumi.String(s.command(b.args.Environment) + " # " + s.shape())}
	}
	external, err := apiextensions.NewCustomResource(b.ctx, b.name+"-"+s.name, &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String(externalSecretsAPI),
		Kind:       pulumi.String("ExternalSecret"),
		Metadata:   metadata,
		OtherFields: map[string]any{"spec": pulumi.Map{
			"secretStoreRef":  pulumi.Map{"name": store.Metadata.Name().Elem(), "kind": pulumi.String("SecretStore")},
			"refreshInterval": pulumi.String(s.refresh()),
			"target":          target,
			"data":            data,
		}},
	}, pulumi.Parent(b.parent), pulumi.Provider(b.args.Provider))
	if err != nil {
		return nil, fmt.Errorf("creating the external secret %q: %w", s.name, err)
	}
	return external, nil
}
