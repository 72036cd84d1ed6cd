package workloads_test

import (
	"testing"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

const scaledObject = "kubernetes:keda.sh/v1alpha1:ScaledObject"

// workers runs agents and risk workers; a namespace stands for what reads queues.
func workers(t *testing.T, p config.Platform) *recorder.Run {
	t.Helper()
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		keda, err := corev1.NewNamespace(ctx, "keda", nil, pulumi.Provider(place.Provider))
		if err != nil {
			return err
		}
		place.Scaler = []pulumi.Resource{keda}
		if err := workloads.NewPriorities(ctx, place.Provider); err != nil {
			return err
		}
		if err := workloads.NewAgents(ctx, place, p.Workloads.Agents); err != nil {
			return err
		}
		_, err = workloads.NewRisk(ctx, place, p.Workloads.Risk)
		return err
	})
	require.NoError(t, err)
	return run
}

// value is an environment variable of the first container: text, or the Secret's name and key.
func value(r recorder.Resource, name string) any {
	list, _ := r.At(container + "env").([]any)
	for _, one := range list {
		variable, _ := one.(map[string]any)
		if variable["name"] != name {
			continue
		}
		if text, ok := variable["value"]; ok {
			return text
		}
		from := recorder.Resource{Inputs: variable}
		return []any{from.At("valueFrom.secretKeyRef.name"), from.At("valueFrom.secretKeyRef.key")}
	}
	return nil
}

func TestW3EachTypeOfAgentHasADeploymentAQueueAndAnAutoscaler(t *testing.T) {
	run := workers(t, prod(t))
	for _, kind := range []string{"technical", "fundamental", "sentiment", "value", "activist", "buffett"} {
		name := "agent-worker-" + kind
		made, scaled := run.Find(t, deployment, name), run.Find(t, scaledObject, name)
		selector := map[string]any{"app": "agent-worker", "type": kind}
		assert.Equal(t, name, made.At("metadata.name"))
		assert.Equal(t, selector, made.At("spec.selector.matchLabels"))
		assert.Subset(t, made.At("spec.template.metadata.labels"), selector)
		assert.Equal(t, selector, run.Find(t, budget, name).At("spec.selector.matchLabels"))
		assert.Equal(t, "worker", made.At(container+"name"), "the source's")
		assert.Equal(t, kind+"_agent", value(made, "CELERY_QUEUES"))
		assert.Equal(t, "4", value(made, "CELERY_CONCURRENCY"))
		assert.Equal(t, []any{"broker-credentials", "url"}, value(made, "CELERY_BROKER_URL"))
		assert.Equal(t, []any{"broker-credentials", "transport-options"}, value(made, "CELERY_BROKER_TRANSPORT_OPTIONS"))
		assert.Equal(t, []any{"exchange-credentials", "binance-api-secret"}, value(made, "BINANCE_API_SECRET"))
		assert.Equal(t, "1", made.At(container+"resources.requests.cpu"))
		assert.Equal(t, "2Gi", made.At(container+"resources.requests.memory"))
		assert.Equal(t, name+"-hpa", scaled.At("spec.advanced.horizontalPodAutoscalerConfig.name"))
		assert.EqualValues(t, []any{5., 20.}, []any{scaled.At("spec.minReplicaCount"), scaled.At("spec.maxReplicaCount")})
	}
	assert.Len(t, run.All(deployment), 7)
	assert.Empty(t, run.All(service), "nobody calls a worker")
	assert.Empty(t, run.All(autoscaler), "KEDA makes them")
}

func TestW3AnotherTypeOfAgentIsOneWordOfConfig(t *testing.T) {
	p := prod(t)
	p.Workloads.Agents.Types = append(p.Workloads.Agents.Types, "macro")
	run := workers(t, p)
	assert.Equal(t, "macro_agent", value(run.Find(t, deployment, "agent-worker-macro"), "CELERY_QUEUES"))
	assert.Len(t, run.All(deployment), 8)
}

