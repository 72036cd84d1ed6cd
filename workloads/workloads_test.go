package workloads_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

const (
	deployment = "kubernetes:apps/v1:Deployment"
	service    = "kubernetes:core/v1:Service"
	account    = "kubernetes:core/v1:ServiceAccount"
	autoscaler = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
	budget     = "kubernetes:policy/v1:PodDisruptionBudget"
	priority   = "kubernetes:scheduling.k8s.io/v1:PriorityClass"

	pod       = "spec.template.spec."
	container = pod + "containers[0]."
)

func prod(t *testing.T) config.Platform {
	t.Helper()
	raw, err := config.FromFile("../Pulumi.prod.yaml")
	require.NoError(t, err)
	platform, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	return platform
}

// try runs a program with a provider and a namespace to go to.
func try(p config.Platform, program func(*pulumi.Context, workloads.Place) error) (*recorder.Run, error) {
	return recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		return program(ctx, workloads.Place{
			Namespace: pulumi.String("alphapulse-prod"), Provider: provider, Pools: p.Cluster.Pool, Protect: p.Protect,
			Image: func(name string) (pulumi.StringInput, error) { return pulumi.String("registry.example/" + name), nil },
		})
	})
}

func api(t *testing.T, p config.Platform) *recorder.Run {
	t.Helper()
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		if err := workloads.NewPriorities(ctx, place.Provider); err != nil {
			return err
		}
		_, err := workloads.NewAPI(ctx, place, p.Workloads.API)
		return err
	})
	require.NoError(t, err)
	return run
}

func apiDeployment(t *testing.T) recorder.Resource {
	t.Helper()
	return api(t, prod(t)).Find(t, deployment, "api")
}

func seconds(t *testing.T, r recorder.Resource, path string) int {
	t.Helper()
	value, ok := r.At(path).(float64)
	require.True(t, ok, "no figure at %s", path)
	return int(value)
}

func TestW2APIHasNoReplicasSoTheAutoscalerOwnsThem(t *testing.T) {
	made := apiDeployment(t)
	require.NotNil(t, made.At("spec.template"))
	assert.NotContains(t, made.Inputs["spec"], "replicas")
}

func TestW2AutoscalerHoldsTheAPIBetween10And50(t *testing.T) {
	run := api(t, prod(t))
	hpa := run.Find(t, autoscaler, "api")
	assert.Equal(t, "api-hpa", hpa.At("metadata.name"))
	assert.EqualValues(t, 10, hpa.At("spec.minReplicas"))
	assert.EqualValues(t, 50, hpa.At("spec.maxReplicas"))
	assert.Equal(t, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": run.Find(t, deployment, "api").At("metadata.name")},
		hpa.At("spec.scaleTargetRef"))
	metric := func(name string, percent float64) any {
		return map[string]any{"type": "Resource", "resource": map[string]any{
			"name": name, "target": map[string]any{"type": "Utilization", "averageUtilization": percent},
		}}
	}
	assert.Equal(t, []any{metric("cpu", 70), metric("memory", 80)}, hpa.At("spec.metrics"))
}

func TestW2APIAsksForWhatConfigSays(t *testing.T) {
	made := apiDeployment(t)
	assert.Equal(t, map[string]any{
		"requests": map[string]any{"cpu": "2", "memory": "4Gi"}, "limits": map[string]any{"cpu": "4", "memory": "8Gi"},
	}, made.At(container+"resources"))
	assert.Equal(t, "registry.example/"+prod(t).Workloads.API.Image, made.At(container+"image"))
}

func TestW2ProbesAreTheSourcesTimings(t *testing.T) {
	made := apiDeployment(t)
	for probe, want := range map[string]map[string]any{
		"livenessProbe":  {"path": "/health", "initialDelaySeconds": 30., "periodSeconds": 10., "timeoutSeconds": 2.},
		"readinessProbe": {"path": "/ready", "initialDelaySeconds": 10., "periodSeconds": 5., "timeoutSeconds": 3.},
	} {
		assert.Equal(t, map[string]any{"path": want["path"], "port": 8000.}, made.At(container+probe+".httpGet"), probe)
		delete(want, "path")
		for field, value := range want {
			assert.Equal(t, value, made.At(container+probe+"."+field), "%s.%s", probe, field)
		}
	}
}

