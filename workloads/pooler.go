package workloads

import (
	"fmt"
	"strconv"
	"strings"

	_ "embed"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

//go:embed pgbouncer/pgbouncer.ini
var pgbouncerSettings string

const (
	poolerPort  = 5432
	metricsPort = 9127

	// PoolerCertificate is the Secret with the certificate that the pooler shows, kubernetes.io/tls.
	PoolerCertificate = config.PoolerName + "-tls"
	poolerUsers       = "pgbouncer-credentials"

	// poolerDrain is how long new connections may still come after a pod was told to go; poolerStop is all it gets. What lies between is for
	// transactions under way: PgBouncer itself ends those that idle for a minute.
	poolerDrain = 15
	poolerStop  = 100

	// spareFiles are PgBouncer's own file descriptors, and those of clients that it refuses.
	spareFiles = 128
)

// PoolerToken is the component's type.
const PoolerToken = "alphapulse:workloads:Pooler"

// PoolerArgs are what the pooler is made from.
type PoolerArgs struct {
	Spec config.Workload
	// Region is the database's: its certificate is signed by the region's authority.
	Region string
	// Host, Port and Database are PostgreSQL's.
	Host     pulumi.StringInput
	Port     pulumi.IntInput
	Database pulumi.StringInput
	// PoolSize is how many connections to the database one pod may hold, MaxClients how many it takes from workloads.
	PoolSize, MaxClients int
}

// Pooler is PgBouncer: between workloads that open thousands of connections and a database that takes two hundred.
type Pooler struct {
	pulumi.ResourceState

	// Ready are its pods and the Service in front of them, for those who connect.
	Ready []pulumi.Resource
}

// NewPooler runs PgBouncer in transaction mode, with an exporter of its metrics beside it (D4).
func NewPooler(ctx *pulumi.Context, place Place, args *PoolerArgs, opts ...pulumi.ResourceOption) (*Pooler, error) {
	roots, err := RDSRoots(args.Region)
	if err != nil {
		return nil, err
	}
	p := &Pooler{}
	if err := ctx.RegisterComponentResource(PoolerToken, config.PoolerName, p, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	files, err := newPoolerConfig(ctx, place, args, roots, p)
	if err != nil {
		return nil, err
	}
	spec := args.Spec
	spec.Requests, spec.Limits = spec.Requests.Less(config.PoolerExporterRequests), spec.Limits.Less(config.PoolerExporterLimits)
	made, err := NewService(ctx, config.PoolerName, place, &ServiceArgs{
		Spec:        spec,
		Labels:      map[string]string{"app": config.PoolerName},
		ServiceName: config.PoolerName,
		Ports:       []Port{{Name: "postgres", Container: poolerPort, Service: []int{poolerPort}}},
		Entrypoint:  startPooler(args.MaxClients + args.PoolSize + spareFiles),
		Files: []Files{
			files,
			{Name: "pgbouncer-users", Path: "/etc/pgbouncer/credentials", Secret: poolerUsers},
			{Name: "pgbouncer-tls", Path: "/etc/pgbouncer/tls", Secret: PoolerCertificate},
		},
		// Whether the database answers is not asked: in a failover every pod would be red at once, and who waits here would lose its place.
		Probes: Probes{
			Live:  Probe{InitialDelay: 5, Period: 10, Timeout: 2, Failures: 3, KillWithin: 5},
			Ready: Probe{InitialDelay: 1, Period: 5, Timeout: 2, Failures: 2},
		},
		Sidecars:     []Container{poolerExporter()},
		MetricsPort:  metricsPort,
		Autoscaler:   config.PoolerName + "-hpa",
		TargetCPU:    70,
		Priority:     CustomerFacing,
		Stop:         stopPooler(),
		DrainSeconds: poolerDrain,
		StopWithin:   poolerStop,
	}, pulumi.Parent(p))
	if err != nil {
		return nil, err
	}
	p.Ready = []pulumi.Resource{made.Runs, made.Door}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{})
}

// startPooler replaces the image's entry point, a shell that stays the first process and hands no signal on. A node may allow fewer open
// files than there are clients until it is asked.
func startPooler(files int) []string {
	return []string{"/bin/sh", "-c", fmt.Sprintf("ulimit -n %d && exec /usr/bin/pgbouncer /etc/pgbouncer/config/pgbouncer.ini", files)}
}

// stopPooler lets new connections go elsewhere first, and then every transaction end: SIGINT is "shut down once no server connection is in
// use", which also turns away who waits for one. What Kubernetes would send, SIGTERM, waits for clients, which never go by themselves, until
// all are cut off. It comes after this hook, so the hook stays until PgBouncer has gone, and the container with it.
func stopPooler() []string {
	return []string{"/bin/sh", "-c", fmt.Sprintf("sleep %d; kill -INT 1; while kill -0 1; do sleep 1; done", poolerDrain)}
}

// poolerExporter asks PgBouncer over its Unix socket in /tmp, which the containers share, and needs no password: they are one user.
func poolerExporter() Container {
	return Container{
		Name: "exporter", Image: config.PoolerExporterImage,
		Ports:    []Port{{Name: "metrics", Container: metricsPort}},
		Env:      []Env{{Name: "PGBOUNCER_EXPORTER_CONNECTION_STRING", Value: fmt.Sprintf("host=/tmp port=%d user=pgbouncer dbname=pgbouncer sslmode=disable", poolerPort)}},
		Probes:   Probes{Live: Probe{Path: "/", InitialDelay: 5, Period: 20, Timeout: 5, Failures: 3}},
		Requests: config.PoolerExporterRequests, Limits: config.PoolerExporterLimits,
	}
}

// newPoolerConfig makes the files that PgBouncer reads.
func newPoolerConfig(ctx *pulumi.Context, place Place, args *PoolerArgs, roots string, parent pulumi.Resource) (Files, error) {
	settings := pulumi.All(args.Host, args.Port, args.Database).ApplyT(func(of []any) string {
		return strings.NewReplacer("${HOST}", of[0].(string), "${PORT}", strconv.Itoa(of[1].(int)), "${DATABASE}", of[2].(string),
			"${POOL_SIZE}", strconv.Itoa(args.PoolSize), "${MAX_CLIENTS}", strconv.Itoa(args.MaxClients)).Replace(pgbouncerSettings)
	}).(pulumi.StringOutput)
	return NewTexts(ctx, place, config.PoolerName+"-config", config.PoolerName, "/etc/pgbouncer/config",
		pulumi.StringMap{"pgbouncer.ini": settings, RDSRootsFile: pulumi.String(roots)}, parent)
}
