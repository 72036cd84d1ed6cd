package flows

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Check holds a cluster's policies against a list of flows. The cluster is production's, with all that runs there.
func Check(t *testing.T, client kubernetes.Interface, folder string) {
	t.Helper()
	l, err := read(filepath.Join(folder, "testdata", "prod.txt"))
	require.NoError(t, err)
	pods, err := client.CoreV1().Pods("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	services, err := client.CoreV1().Services("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	held, err := client.NetworkingV1().NetworkPolicies("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	c := &check{world: newWorld(l, pods.Items), pods: pods.Items, services: services.Items}
	for i := range held.Items {
		c.policies = append(c.policies, &held.Items[i])
	}

	t.Run("every pod is on the list, once", c.everyPodIsKnown)
	t.Run("who reaches whom is as the list says", c.reachIsAsListed)
	for _, f := range l.forbidden {
		t.Run(fmt.Sprintf("%s does not reach %s: %s", f.from[0], f.to[0], f.why), func(t *testing.T) { c.isForbidden(t, f) })
	}
	t.Run("Prometheus reaches every port that a pod names", c.everyMetricsPortIsOpen)
	t.Run("the control plane reaches every webhook", func(t *testing.T) { c.everyWebhookIsReached(t, client) })
	t.Run("no part of a policy can go unseen", c.everyPartCounts)
	t.Run("what the VPC CNI asks for", func(t *testing.T) {
		t.Run("ports are numbers, at most 24 for an address", c.portsAreFewNumbers)
		t.Run("blocks of one range have the same exceptions", c.exceptionsAgree)
		t.Run("Services offer the ports of their containers", c.servicesKeepPorts)
	})
}

type check struct {
	*world
	pods     []core.Pod
	services []core.Service
	policies []*networking.NetworkPolicy
}

func (c *check) everyPodIsKnown(t *testing.T) {
	require.NotEmpty(t, c.pods)
	for _, pod := range c.pods {
		if names := c.of(pod); c.guarded(pod.Namespace) || len(names) > 0 {
			assert.Len(t, names, 1, "pod %s/%s %v: a new workload needs a line in the list of flows, and its rows", pod.Namespace, pod.Name, pod.Labels)
		}
	}
}

func (c *check) reachIsAsListed(t *testing.T) {
	policy := matcher.BuildNetworkPolicies(false, c.policies)
	wanted, possible := c.wanted(), c.possible(policy)
	assert.Empty(t, strings.Join(missing(wanted, possible), "\n"), "these are on the list, and policies stop them")
	assert.Empty(t, strings.Join(missing(possible, wanted), "\n"), "policies let these through, and they are not on the list")
	t.Logf("%d policies, %d parties: %d arrows", len(c.policies), len(c.parties), len(wanted))
}

// missing are the arrows that others lack, in alphabetical order.
func missing(arrows, others map[string]arrow) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(arrows)) {
		if _, ok := others[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

func (c *check) isForbidden(t *testing.T, f flow) {
	require.NotEmpty(t, f.why)
	policy := matcher.BuildNetworkPolicies(false, c.policies)
	for _, from := range c.are(f.from) {
		for _, to := range c.are(f.to) {
			for _, p := range f.ports {
				assert.False(t, arrow{from, to, p}.passes(policy), "%s -> %s %s", from.name, to.name, p)
			}
		}
	}
}

// everyPartCounts takes each rule, and each peer and port of it, away in turn: the list must notice. Taking away can only stop arrows,
// so that those which are wanted, at the policy's own pods, are all there is to look at.
func (c *check) everyPartCounts(t *testing.T) {
	wanted := c.wanted()
	cuts := 0
	for i, whole := range c.policies {
		var near []arrow
		for _, a := range wanted {
			if a.touches(whole) {
				near = append(near, a)
			}
		}
		for what, less := range lessOf(whole) {
			policies := slices.Clone(c.policies)
			policies[i] = less
			policy := matcher.BuildNetworkPolicies(false, policies)
			assert.True(t, slices.ContainsFunc(near, func(a arrow) bool { return !a.passes(policy) }),
				"%s/%s without %s: the list does not notice", whole.Namespace, whole.Name, what)
			cuts++
		}
	}
	require.NotZero(t, cuts)
	t.Logf("%d cuts noticed", cuts)

	policy := matcher.BuildNetworkPolicies(false, slices.DeleteFunc(slices.Clone(c.policies), isDefault))
	opened := missing(c.possible(policy), wanted)
	for _, p := range c.parties {
		if p.of == "stranger" {
			assert.Contains(t, opened, arrow{p, c.are([]string{"metadata"})[0], "80/TCP"}.String(), "without the namespace's denial")
		}
	}
}

// isDefault tells whether a policy is a namespace's own, which denies.
func isDefault(p *networking.NetworkPolicy) bool { return len(p.Spec.PodSelector.MatchLabels) == 0 }

// lessOf are copies of a policy, each without one part.
func lessOf(whole *networking.NetworkPolicy) map[string]*networking.NetworkPolicy {
	all := map[string]*networking.NetworkPolicy{}
	cut := func(what string, change func(spec *networking.NetworkPolicySpec)) {
		less := whole.DeepCopy()
		change(&less.Spec)
		all[what] = less
	}
	for i, rule := range whole.Spec.Ingress {
		cut(fmt.Sprintf("ingress[%d]", i), func(s *networking.NetworkPolicySpec) { s.Ingress = slices.Delete(s.Ingress, i, i+1) })
		for j := range rule.From {
			if len(rule.From) > 1 { // without any it would be open to everybody
				cut(fmt.Sprintf("ingress[%d].from[%d]", i, j), func(s *networking.NetworkPolicySpec) { s.Ingress[i].From = slices.Delete(s.Ingress[i].From, j, j+1) })
			}
		}
		for j := range rule.Ports {
			if len(rule.Ports) > 1 {
				cut(fmt.Sprintf("ingress[%d].ports[%d]", i, j), func(s *networking.NetworkPolicySpec) { s.Ingress[i].Ports = slices.Delete(s.Ingress[i].Ports, j, j+1) })
			}
		}
	}
	for i, rule := range whole.Spec.Egress {
		cut(fmt.Sprintf("egress[%d]", i), func(s *networking.NetworkPolicySpec) { s.Egress = slices.Delete(s.Egress, i, i+1) })
		for j := range rule.To {
			if len(rule.To) > 1 {
				cut(fmt.Sprintf("egress[%d].to[%d]", i, j), func(s *networking.NetworkPolicySpec) { s.Egress[i].To = slices.Delete(s.Egress[i].To, j, j+1) })
			}
		}
		for j := range rule.Ports {
			if len(rule.Ports) > 1 {
				cut(fmt.Sprintf("egress[%d].ports[%d]", i, j), func(s *networking.NetworkPolicySpec) { s.Egress[i].Ports = slices.Delete(s.Egress[i].Ports, j, j+1) })
			}
		}
	}
	return all
}