func TestW3ScalingSeesTheQueueBesidesTheCPU(t *testing.T) {
	run := workers(t, prod(t))
	for name, queue := range map[string]string{"agent-worker-value": "value_agent", "risk-worker": "risk"} {
		scaled := run.Find(t, scaledObject, name)
		assert.Equal(t, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, scaled.At("spec.scaleTargetRef"))
		assert.Equal(t, []any{
			map[string]any{
				"type": "redis-sentinel", "authenticationRef": map[string]any{"name": "broker"},
				"metadata": map[string]any{
					"addresses": "broker-0.broker.alphapulse-prod.svc.cluster.local:26379,broker-1.broker.alphapulse-prod.svc.cluster.local:26379," +
						"broker-2.broker.alphapulse-prod.svc.cluster.local:26379",
					"sentinelMaster": "broker", "listName": queue, "listLength": "4",
				},
			},
			map[string]any{"type": "cpu", "metricType": "Utilization", "metadata": map[string]any{"value": "70"}},
		}, scaled.At("spec.triggers"))
		assert.Equal(t, queue, value(run.Find(t, deployment, name), "CELERY_QUEUES"), "the list that its worker reads")
		assert.Equal(t, map[string]any{"failureThreshold": 3., "replicas": 5., "behavior": "currentReplicasIfHigher"}, scaled.At("spec.fallback"),
			"a broker that does not answer takes no worker away")
		assert.EqualValues(t, 300, scaled.At("spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds"))
		assert.Contains(t, scaled.DependsOn, run.Find(t, "kubernetes:core/v1:Namespace", "keda").URN, "its finalizer is the operator's to remove")
	}
}

func TestW3AQueueThatNothingReadsMakesNoWorker(t *testing.T) {
	p := prod(t)
	_, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		return workloads.NewAgents(ctx, place, p.Workloads.Agents)
	})
	assert.ErrorContains(t, err, `creating the autoscaler of "agent-worker-technical": nothing in the cluster can read the queue`)
}

// A spot instance is taken back two minutes after EC2 said so; elsewhere EKS waits a quarter of an hour for a pod.
func TestW3LongTasksFinishWithinWhatTheCapacityAllows(t *testing.T) {
	p := prod(t)
	run := workers(t, p)
	for name, want := range map[string]int{"agent-worker-technical": 110, "risk-worker": 600} {
		made := run.Find(t, deployment, name)
		assert.Equal(t, want, seconds(t, made, pod+"terminationGracePeriodSeconds"), name)
		assert.Nil(t, made.At(container+"lifecycle"), "the time belongs to the tasks, not to a wait before they are told")
	}
	p.Workloads.Risk.Pool = "workers"
	assert.Equal(t, 110, seconds(t, workers(t, p).Find(t, deployment, "risk-worker"), pod+"terminationGracePeriodSeconds"))
}

func TestW4RiskWorkersRunOnComputeOptimizedNodesOnly(t *testing.T) {
	made := workers(t, prod(t)).Find(t, deployment, "risk-worker")
	assert.Equal(t, map[string]any{"nodeAffinity": map[string]any{"requiredDuringSchedulingIgnoredDuringExecution": map[string]any{
		"nodeSelectorTerms": []any{map[string]any{"matchExpressions": []any{
			map[string]any{"key": "workload-type", "operator": "In", "values": []any{"compute-optimized"}},
		}}},
	}}}, made.At(pod+"affinity"), "word for word the source's")
	assert.Equal(t, map[string]any{
		"requests": map[string]any{"cpu": "2", "memory": "4Gi"}, "limits": map[string]any{"cpu": "4", "memory": "8Gi"},
	}, made.At(container+"resources"))
	assert.Nil(t, value(made, "BINANCE_API_KEY"), "agents alone trade")
}

func TestW6WorkersGiveWayToEverythingElse(t *testing.T) {
	run := workers(t, prod(t))
	worker, customers := run.Find(t, priority, workloads.Background), run.Find(t, priority, workloads.CustomerFacing)
	assert.Equal(t, worker.At("metadata.name"), run.Find(t, deployment, "risk-worker").At(pod+"priorityClassName"))
	assert.Less(t, worker.At("value"), 0., "pods that name no class have 0")
	assert.Greater(t, customers.At("value"), 0.)
	assert.Equal(t, "ScheduleAnyway", run.Find(t, deployment, "risk-worker").At(pod+"topologySpreadConstraints[0].whenUnsatisfiable"),
		"where one zone has no spot instances, they run in the others")
}
