package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/alphapulse/infrastructure/recorder"
)

// namespaceOf is where a resource puts pods; most resources put none anywhere.
func namespaceOf(one recorder.Resource) any {
	switch one.Type {
	case "kubernetes:helm.sh/v4:Chart":
		return one.At("namespace")
	case "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet", "kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob":
		return one.At("metadata.namespace")
	}
	return nil
}

// The VPC CNI lets a pod do what it likes until its policies reach the node: they have to be there first, and to go last.
func TestN7PodsComeAfterTheirPolicies(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		policies := map[any][]string{} // by namespace
		for _, p := range run.All("kubernetes:networking.k8s.io/v1:NetworkPolicy") {
			policies[p.At("metadata.namespace")] = append(policies[p.At("metadata.namespace")], p.URN)
		}
		pods := 0
		for _, one := range run.Resources {
			namespace := namespaceOf(one)
			if namespace == nil {
				continue
			}
			pods++
			assert.GreaterOrEqual(t, len(policies[namespace]), 2, "%s has a policy for all pods and one for %s", namespace, one.Name)
			for _, p := range policies[namespace] {
				assert.True(t, slices.Contains(one.DependsOn, p), "%s %s does not wait for %s", one.Type, one.Name, p)
			}
		}
		assert.GreaterOrEqual(t, pods, 4)
	})
}
