// Package rules says what AWS, Kubernetes and Cloudflare refuse, or take and do otherwise than it reads, of a resource's own arguments
// (N3, N5, C1, C2, C4, D1, D2, D5, D6, W2), and what we do not allow ourselves (S4). Every preview checks every resource that the engine
// registers, also inside components of other packages and charts, against one table: what is wrong is said before anything is made, by the
// provider's rules and not by a stand-in's.
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
	// Lacks gives what is wrong with a resource of the first type because another of the rule's types is not there, of all that were
	// registered.
	Lacks func(in Resource, all []Resource) []Finding
	// Guardrail marks the rows of requirement S4, which are ours to decide: config may except resources from them.
	Guardrail bool
	// Protecting marks rows that hold only in stacks that protect what they hold.
	Protecting bool
}

// guardrail is a row of requirement S4.
func guardrail(name string, holds check, types ...string) Rule {
	return Rule{Name: name, Types: types, Source: "requirement S4", Check: holds, Guardrail: true}
}

// lacking is a row of requirement S4 about what a resource needs beside it. The first type is the resource's.
func lacking(name string, lacks func(in Resource, all []Resource) []Finding, types ...string) Rule {
	return Rule{Name: name, Types: types, Source: "requirement S4", Lacks: lacks, Guardrail: true}
}

// Guardrails are the names of the rows that config may except resources from.
func Guardrails() []string {
	var names []string
	for _, rule := range table {
		if rule.Guardrail {
			names = append(names, rule.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Resource is what is about to be registered.
type Resource struct {
	Type, Name string // Pulumi's, not the cloud's
	// Protected says that Pulumi deletes it in no plan.
	Protected bool
	Value     // all arguments

	account string // the stack's
}

// NewResource gives a resource with its arguments as plain values, as encoding/json makes them; what is not known yet is Unknown, what nobody
// may read is in a Secret.
func NewResource(typ, name string, props map[string]any) Resource {
	return Resource{Type: typ, Name: name, Value: Value{raw: props}}
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
	// Guardrail says that config may except the resource from the rule.
	Guardrail bool
}

func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s [%s]", v.Type, v.Name, v.Text, v.Rule)
}

// Book checks the resources of one run. It remembers those that a rule compares with others.
type Book struct {
	// Protect says that the stack protects what it holds.
	Protect bool
	// Account is the AWS account that the stack is in.
	Account string

	lock    sync.Mutex
	earlier map[string][]Resource // by rule
}

// Check gives what one resource breaks, by itself and beside those that were checked before.
func (b *Book) Check(in Resource) []Violation {
	b.lock.Lock()
	defer b.lock.Unlock()
	in.account = b.Account
	var broken []Violation
	for _, rule := range table {
		if rule.concerns(in.Type) && (b.Protect || !rule.Protecting) {
			broken = append(broken, rule.violations(in, b.findings(rule, in))...)
		}
	}
	return broken
}

func (b *Book) findings(rule Rule, in Resource) (found []Finding) {
	if rule.Check != nil {
		found = rule.Check(in)
	}
	if rule.Pair == nil && rule.Lacks == nil {
		return found
	}
	for _, other := range b.earlier[rule.Name] {
		if rule.Pair != nil {
			found = append(found, rule.Pair(in, other)...)
		}
	}
	if b.earlier == nil {
		b.earlier = map[string][]Resource{}
	}
	b.earlier[rule.Name] = append(b.earlier[rule.Name], in)
	return found
}

// Close gives what is broken because something was never checked, once everything was.
func (b *Book) Close() []Violation {
	b.lock.Lock()
	defer b.lock.Unlock()
	var broken []Violation
	for _, rule := range table {
		if rule.Lacks == nil {
			continue
		}
		for _, in := range b.earlier[rule.Name] {
			if in.Type == rule.Types[0] {
				broken = append(broken, rule.violations(in, rule.Lacks(in, b.earlier[rule.Name]))...)
			}
		}
	}
	return broken
}

func (r Rule) violations(in Resource, found []Finding) []Violation {
	var broken []Violation
	for _, f := range found {
		text := fmt.Sprintf("%s: %s (%s); %s", f.Argument, f.Wrong, r.Source, f.Remedy)
		broken = append(broken, Violation{Type: in.Type, Name: in.Name, Rule: r.Name, Text: text, Guardrail: r.Guardrail})
	}
	return broken
}

// Check gives what a resource breaks by itself.
func Check(in Resource) []Violation {
	return new(Book).Check(in)
}

func (r Rule) concerns(typ string) bool {
	return slices.ContainsFunc(r.Types, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == typ || open && strings.HasPrefix(typ, prefix)
	})
}

// table has all rows, a file for each service.
var table = slices.Concat(databaseRules, parameterRules, bucketRules, networkRules, machineRules, clusterRules, nodeGroupRules, componentRules,
	identityRules, keyRules, logRules, edgeRules, removedRules, workloadRules, objectRules, ingressRules,
	encryptionRules, exposureRules, permissionRules, podRules, protectionRules)
