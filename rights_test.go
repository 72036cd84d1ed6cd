package main

import (
	"fmt"
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

func TestC6EveryPodHasAnAccountOfItsOwn(t *testing.T) {
	templates := map[string]string{
		"kubernetes:apps/v1:Deployment": "spec.template.spec", "kubernetes:apps/v1:StatefulSet": "spec.template.spec",
		"kubernetes:apps/v1:DaemonSet": "spec.template.spec", "kubernetes:batch/v1:Job": "spec.template.spec",
		"kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
	}
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		users := map[string]string{}
		for _, one := range run.Resources {
			pod, ok := templates[one.Type]
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

func TestS2NoPodStartsWithoutASecretThatItReads(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		brought := map[string]bool{}
		for _, external := range run.All("kubernetes:external-secrets.io/v1:ExternalSecret") {
			brought[fmt.Sprint(external.At("metadata.namespace"), "/", external.At("metadata.name"))] = true
		}
		require.Len(t, brought, 9)
		read := 0
		for _, one := range run.All("kubernetes:apps/v1:Deployment") {
			containers, _ := one.At("spec.template.spec.containers").([]any)
			for c := range containers {
				variables, _ := one.At(fmt.Sprintf("spec.template.spec.containers[%d].env", c)).([]any)
				for e := range variables {
					reference := fmt.Sprintf("spec.template.spec.containers[%d].env[%d].valueFrom.secretKeyRef", c, e)
					if one.At(reference) == nil {
						continue
					}
					read++
					assert.Nil(t, one.At(reference+".optional"), one.Name)
					assert.True(t, brought[fmt.Sprint(one.At("metadata.namespace"), "/", one.At(reference+".name"))], "%s reads %v", one.Name, one.At(reference+".name"))
				}
			}
		}
		assert.Positive(t, read)
	})
}
