package flows

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// agentPorts is how many ports the VPC CNI's agent keeps for one address range, over all policies of a pod (MAX_PORT_PROTOCOL in
// tc.v4egress.bpf.c of aws/aws-network-policy-agent); what is beyond it drops without a word.
const agentPorts = 24

// portsAreFewNumbers counts all ports of a group's policies together: ranges lie within each other, and the agent lets the narrower one
// have the ports of the wider.
func (c *check) portsAreFewNumbers(t *testing.T) {
	for _, p := range c.parties {
		for direction, rules := range c.rulesFor(p) {
			used := map[string]bool{}
			for _, r := range rules {
				require.NotEmpty(t, r.ports, "%s %s: without ports a rule opens all", p.name, direction)
				require.NotEmpty(t, r.peers, "%s %s: without peers a rule is for everybody", p.name, direction)
				for _, number := range r.ports {
					require.NotNil(t, number.Port, p.name)
					assert.Equal(t, intstr.Int, number.Port.Type, "%s %s: the agent finds no name behind an address", p.name, direction)
					used[fmt.Sprint(number.Port.IntVal, *number.Protocol)] = true
				}
			}
			assert.LessOrEqual(t, len(used), agentPorts, "%s %s", p.name, direction)
		}
	}
}

// exceptionsAgree looks at all blocks that come together at a pod: the agent joins those of one range, ports and exceptions.
func (c *check) exceptionsAgree(t *testing.T) {
	blocks := 0
	for _, p := range c.parties {
		for direction, rules := range c.rulesFor(p) {
			seen := map[string][]string{}
			for _, r := range rules {
				for _, peer := range r.peers {
					if peer.IPBlock == nil {
						continue
					}
					if except, ok := seen[peer.IPBlock.CIDR]; ok {
						assert.Equal(t, except, peer.IPBlock.Except, "%s %s %s", p.name, direction, peer.IPBlock.CIDR)
					}
					seen[peer.IPBlock.CIDR] = peer.IPBlock.Except
					blocks++
				}
			}
		}
	}
	assert.NotZero(t, blocks)
}

// servicesKeepPorts looks at the Services that flows lead through. The agent sees a packet before kube-proxy does, with the Service's
// address and port; the policy controller opens that address when the Service selects by the rule's labels, and when its port is the
// container's. Headless Services lead to the pods themselves.
func (c *check) servicesKeepPorts(t *testing.T) {
	found := 0
	for _, f := range c.flows {
		if f.service == "" {
			continue
		}
		g := c.groups[slices.IndexFunc(c.groups, func(g group) bool { return g.name == f.to[0] })]
		if !slices.ContainsFunc(c.pods, func(pod core.Pod) bool { return pod.Namespace == g.namespace && has(pod.Labels, g.labels) }) {
			continue // its pods come later, and the Service with them
		}
		i := slices.IndexFunc(c.services, func(s core.Service) bool { return s.Namespace == g.namespace && s.Name == f.service })
		if !assert.GreaterOrEqual(t, i, 0, "there is no Service %s/%s, which %v calls", g.namespace, f.service, f.from) {
			continue
		}
		found++
		s := &c.services[i]
		assert.True(t, has(s.Spec.Selector, g.labels), "the Service %s selects by %v, and the policies know its pods by %v", s.Name, s.Spec.Selector, g.labels)
		for _, number := range f.ports {
			assert.True(t, slices.ContainsFunc(s.Spec.Ports, func(offered core.ServicePort) bool {
				return number == port(fmt.Sprintf("%d/%s", offered.Port, offered.Protocol)) && c.leadsTo(s, offered) == offered.Port
			}), "the Service %s offers no port %s that is the container's too: %v", s.Name, number, s.Spec.Ports)
		}
	}
	assert.NotZero(t, found)
}

// leadsTo is the port of the container that a Service's port leads to; names are looked up in its pods.
func (c *check) leadsTo(s *core.Service, offered core.ServicePort) int32 {
	if offered.TargetPort.Type == intstr.Int {
		return offered.TargetPort.IntVal
	}
	for _, pod := range c.behind(s) {
		for _, container := range pod.Spec.Containers {
			for _, p := range container.Ports {
				if p.Name == offered.TargetPort.StrVal {
					return p.ContainerPort
				}
			}
		}
	}
	return 0
}

// behind are the pods that a Service selects.
func (c *check) behind(s *core.Service) (found []core.Pod) {
	for _, pod := range c.pods {
		if pod.Namespace == s.Namespace && len(s.Spec.Selector) > 0 && has(pod.Labels, s.Spec.Selector) {
			found = append(found, pod)
		}
	}
	return found
}

// entry is a rule of either direction.
type entry struct {
	ports []networking.NetworkPolicyPort
	peers []networking.NetworkPolicyPeer
}

// rulesFor are the rules of all policies that are about a pod, by direction.
func (c *check) rulesFor(p party) map[string][]entry {
	all := map[string][]entry{}
	for _, policy := range c.policies {
		pod := p.peer.Internal
		if pod == nil || pod.Namespace != policy.Namespace || !has(pod.PodLabels, policy.Spec.PodSelector.MatchLabels) {
			continue
		}
		for _, rule := range policy.Spec.Ingress {
			all["in"] = append(all["in"], entry{rule.Ports, rule.From})
		}
		for _, rule := range policy.Spec.Egress {
			all["out"] = append(all["out"], entry{rule.Ports, rule.To})
		}
	}
	return all
}
