// Package rules says what AWS, Kubernetes and Cloudflare refuse, or take and do otherwise than it reads, of a resource's own arguments
// (N3, N5, C1, C2, C4, D1, D2, D5, D6, W2). Every preview checks every resource that the engine registers, also inside components of
// other packages and charts, against one table: what is wrong is said before anything is made, by the provider's rules and not by a
// stand-in's.
//
// A new rule is one more row. It judges what is known already and nothing else, and a case in the tests breaks it.
package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Rule is one row: what arguments of some types of resources must obey.
type Rule struct {
	Name string
	// Types are Pulumi's type tokens. An asterisk at the end stands for any ending.
	Types []string
	// Source is who says so: a vendor's documentation, or one of our requirements.
	Source string
	// Check gives what is wrong with one resource.
	Check func(in Resource) []Finding
	// Pair gives what is wrong with a resource because of another of the same rule's types that was registered before it.
	Pair func(in, earlier Resource) []Finding
}

// Resource is what is about to be registered.
type Resource struct {
	Type, Name string // Pulumi's, not the cloud's
	Value             // all arguments
}

// Finding is an argument that breaks a rule.
type Finding struct {
	Argument      Value
	Wrong, Remedy string
}

// Violation is a finding with its resource and rule.
type Violation struct {
	Type, Name, Rule string
	// Text names the argument with its value, what is wrong, who says so, and the remedy. Secret values are not in it.
	Text string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s [%s]", v.Type, v.Name, v.Text, v.Rule)
}

// Book checks the resources of one run. It remembers those that a rule compares with others.
type Book struct {
	lock    sync.Mutex
	earlier map[string][]Resource // by rule
}

// Check gives what one resource breaks, by itself and beside those that were checked before. Props are plain values as encoding/json
// makes them; what is not known yet is Unknown, what nobody may read is in a Secret.
func (b *Book) Check(typ, name string, props map[string]any) []Violation {
	b.lock.Lock()
	defer b.lock.Unlock()
	in := Resource{Type: typ, Name: name, Value: Value{raw: props}}
	var broken []Violation
	for _, rule := range table {
		if !rule.concerns(typ) {
			continue
		}
		for _, f := range b.findings(rule, in) {
			text := fmt.Sprintf("%s: %s (%s); %s", f.Argument, f.Wrong, rule.Source, f.Remedy)
			broken = append(broken, Violation{Type: typ, Name: name, Rule: rule.Name, Text: text})
		}
	}
	return broken
}

func (b *Book) findings(rule Rule, in Resource) (found []Finding) {
	if rule.Check != nil {
		found = rule.Check(in)
	}
	if rule.Pair == nil {
		return found
	}
	for _, other := range b.earlier[rule.Name] {
		found = append(found, rule.Pair(in, other)...)
	}
	if b.earlier == nil {
		b.earlier = map[string][]Resource{}
	}
	b.earlier[rule.Name] = append(b.earlier[rule.Name], in)
	return found
}

// Check gives what a resource breaks by itself.
func Check(typ, name string, props map[string]any) []Violation {
	return new(Book).Check(typ, name, props)
}

func (r Rule) concerns(typ string) bool {
	return slices.ContainsFunc(r.Types, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == typ || open && strings.HasPrefix(typ, prefix)
	})
}

// table has all rows, a file for each service.
var table = slices.Concat(databaseRules, parameterRules, bucketRules, networkRules, machineRules, clusterRules, nodeGroupRules, componentRules,
	identityRules, keyRules, logRules, edgeRules, removedRules, workloadRules, objectRules, ingressRules)