// How long a hung pod is away, term by term.
func TestR1HungAPIPodIsBackWithin30Seconds(t *testing.T) {
	made := apiDeployment(t)
	const live = container + "livenessProbe."
	period, failures, timeout := seconds(t, made, live+"periodSeconds"), seconds(t, made, live+"failureThreshold"), seconds(t, made, live+"timeoutSeconds")
	// It hangs just after a probe: the next begins a period later, each failure but the last costs another, the last its timeout.
	noticed := period*failures + timeout
	// The preStop wait uses the probe's grace up; the kubelet then gives two seconds more.
	killed := seconds(t, made, live+"terminationGracePeriodSeconds") + 2
	const started, asked = 2, 1 // what the container takes, and how late the kubelet asks: computed, not measured
	assert.Less(t, noticed+killed+started+seconds(t, made, container+"readinessProbe.initialDelaySeconds")+asked, 30)
	assert.Less(t, timeout, period, "probes do not overlap")
	assert.Equal(t, 1, seconds(t, made, live+"terminationGracePeriodSeconds"), "what hangs does not stop by itself")
}

func TestW2APIFindsItsNeighboursByTheGivenNames(t *testing.T) {
	key := func(name, of, key string) any {
		return map[string]any{"name": name, "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": of, "key": key}}}
	}
	secret := func(name, of string) any { return key(name, of, "url") }
	assert.ElementsMatch(t, []any{
		secret("DATABASE_URL", "database-credentials"),
		secret("REDIS_URL", "redis-credentials"),
		secret("CELERY_BROKER_URL", "broker-credentials"),
		key("CELERY_BROKER_TRANSPORT_OPTIONS", "broker-credentials", "transport-options"),
		map[string]any{"name": "VAULT_ADDR", "value": "https://vault:8200"},
		map[string]any{"name": "VAULT_CACERT", "value": "/etc/alphapulse/internal-ca/ca.crt"},
		map[string]any{"name": "VAULT_LOGIN_TOKEN", "value": "/var/run/secrets/vault/token"},
	}, apiDeployment(t).At(container+"env"), "what has a password comes from a Secret")
}

func TestW2APIServiceOffers80And8000(t *testing.T) {
	run := api(t, prod(t))
	made := run.Find(t, service, "api")
	assert.Equal(t, "api-service", made.At("metadata.name"))
	assert.Equal(t, "ClusterIP", made.At("spec.type"))
	ports := map[any]any{}
	for _, port := range made.At("spec.ports").([]any) {
		p := port.(map[string]any)
		ports[p["port"]] = p["targetPort"]
	}
	assert.Equal(t, map[any]any{80.: 8000., 8000.: 8000.}, ports)
	assert.EqualValues(t, 8000, run.Find(t, deployment, "api").At(container+"ports[0].containerPort"))
}

func TestW6SelectorsSelectThePodsAndNeverChange(t *testing.T) {
	run := api(t, prod(t))
	made := run.Find(t, deployment, "api")
	selector := map[string]any{"app": "api"}
	assert.Equal(t, selector, made.At("spec.selector.matchLabels"), "a Deployment's selector can never change")
	assert.Equal(t, selector, run.Find(t, service, "api").At("spec.selector"))
	assert.Equal(t, selector, run.Find(t, budget, "api").At("spec.selector.matchLabels"))
	assert.Subset(t, made.At("spec.template.metadata.labels"), selector)
	for _, one := range run.Resources {
		if one.Type == priority || !one.Custom || one.Type == "pulumi:providers:kubernetes" {
			continue
		}
		assert.Equal(t, "alphapulse-prod", one.At("metadata.namespace"), one.Type)
		assert.Equal(t, "alphapulse", one.At(`metadata.labels["app.kubernetes.io/part-of"]`), one.Type)
	}
}

