package workloads

import (
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// concurrency is how many tasks one worker runs at once: the source's figure.
const concurrency = 4

// worker is what one kind of Celery worker has of its own.
type worker struct {
	spec         config.Workload
	labels       map[string]string
	queue        string
	env          []Env
	nodeAffinity bool
}

// newWorker runs a kind of Celery worker (W3, W4). Nobody calls it, so it has no Service; what is asked of its image stands in
// docs/decisions.md.
func newWorker(ctx *pulumi.Context, name string, place Place, w worker, opts ...pulumi.ResourceOption) (*Service, error) {
	pool, _ := place.Pools(w.spec.Pool) // one that is not there is the shape's to report
	return NewService(ctx, name, place, &ServiceArgs{
		Spec:      w.spec,
		Container: "worker",
		Labels:    w.labels,
		Ports:     []Port{{Name: "http", Container: 8000}},
		Env: append([]Env{
			{Name: "CELERY_QUEUES", Value: w.queue},
			{Name: "CELERY_CONCURRENCY", Value: strconv.Itoa(concurrency)},
			{Name: "CELERY_BROKER_URL", Secret: brokerSecret, Key: "url"},
			{Name: "CELERY_BROKER_TRANSPORT_OPTIONS", Secret: brokerSecret, Key: "transport-options"},
			{Name: "DATABASE_URL", Secret: "database-credentials", Key: "url"},
			{Name: "REDIS_URL", Secret: "redis-credentials", Key: "url"},
		}, w.env...),
		// A restart costs up to four tasks, and a worker at its limit of CPU answers late: a minute of silence, and then it hangs.
		Probes: Probes{
			Live:  Probe{Path: "/health", InitialDelay: 30, Period: 20, Timeout: 10, Failures: 3},
			Ready: Probe{Path: "/health", InitialDelay: 5, Period: 10, Timeout: 10, Failures: 3},
		},
		Autoscaler: name + "-hpa",
		TargetCPU:  70,
		// As many tasks wait for a pod as it runs: what waits begins when the current tasks end.
		Queue:        &Queue{Name: w.queue, TasksPerPod: concurrency},
		AnyZone:      true,
		NodeAffinity: w.nodeAffinity,
		Priority:     Background,
		StopWithin:   finishWithin(pool),
	}, opts...)
}

// finishWithin is how many seconds the tasks of a worker that goes may still run. EC2 takes a spot instance back two minutes after it said
// so, and the kubelet wants some of them. On demand it is ten minutes: EKS gives up an update of a node group after fifteen.
func finishWithin(pool config.NodePool) int {
	if pool.CapacityType == config.Spot {
		return 110
	}
	return 600
}
