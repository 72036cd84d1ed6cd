package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	deploymentType   = "kubernetes:apps/v1:Deployment"
	budgetType       = "kubernetes:policy/v1:PodDisruptionBudget"
	autoscalerType   = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
	scaledObjectType = "kubernetes:keda.sh/v1alpha1:ScaledObject"
)

// deployment is one of the program's own Deployments, with what its pods are.
type deployment struct {
	recorder.Resource
	name, namespace string
	containers      []map[string]any
}

func (d deployment) pod(path string) any { return d.At("spec.template.spec." + path) }

// deployments are all that the program itself makes; those in charts are guarded by rules and by Pod Security.
func deployments(t *testing.T, run *recorder.Run) (all []deployment) {
	t.Helper()
	for _, one := range run.All(deploymentType) {
		d := deployment{Resource: one}
		d.name, _ = one.At("metadata.name").(string)
		d.namespace, _ = one.At("metadata.namespace").(string)
		for _, list := range []string{"containers", "initContainers"} {
			containers, _ := d.pod(list).([]any)
			for _, c := range containers {
				container, isObject := c.(map[string]any)
				require.True(t, isObject, d.name)
				d.containers = append(d.containers, container)
			}
		}
		require.NotEmpty(t, d.containers, d.name)
		all = append(all, d)
	}
	require.NotEmpty(t, all)
	return all
}

// eachWorkload goes over the Deployments of every stack; ours are those that stand in the platform's namespace, the others are operators.
func eachWorkload(t *testing.T, check func(t *testing.T, platform config.Platform, run *recorder.Run, d deployment, ours bool)) {
	t.Helper()
	for _, stack := range []string{"prod", "staging", "local"} {
		platform, problems := config.Load(committed(t, stack))
		require.NoError(t, problems.Err())
		made := run(t, recorder.Up, committed(t, stack))
		for _, d := range deployments(t, made) {
			t.Run(fmt.Sprint(stack, "/", d.name), func(t *testing.T) {
				check(t, platform, made, d, d.namespace == platform.Name())
			})
		}
	}
}

func TestW6EveryContainerCanDoNothingItNeedNot(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ config.Platform, _ *recorder.Run, d deployment, _ bool) {
		assert.Equal(t, true, d.pod("securityContext.runAsNonRoot"))
		assert.Equal(t, "RuntimeDefault", d.pod("securityContext.seccompProfile.type"))
		for _, shared := range []string{"hostNetwork", "hostPID", "hostIPC"} {
			assert.NotEqual(t, true, d.pod(shared), shared)
		}
		assert.NotNil(t, d.pod("automountServiceAccountToken"), "somebody decided (C6)")
		for _, c := range d.containers {
			security, _ := c["securityContext"].(map[string]any)
			assert.Equal(t, false, security["allowPrivilegeEscalation"], c["name"])
			assert.Equal(t, true, security["readOnlyRootFilesystem"], c["name"])
			assert.Equal(t, map[string]any{"drop": []any{"ALL"}}, security["capabilities"], c["name"])
			image, _ := c["image"].(string)
			name := image[strings.LastIndex(image, "/")+1:]
			assert.Regexp(t, `^[^:@]+(:[^:@]+|@sha256:[0-9a-f]{64})$`, name, "a tag or a digest")
			assert.NotContains(t, name, ":latest")
			for _, amounts := range []string{"requests", "limits"} {
				resources, _ := c["resources"].(map[string]any)
				of, _ := resources[amounts].(map[string]any)
				assert.NotEmpty(t, of["cpu"], "%s %s", c["name"], amounts)
				assert.NotEmpty(t, of["memory"], "%s %s", c["name"], amounts)
			}
		}
	})
}

func TestW6EveryContainerIsProbedAndEveryPodScraped(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ config.Platform, _ *recorder.Run, d deployment, _ bool) {
		ports := map[string]bool{}
		for i, c := range d.containers {
			assert.NotNil(t, c["livenessProbe"], c["name"])
			assert.Equal(t, i == 0, c["readinessProbe"] != nil, "%s: the program decides who gets requests, and no sidecar", c["name"])
			list, _ := c["ports"].([]any)
			for _, port := range list {
				p, _ := port.(map[string]any)
				ports[fmt.Sprint(p["containerPort"])] = true
			}
		}
		annotation := func(name string) any { return d.At(`spec.template.metadata.annotations["prometheus.io/` + name + `"]`) }
		assert.Equal(t, "true", annotation("scrape"))
		assert.Equal(t, "/metrics", annotation("path"))
		assert.True(t, ports[fmt.Sprint(annotation("port"))], "port %v is one of the containers'", annotation("port"))
	})
}

