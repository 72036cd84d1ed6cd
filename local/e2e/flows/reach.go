package flows

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

// party is one pod or one address, and who it stands for.
type party struct {
	name string // "api", or "private 10.20.0.2" for one of several
	of   string // the group's or outsider's name
	peer *matcher.TrafficPeer
}

func (p party) inside() bool { return p.peer.Internal != nil }

// world is everybody there is, on the ports that somebody uses or would like to.
type world struct {
	*list
	parties []party
	ports   []port
}

// tempting ports are in no flow.
var tempting = []port{"22/TCP", "80/TCP", "2379/TCP", "5353/UDP"}

// newWorld takes the groups with the labels that their pods have now, or with those of the list while there are none. In each of our
// namespaces stands a stranger besides, whom no policy was made for.
func newWorld(l *list, pods []core.Pod) *world {
	w := &world{list: l, ports: slices.Clone(tempting)}
	strangers := map[string]bool{}
	for _, g := range l.groups {
		for _, labels := range faces(g, pods) {
			w.admit(g.name, g.namespace, labels)
		}
		if l.guarded(g.namespace) {
			strangers[g.namespace] = strangers[g.namespace] || g.labels == nil
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(strangers)) {
		if everyoneIsKnown := strangers[namespace]; !everyoneIsKnown {
			w.admit("stranger", namespace, map[string]string{"app": "stranger"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.outside)) {
		for _, address := range l.outside[name] {
			w.parties = append(w.parties, party{name: name + " " + address, of: name, peer: &matcher.TrafficPeer{IP: address}})
		}
	}
	for _, f := range l.flows {
		w.ports = append(w.ports, f.ports...)
	}
	slices.Sort(w.ports)
	w.ports = slices.Compact(w.ports)
	return w
}

// ofOnePod are labels that tell revisions, zones and releases apart.
var ofOnePod = regexp.MustCompile(`-template-hash$|^controller-revision|^controller-uid$|^job-name$|^(batch|topology|statefulset|apps)\.kubernetes\.io/|^helm\.sh/|version$|managed-by$`)

// faces are the different sets of labels that a group's pods have.
func faces(g group, pods []core.Pod) (all []map[string]string) {
	seen := map[string]bool{}
	for _, pod := range pods {
		if pod.Namespace != g.namespace || !has(pod.Labels, g.labels) {
			continue
		}
		labels := maps.Clone(pod.Labels)
		maps.DeleteFunc(labels, func(key, _ string) bool { return ofOnePod.MatchString(key) })
		if text := fmt.Sprint(labels); !seen[text] {
			seen[text] = true
			all = append(all, labels)
		}
	}
	if len(all) == 0 {
		return []map[string]string{g.labels}
	}
	return all
}

// podAddress is the n-th where the VPC CNI takes them from, a private subnet: blocks of addresses hold for pods too. Simulated pods have
// addresses from elsewhere.
func podAddress(n int) string { return fmt.Sprintf("10.20.1.%d", n+1) }

func (w *world) admit(of, namespace string, labels map[string]string) {
	w.parties = append(w.parties, party{
		name: fmt.Sprintf("%s %v", of+"."+namespace, labels), of: of,
		peer: &matcher.TrafficPeer{IP: podAddress(len(w.parties)), Internal: &matcher.InternalPeer{
			Namespace: namespace, PodLabels: labels, NamespaceLabels: map[string]string{core.LabelMetadataName: namespace},
		}},
	})
}

// are the parties that names stand for.
func (w *world) are(names []string) (all []party) {
	for _, p := range w.parties {
		known := p.inside() && w.guarded(p.peer.Internal.Namespace)
		if slices.Contains(names, p.of) || known && slices.Contains(names, everybody) {
			all = append(all, p)
		}
	}
	return all
}

// arrow is one connection that could be opened.
type arrow struct {
	from, to party
	port     port
}

func (a arrow) String() string { return a.from.name + " -> " + a.to.name + " " + string(a.port) }

// wanted are all arrows that the list has.
func (w *world) wanted() map[string]arrow {
	all := map[string]arrow{}
	for _, f := range w.flows {
		for _, from := range w.are(f.from) {
			for _, to := range w.are(f.to) {
				for _, p := range f.ports {
					a := arrow{from, to, p}
					all[a.String()] = a
				}
			}
		}
	}
	return all
}

// possible are all arrows that the policies let through. Between two outsiders, and within EKS's own namespaces, they say nothing.
func (w *world) possible(policy *matcher.Policy) map[string]arrow {
	all := map[string]arrow{}
	for _, from := range w.parties {
		for _, to := range w.parties {
			if !w.ours(from) && !w.ours(to) {
				continue
			}
			for _, p := range w.ports {
				if a := (arrow{from, to, p}); a.passes(policy) {
					all[a.String()] = a
				}
			}
		}
	}
	return all
}

// ours tells whether policies of ours are about it.
func (w *world) ours(p party) bool { return p.inside() && w.guarded(p.peer.Internal.Namespace) }

func (a arrow) passes(policy *matcher.Policy) bool {
	text, protocol, _ := strings.Cut(string(a.port), "/")
	number, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("the list of flows has the port %q", a.port))
	}
	return policy.IsTrafficAllowed(&matcher.Traffic{
		Source: a.from.peer, Destination: a.to.peer, ResolvedPort: number, Protocol: core.Protocol(protocol),
	}).IsAllowed()
}

// touches tells whether a policy is about one of the arrow's ends.
func (a arrow) touches(p *networking.NetworkPolicy) bool {
	for _, end := range []party{a.from, a.to} {
		if pod := end.peer.Internal; pod != nil && pod.Namespace == p.Namespace && has(pod.PodLabels, p.Spec.PodSelector.MatchLabels) {
			return true
		}
	}
	return false
}
