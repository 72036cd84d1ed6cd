package cluster

import (
	"context"
	"encoding/base64"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/chart"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

// LoadBalancerControllerToken is the component's type.
const LoadBalancerControllerToken = "alphapulse:cluster:LoadBalancerController"

// LoadBalancerControllerArgs are what the controller is made from.
type LoadBalancerControllerArgs struct {
	Cluster *Cluster
	// Name is the environment's prefix.
	Name   string
	AWS    config.AWS
	VpcID  pulumi.StringInput
	Images chart.Images
	// Webhook is what the API server recognises the controller by.
	Webhook *security.Certificate
	Tags    map[string]string
}

// LoadBalancerController is the AWS Load Balancer Controller (C4): the only way to a network load balancer with addresses of pods behind
// it and a security group of its own. Whatever wants a load balancer depends on it, so that the load balancer goes first.
type LoadBalancerController struct {
	pulumi.ResourceState

	// Ready is the controller, for those who come after it. The component itself would not do: the SDK learns of its children later.
	Ready []pulumi.Resource
}

// NewLoadBalancerWebhookCertificate is what the API server recognises the controller by: the name of its chart's webhook service.
func NewLoadBalancerWebhookCertificate(ctx *pulumi.Context, authority *security.CertificateAuthority) (*security.Certificate, error) {
	service := "aws-load-balancer-webhook-service." + config.LoadBalancerController.Name
	return authority.Issue(ctx, &security.CertificateArgs{
		Purpose: "load-balancer-webhook", DNSNames: []string{service, service + ".svc", service + ".svc.cluster.local"}, Uses: []string{security.ForServer},
	})
}

// NewLoadBalancerController runs the controller, from its vendor's chart.
func NewLoadBalancerController(ctx *pulumi.Context, args *LoadBalancerControllerArgs, opts ...pulumi.ResourceOption) (*LoadBalancerController, error) {
	operator := config.LoadBalancerController
	c := &LoadBalancerController{}
	if err := ctx.RegisterComponentResource(LoadBalancerControllerToken, operator.Name, c, opts...); err != nil {
		return nil, err
	}
	namespace := args.Cluster.Namespaces.Operators[operator.Name]
	role, err := security.NewWorkloadRole(ctx, operator.Name, &security.WorkloadRoleArgs{
		Description: "Load balancer controller of " + args.Name,
		Issuer:      args.Cluster.Issuer, Namespace: operator.Name, ServiceAccount: operator.Chart,
		Statements: balancerStatements(args),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	inside := []pulumi.ResourceOption{pulumi.Parent(c), pulumi.Provider(args.Cluster.Provider)}
	account, err := corev1.NewServiceAccount(ctx, operator.Name, &corev1.ServiceAccountArgs{
		Metadata: metav1.ObjectMetaArgs{
			Name: pulumi.String(operator.Chart), Namespace: namespace,
			Annotations: pulumi.StringMap{"eks.amazonaws.com/role-arn": role.Arn},
		},
	}, append(inside, pulumi.DependsOn(role.Permissions))...)
	if err != nil {
		return nil, fmt.Errorf("creating the account of the load balancer controller: %w", err)
	}
	image, err := args.Images.Image(operator.Program("controller"))
	if err != nil {
		return nil, err
	}
	made, err := chart.Install(ctx, operator.Name, operator, namespace, balancerValues(args, account, image),
		append(inside, pulumi.Transforms([]pulumi.ResourceTransform{serving(args.Webhook)}))...)
	if err != nil {
		return nil, err
	}
	c.Ready = []pulumi.Resource{made}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// servedInstead is what the chart takes for the certificate and its key.
const servedInstead = "in the Secret"

// serving is a transform that puts the webhook's certificate into the chart's Secret. Among the chart's values it would be unknown in the
// preview that renews it, and a chart with an unknown value is not rendered: once a year all of the controller would show as deleted.
func serving(webhook *security.Certificate) pulumi.ResourceTransform {
	encoded := func(pem pulumi.StringOutput) pulumi.StringOutput {
		return pem.ApplyT(func(pem string) string { return base64.StdEncoding.EncodeToString([]byte(pem)) }).(pulumi.StringOutput)
	}
	return func(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
		if r.Type != "kubernetes:core/v1:Secret" {
			return nil
		}
		r.Props["data"] = pulumi.ToSecret(pulumi.StringMap{
			"ca.crt": encoded(webhook.AuthorityPEM), "tls.crt": encoded(webhook.CertPEM), "tls.key": encoded(webhook.KeyPEM),
		})
		return &pulumi.ResourceTransformResult{Props: r.Props, Opts: r.Opts}
	}
}

// balancerValues are the chart's values: network load balancers for Services, and nothing of what else it could do.
func balancerValues(args *LoadBalancerControllerArgs, account *corev1.ServiceAccount, image pulumi.Map) pulumi.Map {
	controller := config.LoadBalancerController.Program("controller")
	off := pulumi.Bool(false)
	return pulumi.Map{
		"clusterName":  args.Cluster.Name,
		"region":       pulumi.String(args.AWS.Region),
		"vpcId":        args.VpcID, // it could ask the instance metadata, which pods cannot reach
		"replicaCount": pulumi.Int(controller.Replicas),
		"image":        image,
		"serviceAccount": pulumi.Map{
			"create": off, "name": account.Metadata.Name().Elem(),
		},
		// Without all three the chart makes a new certificate whenever it is rendered, and every preview would show it.
		"webhookTLS": pulumi.Map{"caCert": args.Webhook.AuthorityPEM, "cert": pulumi.String(servedInstead), "key": pulumi.String(servedInstead)},
		// Services name their class themselves. The webhook that does it for them stands in the way of every Service of the cluster
		// while the controller is not there.
		"enableServiceMutatorWebhook": off,
		"webhookConfig":               pulumi.Map{"disableIngressValidation": pulumi.Bool(true)},
		// A pod of the ingress that came without its readiness gate would count as ready with no traffic led to it; nobody else's pods wait for this.
		"podMutatorWebhookConfig":    pulumi.Map{"failurePolicy": pulumi.String("Fail")},
		"objectSelector":             pulumi.Map{"matchLabels": pulumi.StringMap{"app": pulumi.String(config.IngressName)}},
		"topologySpreadConstraints":  chart.Spread(pulumi.StringMap{"app.kubernetes.io/name": pulumi.String("aws-load-balancer-controller")}),
		"createIngressClassResource": off,
		"ingressClassParams":         pulumi.Map{"create": off},
		"enableShield":               off, "enableWaf": off, "enableWafv2": off,
		"enableBackendSecurityGroup": off, // the rules are resources of ours
		"controllerConfig":           pulumi.Map{"featureGates": pulumi.Map{"ALBGatewayAPI": off, "NLBGatewayAPI": off}},
		"defaultTags":                pulumi.ToStringMap(args.Tags),
		"nodeSelector":               chart.OnPlatformPool,
		"podDisruptionBudget":        pulumi.Map{"maxUnavailable": pulumi.Int(1)},
		"resources":                  chart.Resources(controller),
		"podSecurityContext":         chart.PodSecurity,
		"securityContext":            chart.ContainerSecurity,
	}
}

// balancerStatements are what the controller may do: look around, and change load balancers that carry this cluster's tag. It makes no
// security groups and no rules; that part of the vendor's policy is left out, and so is what only application load balancers need.
func balancerStatements(args *LoadBalancerControllerArgs) []policy.Statement {
	const tag = "elbv2.k8s.aws/cluster"
	made := map[string]map[string]any{"StringEquals": {"aws:ResourceTag/" + tag: args.Name}}
	making := map[string]map[string]any{"StringEquals": {"aws:RequestTag/" + tag: args.Name}}
	in := "arn:aws:elasticloadbalancing:" + args.AWS.Region + ":" + args.AWS.Account + ":"
	balancers, listeners, groups := in+"loadbalancer/net/*", in+"listener/net/*", in+"targetgroup/*"
	return []policy.Statement{{
		Sid: "LookAround", // none of these can be narrowed down
		Actions: []string{
			"ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances",
			"ec2:DescribeInternetGateways", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
			"ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVpcs",
			// Not the controller's own call: ELB makes it in its caller's name when a load balancer gets a security group.
			"ec2:GetSecurityGroupsForVpc",
			"elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
			"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancerAttributes",
			"elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags",
			"elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
		},
		Resources: []any{"*"},
	}, {
		Sid:        "MakeTagged",
		Actions:    []string{"elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"},
		Resources:  []any{balancers, groups},
		Conditions: making,
	}, {
		Sid:       "TagWhatIsMade",
		Actions:   []string{"elasticloadbalancing:AddTags"},
		Resources: []any{balancers, groups, listeners},
		Conditions: map[string]map[string]any{"StringEquals": {
			"aws:RequestTag/" + tag: args.Name, "elasticloadbalancing:CreateAction": []string{"CreateLoadBalancer", "CreateTargetGroup", "CreateListener"},
		}},
	}, {
		Sid: "ChangeOwn",
		Actions: []string{
			"elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags", "elasticloadbalancing:CreateListener", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
			"elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener",
			"elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:ModifyTargetGroup",
			"elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:SetIpAddressType",
			"elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
		},
		Resources:  []any{balancers, groups, listeners},
		Conditions: made,
	}, {
		Sid:        "FirstLoadBalancerOfTheAccount",
		Actions:    []string{"iam:CreateServiceLinkedRole"},
		Resources:  []any{"arn:aws:iam::" + args.AWS.Account + ":role/aws-service-role/elasticloadbalancing.amazonaws.com/*"},
		Conditions: map[string]map[string]any{"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
	}}
}
