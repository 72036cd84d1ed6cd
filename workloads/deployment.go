package workloads

import (
	"cmp"
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Env is one environment variable: a value, or a key of a Secret.
type Env struct {
	Name, Value string
	Secret, Key string
}

// Probes are a program's health checks over HTTP.
type Probes struct {
	Live, Ready Probe
	Port        int // 0 is the container's first
}

// Probe is one health check; times are in seconds.
type Probe struct {
	Path                                    string
	InitialDelay, Period, Timeout, Failures int
	KillWithin                              int // how long a container that failed it has to stop; 0: the pod's own grace
}

// newDeployment makes the Deployment. It says nothing about replicas: the autoscaler owns their number, and every `pulumi up` would
// fight it (W2).
func (b *objects) newDeployment() error {
	annotations := pulumi.StringMap{
		"prometheus.io/scrape": pulumi.String("true"),
		"prometheus.io/port":   pulumi.Sprintf("%d", cmp.Or(b.args.MetricsPort, b.args.Ports[0].Container)),
		"prometheus.io/path":   pulumi.String("/metrics"),
	}
	for _, files := range b.args.Files {
		annotations[config.Namespace+".com/"+files.Name] = files.Digest // programs read most of their files once
	}
	_, err := appsv1.NewDeployment(b.ctx, b.name, &appsv1.DeploymentArgs{
		Metadata: b.metadata(b.name),
		Spec: appsv1.DeploymentSpecArgs{
			Selector: metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			// New pods come before old ones go; capacity counts them as the surge.
			Strategy: appsv1.DeploymentStrategyArgs{RollingUpdate: appsv1.RollingUpdateDeploymentArgs{
				MaxSurge: pulumi.String(fmt.Sprintf("%d%%", config.SurgePercent)), MaxUnavailable: pulumi.Int(0),
			}},
			Template: corev1.PodTemplateSpecArgs{
				Metadata: metav1.ObjectMetaArgs{Labels: b.labels(), Annotations: annotations},
				Spec:     b.pod(),
			},
		},
	}, pulumi.Parent(b.parent))
	return err
}

func (b *objects) pod() corev1.PodSpecArgs {
	return corev1.PodSpecArgs{
		ServiceAccountName:            b.parent.Account.Metadata.Name(),
		AutomountServiceAccountToken:  pulumi.Bool(b.args.CallsKubernetes),
		EnableServiceLinks:            pulumi.Bool(false),
		PriorityClassName:             pulumi.String(b.args.Priority),
		TerminationGracePeriodSeconds: pulumi.Int(b.args.StopWithin),
		SecurityContext: corev1.PodSecurityContextArgs{
			RunAsNonRoot:   pulumi.Bool(true),
			RunAsUser:      pulumi.Int(10001),
			RunAsGroup:     pulumi.Int(10001),
			FsGroup:        pulumi.Int(10001),
			SeccompProfile: corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		NodeSelector:              pulumi.StringMap{config.PoolLabel: pulumi.String(b.pool.Name)},
		Tolerations:               tolerations(b.pool.Taints),
		TopologySpreadConstraints: b.spread(),
		Containers:                corev1.ContainerArray{b.container()},
		Volumes:                   b.volumes(),
	}
}

func (b *objects) container() corev1.ContainerArgs {
	spec := b.args.Spec
	return corev1.ContainerArgs{
		Name:  pulumi.String(b.name),
		Image: b.image,
		Args:  pulumi.ToStringArray(b.args.Command),
		Ports: b.ports(),
		Env:   env(b.args.Env),
		Resources: corev1.ResourceRequirementsArgs{
			Requests: pulumi.StringMap{"cpu": pulumi.String(spec.Requests.CPU), "memory": pulumi.String(spec.Requests.Memory)},
			Limits:   pulumi.StringMap{"cpu": pulumi.String(spec.Limits.CPU), "memory": pulumi.String(spec.Limits.Memory)},
		},
		LivenessProbe:  b.probe(b.args.Probes.Live),
		ReadinessProbe: b.probe(b.args.Probes.Ready),
		// Load balancers and proxies learn a little late that a pod goes; until then it still answers.
		Lifecycle: corev1.LifecycleArgs{PreStop: corev1.LifecycleHandlerArgs{
			Sleep: corev1.SleepActionArgs{Seconds: pulumi.Int(b.args.DrainSeconds)},
		}},
		SecurityContext: corev1.SecurityContextArgs{
			AllowPrivilegeEscalation: pulumi.Bool(false),
			ReadOnlyRootFilesystem:   pulumi.Bool(true),
			Capabilities:             corev1.CapabilitiesArgs{Drop: pulumi.StringArray{pulumi.String("ALL")}},
		},
		VolumeMounts: b.mounts(),
	}
}

func (b *objects) ports() corev1.ContainerPortArray {
	var ports corev1.ContainerPortArray
	for _, port := range b.args.Ports {
		ports = append(ports, corev1.ContainerPortArgs{
			Name: pulumi.String(port.Name), ContainerPort: pulumi.Int(port.Container), Protocol: pulumi.String("TCP"),
		})
	}
	return ports
}

// volumes are the program's files, and a place for what is temporary: the root file system is read-only.
func (b *objects) volumes() corev1.VolumeArray {
	volumes := corev1.VolumeArray{corev1.VolumeArgs{
		Name: pulumi.String("tmp"), EmptyDir: corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("256Mi")},
	}}
	for _, files := range b.args.Files {
		volumes = append(volumes, corev1.VolumeArgs{
			Name: pulumi.String(files.Name), ConfigMap: corev1.ConfigMapVolumeSourceArgs{Name: files.ConfigMap},
		})
	}
	return volumes
}

func (b *objects) mounts() corev1.VolumeMountArray {
	mounts := corev1.VolumeMountArray{corev1.VolumeMountArgs{Name: pulumi.String("tmp"), MountPath: pulumi.String("/tmp")}}
	for _, files := range b.args.Files {
		mounts = append(mounts, corev1.VolumeMountArgs{
			Name: pulumi.String(files.Name), MountPath: pulumi.String(files.Path), ReadOnly: pulumi.Bool(true),
		})
	}
	return mounts
}

func (b *objects) probe(p Probe) corev1.ProbePtrInput {
	args := corev1.ProbeArgs{
		HttpGet:             corev1.HTTPGetActionArgs{Path: pulumi.String(p.Path), Port: pulumi.Int(cmp.Or(b.args.Probes.Port, b.args.Ports[0].Container))},
		InitialDelaySeconds: pulumi.Int(p.InitialDelay),
		PeriodSeconds:       pulumi.Int(p.Period),
		TimeoutSeconds:      pulumi.Int(p.Timeout),
		FailureThreshold:    pulumi.Int(p.Failures),
	}
	if p.KillWithin > 0 {
		args.TerminationGracePeriodSeconds = pulumi.IntPtr(p.KillWithin)
	}
	return args
}

// spread keeps the replicas of a revision level over the zones, so that the loss of one leaves two thirds, and, where it can, over nodes.
func (b *objects) spread() corev1.TopologySpreadConstraintArray {
	constraint := func(key, otherwise string) corev1.TopologySpreadConstraintArgs {
		return corev1.TopologySpreadConstraintArgs{
			TopologyKey: pulumi.String(key), MaxSkew: pulumi.Int(1), WhenUnsatisfiable: pulumi.String(otherwise),
			LabelSelector:    metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			MatchLabelKeys:   pulumi.StringArray{pulumi.String("pod-template-hash")},
			NodeTaintsPolicy: pulumi.String("Honor"),
		}
	}
	return corev1.TopologySpreadConstraintArray{
		constraint("topology.kubernetes.io/zone", "DoNotSchedule"),
		constraint("kubernetes.io/hostname", "ScheduleAnyway"),
	}
}

func tolerations(taints []config.Taint) corev1.TolerationArray {
	var array corev1.TolerationArray
	for _, t := range taints {
		array = append(array, corev1.TolerationArgs{
			Key: pulumi.String(t.Key), Operator: pulumi.String("Equal"), Value: pulumi.String(t.Value), Effect: pulumi.String(t.Effect),
		})
	}
	return array
}

func env(list []Env) corev1.EnvVarArray {
	var array corev1.EnvVarArray
	for _, e := range list {
		variable := corev1.EnvVarArgs{Name: pulumi.String(e.Name)}
		if e.Secret != "" {
			variable.ValueFrom = corev1.EnvVarSourceArgs{SecretKeyRef: corev1.SecretKeySelectorArgs{
				Name: pulumi.String(e.Secret), Key: pulumi.String(e.Key),
			}}
		} else {
			variable.Value = pulumi.String(e.Value)
		}
		array = append(array, variable)
	}
	return array
}
