// Package cluster builds the EKS cluster with its node pools, add-ons, storage classes and namespaces (C1-C5).
package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	eks "github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// Token is the component's type.
const Token = "alphapulse:cluster:Cluster"

// Args are what a cluster is made from.
type Args struct {
	// Name is the environment's prefix, and the cluster's name.
	Name string
	AWS  config.AWS
	Spec config.Cluster

	VpcID                             pulumi.StringPtrInput
	PublicSubnetIDs, PrivateSubnetIDs pulumi.StringArrayInput
	// Egress is what connects the private subnets: nodes that cannot get out do not join.
	Egress []pulumi.Resource
	Keys   *security.Keys
	// Tags are for what AWS makes on the cluster's behalf, which the provider's default tags do not reach.
	Tags    map[string]string
	Protect bool
}

// Cluster is a running cluster.
type Cluster struct {
	pulumi.ResourceState

	Name     pulumi.StringOutput
	Endpoint pulumi.StringOutput
	// CertificateAuthority is whom to trust at the endpoint: a certificate, base64-encoded as in a kubeconfig.
	CertificateAuthority pulumi.StringOutput
	// SecurityGroupID is the group EKS made: control plane, nodes and pods are in it.
	SecurityGroupID pulumi.StringOutput
	Issuer          security.Issuer
	// Provider reaches the cluster's API server.
	Provider *kubernetes.Provider

	// Logs is the control plane's log group.
	Logs pulumi.Resource

	node *security.Role
	// nodeRelease is the release of EKS's node image that the platform pool's group runs, "1.36.2-20261101".
	nodeRelease pulumi.StringOutput
	// AddOnVersions are the versions that run, by add-on.
	AddOnVersions pulumi.StringMapOutput
	// Namespaces by what they are for.
	Namespaces Namespaces
}

// LogGroup is the name of the log group that EKS writes the control plane's logs to.
func LogGroup(name string) string { return "/aws/eks/" + name + "/cluster" }

// New makes the cluster, up to the point where workloads can be placed on it.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	c := &Cluster{}
	if err := ctx.RegisterComponentResource(Token, name, c, opts...); err != nil {
		return nil, err
	}
	control, err := newControlPlane(ctx, name, args, c)
	if err != nil {
		return nil, err
	}
	if err := c.newIssuer(ctx, name, control); err != nil {
		return nil, err
	}
	first, err := c.newAddOns(ctx, name, args, beforeNodes, nil)
	if err != nil {
		return nil, err
	}
	groups, err := c.newNodeGroups(ctx, name, args, slices.Concat(first.resources, c.node.Permissions, args.Egress))
	if err != nil {
		return nil, err
	}
	if err := c.newProvider(ctx, name, args, control, groups); err != nil {
		return nil, err
	}
	rest, err := c.newAddOns(ctx, name, args, afterNodes, groups)
	if err != nil {
		return nil, err
	}
	c.AddOnVersions = versionsOf(first, rest)
	if err := c.newStorageClass(ctx, name, args); err != nil {
		return nil, err
	}
	if err := c.newNamespaces(ctx, name, args, slices.Concat(groups, rest.resources)); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"name": c.Name, "endpoint": c.Endpoint, "securityGroupId": c.SecurityGroupID, "addOnVersions": c.AddOnVersions,
	})
}

// newControlPlane makes what EKS runs for us, through the EKS component (C1).
func newControlPlane(ctx *pulumi.Context, name string, args *Args, parent *Cluster) (*eks.Cluster, error) {
	// EKS would make the group by itself, unencrypted and kept for ever.
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-control-plane", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(LogGroup(args.Name)),
		KmsKeyId:        args.Keys.Logs,
		RetentionInDays: pulumi.Int(args.Spec.LogDays),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating the control plane's log group: %w", err)
	}
	service, err := security.NewRole(ctx, name+"-control-plane", &security.RoleArgs{
		Description:     "EKS control plane of " + args.Name,
		Trust:           policy.TrustService("eks.amazonaws.com", args.AWS.Account),
		ManagedPolicies: []string{"AmazonEKSClusterPolicy"},
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, err
	}
	node, err := newNodeRole(ctx, name, args, parent)
	if err != nil {
		return nil, err
	}
	apiOnly := eks.AuthenticationModeApi
	control, err := eks.NewCluster(ctx, name, &eks.ClusterArgs{
		Name:               pulumi.String(args.Name),
		Version:            pulumi.String(args.Spec.Version),
		AuthenticationMode: &apiOnly,
		AccessEntries:      accessEntries(args.Spec),
		ServiceRole:        service.Role,
		InstanceRole:       node.Role,

		VpcId:                           args.VpcID,
		PublicSubnetIds:                 args.PublicSubnetIDs,
		PrivateSubnetIds:                args.PrivateSubnetIDs,
		KubernetesServiceIpAddressRange: pulumi.String(config.ServiceCIDR),
		EndpointPrivateAccess:           pulumi.Bool(true),
		EndpointPublicAccess:            pulumi.Bool(len(args.Spec.PublicAccessCIDRs) > 0),
		PublicAccessCidrs:               pulumi.ToStringArray(args.Spec.PublicAccessCIDRs),

		EncryptionConfigKeyArn: args.Keys.ClusterSecrets,
		EnabledClusterLogTypes: pulumi.ToStringArray([]string{"api", "audit", "authenticator", "controllerManager", "scheduler"}),

		// Node groups and add-ons are ours: the component's have neither encrypted disks nor an order of their own.
		SkipDefaultNodeGroup: pulumi.BoolRef(true),
		UseDefaultVpcCni:     pulumi.BoolRef(true),
		CreateOidcProvider:   pulumi.Bool(false), // made in newIssuer: the component's opens a connection to AWS in preview
	}, pulumi.Parent(parent), pulumi.Transforms([]pulumi.ResourceTransform{hardenCluster(args.Protect)}),
		pulumi.DependsOn(append(slices.Concat(service.Permissions, node.Permissions), logs))) // EKS writes the first line at once
	if err != nil {
		return nil, fmt.Errorf("creating the EKS cluster %q: %w", args.Name, err)
	}
	parent.node, parent.Logs = node, logs
	parent.Name = control.EksCluster.Name()
	parent.Endpoint = control.EksCluster.Endpoint()
	parent.CertificateAuthority = control.EksCluster.CertificateAuthority().Data().Elem()
	parent.SecurityGroupID = control.EksCluster.VpcConfig().ClusterSecurityGroupId().Elem()
	return control, nil
}

