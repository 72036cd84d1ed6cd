// Package flows computes from the policies in a cluster who can reach whom, and holds it against a list that was written by hand (N7).
package flows

import (
	"fmt"
	"os"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// list is a list of flows, as its file says it.
type list struct {
	groups    []group
	apart     []string            // namespaces without policies of ours
	outside   map[string][]string // addresses, by the name of what they stand for
	sets      map[string][]string
	flows     []flow
	forbidden []flow
}

// group are pods that have their flows in common.
type group struct {
	name, namespace string
	labels          map[string]string // none: all of the namespace
}

// flow is one arrow, with names as they stand in the file.
type flow struct {
	from, to []string
	ports    []port
	service  string
	why      string
}

// port is "443/TCP".
type port string

const everybody = "everybody"

// read reads a list. What cannot be read is an error that names the line.
func read(path string) (*list, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the list of flows: %w", err)
	}
	l := &list{outside: map[string][]string{}, sets: map[string][]string{}}
	for i, line := range strings.Split(string(data), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := l.add(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return l, nil
}

func (l *list) add(line string) error {
	line, why, _ := strings.Cut(line, ": ")
	words := strings.Fields(line)
	switch words[0] {
	case "pods":
		if len(words) != 4 {
			return fmt.Errorf("%q: a group has a name, a namespace and labels", line)
		}
		g := group{name: words[1], namespace: words[2]}
		if words[3] != "*" {
			key, value, _ := strings.Cut(words[3], "=")
			g.labels = map[string]string{key: value}
		}
		l.groups = append(l.groups, g)
	case "apart":
		l.apart = append(l.apart, words[1:]...)
	case "outside":
		l.outside[words[1]] = words[2:]
	case "set":
		l.sets[words[1]] = words[2:]
	case "forbidden":
		f, err := l.flow(words[1:])
		f.why = why
		l.forbidden = append(l.forbidden, f)
		return err
	default:
		f, err := l.flow(words)
		l.flows = append(l.flows, f)
		return err
	}
	return nil
}

func (l *list) flow(words []string) (f flow, err error) {
	if len(words) < 4 || words[1] != "->" {
		return f, fmt.Errorf("%q is no flow: FROM -> TO PORT, and further ports", strings.Join(words, " "))
	}
	ports := words[3:]
	if i := slices.Index(ports, "via"); i >= 0 && i == len(ports)-2 {
		f.service, ports = ports[i+1], ports[:i]
	}
	for _, number := range ports {
		if !strings.Contains(number, "/") {
			number += "/" + string(core.ProtocolTCP)
		}
		f.ports = append(f.ports, port(number))
	}
	if f.from, err = l.names(words[0]); err == nil {
		f.to, err = l.names(words[2])
	}
	return f, err
}

// names are the groups and outsiders that a name stands for.
func (l *list) names(name string) (all []string, err error) {
	if members, ok := l.sets[name]; ok {
		for _, member := range members {
			names, err := l.names(member)
			if err != nil {
				return nil, err
			}
			all = append(all, names...)
		}
		return all, nil
	}
	_, known := l.outside[name]
	if !known && name != everybody && !slices.ContainsFunc(l.groups, func(g group) bool { return g.name == name }) {
		return nil, fmt.Errorf("nobody is called %q", name)
	}
	return []string{name}, nil
}

// guarded tells whether a namespace has policies of ours.
func (l *list) guarded(namespace string) bool { return !slices.Contains(l.apart, namespace) }

// of finds the groups that a pod belongs to.
func (l *list) of(pod core.Pod) (names []string) {
	for _, g := range l.groups {
		if g.namespace == pod.Namespace && has(pod.Labels, g.labels) {
			names = append(names, g.name)
		}
	}
	return names
}

func has(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if labels[key] != value {
			return false
		}
	}
	return true
}
