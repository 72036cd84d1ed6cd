package cluster

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	chartType = "kubernetes:helm.sh/v4:Chart"
	secret    = "kubernetes:core/v1:Secret"
)

// registry is where nodes pull the operators' images.
func registry(name string) (pulumi.StringInput, error) {
	return pulumi.String("registry.example/" + name), nil
}

func text(value string) pulumi.StringOutput { return pulumi.String(value).ToStringOutput() }

var webhook = &security.Certificate{CertPEM: text("cert"), KeyPEM: text("key"), AuthorityPEM: text("authority")}

func controller(t *testing.T) *recorder.Run {
	t.Helper()
	p := prod(t)
	return recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		_, err = NewLoadBalancerController(ctx, &LoadBalancerControllerArgs{
			Cluster: &Cluster{
				Name: text("alphapulse-prod"), Provider: provider,
				Issuer:     security.Issuer{ProviderARN: text("arn:issuer"), Host: text("issuer.example")},
				Namespaces: Namespaces{Operators: map[string]pulumi.StringOutput{"load-balancer-controller": text("load-balancer-controller")}},
			},
			Name: "alphapulse-prod", AWS: p.AWS, VpcID: pulumi.String("vpc-1"),
			Images: registry, Webhook: webhook, Tags: map[string]string{"Project": "alphapulse"},
		})
		return err
	})
}

func TestC4LoadBalancerControllerRunsAsPlanned(t *testing.T) {
	made := controller(t).Find(t, chartType, "load-balancer-controller")
	assert.Equal(t, "aws-load-balancer-controller", made.At("chart"))
	assert.Equal(t, "https://aws.github.io/eks-charts", made.At("repositoryOpts.repo"))
	assert.Equal(t, config.LoadBalancerControllerVersion, made.At("version"), "pinned")
	for path, want := range map[string]any{
		"clusterName": "alphapulse-prod", "region": "us-east-1", "vpcId": "vpc-1",
		"replicaCount": 2., "resources.requests.cpu": "100m", "resources.requests.memory": "200Mi", "nodeSelector.workload-type": "general",
		"image.repository": "registry.example/public.ecr.aws/eks/aws-load-balancer-controller", "image.tag": "v" + config.LoadBalancerControllerVersion,
		"webhookTLS.caCert":                     "authority",
		"podMutatorWebhookConfig.failurePolicy": "Fail", "objectSelector.matchLabels.app": "ingress",
		"topologySpreadConstraints[0].topologyKey": "topology.kubernetes.io/zone",
		"enableServiceMutatorWebhook":              false, "serviceAccount.create": false, "defaultTags.Project": "alphapulse",
		"securityContext.readOnlyRootFilesystem": true, "podSecurityContext.seccompProfile.type": "RuntimeDefault",
	} {
		assert.Equal(t, want, made.At("values."+path), path)
	}
}

// A chart with a value that is not known yet is not rendered, and a certificate is not known in the preview that renews it.
func TestC4LoadBalancerControllerSurvivesThePreviewThatRenewsItsCertificate(t *testing.T) {
	tls := controller(t).Find(t, chartType, "load-balancer-controller").At("values.webhookTLS").(map[string]any)
	assert.NotContains(t, []any{tls["cert"], tls["key"]}, "cert", "the certificate is no value of the chart")

	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		transform := serving(webhook)
		assert.Nil(t, transform(ctx.Context(), &pulumi.ResourceTransformArgs{Type: "kubernetes:apps/v1:Deployment", Props: pulumi.Map{}}))
		answer := transform(ctx.Context(), &pulumi.ResourceTransformArgs{Type: secret, Props: pulumi.Map{"data": pulumi.String("the chart's")}})
		_, err := corev1.NewSecret(ctx, "served", &corev1.SecretArgs{Data: answer.Props["data"].(pulumi.StringMapOutput)})
		return err
	})
	assert.Equal(t, map[string]any{"ca.crt": "YXV0aG9yaXR5", "tls.crt": "Y2VydA==", "tls.key": "a2V5"}, run.Find(t, secret, "served").At("data"))
}

func TestS3LoadBalancerControllerHasARoleForItsAccountOnly(t *testing.T) {
	run := controller(t)
	trust := recorder.Statements(t, run.Find(t, role, "load-balancer-controller").At("assumeRolePolicy"))
	require.Len(t, trust, 1)
	assert.Equal(t, recorder.Strings{"system:serviceaccount:load-balancer-controller:aws-load-balancer-controller"},
		trust[0].Condition["StringEquals"]["issuer.example:sub"])
	account := run.Find(t, "kubernetes:core/v1:ServiceAccount", "load-balancer-controller")
	assert.Equal(t, recorder.ARN(role, "load-balancer-controller"), account.At(`metadata.annotations["eks.amazonaws.com/role-arn"]`))
}

func TestS3LoadBalancerControllerChangesItsOwnOnly(t *testing.T) {
	for _, s := range recorder.Statements(t, controller(t).Find(t, "aws:iam/rolePolicy:RolePolicy", "load-balancer-controller").At("policy")) {
		reads := true
		for _, action := range s.Action {
			assert.NotContains(t, action, "*")
			assert.NotRegexp(t, `:(Create|Delete|Authorize|Revoke).*SecurityGroup`, action, "the rules are resources of ours")
			reads = reads && (strings.Contains(action, ":Describe") || action == "ec2:GetSecurityGroupsForVpc")
		}
		if reads {
			continue
		}
		assert.NotEqual(t, recorder.Strings{"*"}, s.Resource, "%v", s.Action)
		assert.NotEmpty(t, s.Condition, "%v", s.Action)
	}
}
