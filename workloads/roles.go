package workloads

import (
	_ "embed"
	"fmt"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

//go:embed roles/roles.sql
var rolesSQL string

const (
	rolesName = "database-roles"

	// A password that has just been made takes External Secrets a while to bring: seven tries, the last after ten minutes.
	rolesRetries       = 6
	rolesSeconds       = 900
	rolesPulumiMinutes = "16m"
)

// RolesToken is the component's type.
const RolesToken = "alphapulse:workloads:Roles"

// RolesArgs are what the database's roles are made from.
type RolesArgs struct {
	// Region is the database's.
	Region string
	// VerifierDigest is the SHA-256, in hexadecimal, of the verifier that the role must get: the job refuses an older one.
	VerifierDigest pulumi.StringInput
	// Connections is how many the application may have, all poolers together.
	Connections int
}

// Roles is the job that makes the application's role in the database.
type Roles struct {
	pulumi.ResourceState

	// Job is done when the roles are there.
	Job *batchv1.Job
}

// NewRoles runs the job, and runs it again when its SQL, the password or the budget changes: a Job cannot change, so it is replaced (D4). No
// other program is given the master user's password; Traefik, Reloader and KEDA may read it, as all Secrets of the namespace.
func NewRoles(ctx *pulumi.Context, place Place, args *RolesArgs, opts ...pulumi.ResourceOption) (*Roles, error) {
	roots, err := rdsRoots(args.Region)
	if err != nil {
		return nil, err
	}
	image, err := place.Image(config.PostgresClientImage)
	if err != nil {
		return nil, fmt.Errorf("the job %q: %w", rolesName, err)
	}
	r := &Roles{}
	if err := ctx.RegisterComponentResource(RolesToken, rolesName, r, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	account, err := corev1.NewServiceAccount(ctx, rolesName, &corev1.ServiceAccountArgs{
		Metadata: labelled(place, rolesName, rolesName), AutomountServiceAccountToken: pulumi.Bool(false),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("creating the account of the job %q: %w", rolesName, err)
	}
	files, err := corev1.NewConfigMap(ctx, rolesName, &corev1.ConfigMapArgs{
		Metadata: labelled(place, rolesName, rolesName),
		Data:     pulumi.StringMap{"roles.sql": pulumi.String(rolesSQL), rdsRootsFile: pulumi.String(roots)},
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("creating the files of the job %q: %w", rolesName, err)
	}
	metadata := labelled(place, rolesName, rolesName)
	if r.Job, err = batchv1.NewJob(ctx, rolesName, &batchv1.JobArgs{
		Metadata: metadata,
		Spec: batchv1.JobSpecArgs{
			BackoffLimit:          pulumi.Int(rolesRetries),
			ActiveDeadlineSeconds: pulumi.Int(rolesSeconds),
			Template: corev1.PodTemplateSpecArgs{
				Metadata: metav1.ObjectMetaArgs{
					Labels:      metadata.Labels,
					Annotations: pulumi.StringMap{config.Namespace + ".com/" + rolesName: pulumi.String(digest(rolesSQL, roots))},
				},
				Spec: rolesPod(args, account, files, image),
			},
		},
	}, pulumi.Parent(r), pulumi.DeleteBeforeReplace(true), // its name is taken
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: rolesPulumiMinutes, Update: rolesPulumiMinutes})); err != nil {
		return nil, fmt.Errorf("creating the job %q: %w", rolesName, err)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

func rolesPod(args *RolesArgs, account *corev1.ServiceAccount, files *corev1.ConfigMap, image pulumi.StringInput) corev1.PodSpecArgs {
	const path = "/etc/roles"
	roles := Files{Name: "roles", Path: path, ConfigMap: files.Metadata.Name().Elem()}
	return corev1.PodSpecArgs{
		ServiceAccountName:           account.Metadata.Name(),
		AutomountServiceAccountToken: pulumi.Bool(false),
		EnableServiceLinks:           pulumi.Bool(false),
		PriorityClassName:            pulumi.String(CustomerFacing), // who waits for it is
		RestartPolicy:                pulumi.String("Never"),        // so that the logs of every try stay
		SecurityContext:              podSecurity(),
		NodeSelector:                 pulumi.StringMap{config.PoolLabel: pulumi.String(config.PlatformPool)},
		Containers: corev1.ContainerArray{corev1.ContainerArgs{
			Name:    pulumi.String("psql"),
			Image:   image,
			Command: pulumi.ToStringArray([]string{"psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction", "--file=" + path + "/roles.sql"}),
			Env:     rolesEnv(args, path),
			Resources: corev1.ResourceRequirementsArgs{
				Requests: pulumi.StringMap{"cpu": pulumi.String("50m"), "memory": pulumi.String("64Mi")},
				Limits:   pulumi.StringMap{"cpu": pulumi.String("500m"), "memory": pulumi.String("128Mi")},
			},
			SecurityContext: containerSecurity(),
			VolumeMounts:    mounts([]Files{roles}),
		}},
		Volumes: corev1.VolumeArray{temporary(), volume(roles)},
	}
}

// rolesEnv is all that psql is told. Its settings for the server go with the connection: a variable of psql would stand in a statement.
func rolesEnv(args *RolesArgs, path string) corev1.EnvVarArray {
	var list []Env
	for _, key := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "APPLICATION_USER", "APPLICATION_VERIFIER"} {
		list = append(list, Env{Name: key, Secret: rolesName, Key: key})
	}
	list = append(list,
		Env{Name: "PGSSLMODE", Value: "verify-full"},
		Env{Name: "PGSSLROOTCERT", Value: path + "/" + rdsRootsFile},
		Env{Name: "PGCONNECT_TIMEOUT", Value: "10"})
	return append(env(list), corev1.EnvVarArgs{Name: pulumi.String("PGOPTIONS"), Value: pulumi.Sprintf(
		"-c alphapulse.role=$(APPLICATION_USER) -c alphapulse.verifier=$(APPLICATION_VERIFIER) -c alphapulse.verifier_digest=%s -c alphapulse.connections=%d",
		args.VerifierDigest, args.Connections)})
}
