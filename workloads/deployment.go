package workloads

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Env is one environment variable: a value, one that is known later, a key of a Secret, or a field of the pod, such as "status.podIP".
type Env struct {
	Name, Value string
	Input       pulumi.StringInput
	Secret, Key string
	Field       string
}

// Probes are a program's health checks: over HTTP, by a script in the container, or, without either, whether the port takes connections.
type Probes struct {
	Live, Ready Probe
	Port        int // 0 is the container's first
}

// Probe is one health check; times are in seconds. A Script is run in the container instead, by its shell.
// HTTPS asks over TLS, and believes any certificate, as the kubelet does.
type Probe struct {
	Path, Script                            string
	HTTPS                                   bool
	InitialDelay, Period, Timeout, Failures int
	KillWithin                              int // how long a container that failed it has to stop; 0: the pod's own grace
}

// newPods makes what runs the pods.
func (b *objects) newPods() error {
	switch {
	case b.args.State != nil:
		return b.newStatefulSet()
	case b.args.EveryNode:
		return b.newDaemonSet()
	}
	return b.newDeployment()
}

// newDaemonSet makes the DaemonSet. A tenth of its pods is replaced at a time: one after the other would take an hour.
func (b *objects) newDaemonSet() (err error) {
	b.parent.Runs, err = appsv1.NewDaemonSet(b.ctx, b.name, &appsv1.DaemonSetArgs{
		Metadata: b.metadata(b.name),
		Spec: appsv1.DaemonSetSpecArgs{
			Selector:       metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategyArgs{RollingUpdate: appsv1.RollingUpdateDaemonSetArgs{MaxUnavailable: pulumi.String("10%")}},
			Template:       b.template(),
		},
	}, pulumi.Parent(b.parent))
	return err
}

// newDeployment makes the Deployment. It says nothing about replicas where an autoscaler owns their number: every `pulumi up` would
// fight it (W2).
func (b *objects) newDeployment() (err error) {
	metadata := b.metadata(b.name)
	if secrets := b.secrets(); len(secrets) > 0 { // the reloader rolls the pods when one of them changes
		metadata.Annotations = pulumi.StringMap{"secret.reloader.stakater.com/reload": pulumi.String(strings.Join(secrets, ","))}
	}
	spec := appsv1.DeploymentSpecArgs{
		Selector: metav1.LabelSelectorArgs{MatchLabels: b.selector()},
		// New pods come before old ones go; capacity counts them as the surge.
		Strategy: appsv1.DeploymentStrategyArgs{RollingUpdate: appsv1.RollingUpdateDeploymentArgs{
			MaxSurge: pulumi.String(fmt.Sprintf("%d%%", config.SurgePercent)), MaxUnavailable: pulumi.Int(0),
		}},
		Template: b.template(),
	}
	if !b.scaled() {
		spec.Replicas = pulumi.Int(b.args.Spec.Replicas.Min)
	}
	// Kubernetes' deadline counts from one pod to the next, so it ends a rollout that stands still, and no other.
	spec.ProgressDeadlineSeconds = pulumi.Int(progressSeconds + 2*b.args.StopWithin)
	b.parent.Runs, err = appsv1.NewDeployment(b.ctx, b.name, &appsv1.DeploymentArgs{Metadata: metadata, Spec: spec},
		pulumi.Parent(b.parent), rollout)
	return err
}

// rollout is how long pulumi waits for one. Pods that take their time to go, to load their data, or for a load balancer to know them, make room
// for the next ones only then: pulumi's own ten minutes for all of them would end a rollout that is well.
var rollout = pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "30m", Update: "60m"})

// progressSeconds is Kubernetes' own limit for how long a rollout may stand still.
const progressSeconds = 600

// template are the pods, with what Prometheus and rollouts read off them.
func (b *objects) template() corev1.PodTemplateSpecArgs {
	annotations := pulumi.StringMap{}
	if !b.args.AsksItself {
		annotations["prometheus.io/scrape"] = pulumi.String("true")
		annotations["prometheus.io/port"] = pulumi.Sprintf("%d", cmp.Or(b.args.MetricsPort, b.args.Ports[0].Container))
		annotations["prometheus.io/path"] = pulumi.String(cmp.Or(b.args.MetricsPath, "/metrics"))
	}
	if b.args.MetricsHTTPS {
		annotations["prometheus.io/scheme"] = pulumi.String("https")
	}
	for _, files := range b.files() {
		if files.Digest != nil {
			annotations[config.Namespace+".com/"+files.Name] = files.Digest // programs read most of their files once
		}
	}
	return corev1.PodTemplateSpecArgs{
		Metadata: metav1.ObjectMetaArgs{Labels: b.labels(), Annotations: annotations},
		Spec:     b.pod(),
	}
}

