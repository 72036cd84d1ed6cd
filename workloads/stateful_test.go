package workloads_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

const statefulSet = "kubernetes:apps/v1:StatefulSet"

// keeping is a program that keeps something, with a client Service beside the one that names its pods.
func keeping(t *testing.T, state workloads.State) *recorder.Run {
	t.Helper()
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewService(ctx, "keeper", place, &workloads.ServiceArgs{
			Spec: p.Workloads.Vault.Workload(3), Labels: map[string]string{"app": "keeper"}, ServiceName: "keeper", State: &state,
			Ports:    []workloads.Port{{Name: "https", Container: 8200, Service: []int{8200}}, {Name: "raft", Container: 8201, Service: []int{8201}}},
			Identity: pulumi.String("arn:aws:iam::1:role/keeper"),
			Env: []workloads.Env{
				{Name: "PASSWORD", Secret: "keeper-credentials", Key: "password"},
				{Name: "POD_IP", Field: "status.podIP"},
			},
			Sidecars: []workloads.Container{{
				Name: "exporter", Image: "quay.io/example/exporter:v1",
				Requests: config.Amount{CPU: "10m", Memory: "32Mi"}, Limits: config.Amount{CPU: "100m", Memory: "64Mi"},
			}},
			Priority: workloads.CustomerFacing, StopWithin: 60,
		})
		return err
	})
	require.NoError(t, err)
	return run
}

func TestD7PodsThatKeepSomethingHaveNamesAndVolumesOfTheirOwn(t *testing.T) {
	run := keeping(t, workloads.State{GiB: 10, Path: "/data", Governing: "keeper-internal"})
	made := run.Find(t, statefulSet, "keeper")
	assert.Equal(t, []any{"keeper-internal", 3., "Parallel", "RollingUpdate"},
		[]any{made.At("spec.serviceName"), made.At("spec.replicas"), made.At("spec.podManagementPolicy"), made.At("spec.updateStrategy.type")})
	assert.Equal(t, []any{"data", "gp3", "10Gi", []any{"ReadWriteOnce"}}, []any{
		made.At("spec.volumeClaimTemplates[0].metadata.name"), made.At("spec.volumeClaimTemplates[0].spec.storageClassName"),
		made.At("spec.volumeClaimTemplates[0].spec.resources.requests.storage"), made.At("spec.volumeClaimTemplates[0].spec.accessModes"),
	})
	assert.Equal(t, []string{"30m", "60m"}, made.Timeouts, "one pod after the other, each with its data to load")
	claims := run.All("kubernetes:core/v1:PersistentVolumeClaim")
	require.Len(t, claims, 3, "claimed by the names that the StatefulSet looks for, so that they can grow")
	for i, claim := range claims {
		assert.Equal(t, fmt.Sprintf("data-keeper-%d", i), claim.At("metadata.name"))
		assert.Equal(t, made.At("spec.volumeClaimTemplates[0].spec"), claim.At("spec"), "as if it had been made from the template")
		assert.True(t, claim.Protect)
		assert.Contains(t, made.DependsOn, claim.URN, "else the StatefulSet would make it first")
	}
	assert.Equal(t, map[string]any{"whenDeleted": "Retain", "whenScaled": "Retain"}, made.At("spec.persistentVolumeClaimRetentionPolicy"))
	assert.Contains(t, made.At(container+"volumeMounts"), map[string]any{"name": "data", "mountPath": "/data"})
	assert.Len(t, made.At(pod+"containers[1].volumeMounts"), 1, "who keeps nothing sees nothing of it")
	assert.Equal(t, map[string]any{"fieldRef": map[string]any{"fieldPath": "status.podIP"}}, made.At(container+"env[1].valueFrom"))
	assert.Equal(t, "arn:aws:iam::1:role/keeper", run.Find(t, account, "keeper").At(`metadata.annotations["eks.amazonaws.com/role-arn"]`))
}

func TestN6PodsFindEachOtherBeforeTheyAreReadyAndClientsOnlyThenThem(t *testing.T) {
	run := keeping(t, workloads.State{GiB: 10, Path: "/data", Governing: "keeper-internal"})
	names, clients := run.Find(t, service, "keeper-names"), run.Find(t, service, "keeper")
	assert.Equal(t, []any{"keeper-internal", "None", true},
		[]any{names.At("metadata.name"), names.At("spec.clusterIP"), names.At("spec.publishNotReadyAddresses")})
	assert.Equal(t, []any{"keeper", nil, nil}, []any{clients.At("metadata.name"), clients.At("spec.clusterIP"), clients.At("spec.publishNotReadyAddresses")})
	assert.Equal(t, []any{8200., 8201.}, []any{names.At("spec.ports[0].port"), names.At("spec.ports[1].port")})

	both := keeping(t, workloads.State{GiB: 10, Path: "/data", Governing: "keeper"})
	assert.Len(t, both.All(service), 1, "one Service where clients call the pods themselves")
	assert.Equal(t, "None", both.Find(t, service, "keeper").At("spec.clusterIP"))
}

func TestC3WhatKeepsSomethingGoesOneAtATimeAndIsSizedByNobody(t *testing.T) {
	run := keeping(t, workloads.State{GiB: 10, Path: "/data", Governing: "keeper"})
	made := run.Find(t, statefulSet, "keeper")
	assert.Empty(t, made.At("metadata.annotations"), "no reloader: a new password reaches all at once")
	assert.Equal(t, 1., run.Find(t, budget, "keeper").At("spec.maxUnavailable"))
	assert.Empty(t, run.All(autoscaler))
	constraint := pod + "topologySpreadConstraints[0]."
	assert.Equal(t, []any{"topology.kubernetes.io/zone", "DoNotSchedule", nil},
		[]any{made.At(constraint + "topologyKey"), made.At(constraint + "whenUnsatisfiable"), made.At(constraint + "matchLabelKeys")})
	tolerations, _ := made.At(pod + "tolerations").([]any)
	assert.Equal(t, []any{map[string]any{"key": "workload-type", "operator": "Equal", "value": "stateful", "effect": "NoSchedule"}}, tolerations,
		"Kubernetes' own patience with a lost node")
}
