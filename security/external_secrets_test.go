package security_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

// rules are what a role allows, a line each: "group/resource verb verb [name name]".
func rules(t *testing.T, role recorder.Resource) (lines []string) {
	t.Helper()
	list, ok := role.At("rules").([]any)
	require.True(t, ok, role.Name)
	for i := range list {
		at := func(part string) any { return role.At(fmt.Sprintf("rules[%d].%s", i, part)) }
		for _, resource := range at("resources").([]any) {
			line := fmt.Sprintf("%v/%v %v", at("apiGroups[0]"), resource, at("verbs"))
			if names := at("resourceNames"); names != nil {
				line += fmt.Sprint(" ", names)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func TestC6ExternalSecretsWritesItsOwnSecretsOnlyAndIsNobodyElse(t *testing.T) {
	run := inCluster(t)
	assert.ElementsMatch(t, []string{
		"external-secrets.io/secretstores [get list watch]", "external-secrets.io/externalsecrets [get list watch]",
		"generators.external-secrets.io/generatorstates [get list watch]", "/serviceaccounts [get list watch]", "/secrets [list watch]",
	}, rules(t, run.Find(t, clusterRole, "external-secrets")))
	for space, names := range map[string]string{
		"platform":     "[database-credentials database-roles pgbouncer-credentials redis-credentials broker-credentials stripe-credentials exchange-credentials]",
		"cert-manager": "[cloudflare-api-token]", "monitoring": "[pagerduty-credentials grafana-credentials postgres-exporter-credentials]",
	} {
		granted := run.Find(t, roleType, "external-secrets-"+space)
		assert.Subset(t, rules(t, granted), []string{
			"/secrets [create]", "/secrets [delete get update patch] " + names, "/serviceaccounts/token [create] [aws-secrets-manager]",
		}, space)
		for _, line := range rules(t, granted) {
			assert.NotRegexp(t, `^/secrets \[.*(list|watch)|\*`, line, space)
		}
	}
	assert.Equal(t, []string{"/secrets [get update patch] [external-secrets-webhook]"}, rules(t, run.Find(t, roleType, "external-secrets-cert-controller")))
}

func TestC4ExternalSecretsServesStoresOfNamespacesAndNothingElse(t *testing.T) {
	installed := inCluster(t).Find(t, chartType, "external-secrets")
	assert.Equal(t, []any{"external-secrets", config.ExternalSecretsVersion, "https://charts.external-secrets.io"},
		[]any{installed.At("chart"), installed.At("version"), installed.At("repositoryOpts.repo")})
	for _, kind := range []string{"ClusterExternalSecret", "ClusterSecretStore", "ClusterGenerator", "ClusterPushSecret", "PushSecret"} {
		assert.Equal(t, false, installed.At("values.crds.create"+kind), kind)
	}
	for _, process := range []string{"ClusterExternalSecret", "ClusterStore", "ClusterGenerator", "ClusterPushSecret", "PushSecret"} {
		assert.Equal(t, false, installed.At("values.process"+process), process)
	}
	assert.Equal(t, []any{false, false}, []any{installed.At("values.rbac.create"), installed.At("values.certController.rbac.create")}, "its rights are ours to give")
	assert.Equal(t, true, installed.At("values.leaderElect"), "two of them must not write at once")
	assert.Equal(t, config.PlatformPool, installed.At("values.global.nodeSelector.workload-type"))
}

func TestC5ExternalSecretsMeetsTheRestrictedStandard(t *testing.T) {
	installed := inCluster(t).Find(t, chartType, "external-secrets")
	for at, name := range map[string]string{"values": "controller", "values.webhook": "webhook", "values.certController": "cert-controller"} {
		program := config.ExternalSecrets.Program(name)
		assert.EqualValues(t, program.Replicas, installed.At(at+".replicaCount"), name)
		assert.Equal(t, program.Requests.CPU, installed.At(at+".resources.requests.cpu"), name)
		assert.NotEmpty(t, installed.At(at+".resources.limits.memory"), name)
		assert.Equal(t, "registry.example/ghcr.io/external-secrets/external-secrets", installed.At(at+".image.repository"), name)
		assert.Equal(t, []any{true, true, false}, []any{
			installed.At(at + ".podSecurityContext.runAsNonRoot"), installed.At(at + ".securityContext.readOnlyRootFilesystem"),
			installed.At(at + ".securityContext.allowPrivilegeEscalation"),
		}, name)
		if program.Replicas > 1 {
			assert.EqualValues(t, 1, installed.At(at+".podDisruptionBudget.maxUnavailable"), name)
		} else {
			assert.Nil(t, installed.At(at+".podDisruptionBudget"), "%s: its node could never be drained", name)
		}
	}
}

func TestW6ReloaderWatchesThePlatformOnlyAndLeavesPulumisFieldsAlone(t *testing.T) {
	run := inCluster(t)
	made := run.Find(t, deployment, "reloader")
	pod := "spec.template.spec."
	container := pod + "containers[0]."
	assert.Equal(t, "reloader", made.At("metadata.namespace"))
	assert.Equal(t, []any{map[string]any{"name": "KUBERNETES_NAMESPACE", "value": namespaceProd}}, made.At(container+"env"), "without it, it watches the whole cluster")
	assert.Subset(t, made.At(container+"args"), []any{"--reload-strategy=annotations", "--resources-to-ignore=configMaps"})
	assert.NotContains(t, made.At(container+"args"), "--auto-reload-all=true", "only what asks for it is rolled")
	granted := run.Find(t, roleType, "reloader")
	assert.Equal(t, namespaceProd, granted.At("metadata.namespace"))
	assert.ElementsMatch(t, []string{
		"/secrets [get list watch]", "apps/deployments [get list patch]", "apps/daemonsets [list]", "apps/statefulsets [list]",
		"batch/cronjobs [list]", "batch/jobs [list]", "/events [create patch]",
	}, rules(t, granted))
	binding := run.Find(t, "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "reloader")
	assert.Equal(t, []any{map[string]any{"kind": "ServiceAccount", "name": "reloader", "namespace": "reloader"}}, binding.At("subjects"))
	assert.Contains(t, made.DependsOn, binding.URN)

	assert.Equal(t, map[string]any{
		"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": map[string]any{"drop": []any{"ALL"}},
	}, made.At(container+"securityContext"))
	assert.Equal(t, []any{true, "RuntimeDefault", config.PlatformPool}, []any{
		made.At(pod + "securityContext.runAsNonRoot"), made.At(pod + "securityContext.seccompProfile.type"), made.At(pod + "nodeSelector.workload-type"),
	})
	assert.NotEmpty(t, made.At(container+"resources.limits.memory"))
	assert.Equal(t, []any{"/live", "/metrics"}, []any{made.At(container + "livenessProbe.httpGet.path"), made.At(container + "readinessProbe.httpGet.path")})
}