func (b *objects) pod() corev1.PodSpecArgs {
	pod := corev1.PodSpecArgs{
		ServiceAccountName:            b.parent.Account.Metadata.Name(),
		AutomountServiceAccountToken:  pulumi.Bool(b.args.CallsKubernetes),
		EnableServiceLinks:            pulumi.Bool(false),
		PriorityClassName:             pulumi.String(b.args.Priority),
		TerminationGracePeriodSeconds: pulumi.Int(b.args.StopWithin),
		SecurityContext:               podSecurity(b.args.Groups...),
		InitContainers:                b.newBefore(),
		Containers:                    b.newContainers(),
		Volumes:                       b.volumes(),
	}
	if b.args.SharedProcesses {
		pod.ShareProcessNamespace = pulumi.Bool(true)
	}
	if b.args.QuickNames { // musl takes both attempts within the timeout
		pod.DnsConfig = corev1.PodDNSConfigArgs{Options: corev1.PodDNSConfigOptionArray{
			corev1.PodDNSConfigOptionArgs{Name: pulumi.String("timeout"), Value: pulumi.String("1")},
			corev1.PodDNSConfigOptionArgs{Name: pulumi.String("attempts"), Value: pulumi.String("2")},
		}}
	}
	if b.args.EveryNode {
		pod.Tolerations = corev1.TolerationArray{corev1.TolerationArgs{Operator: pulumi.String("Exists")}}
		return pod
	}
	pod.NodeSelector = pulumi.StringMap{config.PoolLabel: pulumi.String(b.pool.Name)}
	pod.Tolerations, pod.TopologySpreadConstraints = b.tolerations(), b.spread()
	if b.args.NodeAffinity {
		pod.Affinity = onPool(b.pool.Name)
	}
	return pod
}

// newBefore are the containers that run before the program. Nobody asks whether they live: they end.
func (b *objects) newBefore() corev1.ContainerArray {
	var array corev1.ContainerArray
	for _, c := range b.args.Before {
		made := c.plain(b.images[c.Image])
		made.VolumeMounts = append(mounts(c.Files), b.stateMounts(c)...)
		array = append(array, made)
	}
	return array
}

func (b *objects) newContainers() corev1.ContainerArray {
	var array corev1.ContainerArray
	for _, c := range b.containers {
		made := c.plain(b.images[c.Image])
		made.LivenessProbe = c.probe(c.Probes.Live)
		made.ReadinessProbe = c.probe(c.Probes.Ready) // nil where it says nothing: a sidecar does not decide who gets requests
		made.VolumeMounts = append(mounts(c.Files), b.stateMounts(c)...)
		// Load balancers and proxies learn a little late that a pod goes; until then it still answers. Whom nobody calls is told at once.
		if b.args.DrainSeconds > 0 {
			made.Lifecycle = corev1.LifecycleArgs{PreStop: corev1.LifecycleHandlerArgs{
				Sleep: corev1.SleepActionArgs{Seconds: pulumi.Int(b.args.DrainSeconds)},
			}}
		}
		if len(c.Stop) > 0 {
			made.Lifecycle = corev1.LifecycleArgs{PreStop: corev1.LifecycleHandlerArgs{
				Exec: corev1.ExecActionArgs{Command: pulumi.ToStringArray(c.Stop)},
			}}
		}
		array = append(array, made)
	}
	return array
}

// podSecurity and containerSecurity are what the restricted Pod Security Standard wants, and a root file system that nobody writes (C5, W6).
func podSecurity(groups ...int) corev1.PodSecurityContextArgs {
	security := corev1.PodSecurityContextArgs{
		RunAsNonRoot:   pulumi.Bool(true),
		RunAsUser:      pulumi.Int(10001),
		RunAsGroup:     pulumi.Int(10001),
		FsGroup:        pulumi.Int(10001),
		SeccompProfile: corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
	}
	if len(groups) > 0 {
		security.SupplementalGroups = pulumi.ToIntArray(groups)
	}
	return security
}

