package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
)

const rbac = "kubernetes:rbac.authorization.k8s.io/v1:"

// wideOnSecrets are the roles with a right on secrets that no name narrows down, and the verbs. Each watches a whole namespace or kind, or
// makes what has no name yet: docs/decisions.md.
var wideOnSecrets = map[string][]string{
	"Role ingress": {"get", "list", "watch"}, "Role reloader": {"get", "list", "watch"},
	"ClusterRole external-secrets":   {"list", "watch"},
	"Role external-secrets-platform": {"create"}, "Role external-secrets-cert-manager": {"create"}, "Role external-secrets-monitoring": {"create"},
}

func texts(value any) (list []string) {
	items, _ := value.([]any)
	for _, item := range items {
		list = append(list, item.(string))
	}
	return list
}

func TestC6RolesHaveNoWildcardAndReadSecretsByName(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		wide := map[string][]string{}
		roles := slices.Concat(run.All(rbac+"Role"), run.All(rbac+"ClusterRole"))
		require.NotEmpty(t, roles)
		for _, role := range roles {
			name := strings.TrimPrefix(role.Type, rbac) + " " + role.Name
			for i := range role.At("rules").([]any) {
				at := func(part string) []string { return texts(role.At(fmt.Sprintf("rules[%d].%s", i, part))) }
				assert.NotContains(t, slices.Concat(at("apiGroups"), at("resources"), at("verbs")), "*", name)
				assert.NotEmpty(t, at("verbs"), name)
				if slices.Contains(at("resources"), "secrets") && len(at("resourceNames")) == 0 {
					wide[name] = append(wide[name], at("verbs")...)
				}
			}
		}
		for name, verbs := range wide {
			assert.Subset(t, wideOnSecrets[name], verbs, name)
		}
	})
}

func TestC6APIRoleNamesWhatTheAPIUses(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		role := run.Find(t, rbac+"Role", "api")
		assert.Equal(t, "api-role", role.At("metadata.name"), "the source's name")
		get := []any{"get"}
		assert.Equal(t, []any{
			map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": get,
				"resourceNames": []any{"database-credentials", "redis-credentials", "broker-credentials"}},
			map[string]any{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": get, "resourceNames": []any{"internal-ca"}},
		}, role.At("rules"))
		binding := run.Find(t, rbac+"RoleBinding", "api")
		assert.Equal(t, []any{"api", "api-role"}, []any{binding.At("subjects[0].name"), binding.At("roleRef.name")})
		assert.Equal(t, false, run.Find(t, "kubernetes:apps/v1:Deployment", "api").At("spec.template.spec.automountServiceAccountToken"))
	})
}

// podSpecs is where in a resource its pods are.
var podSpecs = map[string]string{
	"kubernetes:apps/v1:Deployment": "spec.template.spec", "kubernetes:apps/v1:StatefulSet": "spec.template.spec",
	"kubernetes:apps/v1:DaemonSet": "spec.template.spec", "kubernetes:batch/v1:Job": "spec.template.spec",
	"kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
}

func TestC6EveryPodHasAnAccountOfItsOwn(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		users := map[string]string{}
		for _, one := range run.Resources {
			pod, ok := podSpecs[one.Type]
			if !ok {
				continue
			}
			account, _ := one.At(pod + ".serviceAccountName").(string)
			require.NotEmpty(t, account, one.Name)
			assert.NotEqual(t, "default", account, one.Name)
			key := fmt.Sprint(one.At("metadata.namespace"), "/", account)
			assert.Empty(t, users[key], "%s shares the account %s", one.Name, key)
			users[key] = one.Name
		}
		assert.NotEmpty(t, users)
	})
}

// secretsOf are the Secrets that somebody is told to make, with their keys, by namespace and name.
func secretsOf(run *recorder.Run) map[string][]string {
	keys := map[string][]string{}
	for _, external := range run.All("kubernetes:external-secrets.io/v1:ExternalSecret") {
		var has []string
		if templated, ok := external.At("spec.target.template.data").(map[string]any); ok {
			has = slices.Collect(maps.Keys(templated))
		} else {
			data, _ := external.At("spec.data").([]any)
			for i := range data {
				has = append(has, fmt.Sprint(external.At(fmt.Sprintf("spec.data[%d].secretKey", i))))
			}
		}
		keys[fmt.Sprint(external.At("metadata.namespace"), "/", external.At("spec.target.name"))] = has
	}
	for _, certificate := range run.All("kubernetes:cert-manager.io/v1:Certificate") {
		keys[fmt.Sprint(certificate.At("metadata.namespace"), "/", certificate.At("spec.secretName"))] = []string{"tls.crt", "tls.key", "ca.crt"}
	}
	return keys
}

// secretReferences are all places in a pod that name a Secret, with the key where one is named.
func secretReferences(value any) (found []map[string]any) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			found = append(found, secretReferences(one)...)
		}
	case map[string]any:
		for key, inner := range value {
			reference, isMap := inner.(map[string]any)
			switch {
			case isMap && key == "secretKeyRef":
				found = append(found, reference)
			case isMap && key == "secretRef":
				found = append(found, reference)
			case isMap && key == "secret":
				found = append(found, map[string]any{"name": reference["secretName"], "optional": reference["optional"]})
			default:
				found = append(found, secretReferences(inner)...)
			}
		}
	}
	return found
}

// Simulated pods read no Secret: a wrong name or key would show on AWS only, as CreateContainerConfigError.
func TestS2EveryPodFindsTheSecretsThatItReads(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		made, read := secretsOf(run), map[string]bool{}
		require.GreaterOrEqual(t, len(made), 10)
		for _, one := range run.Resources {
			pod, ok := podSpecs[one.Type]
			if !ok {
				continue
			}
			for _, reference := range secretReferences(one.At(pod)) {
				secret := fmt.Sprint(one.At("metadata.namespace"), "/", reference["name"])
				keys, there := made[secret]
				assert.True(t, there, "%s reads the Secret %s, which nobody makes", one.Name, secret)
				assert.Nil(t, reference["optional"], "%s would start without %s", one.Name, secret)
				if key, ok := reference["key"].(string); ok {
					assert.Contains(t, keys, key, "%s reads a key of %s", one.Name, secret)
				}
				read[one.Type] = true
			}
		}
		assert.Subset(t, slices.Collect(maps.Keys(read)), []string{"kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job"})
	})
}