func TestW6ContainerCanDoNothingItNeedNot(t *testing.T) {
	made := apiDeployment(t)
	assert.Equal(t, map[string]any{
		"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": map[string]any{"drop": []any{"ALL"}},
	}, made.At(container+"securityContext"))
	assert.Equal(t, true, made.At(pod+"securityContext.runAsNonRoot"))
	assert.Greater(t, made.At(pod+"securityContext.runAsUser"), 0.)
	assert.Equal(t, "RuntimeDefault", made.At(pod+"securityContext.seccompProfile.type"))
	for _, forbidden := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		assert.Nil(t, made.At(pod+forbidden))
	}
	assert.Len(t, made.At(pod+"containers"), 1)
	assert.Nil(t, made.At(pod+"initContainers"))

	volumes := made.At(pod + "volumes").([]any)
	require.Len(t, volumes, 3, "and what it needs to speak with Vault")
	assert.Equal(t, map[string]any{"name": "tmp", "emptyDir": map[string]any{"sizeLimit": "256Mi"}}, volumes[0])
	for i, mount := range []string{"/tmp", "/etc/alphapulse/internal-ca", "/var/run/secrets/vault"} {
		at := fmt.Sprintf("%svolumeMounts[%d].", container, i)
		assert.Equal(t, mount, made.At(at+"mountPath"))
		assert.Equal(t, mount != "/tmp", made.At(at+"readOnly") == true)
	}
}

func TestC6APIHasAnAccountOfItsOwnAndNoToken(t *testing.T) {
	run := api(t, prod(t))
	made := run.Find(t, deployment, "api")
	assert.Equal(t, run.Find(t, account, "api").At("metadata.name"), made.At(pod+"serviceAccountName"))
	assert.Equal(t, false, run.Find(t, account, "api").At("automountServiceAccountToken"))
	assert.Equal(t, false, made.At(pod+"automountServiceAccountToken"))
}

func TestW6DrainsMoveAFifthAtATime(t *testing.T) {
	made := api(t, prod(t)).Find(t, budget, "api")
	assert.Equal(t, "20%", made.At("spec.maxUnavailable"))
	assert.Nil(t, made.At("spec.minAvailable"))
	assert.Equal(t, "AlwaysAllow", made.At("spec.unhealthyPodEvictionPolicy"), "a broken pod never holds a drain up")
}

func TestW6RolloutsNeverHaveFewerPodsAndNoMoreThanCapacityCounts(t *testing.T) {
	rolling := apiDeployment(t).At("spec.strategy.rollingUpdate")
	assert.Equal(t, map[string]any{"maxSurge": "20%", "maxUnavailable": 0.}, rolling)
	assert.Equal(t, 20, config.SurgePercent)
}

func TestW6ReplicasSpreadOverZonesAndNodes(t *testing.T) {
	spread := apiDeployment(t).At(pod + "topologySpreadConstraints").([]any)
	constraint := func(key, otherwise string) any {
		return map[string]any{
			"topologyKey": key, "maxSkew": 1., "whenUnsatisfiable": otherwise, "nodeTaintsPolicy": "Honor",
			"labelSelector": map[string]any{"matchLabels": map[string]any{"app": "api"}}, "matchLabelKeys": []any{"pod-template-hash"},
		}
	}
	assert.Equal(t, []any{
		constraint("topology.kubernetes.io/zone", "DoNotSchedule"), constraint("kubernetes.io/hostname", "ScheduleAnyway"),
	}, spread)
}

