package workloads_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

const (
	vaultKey  = "arn:aws:kms:us-east-1:111111111111:key/vault-unseal"
	vaultRole = "arn:aws:iam::111111111111:role/alphapulse-prod-vault"
)

func vault(t *testing.T) *recorder.Run {
	t.Helper()
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewVault(ctx, place, &workloads.VaultArgs{
			Spec: p.Workloads.Vault, Region: "us-east-1", KeyARN: pulumi.String(vaultKey), KeysSecret: "/alphapulse/prod/vault/recovery-keys",
			Identity: pulumi.String(vaultRole),
		})
		return err
	})
	require.NoError(t, err)
	return run
}

func vaultPods(t *testing.T) recorder.Resource {
	t.Helper()
	return vault(t).Find(t, statefulSet, "vault")
}

// variables are a container's, by name: values, or the fields of the pod that they are.
func variables(t *testing.T, made recorder.Resource, container string) map[string]any {
	t.Helper()
	got := map[string]any{}
	list, ok := made.At(pod + container + ".env").([]any)
	require.True(t, ok, container)
	for i := range list {
		at := fmt.Sprintf("%s%s.env[%d].", pod, container, i)
		value := made.At(at + "value")
		if value == nil {
			value = made.At(at + "valueFrom.fieldRef.fieldPath")
		}
		got[fmt.Sprint(made.At(at+"name"))] = value
	}
	return got
}

func TestS1ThreePodsWithTheSourcesSizeAndAVolumeEach(t *testing.T) {
	made := vaultPods(t)
	assert.EqualValues(t, 3, made.At("spec.replicas"))
	assert.Equal(t, "Parallel", made.At("spec.podManagementPolicy"), "two of three must be there before any is ready")
	assert.Equal(t, map[string]any{"cpu": "2", "memory": "4Gi"}, made.At(container+"resources.requests"))
	assert.Equal(t, "10Gi", made.At("spec.volumeClaimTemplates[0].spec.resources.requests.storage"))
	assert.Equal(t, "/vault/data", mountOf(t, made, "containers[0]", "data"))
	assert.Equal(t, "RollingUpdate", made.At("spec.updateStrategy.type"))
	assert.Nil(t, made.At(`metadata.annotations["pulumi.com/skipAwait"]`), "they make themselves, so `up` can wait for them")
}

func mountOf(t *testing.T, made recorder.Resource, container, volume string) any {
	t.Helper()
	list, _ := made.At(pod + container + ".volumeMounts").([]any)
	for i := range list {
		if at := fmt.Sprintf("%s%s.volumeMounts[%d].", pod, container, i); made.At(at+"name") == volume {
			return made.At(at + "mountPath")
		}
	}
	return nil
}

func TestS1ClientsReachReadyPodsOnlyAndPodsEachOtherAlways(t *testing.T) {
	run := vault(t)
	door, inner := run.Find(t, service, "vault"), run.Find(t, service, "vault-names")
	assert.Equal(t, []any{"vault", nil, 8200.}, []any{door.At("metadata.name"), door.At("spec.publishNotReadyAddresses"), door.At("spec.ports[0].port")})
	assert.Equal(t, []any{"vault-internal", true, "None"}, []any{inner.At("metadata.name"), inner.At("spec.publishNotReadyAddresses"), inner.At("spec.clusterIP")})
	assert.Equal(t, inner.At("metadata.name"), run.Find(t, statefulSet, "vault").At("spec.serviceName"))
}

func TestS1ProbesTellApartWhoWaitsAndWhoHangs(t *testing.T) {
	made := vaultPods(t)
	for probe, path := range map[string]string{
		"livenessProbe":  "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204&haunhealthycode=204&removedcode=204",
		"readinessProbe": "/v1/sys/health?standbyok=true",
	} {
		assert.Equal(t, map[string]any{"path": path, "port": 8200., "scheme": "HTTPS"}, made.At(container+probe+".httpGet"))
	}
}

