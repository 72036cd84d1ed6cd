package workloads

import (
	"embed"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

//go:embed roles
var rolesFiles embed.FS

// rolesSQL are the files of SQL, in their order.
var rolesSQL = []string{"roles.sql", "monitoring.sql"}

const rolesName = "database-roles"

// RolesToken is the component's type.
const RolesToken = "alphapulse:workloads:Roles"

// RolesArgs are what the database's roles are made from.
type RolesArgs struct {
	// Region is the database's.
	Region string
	// VerifierDigest is the SHA-256, in hexadecimal, of the verifier that the application's role must get: the job refuses an older one.
	// MonitoringDigest is that of what watches the database.
	VerifierDigest, MonitoringDigest pulumi.StringInput
	// Connections is how many the application may have, all poolers together.
	Connections int
}

// Roles is the job that makes the roles in the database: the application's, and that of what watches it.
type Roles struct {
	pulumi.ResourceState

	// Job is done when the roles are there.
	Job *batchv1.Job
}

// NewRoles runs the job, and runs it again when its SQL, the password or the budget changes: a Job cannot change, so it is replaced (D4). No
// other program is given the master user's password; Traefik, Reloader and KEDA may read it, as all Secrets of the namespace.
func NewRoles(ctx *pulumi.Context, place Place, args *RolesArgs, opts ...pulumi.ResourceOption) (*Roles, error) {
	roots, err := RDSRoots(args.Region)
	if err != nil {
		return nil, err
	}
	r := &Roles{}
	if err := ctx.RegisterComponentResource(RolesToken, rolesName, r, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	texts, psql := pulumi.StringMap{RDSRootsFile: pulumi.String(roots)}, []string{"psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction"}
	const path = "/etc/roles"
	for _, name := range rolesSQL {
		text, err := rolesFiles.ReadFile("roles/" + name)
		if err != nil {
			return nil, err
		}
		texts[name], psql = pulumi.String(text), append(psql, "--file="+path+"/"+name)
	}
	files, err := NewTexts(ctx, place, rolesName, rolesName, path, texts, r)
	if err != nil {
		return nil, err
	}
	made, err := newJob(ctx, rolesName, place, &jobArgs{
		Container: Container{
			Name:       "psql",
			Image:      config.PostgresClientImage,
			Entrypoint: psql,
			Env:        rolesEnv(path),
			Files:      []Files{files},
			Requests:   config.Amount{CPU: "50m", Memory: "64Mi"}, Limits: config.Amount{CPU: "500m", Memory: "128Mi"},
		},
		// Its settings for the server go with the connection: a variable of psql would stand in a statement.
		More: corev1.EnvVarArray{corev1.EnvVarArgs{Name: pulumi.String("PGOPTIONS"), Value: pulumi.Sprintf(
			"-c alphapulse.role=$(APPLICATION_USER) -c alphapulse.verifier=$(APPLICATION_VERIFIER) -c alphapulse.verifier_digest=%s -c alphapulse.connections=%d "+
				"-c alphapulse.monitoring_role=$(MONITORING_USER) -c alphapulse.monitoring_verifier=$(MONITORING_VERIFIER) -c alphapulse.monitoring_digest=%s",
			args.VerifierDigest, args.Connections, args.MonitoringDigest)}},
	}, r)
	if err != nil {
		return nil, err
	}
	r.Job = made.Job
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

// rolesEnv is what psql is told; what depends on other resources comes after it.
func rolesEnv(path string) (list []Env) {
	for _, key := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "APPLICATION_USER", "APPLICATION_VERIFIER",
		"MONITORING_USER", "MONITORING_VERIFIER"} {
		list = append(list, Env{Name: key, Secret: rolesName, Key: key})
	}
	return append(list,
		Env{Name: "PGSSLMODE", Value: "verify-full"},
		Env{Name: "PGSSLROOTCERT", Value: path + "/" + RDSRootsFile},
		Env{Name: "PGCONNECT_TIMEOUT", Value: "10"})
}
