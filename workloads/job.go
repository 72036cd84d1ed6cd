package workloads

import (
	"fmt"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

const (
	// What a job waits for, such as a Secret that has just been made, may take a while: seven tries, the last after ten minutes.
	jobRetries       = 6
	jobSeconds       = 900
	jobPulumiMinutes = "16m"
)

// jobArgs are what a job has of its own.
type jobArgs struct {
	// Container is what it runs. Its Files are rolled by their digests, as everywhere: a job whose files change runs again.
	Container Container
	// Before run first, one after the other.
	Before []Container
	// More are environment variables whose values are only known in the end.
	More corev1.EnvVarArray
	// Identity is the ARN of the IAM role that its account may take on; nil for none.
	Identity pulumi.StringInput
	// Room is how much the containers may leave for each other in /tmp; empty is little.
	Room string
}

// job is one that was made, and the account it runs as.
type job struct {
	*batchv1.Job
	account *corev1.ServiceAccount
}

// newJob runs something to its end, and again when anything about it changes: a Job cannot change, so it is replaced. `pulumi up` waits for it.
func newJob(ctx *pulumi.Context, name string, place Place, args *jobArgs, parent pulumi.Resource, opts ...pulumi.ResourceOption) (*job, error) {
	metadata, digests := labelled(place, name, name), pulumi.StringMap{}
	var volumes corev1.VolumeArray
	mounted := map[string]bool{}
	all := append(append([]Container{}, args.Before...), args.Container)
	containers := make(corev1.ContainerArray, len(all))
	for i, c := range all {
		image, err := place.Image(c.Image)
		if err != nil {
			return nil, fmt.Errorf("the job %q: %w", name, err)
		}
		containers[i] = c.plain(image)
		for _, files := range c.Files {
			if files.Digest != nil {
				digests[config.Namespace+".com/"+files.Name] = files.Digest
			}
			if !mounted[files.Name] {
				volumes = append(volumes, volume(files))
			}
			mounted[files.Name] = true
		}
	}
	last := containers[len(all)-1].(corev1.ContainerArgs)
	last.Env = append(env(args.Container.Env), args.More...)

	accountMetadata := metadata
	if args.Identity != nil {
		accountMetadata.Annotations = pulumi.StringMap{"eks.amazonaws.com/role-arn": args.Identity}
	}
	account, err := corev1.NewServiceAccount(ctx, name, &corev1.ServiceAccountArgs{
		Metadata: accountMetadata, AutomountServiceAccountToken: pulumi.Bool(false),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating the account of the job %q: %w", name, err)
	}
	scratch := temporary()
	if args.Room != "" {
		scratch.EmptyDir = corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String(args.Room)}
	}
	made, err := batchv1.NewJob(ctx, name, &batchv1.JobArgs{
		Metadata: metadata,
		Spec: batchv1.JobSpecArgs{
			BackoffLimit:          pulumi.Int(jobRetries),
			ActiveDeadlineSeconds: pulumi.Int(jobSeconds),
			Template: corev1.PodTemplateSpecArgs{
				Metadata: metav1.ObjectMetaArgs{Labels: metadata.Labels, Annotations: digests},
				Spec: corev1.PodSpecArgs{
					ServiceAccountName:           account.Metadata.Name(),
					AutomountServiceAccountToken: pulumi.Bool(false),
					EnableServiceLinks:           pulumi.Bool(false),
					PriorityClassName:            pulumi.String(CustomerFacing), // who waits for it is
					RestartPolicy:                pulumi.String("Never"),        // so that the logs of every try stay
					SecurityContext:              podSecurity(),
					NodeSelector:                 pulumi.StringMap{config.PoolLabel: pulumi.String(config.PlatformPool)},
					InitContainers:               containers[:len(all)-1],
					Containers:                   corev1.ContainerArray{last},
					Volumes:                      append(corev1.VolumeArray{scratch}, volumes...),
				},
			},
		},
	}, append(opts, pulumi.Parent(parent), pulumi.DeleteBeforeReplace(true), // its name is taken
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: jobPulumiMinutes, Update: jobPulumiMinutes}))...)
	if err != nil {
		return nil, fmt.Errorf("creating the job %q: %w", name, err)
	}
	return &job{made, account}, nil
}

// plain is a container that nobody asks whether it lives.
func (c Container) plain(image pulumi.StringInput) corev1.ContainerArgs {
	return corev1.ContainerArgs{
		Name:    pulumi.String(c.Name),
		Image:   image,
		Args:    pulumi.ToStringArray(c.Command),
		Command: pulumi.ToStringArray(c.Entrypoint),
		Ports:   ports(c.Ports),
		Env:     env(c.Env),
		Resources: corev1.ResourceRequirementsArgs{
			Requests: pulumi.StringMap{"cpu": pulumi.String(c.Requests.CPU), "memory": pulumi.String(c.Requests.Memory)},
			Limits:   pulumi.StringMap{"cpu": pulumi.String(c.Limits.CPU), "memory": pulumi.String(c.Limits.Memory)},
		},
		SecurityContext: containerSecurity(),
		VolumeMounts:    mounts(c.Files),
	}
}