func TestW6PriorityClassExistsAndIsNotTheDefault(t *testing.T) {
	run := api(t, prod(t))
	class := run.Find(t, priority, workloads.CustomerFacing)
	assert.Equal(t, class.At("metadata.name"), run.Find(t, deployment, "api").At(pod+"priorityClassName"))
	assert.Greater(t, class.At("value"), 0.)
	assert.NotEqual(t, true, class.At("globalDefault"))
	assert.Equal(t, "cluster", class.Provider)
}

func TestW6ShutdownLeavesTimeAfterTheDrain(t *testing.T) {
	made := apiDeployment(t)
	drain, grace := seconds(t, made, container+"lifecycle.preStop.sleep.seconds"), seconds(t, made, pod+"terminationGracePeriodSeconds")
	assert.Positive(t, drain, "load balancers learn late that a pod goes")
	assert.GreaterOrEqual(t, grace-drain, 30, "requests under way finish")
}

// Old pods make room only when they are gone, and each may take its whole grace.
func TestW6RolloutIsGivenUpOnlyAfterPodsHadTheirTimeToGo(t *testing.T) {
	made := apiDeployment(t)
	assert.GreaterOrEqual(t, seconds(t, made, "spec.progressDeadlineSeconds"), 600+2*seconds(t, made, pod+"terminationGracePeriodSeconds"))
}

func TestW6PrometheusFindsThePods(t *testing.T) {
	assert.Equal(t, map[string]any{
		"prometheus.io/scrape": "true", "prometheus.io/port": "8000", "prometheus.io/path": "/metrics",
	}, apiDeployment(t).At("spec.template.metadata.annotations"))
}

func TestC2PodsGoToTheirPoolAndTolerateItsTaints(t *testing.T) {
	p := prod(t)
	lost := func(key string) any {
		return map[string]any{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30.}
	}
	nodeIsLost := []any{lost("node.kubernetes.io/not-ready"), lost("node.kubernetes.io/unreachable")}
	made := api(t, p).Find(t, deployment, "api")
	assert.Equal(t, map[string]any{"workload-type": "services"}, made.At(pod+"nodeSelector"))
	assert.Equal(t, append(nodeIsLost, map[string]any{"key": "workload-type", "operator": "Equal", "value": "services", "effect": "NoSchedule"}),
		made.At(pod+"tolerations"))

	p.Workloads.API.Pool = "general"
	made = api(t, p).Find(t, deployment, "api")
	assert.Equal(t, map[string]any{"workload-type": "general"}, made.At(pod+"nodeSelector"))
	assert.Equal(t, nodeIsLost, made.At(pod+"tolerations"), "no taint, no toleration")
}

func TestC2UnknownPoolMakesNothing(t *testing.T) {
	p := prod(t)
	p.Workloads.API.Pool = "gpu"
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewAPI(ctx, place, p.Workloads.API)
		return err
	})
	assert.ErrorContains(t, err, `workload "api": there is no node pool "gpu"`)
	assert.Empty(t, run.All(workloads.ServiceToken))
}

// Another program is a table of what is its own.
func TestW2OtherServicesLeaveOutWhatTheyDoNotScaleOn(t *testing.T) {
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewService(ctx, "risk-worker", place, &workloads.ServiceArgs{
			Spec: p.Workloads.API, Labels: map[string]string{"app": "risk-worker"}, Ports: []workloads.Port{{Name: "http", Container: 9000, Service: []int{9000}}}, ServiceName: "risk",
			Autoscaler: "risk-hpa", TargetCPU: 60, Priority: workloads.CustomerFacing, DrainSeconds: 1, StopWithin: 5,
		})
		return err
	})
	require.NoError(t, err)
	hpa := run.Find(t, autoscaler, "risk-worker")
	assert.Len(t, hpa.At("spec.metrics"), 1)
	assert.EqualValues(t, 60, hpa.At("spec.metrics[0].resource.target.averageUtilization"))
	assert.Nil(t, run.Find(t, deployment, "risk-worker").At(container+"livenessProbe.terminationGracePeriodSeconds"), "the pod's own grace")
}
