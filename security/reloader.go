package security

import (
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/chart"
	"github.com/alphapulse/infrastructure/config"
)

// ReloaderToken is the component's type.
const ReloaderToken = "alphapulse:security:Reloader"

// reloaderPort is for probes and metrics.
const reloaderPort = 9090

// ReloaderArgs are what the operator is made from.
type ReloaderArgs struct {
	// Namespace is the operator's own, Watched the one whose workloads it rolls.
	Namespace, Watched pulumi.StringInput
	// Image is the name under which nodes pull its image.
	Image pulumi.StringInput
}

// Reloader rolls the Deployments that name a Secret in the annotation `secret.reloader.stakater.com/reload` when that Secret changes (W6):
// programs read most of their secrets once, at their start.
type Reloader struct {
	pulumi.ResourceState
}

// NewReloader runs the operator. Its vendor's chart is in no registry that the local engine could have it from.
func NewReloader(ctx *pulumi.Context, args *ReloaderArgs, opts ...pulumi.ResourceOption) (*Reloader, error) {
	name := config.Reloader.Name
	r := &Reloader{}
	if err := ctx.RegisterComponentResource(ReloaderToken, name, r, opts...); err != nil {
		return nil, err
	}
	labels := pulumi.StringMap{"app": pulumi.String(name), "app.kubernetes.io/name": pulumi.String(name), "app.kubernetes.io/part-of": pulumi.String(config.Namespace)}
	metadata := metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: args.Namespace.ToStringOutput().ToStringPtrOutput(), Labels: labels}
	account, err := corev1.NewServiceAccount(ctx, name, &corev1.ServiceAccountArgs{
		Metadata: metadata, AutomountServiceAccountToken: pulumi.Bool(false), // the pod says so itself
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("creating the account of the reloader: %w", err)
	}
	rights, err := NewGrant(ctx, Grant{
		Name: name, Namespace: args.Watched, Account: account.Metadata.Name().Elem(), AccountNamespace: args.Namespace,
		Rights: []Right{
			// It compares all Secrets with what they were; RBAC cannot narrow a watch down.
			{Group: "", Resources: []string{"secrets"}, Verbs: []string{"get", "list", "watch"}},
			{Group: "apps", Resources: []string{"deployments"}, Verbs: []string{"get", "list", "patch"}},
			// It asks for all kinds at every change. Nothing of ours in these asks to be rolled, and it could not.
			{Group: "apps", Resources: []string{"daemonsets", "statefulsets"}, Verbs: []string{"list"}},
			{Group: "batch", Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
			{Group: "", Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		},
	}, pulumi.Parent(r))
	if err != nil {
		return nil, err
	}
	selector := pulumi.StringMap{"app": pulumi.String(name)}
	if _, err := appsv1.NewDeployment(ctx, name, &appsv1.DeploymentArgs{
		Metadata: metadata,
		Spec: appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(config.Reloader.Program("controller").Replicas),
			Selector: metav1.LabelSelectorArgs{MatchLabels: selector},
			// The new one comes before the old one goes: a change that nobody sees rolls nothing, one that both see rolls twice.
			Strategy: appsv1.DeploymentStrategyArgs{RollingUpdate: appsv1.RollingUpdateDeploymentArgs{MaxSurge: pulumi.Int(1), MaxUnavailable: pulumi.Int(0)}},
			Template: corev1.PodTemplateSpecArgs{
				Metadata: metav1.ObjectMetaArgs{Labels: labels, Annotations: pulumi.StringMap{
					"prometheus.io/scrape": pulumi.String("true"), "prometheus.io/port": pulumi.Sprintf("%d", reloaderPort),
					"prometheus.io/path": pulumi.String("/metrics"),
				}},
				Spec: reloaderPod(args, account),
			},
		},
	}, pulumi.Parent(r), pulumi.DependsOn([]pulumi.Resource{rights})); err != nil { // it ends when it may not watch
		return nil, fmt.Errorf("creating the deployment of the reloader: %w", err)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

func reloaderPod(args *ReloaderArgs, account *corev1.ServiceAccount) corev1.PodSpecArgs {
	program := config.Reloader.Program("controller")
	probe := func(path string) corev1.ProbeArgs {
		return corev1.ProbeArgs{
			HttpGet:       corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.Int(reloaderPort)},
			PeriodSeconds: pulumi.Int(10), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(5),
		}
	}
	return corev1.PodSpecArgs{
		ServiceAccountName:           account.Metadata.Name(),
		AutomountServiceAccountToken: pulumi.Bool(true),
		EnableServiceLinks:           pulumi.Bool(false),
		NodeSelector:                 chart.OnPlatformPool,
		SecurityContext: corev1.PodSecurityContextArgs{
			RunAsNonRoot: pulumi.Bool(true), RunAsUser: pulumi.Int(65532), RunAsGroup: pulumi.Int(65532),
			SeccompProfile: corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		Containers: corev1.ContainerArray{corev1.ContainerArgs{
			Name:  pulumi.String(config.Reloader.Name),
			Image: args.Image,
			Args: pulumi.ToStringArray([]string{
				// It notes what it did in an annotation of the pod template, which is no field of ours: a server-side apply leaves it alone. The
				// default would write into a container's env, beside what Pulumi has there.
				"--reload-strategy=annotations",
				"--resources-to-ignore=configMaps", // their digests are in the pod templates
				"--log-format=json",
			}),
			Env: corev1.EnvVarArray{
				corev1.EnvVarArgs{Name: pulumi.String("KUBERNETES_NAMESPACE"), Value: args.Watched.ToStringOutput().ToStringPtrOutput()},
			},
			Ports: corev1.ContainerPortArray{corev1.ContainerPortArgs{
				Name: pulumi.String("http"), ContainerPort: pulumi.Int(reloaderPort), Protocol: pulumi.String("TCP"),
			}},
			LivenessProbe:  probe("/live"),
			ReadinessProbe: probe("/metrics"),
			Resources: corev1.ResourceRequirementsArgs{
				Requests: pulumi.StringMap{"cpu": pulumi.String(program.Requests.CPU), "memory": pulumi.String(program.Requests.Memory)},
				Limits:   pulumi.StringMap{"cpu": pulumi.String("500m"), "memory": pulumi.Sprintf("%dMi", 2*program.Requests.MemoryMiB())},
			},
			SecurityContext: corev1.SecurityContextArgs{
				AllowPrivilegeEscalation: pulumi.Bool(false), ReadOnlyRootFilesystem: pulumi.Bool(true),
				Capabilities: corev1.CapabilitiesArgs{Drop: pulumi.StringArray{pulumi.String("ALL")}},
			},
		}},
	}
}
