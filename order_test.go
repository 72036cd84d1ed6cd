package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
)

// after is what comes after something without being given a value of it, and so goes before it.
var after = []struct {
	typ, name string
	what      map[string][]string // by type
}{
	{"pulumi:providers:kubernetes", "cluster", map[string][]string{"aws:eks/nodeGroup:NodeGroup": {"cluster-general"}}},
	{"alphapulse:workloads:Roles", "database-roles", map[string][]string{
		"aws:rds/instance:Instance": {"postgres"}, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {"postgres-cluster"},
	}},
	{"alphapulse:workloads:Service", "api", map[string][]string{
		deploymentType: {"pgbouncer"}, "kubernetes:core/v1:Service": {"pgbouncer"}, "kubernetes:batch/v1:Job": {"database-roles"},
	}},
	{"alphapulse:workloads:Ingress", "ingress", map[string][]string{
		"kubernetes:helm.sh/v4:Chart": {"load-balancer-controller"},
		"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
			"origin-https", "origin-http", "origin-pods-websecure", "origin-pods-web", "origin-pods-health",
		},
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {"origin-pods-websecure", "origin-pods-web", "origin-pods-health"},
	}},
	{scaledObjectType, "risk-worker", map[string][]string{
		"kubernetes:helm.sh/v4:Chart": {"keda"}, "kubernetes:keda.sh/v1alpha1:TriggerAuthentication": {"keda-broker"},
	}},
	{"alphapulse:observability:PostgresExporter", "postgres-exporter", map[string][]string{"kubernetes:batch/v1:Job": {"database-roles"}}},
	{"kubernetes:core/v1:ServiceAccount", "loki", map[string][]string{"aws:iam/rolePolicy:RolePolicy": {"loki"}}},
	{"kubernetes:apps/v1:StatefulSet", "alertmanager", map[string][]string{
		"kubernetes:external-secrets.io/v1:ExternalSecret": {"secrets-pagerduty-credentials"}, nodePool: {"karpenter-general"},
	}},
	{"kubernetes:apps/v1:DaemonSet", "alloy", map[string][]string{"kubernetes:networking.k8s.io/v1:NetworkPolicy": {"network-policies-alloy"}}},
	{"kubernetes:cert-manager.io/v1:ClusterIssuer", "issuers-internal", map[string][]string{"kubernetes:helm.sh/v4:Chart": {"cert-manager"}}},
	{"kubernetes:external-secrets.io/v1:SecretStore", "secrets-platform-store", map[string][]string{"kubernetes:helm.sh/v4:Chart": {"external-secrets"}}},
}

func TestEverythingComesAfterWhatItNeeds(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		for _, row := range after {
			one := run.Find(t, row.typ, row.name)
			for typ, names := range row.what {
				for _, name := range names {
					found := run.Find(t, typ, name)
					require.NotEmpty(t, found.URN)
					assert.Contains(t, one.DependsOn, found.URN, "%s %s", row.typ, row.name)
				}
			}
		}
	})
}

// A component waits for its providers, and all that is in it for the component. docs/secrets.md has a person fill these while the cluster is made.
func TestS2WhatAPersonFillsIsThereBeforeTheCluster(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		components := map[string]recorder.Resource{}
		for _, one := range run.Resources {
			components[one.URN] = one
		}
		for _, path := range []string{"stripe", "exchanges", "pagerduty", "cloudflare-api-token"} {
			one := run.Find(t, "aws:secretsmanager/secret:Secret", "secrets-"+path)
			for parent, found := components[one.Parent]; found; parent, found = components[parent.Parent] {
				assert.NotContains(t, parent.Providers, "kubernetes", "%s is in %s", one.Name, parent.Name)
			}
		}
	})
}
