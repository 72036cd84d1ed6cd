package security

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// NetworkPoliciesToken is the component's type.
const NetworkPoliciesToken = "alphapulse:security:NetworkPolicies"

// NetworkPoliciesArgs are what the policies are made from.
type NetworkPoliciesArgs struct {
	// Name is the environment's prefix, and the platform's namespace.
	Name string
	// Namespaces get policies, by their names. Groups of other namespaces get none, but others' policies name them.
	Namespaces map[string]pulumi.StringOutput
	Network    config.Network
	// Visitors are the ranges of those whom the load balancer lets in.
	Visitors []string
}

// NetworkPolicies say who may talk to whom: in every namespace nobody to nobody, and from there on what the table of flows says (N7).
type NetworkPolicies struct {
	pulumi.ResourceState

	// Namespaces are those of the args, to be had once their policies are there: the VPC CNI lets everything pass until a pod's policies
	// reach its node, and a pod that comes before them has its way until then.
	Namespaces map[string]pulumi.StringOutput
}

// NewNetworkPolicies makes a policy for each namespace and one for each group of pods.
func NewNetworkPolicies(ctx *pulumi.Context, name string, args *NetworkPoliciesArgs, opts ...pulumi.ResourceOption) (*NetworkPolicies, error) {
	n := &NetworkPolicies{Namespaces: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(NetworkPoliciesToken, name, n, opts...); err != nil {
		return nil, err
	}
	at, err := newSurroundings(args.Network, args.Visitors)
	if err != nil {
		return nil, err
	}
	for _, namespace := range slices.Sorted(maps.Keys(args.Namespaces)) {
		var made []pulumi.Resource
		for _, p := range policiesOf(namespace, args.Name) {
			policy, err := networkingv1.NewNetworkPolicy(ctx, name+"-"+p.resource, p.args(args, at), pulumi.Parent(n))
			if err != nil {
				return nil, fmt.Errorf("creating the network policy %q in %s: %w", p.name, namespace, err)
			}
			made = append(made, policy)
		}
		n.Namespaces[namespace] = pulumi.OutputWithDependencies(ctx.Context(), args.Namespaces[namespace], made...).(pulumi.StringOutput)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{})
}

// networkPolicy is one NetworkPolicy before it is written down.
type networkPolicy struct {
	resource, name, namespace, description string
	labels                                 map[string]string
	in, out                                []rule
}

// rule lets these pass on the same ports.
type rule struct {
	ports   []Port
	parties []party
}

// policiesOf are a namespace's: the first denies, the others allow. The platform's own namespace is `home`.
func policiesOf(namespace, home string) []networkPolicy {
	_, out := rulesOf(everybody)
	all := []networkPolicy{{
		resource: "default-" + namespace, name: "default-deny", namespace: namespace, out: out,
		description: "Nothing goes in or out but what another policy allows; everybody may look up names.",
	}}
	for _, group := range groups {
		if cmp.Or(group.Namespace, home) == namespace {
			in, out := rulesOf(group)
			all = append(all, networkPolicy{
				resource: group.Name, name: group.Name + "-network-policy", namespace: namespace, labels: group.Labels, in: in, out: out,
				description: describe(group),
			})
		}
	}
	return all
}

// rulesOf collects a group's flows in both directions. One rule has all parties that share their ports, so that a policy stays readable.
func rulesOf(group Pods) (in, out []rule) {
	from, to := map[string]*rule{}, map[string]*rule{}
	for _, flow := range flows {
		if flow.To.title() == group.Name {
			join(from, flow.From, flow.Ports)
		}
		if flow.From.title() == group.Name {
			join(to, flow.To, flow.Ports)
		}
	}
	return byPorts(from), byPorts(to)
}

// join adds ports to what is open to a party already.
func join(open map[string]*rule, with party, ports []Port) {
	r, ok := open[with.title()]
	if !ok {
		r = &rule{parties: []party{with}}
		open[with.title()] = r
	}
	r.ports = append(r.ports, ports...)
	slices.SortFunc(r.ports, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol))
	})
	r.ports = slices.Compact(r.ports)
}

