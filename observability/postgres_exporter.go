package observability

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/workloads"
)

// PostgresExporterToken is the component's type.
const PostgresExporterToken = "alphapulse:observability:PostgresExporter"

const (
	exporterPort = 9187
	exporterPath = "/etc/postgres-exporter"
	// exporterUser is the Secret with the name and password of the role that watches the database.
	exporterUser = "postgres-exporter-credentials"
)

// PostgresExporterArgs are what the exporter is made from.
type PostgresExporterArgs struct {
	Spec  config.Single
	Stack Stack
	// Host, Port and Database are where the database itself is.
	Host     pulumi.StringInput
	Port     pulumi.IntInput
	Database pulumi.StringInput
}

// PostgresExporter shows Prometheus what PostgreSQL says of itself.
type PostgresExporter struct {
	pulumi.ResourceState
}

// NewPostgresExporter runs it. It asks the database and not the pooler, which would answer for itself, with a role that sees figures and no
// data (O5, D4).
func NewPostgresExporter(ctx *pulumi.Context, place workloads.Place, args *PostgresExporterArgs, opts ...pulumi.ResourceOption) (*PostgresExporter, error) {
	const name = config.PostgresExporterName
	roots, err := workloads.RDSRoots(args.Stack.Region)
	if err != nil {
		return nil, err
	}
	e := &PostgresExporter{}
	if err := component(ctx, PostgresExporterToken, name, place, e, opts); err != nil {
		return nil, err
	}
	files, err := workloads.NewTexts(ctx, place, name+"-config", name, exporterPath, pulumi.StringMap{workloads.RDSRootsFile: pulumi.String(roots)}, e)
	if err != nil {
		return nil, err
	}
	if _, err := workloads.NewService(ctx, name, place, &workloads.ServiceArgs{
		Spec:   args.Spec.Workload(),
		Labels: labels(name),
		Ports:  []workloads.Port{{Name: "metrics", Container: exporterPort}},
		Command: []string{
			fmt.Sprintf("--web.listen-address=:%d", exporterPort), "--log.format=json",
		},
		Env: []workloads.Env{
			{Name: "DATA_SOURCE_URI", Input: pulumi.Sprintf("%s:%d/%s?sslmode=verify-full&sslrootcert=%s&connect_timeout=5",
				args.Host, args.Port, args.Database, exporterPath+"/"+workloads.RDSRootsFile)},
			{Name: "DATA_SOURCE_USER", Secret: exporterUser, Key: "username"},
			{Name: "DATA_SOURCE_PASS", Secret: exporterUser, Key: "password"},
		},
		Files: []workloads.Files{files},
		// Whether the database answers is what its figures say.
		Probes:     asked("/", "/"),
		Priority:   workloads.Watching,
		StopWithin: 30,
	}, pulumi.Parent(e)); err != nil {
		return nil, err
	}
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{})
}