func containerSecurity() corev1.SecurityContextArgs {
	return corev1.SecurityContextArgs{
		AllowPrivilegeEscalation: pulumi.Bool(false),
		ReadOnlyRootFilesystem:   pulumi.Bool(true),
		Capabilities:             corev1.CapabilitiesArgs{Drop: pulumi.StringArray{pulumi.String("ALL")}},
	}
}

func ports(list []Port) corev1.ContainerPortArray {
	var ports corev1.ContainerPortArray
	for _, port := range list {
		ports = append(ports, corev1.ContainerPortArgs{
			Name: pulumi.String(port.Name), ContainerPort: pulumi.Int(port.Container), Protocol: pulumi.String("TCP"),
		})
	}
	return ports
}

// files are those of all containers, each once.
func (b *objects) files() (all []Files) {
	for _, c := range slices.Concat(b.containers, b.args.Before) {
		for _, files := range c.Files {
			if !slices.ContainsFunc(all, func(f Files) bool { return f.Name == files.Name }) {
				all = append(all, files)
			}
		}
	}
	return all
}

// secrets are the names of all that the pods read, sorted.
func (b *objects) secrets() []string {
	read := map[string]bool{}
	for _, c := range slices.Concat(b.containers, b.args.Before) {
		for _, e := range c.Env {
			read[e.Secret] = true
		}
	}
	for _, files := range b.files() {
		read[files.Secret] = true
	}
	delete(read, "") // what is no Secret
	return sortedKeys(read)
}

// volumes are the programs' files, and a place for what is temporary: the root file system is read-only.
func (b *objects) volumes() corev1.VolumeArray {
	volumes := corev1.VolumeArray{temporary()}
	for _, files := range b.files() {
		volumes = append(volumes, volume(files))
	}
	return volumes
}

// tokenSeconds is how long a token is good for; the kubelet renews it long before.
const tokenSeconds = 3600

func temporary() corev1.VolumeArgs {
	return corev1.VolumeArgs{Name: pulumi.String("tmp"), EmptyDir: corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("256Mi")}}
}

func volume(files Files) corev1.VolumeArgs {
	volume := corev1.VolumeArgs{Name: pulumi.String(files.Name)}
	switch {
	case files.Secret != "": // the pod's group may read it, nobody else
		volume.Secret = corev1.SecretVolumeSourceArgs{SecretName: pulumi.String(files.Secret), DefaultMode: pulumi.Int(0o440)}
	case files.Audience != "":
		volume.Projected = corev1.ProjectedVolumeSourceArgs{Sources: corev1.VolumeProjectionArray{corev1.VolumeProjectionArgs{
			ServiceAccountToken: corev1.ServiceAccountTokenProjectionArgs{
				Audience: pulumi.String(files.Audience), Path: pulumi.String("token"), ExpirationSeconds: pulumi.Int(tokenSeconds),
			},
		}}}
	case files.Scratch != "":
		volume.EmptyDir = corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String(files.Scratch)}
	case files.Node != "":
		volume.HostPath = corev1.HostPathVolumeSourceArgs{Path: pulumi.String(files.Node), Type: pulumi.String("Directory")}
	default:
		volume.ConfigMap = corev1.ConfigMapVolumeSourceArgs{Name: files.ConfigMap}
	}
	return volume
}

func mounts(list []Files) corev1.VolumeMountArray {
	mounts := corev1.VolumeMountArray{corev1.VolumeMountArgs{Name: pulumi.String("tmp"), MountPath: pulumi.String("/tmp")}}
	for _, files := range list {
		mount := corev1.VolumeMountArgs{Name: pulumi.String(files.Name), MountPath: pulumi.String(files.Path)}
		if files.Scratch == "" {
			mount.ReadOnly = pulumi.Bool(true)
		}
		mounts = append(mounts, mount)
	}
	return mounts
}

