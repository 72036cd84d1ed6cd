package workloads

import (
	"embed"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

//go:embed redis
var redisFiles embed.FS

// RedisToken is the component's type.
const RedisToken = "alphapulse:workloads:Redis"

const (
	redisPort, redisBusPort = 6379, 16379
	// redisMetricsPort is the exporter's, as keep.sh knows it, too.
	redisMetricsPort = 9121

	redisConfig      = config.RedisName + "-config"
	redisJob         = config.RedisName + "-create"
	redisCredentials = "redis-credentials"

	// Where a pod has the files, the password, and what it keeps. What it does not keep is in /tmp, with the socket that the exporter uses.
	redisPath, redisPasswords, redisData, redisRun = "/etc/redis", "/etc/redis-credentials", "/data", "/tmp"

	// redisStop is what a pod gets to hand over (20 s at most, for want of a replica that keeps up) and to end.
	redisStop = 60
)

// RedisArgs are what the cluster is made from.
type RedisArgs struct{ Spec config.Stateful }

// Redis is a Redis Cluster: three masters in three zones, each with a replica in another zone (D7).
type Redis struct {
	pulumi.ResourceState

	// Ready is whatever who connects comes after: the pods are one cluster.
	Ready []pulumi.Resource
}

// NewRedis runs six servers, and the job that makes a cluster of them. The job changes nothing where there is one; it runs again when its files
// change.
func NewRedis(ctx *pulumi.Context, place Place, args *RedisArgs, opts ...pulumi.ResourceOption) (*Redis, error) {
	r := &Redis{}
	if err := ctx.RegisterComponentResource(RedisToken, config.RedisName, r, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	files, err := NewFolder(ctx, place, redisConfig, "redis", redisPath, redisFiles, "redis", r)
	if err != nil {
		return nil, err
	}
	credentials := Files{Name: redisCredentials, Path: redisPasswords, Secret: redisCredentials}
	spec := args.Spec.Workload(config.RedisPods)
	spec.Requests, spec.Limits = config.ClusterRedis.Server(spec.Requests, spec.Limits)
	made, err := NewService(ctx, config.RedisName, place, &ServiceArgs{
		Spec:        spec,
		Labels:      map[string]string{"app": "redis"},
		Container:   "redis",
		ServiceName: config.RedisName,
		State:       &State{GiB: args.Spec.StorageGiB, Path: redisData, Governing: config.RedisName},
		Ports:       []Port{{Name: "redis", Container: redisPort, Service: []int{redisPort}}, {Name: "bus", Container: redisBusPort}},
		Entrypoint:  redisScript("start.sh"),
		Stop:        redisScript("stop.sh"),
		Env:         append(redisPodEnv(args.Spec.Limits), redisClusterEnv()...),
		Files:       []Files{files, credentials},
		// A server that loads its data answers, if only that it does. Nobody is ready before the cluster's data is there, where there is one.
		Probes: Probes{
			Live:  Probe{Script: redisPath + "/live.sh", InitialDelay: 5, Period: 10, Timeout: 6, Failures: 6},
			Ready: Probe{Script: redisPath + "/ready.sh", InitialDelay: 1, Period: 5, Timeout: 12, Failures: 2},
		},
		// Over the server's socket in /tmp, which the containers share. keep.sh tells it when the password has changed.
		Sidecars: []Container{redisExporter([]Env{
			{Name: "REDIS_ADDR", Value: "unix://" + redisRun + "/redis.sock"}, {Name: "REDIS_PASSWORD_FILE", Value: redisPasswords + "/exporter.json"},
		}, credentials)},
		MetricsPort:     redisMetricsPort,
		SharedProcesses: true, // see the broker
		Priority:        CustomerFacing,
		StopWithin:      redisStop,
	}, pulumi.Parent(r))
	if err != nil {
		return nil, err
	}
	job, err := newJob(ctx, redisJob, place, &jobArgs{Container: Container{
		Name: "redis-cli", Image: args.Spec.Image, Entrypoint: redisScript("create.sh"),
		Env: redisClusterEnv(), Files: []Files{files, credentials},
		Requests: config.Amount{CPU: "50m", Memory: "32Mi"}, Limits: config.Amount{CPU: "500m", Memory: "64Mi"},
	}}, r, pulumi.DependsOn([]pulumi.Resource{made.Runs, made.Door})) // it asks them by their names
	if err != nil {
		return nil, err
	}
	r.Ready = []pulumi.Resource{job.Job, made.Door}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

func redisScript(name string) []string { return []string{"/bin/sh", redisPath + "/" + name} }

// redisClusterEnv is what every script is told, redisPodEnv what those in a pod are told besides.
func redisClusterEnv() []Env {
	return []Env{
		{Name: "SERVICE", Value: config.RedisName}, {Name: "PODS", Value: strconv.Itoa(config.RedisPods)},
		{Name: "FILES", Value: redisPath}, {Name: "CREDENTIALS", Value: redisPasswords},
	}
}

func redisPodEnv(limits config.Amount) []Env {
	return []Env{
		{Name: "POD_NAME", Field: "metadata.name"}, {Name: "POD_IP", Field: "status.podIP"},
		// The scheduler's binding brings it with it, from Kubernetes 1.35 on.
		{Name: "ZONE", Field: "metadata.labels['topology.kubernetes.io/zone']"},
		{Name: "DATA", Value: redisData}, {Name: "RUN", Value: redisRun},
		{Name: "MAXMEMORY", Value: strconv.FormatInt(config.ClusterRedis.MaxMemory(limits), 10)},
	}
}

// redisExporter shows Prometheus the Redis in the same pod, which it is told how to reach.
func redisExporter(env []Env, files ...Files) Container {
	return Container{
		Name: config.RedisExporter.Name, Image: config.RedisExporterImage,
		Ports: []Port{{Name: "metrics", Container: redisMetricsPort}}, Env: env, Files: files,
		Probes:   Probes{Live: Probe{Path: "/health", InitialDelay: 5, Period: 20, Timeout: 5, Failures: 3}},
		Requests: config.RedisExporter.Requests, Limits: config.RedisExporter.Limits,
	}
}
