package workloads

import (
	"embed"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

//go:embed redis
var redisFiles embed.FS

// RedisToken is the component's type.
const RedisToken = "alphapulse:workloads:Redis"

const (
	redisBusPort = 16379
	redisSecret  = "redis-credentials"
	// Where its containers find their files, the password, and their volume.
	redisFilesPath, redisPasswordPath, redisDataPath = "/etc/redis-cluster", "/etc/redis-credentials", "/data"
	// redisStop is all that a pod gets to hand over, half a minute at most, and to end.
	redisStop = 60
	// redisShare is how much of a container's memory, in percent, keys and clients may take: whoever writes the log anew is a fork that keeps
	// what changes meanwhile, up to as much again, and replicas have still to read some.
	redisShare = 40

	redisCreate = config.RedisName + "-create"
)

// Redis is the Redis Cluster: cache and rate limits.
type Redis struct {
	pulumi.ResourceState

	// Ready are its pods, their names, and the job that made them a cluster, for those who call it.
	Ready []pulumi.Resource
}

// NewRedis runs three masters with a replica each, and makes them one cluster (D7).
func NewRedis(ctx *pulumi.Context, place Place, spec config.Stateful, opts ...pulumi.ResourceOption) (*Redis, error) {
	r := &Redis{}
	if err := ctx.RegisterComponentResource(RedisToken, config.RedisName, r, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	files, err := newFolder(ctx, place, config.RedisName+"-config", config.RedisName, redisFilesPath, redisFiles, "redis", r)
	if err != nil {
		return nil, err
	}
	mounted := []Files{files, {Name: "credentials", Path: redisPasswordPath, Secret: redisSecret}}
	own := spec.Workload(config.RedisPods)
	own.Requests, own.Limits = own.Requests.Less(config.RedisExporterRequests), own.Limits.Less(config.RedisExporterLimits)
	made, err := NewService(ctx, config.RedisName, place, &ServiceArgs{
		Spec:        own,
		Labels:      map[string]string{"app": "redis"},
		Container:   "redis",
		ServiceName: config.RedisName,
		Ports: []Port{
			{Name: "redis", Container: redisPort, Service: []int{redisPort}},
			{Name: "bus", Container: redisBusPort, Service: []int{redisBusPort}},
		},
		Entrypoint: redisScript("start.sh"),
		Stop:       redisScript("stop.sh"),
		Env:        redisEnv(own),
		Files:      mounted,
		Probes: Probes{
			Live: Probe{Script: redisFilesPath + "/live.sh", InitialDelay: 5, Period: 10, Timeout: 5, Failures: 3},
			// By its own data, not by the cluster's state: there is no cluster before the job, which waits for what is ready.
			Ready: Probe{Script: redisFilesPath + "/ready.sh", InitialDelay: 1, Period: 5, Timeout: 5, Failures: 2},
		},
		State:       &State{GiB: spec.StorageGiB, Path: redisDataPath, Governing: config.RedisName},
		Sidecars:    []Container{redisExporter(redisSecret)},
		MetricsPort: redisMetricsPort,
		Priority:    CustomerFacing,
		StopWithin:  redisStop,
	}, pulumi.Parent(r))
	if err != nil {
		return nil, err
	}
	// It runs again when its files change, and finds nothing to do.
	cluster, err := newJob(ctx, redisCreate, place, &jobArgs{Container: Container{
		Name: "create", Image: spec.Image, Entrypoint: redisScript("create.sh"), Env: redisCommon(), Files: mounted,
		Requests: config.Amount{CPU: "50m", Memory: "32Mi"}, Limits: config.Amount{CPU: "500m", Memory: "64Mi"},
	}}, r, pulumi.DependsOn([]pulumi.Resource{made.Runs, made.Door})) // whose pods it makes a cluster of
	if err != nil {
		return nil, err
	}
	r.Ready = []pulumi.Resource{made.Runs, made.Door, cluster.Job}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

func redisScript(name string) []string { return []string{"/bin/sh", redisFilesPath + "/" + name} }

// redisCommon is what node.sh asks for, redisEnv what the pods' own scripts ask for besides.
func redisCommon() []Env {
	return []Env{
		{Name: "SERVICE", Value: config.RedisName},
		{Name: "PODS", Value: strconv.Itoa(config.RedisPods)},
		{Name: "FILES", Value: redisFilesPath},
		{Name: "CREDENTIALS", Value: redisPasswordPath},
	}
}

func redisEnv(own config.Workload) []Env {
	return append(redisCommon(),
		Env{Name: "POD_NAME", Field: "metadata.name"},
		Env{Name: "POD_IP", Field: "status.podIP"},
		// The API server copies it from the node when a pod is placed (PodTopologyLabelsAdmission, on since 1.35).
		Env{Name: "ZONE", Field: "metadata.labels['topology.kubernetes.io/zone']"},
		Env{Name: "DATA", Value: redisDataPath},
		Env{Name: "RUN", Value: "/tmp"},
		Env{Name: "MAXMEMORY", Value: strconv.FormatInt(own.Limits.MemoryMiB()<<20*redisShare/100, 10)})
}

// redisExporter asks the pod's own Redis for figures.
func redisExporter(secret string) Container {
	return Container{
		Name: "exporter", Image: config.RedisExporterImage,
		Ports: []Port{{Name: "metrics", Container: redisMetricsPort}},
		Env: []Env{
			{Name: "POD_IP", Field: "status.podIP"},
			{Name: "REDIS_ADDR", Value: fmt.Sprintf("redis://$(POD_IP):%d", redisPort)},
			{Name: "REDIS_PASSWORD", Secret: secret, Key: "password"},
		},
		Probes:   Probes{Live: Probe{Path: "/health", InitialDelay: 5, Period: 20, Timeout: 5, Failures: 3}},
		Requests: config.RedisExporterRequests, Limits: config.RedisExporterLimits,
	}
}