func (c Container) probe(p Probe) corev1.ProbePtrInput {
	if p == (Probe{}) {
		return nil
	}
	port := pulumi.Int(cmp.Or(c.Probes.Port, c.Ports[0].Container))
	args := corev1.ProbeArgs{
		InitialDelaySeconds: pulumi.Int(p.InitialDelay),
		PeriodSeconds:       pulumi.Int(p.Period),
		TimeoutSeconds:      pulumi.Int(p.Timeout),
		FailureThreshold:    pulumi.Int(p.Failures),
	}
	switch {
	case p.Path != "":
		get := corev1.HTTPGetActionArgs{Path: pulumi.String(p.Path), Port: port}
		if p.HTTPS {
			get.Scheme = pulumi.String("HTTPS")
		}
		args.HttpGet = get
	case p.Script != "":
		args.Exec = corev1.ExecActionArgs{Command: pulumi.ToStringArray([]string{"/bin/sh", p.Script})}
	default:
		args.TcpSocket = corev1.TCPSocketActionArgs{Port: port}
	}
	if p.KillWithin > 0 {
		args.TerminationGracePeriodSeconds = pulumi.IntPtr(p.KillWithin)
	}
	return args
}

// spread keeps the replicas of a revision level over the zones, so that the loss of one leaves two thirds, and, where it can, over nodes.
// Workers take what the market for spot instances has: where one zone has none, they run in the others.
func (b *objects) spread() corev1.TopologySpreadConstraintArray {
	constraint := func(key, otherwise string) corev1.TopologySpreadConstraintArgs {
		made := corev1.TopologySpreadConstraintArgs{
			TopologyKey: pulumi.String(key), MaxSkew: pulumi.Int(1), WhenUnsatisfiable: pulumi.String(otherwise),
			LabelSelector:    metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			NodeTaintsPolicy: pulumi.String("Honor"),
		}
		if b.args.State == nil { // a StatefulSet's pods replace each other one by one: they count together
			made.MatchLabelKeys = pulumi.StringArray{pulumi.String("pod-template-hash")}
		}
		return made
	}
	otherwise := "DoNotSchedule"
	if b.args.AnyZone {
		otherwise = "ScheduleAnyway"
	}
	return corev1.TopologySpreadConstraintArray{
		constraint("topology.kubernetes.io/zone", otherwise),
		constraint("kubernetes.io/hostname", "ScheduleAnyway"),
	}
}

// onPool says the pool as the source's manifest of the risk workers says it.
func onPool(pool string) corev1.AffinityArgs {
	return corev1.AffinityArgs{NodeAffinity: corev1.NodeAffinityArgs{
		RequiredDuringSchedulingIgnoredDuringExecution: corev1.NodeSelectorArgs{NodeSelectorTerms: corev1.NodeSelectorTermArray{
			corev1.NodeSelectorTermArgs{MatchExpressions: corev1.NodeSelectorRequirementArray{corev1.NodeSelectorRequirementArgs{
				Key: pulumi.String(config.PoolLabel), Operator: pulumi.String("In"), Values: pulumi.ToStringArray([]string{pool}),
			}}},
		}},
	}}
}

// lostAfter is how many seconds a pod may stay on a node that does not answer, before another takes its place. Kubernetes' own 300 are
// for what has state: its successor waits for its volume in any case, which AWS does not let go before the node is known to be gone.
const lostAfter = 30

// tolerations are the pool's taints, and those of a node that is lost.
func (b *objects) tolerations() corev1.TolerationArray {
	var array corev1.TolerationArray
	for _, lost := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		if b.args.State != nil {
			continue
		}
		array = append(array, corev1.TolerationArgs{
			Key: pulumi.String(lost), Operator: pulumi.String("Exists"), Effect: pulumi.String("NoExecute"), TolerationSeconds: pulumi.Int(lostAfter),
		})
	}
	for _, t := range b.pool.Taints {
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
		switch {
		case e.Secret != "":
			variable.ValueFrom = corev1.EnvVarSourceArgs{SecretKeyRef: corev1.SecretKeySelectorArgs{
				Name: pulumi.String(e.Secret), Key: pulumi.String(e.Key),
			}}
		case e.Input != nil:
			variable.Value = e.Input.ToStringOutput().ToStringPtrOutput()
		case e.Field != "":
			variable.ValueFrom = corev1.EnvVarSourceArgs{FieldRef: corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String(e.Field)}}
		default:
			variable.Value = pulumi.String(e.Value)
		}
		array = append(array, variable)
	}
	return array
}