func TestW6EveryWorkloadOutlivesDrainsZonesAndNodes(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ config.Platform, run *recorder.Run, d deployment, ours bool) {
		if replicas, _ := d.At("spec.replicas").(float64); !ours && replicas == 1 { // an operator that nothing waits for
			return
		}
		selector := d.At("spec.selector.matchLabels")
		budget := slices.ContainsFunc(run.All(budgetType), func(b recorder.Resource) bool {
			return b.At("metadata.namespace") == d.namespace && assert.ObjectsAreEqual(selector, b.At("spec.selector.matchLabels"))
		})
		assert.True(t, budget, "a disruption budget for its pods")
		var keys []any
		spread, _ := d.pod("topologySpreadConstraints").([]any)
		for _, constraint := range spread {
			c, _ := constraint.(map[string]any)
			keys = append(keys, c["topologyKey"])
			assert.Equal(t, map[string]any{"matchLabels": selector}, c["labelSelector"])
		}
		assert.Equal(t, []any{"topology.kubernetes.io/zone", "kubernetes.io/hostname"}, keys)
	})
}

// The kubelet runs preStop before it ends what does not answer, too: its wait for the load balancer, say.
func TestR1WhatHangsDoesNotWaitAsWhatStops(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ config.Platform, _ *recorder.Run, d deployment, ours bool) {
		if !ours || d.pod("containers[0].lifecycle.preStop") == nil {
			return
		}
		within, limited := d.pod("containers[0].livenessProbe.terminationGracePeriodSeconds").(float64)
		assert.True(t, limited && within <= 5, "%v s", within)
	})
}

func TestW6EveryWorkloadHasAPriorityAndTimeToStop(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ config.Platform, run *recorder.Run, d deployment, ours bool) {
		if !ours {
			return
		}
		assert.True(t, slices.ContainsFunc(run.All(priorityClass), func(c recorder.Resource) bool {
			return c.At("metadata.name") == d.pod("priorityClassName")
		}), "priority class %v", d.pod("priorityClassName"))
		grace, _ := d.pod("terminationGracePeriodSeconds").(float64)
		for i := range d.containers {
			drain, _ := d.pod(fmt.Sprintf("containers[%d].lifecycle.preStop.sleep.seconds", i)).(float64)
			assert.GreaterOrEqual(t, grace-drain, 30., "seconds to finish in")
		}
	})
}

func TestW2EveryWorkloadHasOneAutoscalerWithinItsBounds(t *testing.T) {
	eachWorkload(t, func(t *testing.T, platform config.Platform, run *recorder.Run, d deployment, ours bool) {
		if !ours {
			return
		}
		assert.NotContains(t, d.Inputs["spec"], "replicas")
		i := slices.IndexFunc(platform.Workloads.All(), func(w config.Named) bool { return w.Name == d.name })
		require.GreaterOrEqual(t, i, 0, "capacity counts it")
		w := platform.Workloads.All()[i]
		var scalers []recorder.Resource
		for _, scaler := range slices.Concat(run.All(autoscalerType), run.All(scaledObjectType)) {
			if scaler.At("spec.scaleTargetRef.name") == d.name && scaler.At("metadata.namespace") == d.namespace {
				scalers = append(scalers, scaler)
			}
		}
		require.Len(t, scalers, 1)
		least, most := "spec.minReplicas", "spec.maxReplicas"
		if scalers[0].Type == scaledObjectType {
			least, most = "spec.minReplicaCount", "spec.maxReplicaCount"
		}
		assert.EqualValues(t, w.Replicas.Min, scalers[0].At(least))
		assert.EqualValues(t, w.Replicas.Max, scalers[0].At(most))
		assert.Equal(t, w.Pool, d.pod(`nodeSelector["`+config.PoolLabel+`"]`), "the pool that capacity counts it in")
		assert.Equal(t, w.Worker, d.pod("topologySpreadConstraints[0].whenUnsatisfiable") == "ScheduleAnyway", "and the spread")
	})
}

func TestW6EveryWorkloadIsRolledWhenASecretItReadsChanges(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ config.Platform, _ *recorder.Run, d deployment, ours bool) {
		if !ours {
			return
		}
		var read []string
		for _, c := range d.containers {
			list, _ := c["env"].([]any)
			for i := range list {
				if secret, _ := resource(c).At(fmt.Sprintf("env[%d].valueFrom.secretKeyRef.name", i)).(string); secret != "" {
					read = append(read, secret)
				}
			}
		}
		volumes, _ := d.pod("volumes").([]any)
		for i := range volumes {
			if secret, _ := d.pod(fmt.Sprintf("volumes[%d].secret.secretName", i)).(string); secret != "" {
				read = append(read, secret)
			}
		}
		slices.Sort(read)
		reloaded, _ := d.At(`metadata.annotations["secret.reloader.stakater.com/reload"]`).(string)
		assert.Equal(t, strings.Join(slices.Compact(read), ","), reloaded)
	})
}

func resource(inputs map[string]any) recorder.Resource { return recorder.Resource{Inputs: inputs} }