// byPorts makes one rule of those with the same ports, in an order that is always the same.
func byPorts(open map[string]*rule) (rules []rule) {
	for _, title := range slices.Sorted(maps.Keys(open)) {
		r := *open[title]
		i := slices.IndexFunc(rules, func(other rule) bool { return slices.Equal(other.ports, r.ports) })
		if i < 0 {
			rules = append(rules, r)
			continue
		}
		rules[i].parties = append(rules[i].parties, r.parties...)
	}
	slices.SortStableFunc(rules, func(a, b rule) int { return cmp.Compare(a.ports[0].Number, b.ports[0].Number) })
	return rules
}

func (p networkPolicy) args(args *NetworkPoliciesArgs, at surroundings) *networkingv1.NetworkPolicyArgs {
	spec := networkingv1.NetworkPolicySpecArgs{
		PodSelector: selecting(p.labels),
		PolicyTypes: pulumi.ToStringArray([]string{"Ingress", "Egress"}),
	}
	var in networkingv1.NetworkPolicyIngressRuleArray
	for _, r := range p.in {
		in = append(in, networkingv1.NetworkPolicyIngressRuleArgs{From: r.peers(p.namespace, args.Name, at), Ports: r.portArgs()})
	}
	var out networkingv1.NetworkPolicyEgressRuleArray
	for _, r := range p.out {
		out = append(out, networkingv1.NetworkPolicyEgressRuleArgs{To: r.peers(p.namespace, args.Name, at), Ports: r.portArgs()})
	}
	spec.Ingress, spec.Egress = in, out
	return &networkingv1.NetworkPolicyArgs{
		Metadata: metav1.ObjectMetaArgs{
			Name: pulumi.String(p.name), Namespace: args.Namespaces[p.namespace],
			Labels:      pulumi.StringMap{"app.kubernetes.io/part-of": pulumi.String(config.Namespace)},
			Annotations: pulumi.StringMap{config.Namespace + ".com/description": pulumi.String(p.description)},
		},
		Spec: spec,
	}
}

// peers are a rule's parties as a policy in `namespace` names them: pods by their labels, and by their namespace when it is another one;
// everything else by its addresses, each once and in their order, so that a policy changes only when what it allows does.
func (r rule) peers(namespace, home string, at surroundings) networkingv1.NetworkPolicyPeerArray {
	var peers networkingv1.NetworkPolicyPeerArray
	blocks := map[string]block{}
	for _, one := range r.parties {
		switch one := one.(type) {
		case Pods:
			peer := networkingv1.NetworkPolicyPeerArgs{PodSelector: selecting(one.Labels)}
			if theirs := cmp.Or(one.Namespace, home); theirs != namespace {
				peer.NamespaceSelector = selecting(labelled("kubernetes.io/metadata.name", theirs))
			}
			peers = append(peers, peer)
		case outside:
			for _, b := range one.blocks(at) {
				if _, ok := blocks[b.cidr]; !ok {
					blocks[b.cidr] = b
				}
			}
		}
	}
	for _, cidr := range slices.Sorted(maps.Keys(blocks)) {
		peers = append(peers, networkingv1.NetworkPolicyPeerArgs{IpBlock: blocks[cidr].args()})
	}
	return peers
}

func (b block) args() networkingv1.IPBlockArgs {
	args := networkingv1.IPBlockArgs{Cidr: pulumi.String(b.cidr)}
	if len(b.except) > 0 {
		args.Except = pulumi.ToStringArray(b.except)
	}
	return args
}

// selecting selects by labels; without any it selects everything.
func selecting(labels map[string]string) metav1.LabelSelectorArgs {
	if len(labels) == 0 {
		return metav1.LabelSelectorArgs{}
	}
	return metav1.LabelSelectorArgs{MatchLabels: pulumi.ToStringMap(labels)}
}

func (r rule) portArgs() networkingv1.NetworkPolicyPortArray {
	var ports networkingv1.NetworkPolicyPortArray
	for _, port := range r.ports {
		ports = append(ports, networkingv1.NetworkPolicyPortArgs{Port: pulumi.Int(port.Number), Protocol: pulumi.String(port.Protocol)})
	}
	return ports
}
