package workloads

import (
	"embed"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

//go:embed broker
var brokerFiles embed.FS

// BrokerToken is the component's type.
const BrokerToken = "alphapulse:workloads:Broker"

const (
	// brokerSecret has what the broker and its clients are told: docs/secrets.md.
	brokerSecret = "broker-credentials"
	// Where its containers find their files, the password, and their volume.
	brokerFilesPath, brokerPasswordPath, brokerDataPath = "/etc/broker", "/etc/broker-credentials", "/data"
	// brokerOthersWithin is how many seconds a primary that starts waits for the Sentinel of a pod that is away, brokerPrimaryWithin how many a
	// replica waits for its primary. A volume comes away from a node that is lost after six minutes.
	brokerOthersWithin, brokerPrimaryWithin = 20, 600
	// brokerStop is all that a pod gets to hand over, 35 s at most, and to end.
	brokerStop = 60
)

// Broker is the Redis that Celery's queues are in, a primary and two replicas, watched by Sentinel: stock Celery does not run on the cluster.
type Broker struct {
	pulumi.ResourceState

	// Ready are its pods and their names, for those who enqueue and those who work.
	Ready []pulumi.Resource
}

// NewBroker runs it (D8). Each pod has Redis, a Sentinel, and an exporter of metrics.
func NewBroker(ctx *pulumi.Context, place Place, spec config.Stateful, opts ...pulumi.ResourceOption) (*Broker, error) {
	b := &Broker{}
	if err := ctx.RegisterComponentResource(BrokerToken, config.BrokerName, b, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	files, err := NewFolder(ctx, place, config.BrokerName+"-config", config.BrokerName, brokerFilesPath, brokerFiles, "broker", b)
	if err != nil {
		return nil, err
	}
	whole := spec.Workload(config.BrokerPods)
	own := whole
	own.Requests, own.Limits = config.BrokerRedis.Server(whole.Requests, whole.Limits)
	mounted := []Files{files, {Name: "credentials", Path: brokerPasswordPath, Secret: brokerSecret}}
	made, err := NewService(ctx, config.BrokerName, place, &ServiceArgs{
		Spec:        own,
		Labels:      map[string]string{"app": config.BrokerName},
		Container:   "redis",
		ServiceName: config.BrokerName,
		Ports:       []Port{{Name: "redis", Container: redisPort, Service: []int{redisPort}}},
		Entrypoint:  brokerScript("redis.sh"),
		Stop:        brokerScript("stop.sh"),
		Env:         brokerEnv(spec.Limits),
		Files:       mounted,
		// What waits for the others lives; so does what still reads its file. What is stuck is not: a replica does its work in the meantime.
		Probes: Probes{
			Live:  Probe{Script: brokerFilesPath + "/live.sh", InitialDelay: 5, Period: 10, Timeout: 5, Failures: 3},
			Ready: Probe{Script: brokerFilesPath + "/ready.sh", InitialDelay: 1, Period: 5, Timeout: 5, Failures: 2},
		},
		State: &State{GiB: spec.StorageGiB, Path: brokerDataPath, Governing: config.BrokerName},
		Sidecars: []Container{
			{
				Name: "sentinel", Image: spec.Image, Entrypoint: brokerScript("sentinel.sh"), Env: brokerEnv(spec.Limits), Files: mounted, Keeps: true,
				Ports:    []Port{{Name: "sentinel", Container: sentinelPort, Service: []int{sentinelPort}}},
				Probes:   Probes{Live: Probe{Script: brokerFilesPath + "/sentinel-live.sh", InitialDelay: 10, Period: 10, Timeout: 5, Failures: 3}},
				Requests: config.Sentinel.Requests, Limits: config.Sentinel.Limits,
			},
			redisExporter([]Env{
				{Name: "POD_IP", Field: "status.podIP"},
				{Name: "REDIS_ADDR", Value: fmt.Sprintf("redis://$(POD_IP):%d", redisPort)},
				{Name: "REDIS_PASSWORD", Secret: brokerSecret, Key: "password"},
				{Name: "REDIS_EXPORTER_CHECK_KEYS", Value: "*.dead-letters"}, // how many tasks each queue has put aside: celery_settings.py
			}),
		},
		MetricsPort: redisMetricsPort,
		// The timeout of busybox leaves a process behind each time. Redis takes ten of them a second off the system's list, before it learns that its
		// own child is done: after a day a replica would be in step hours late.
		SharedProcesses: true,
		QuickNames:      true, // Sentinel and replicas look each other up between two turns of their only thread: keep.sh
		Priority:        CustomerFacing,
		StopWithin:      brokerStop,
	}, pulumi.Parent(b))
	if err != nil {
		return nil, err
	}
	b.Ready = []pulumi.Resource{made.Runs, made.Door}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{})
}

func brokerScript(name string) []string { return []string{"/bin/sh", brokerFilesPath + "/" + name} }

// brokerEnv is what common.sh asks for. Pods know each other by whole names: KEDA, which is told one by Sentinel, is in another namespace.
func brokerEnv(limits config.Amount) []Env {
	return []Env{
		{Name: "BROKER_POD", Field: "metadata.name"},
		{Name: "NAMESPACE", Field: "metadata.namespace"},
		{Name: "POD_IP", Field: "status.podIP"},
		{Name: "BROKER_DOMAIN", Value: config.BrokerName + ".$(NAMESPACE).svc.cluster.local"},
		{Name: "BROKER_PODS", Value: strconv.Itoa(config.BrokerPods)},
		{Name: "BROKER_FILES", Value: brokerFilesPath},
		{Name: "BROKER_CREDENTIALS", Value: brokerPasswordPath},
		{Name: "BROKER_DATA", Value: brokerDataPath},
		{Name: "BROKER_RUN", Value: "/tmp"},
		{Name: "BROKER_MAXMEMORY", Value: strconv.FormatInt(config.BrokerRedis.MaxMemory(limits), 10)},
		{Name: "BROKER_OTHERS_WITHIN", Value: strconv.Itoa(brokerOthersWithin)},
		{Name: "BROKER_PRIMARY_WITHIN", Value: strconv.Itoa(brokerPrimaryWithin)},
	}
}