// hardenCluster protects the cluster itself, and says who gets in. Protecting the component would protect all its children, and no
// administrator could be removed any more.
func hardenCluster(protect bool) pulumi.ResourceTransform {
	return func(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
		if r.Type != "aws:eks/cluster:Cluster" {
			return nil
		}
		r.Opts.Protect = protect
		// Who may enter is in the config and nowhere else. The component would let the creator in too, which an entry of his in the config then
		// collides with, after the cluster is made: github.com/pulumi/pulumi-eks/issues/2373.
		r.Props["accessConfig"] = pulumi.Map{
			"authenticationMode": pulumi.String(eks.AuthenticationModeApi), "bootstrapClusterCreatorAdminPermissions": pulumi.Bool(false),
		}
		// It counts when the cluster is made. AWS never tells it, so a cluster that is adopted after an interruption has the opposite in the state,
		// and the difference would replace the cluster: github.com/hashicorp/terraform-provider-aws/pull/38295.
		r.Opts.IgnoreChanges = append(r.Opts.IgnoreChanges, "accessConfig.bootstrapClusterCreatorAdminPermissions")
		return &pulumi.ResourceTransformResult{Props: r.Props, Opts: r.Opts}
	}
}

// newProvider comes after the nodes: it asks the cluster once, at its start, and our access entry, which the component makes last, takes a while to
// be known everywhere. Refused once, it refuses everything in the cluster for the rest of the run.
func (c *Cluster) newProvider(ctx *pulumi.Context, name string, args *Args, control *eks.Cluster, groups []pulumi.Resource) (err error) {
	c.Provider, err = kubernetes.NewProvider(ctx, name, &kubernetes.ProviderArgs{
		Kubeconfig: control.KubeconfigJson.ApplyT(withRegion(args.AWS.Region)).(pulumi.StringOutput),
		// Without it a kubeconfig that is not known yet in preview would plan the replacement of everything in the cluster.
		ClusterIdentifier:     pulumi.String(args.Name),
		EnableServerSideApply: pulumi.Bool(true),
		// What somebody has changed by hand, as the runbooks say, is the program's again at the next `pulumi up`. Without it the preview before fails.
		EnablePatchForce:       pulumi.Bool(true),
		EnableConfigMapMutable: pulumi.Bool(true),
		EnableSecretMutable:    pulumi.Bool(true),
	}, pulumi.Parent(c), pulumi.DependsOn(groups))
	if err != nil {
		return fmt.Errorf("configuring access to the cluster %q: %w", args.Name, err)
	}
	return nil
}

// newIssuer makes IAM trust the cluster's word on who a pod is (S3).
func (c *Cluster) newIssuer(ctx *pulumi.Context, name string, control *eks.Cluster) error {
	url := control.EksCluster.Identities().Index(pulumi.Int(0)).Oidcs().Index(pulumi.Int(0)).Issuer().Elem()
	provider, err := iam.NewOpenIdConnectProvider(ctx, name, &iam.OpenIdConnectProviderArgs{
		Url:           url,
		ClientIdLists: pulumi.StringArray{pulumi.String("sts.amazonaws.com")},
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("creating the cluster's identity provider: %w", err)
	}
	c.Issuer = security.Issuer{ProviderARN: provider.Arn, Host: url.ApplyT(trimScheme).(pulumi.StringOutput)}
	return nil
}