func TestS1TheFirstStartMakesVaultAndTheKeysGoOneWay(t *testing.T) {
	made := vaultPods(t)
	before, ok := made.At(pod + "initContainers").([]any)
	require.True(t, ok)
	require.Len(t, before, 2)
	for i, script := range []string{"create.sh", "keep-keys.sh"} {
		at := fmt.Sprintf("initContainers[%d]", i)
		assert.Equal(t, []any{"/bin/sh", "/vault/config/" + script}, made.At(pod+at+".command"))
		assert.Equal(t, "/vault/data", mountOf(t, made, at, "data"))
		assert.Equal(t, "/tmp", mountOf(t, made, at, "tmp"), "the keys' way from the one to the other")
		assert.Nil(t, mountOf(t, made, at, "tls"))
		assert.Equal(t, "/alphapulse/prod/vault/recovery-keys", variables(t, made, at)["KEYS_SECRET"])
	}
	assert.Equal(t, made.At(container+"image"), made.At(pod+"initContainers[0].image"), "the Vault that is made is the one that runs")
	assert.Contains(t, made.At(pod+"initContainers[1].image"), "aws-cli:2.")
	assert.Equal(t, []any{"/bin/sh", "/vault/config/entrypoint.sh"}, made.At(container+"command"))
}

func TestS1EverythingThatScriptsReadIsGiven(t *testing.T) {
	made, data := vaultPods(t), vault(t).Find(t, configMap, "vault-config")
	given := variables(t, made, "containers[0]")
	used := regexp.MustCompile(`\$\{?([A-Z][A-Z_]+)`)
	for _, name := range []string{"entrypoint.sh", "create.sh", "keep-keys.sh", "vault-config.hcl", "create.hcl"} {
		text, ok := data.At(fmt.Sprintf("data[%q]", name)).(string)
		require.True(t, ok, name)
		for _, found := range used.FindAllStringSubmatch(text, -1) {
			if found[1] != "NAMES" && found[1] != "VAULT_TOKEN" {
				assert.Contains(t, given, found[1], name)
			}
		}
	}
	assert.Equal(t, vaultKey, given["VAULT_AWSKMS_SEAL_KEY_ID"])
	assert.Equal(t, "https://$(POD_NAME).vault-internal.$(NAMESPACE).svc:8200", given["VAULT_API_ADDR"], "a name that its certificate has, for OpenSSL too")
	assert.Equal(t, vaultRole, vault(t).Find(t, account, "vault").At(`metadata.annotations["eks.amazonaws.com/role-arn"]`))
}

func TestS1TLSEverywhereAndNoTokenForPrometheusOnly(t *testing.T) {
	raw, err := os.ReadFile("vault/vault-config.hcl")
	require.NoError(t, err)
	text := string(raw)
	for _, setting := range []string{`tls_cert_file   = "${TLS}/tls.crt"`, `tls_key_file    = "${TLS}/tls.key"`, `seal "awskms"`, "disable_mlock = true",
		`unauthenticated_metrics_access = true`} {
		assert.Contains(t, text, setting)
	}
	assert.NotContains(t, text, "tls_disable")
	for i := range 3 {
		assert.Equal(t, 2, strings.Count(text, fmt.Sprintf("vault-%d.vault-internal", i)), "each joins by name, and proves it")
	}
	made := vaultPods(t)
	assert.Equal(t, []any{"/v1/sys/metrics", "https", "8200"}, []any{
		made.At(`spec.template.metadata.annotations["prometheus.io/path"]`), made.At(`spec.template.metadata.annotations["prometheus.io/scheme"]`),
		made.At(`spec.template.metadata.annotations["prometheus.io/port"]`),
	})
}

func TestC6VaultMayAskWhoseTokenItIsAndNothingElse(t *testing.T) {
	role := vault(t).Find(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "vault")
	assert.Equal(t, []any{map[string]any{"apiGroups": []any{"authentication.k8s.io"}, "resources": []any{"tokenreviews"}, "verbs": []any{"create"}}}, role.At("rules"))
	assert.Equal(t, true, vaultPods(t).At(pod+"automountServiceAccountToken"))
}

func TestC6APIHasATokenForVaultAndForNobodyElse(t *testing.T) {
	made := apiDeployment(t)
	assert.Equal(t, "/var/run/secrets/vault", mountOf(t, made, "containers[0]", "vault-token"))
	var sources []any
	list, _ := made.At(pod + "volumes").([]any)
	for i := range list {
		if got, ok := made.At(fmt.Sprintf("%svolumes[%d].projected.sources", pod, i)).([]any); ok {
			sources = append(sources, got...)
		}
	}
	assert.Equal(t, []any{map[string]any{"serviceAccountToken": map[string]any{"audience": "vault", "path": "token", "expirationSeconds": 3600.}}}, sources)
}
