// Package recorder runs a Pulumi program without an engine or a cloud and keeps what it asked for. Tests assert these inputs: what a
// mock answers proves nothing.
package recorder

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// project that programs are told they run in.
const project = "alphapulse"

// stack is the one that the environment names, as the engine does, or "recorded".
func stack() string { return cmp.Or(os.Getenv(pulumi.EnvStack), "recorded") }

// Mode is what the program is told it is part of.
type Mode bool

// In a preview nothing has an id or an output yet, except what repeats an input.
const (
	Preview Mode = true
	Up      Mode = false
)

func (m Mode) String() string {
	if m == Preview {
		return "preview"
	}
	return "up"
}

// Resource is one registration.
type Resource struct {
	Type, Name, URN string
	// Parent and DependsOn are URNs; DependsOn includes what the inputs come from. Provider is the provider's own name.
	Parent, Provider string
	DependsOn        []string
	// Providers are the names of the providers that a component passes to its children, by package.
	Providers map[string]string
	// Custom resources have a provider; the others are components, and Remote ones are run by a plugin.
	Custom, Remote bool
	Protect        bool
	// Retained ones stay where they are when they go from the program.
	Retained      bool
	IgnoreChanges []string
	// ReplaceOnChanges are inputs whose change replaces it though its provider would update it; DeleteFirst that the old one goes first.
	ReplaceOnChanges []string
	DeleteFirst      bool
	// Timeouts are those of creating and of updating it.
	Timeouts []string
	// Inputs as plain values: numbers are float64, secrets are bare, resources are their URNs. In a preview what is unknown is absent.
	Inputs map[string]any
}

// At finds an input by its path, such as `spec.ports[0].port` or `labels["a/b"]`; nil if there is none.
func (r Resource) At(path string) any {
	parsed, err := resource.ParsePropertyPath(path)
	if err != nil {
		panic(err)
	}
	value, ok := parsed.Get(resource.NewProperty(resource.NewPropertyMapFromMap(r.Inputs)))
	if !ok {
		return nil
	}
	return value.Mappable()
}

// Call is one look-up.
type Call struct {
	Token, Provider string
	Args            map[string]any
}

// Run is all that one run of a program asked for, in the order in which the requests came in, which is not always the same.
type Run struct {
	Resources []Resource
	Calls     []Call
}

// Find gives the one resource of a type and name.
func (r *Run) Find(t testing.TB, typ, name string) Resource {
	t.Helper()
	var found []Resource
	var names []string
	for _, one := range r.All(typ) {
		names = append(names, one.Name)
		if one.Name == name {
			found = append(found, one)
		}
	}
	require.Len(t, found, 1, "%s %q among %v", typ, name, names)
	return found[0]
}

// All gives the resources of a type, by name.
func (r *Run) All(typ string) []Resource {
	all := slices.DeleteFunc(slices.Clone(r.Resources), func(one Resource) bool { return one.Type != typ })
	slices.SortFunc(all, func(a, b Resource) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Record runs a program and fails the test if the program fails.
func Record(t testing.TB, mode Mode, program pulumi.RunFunc, answers ...Answers) *Run {
	t.Helper()
	run, err := Try(mode, program, answers...)
	require.NoError(t, err)
	return run
}

// Try runs a program that may fail.
func Try(mode Mode, program pulumi.RunFunc, answers ...Answers) (*Run, error) {
	m := &mocks{mode: mode, answers: Answers{}}
	for _, some := range answers {
		maps.Copy(m.answers, some)
	}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		if err := m.registerEKS(ctx); err != nil {
			return err
		}
		return program(ctx)
	}, pulumi.WithMocks(project, stack(), m), func(info *pulumi.RunInfo) { info.DryRun = bool(mode) })
	return &m.run, err
}

// mocks answers the program as an engine would.
type mocks struct {
	mode    Mode
	answers Answers
	lock    sync.Mutex
	run     Run
}

// NewResource records a resource, and answers with its inputs and, in an up, with what its provider would add.
func (m *mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.ReadRPC != nil {
		return m.readEKS(args)
	}
	rpc := args.RegisterRPC
	recorded := Resource{
		Type: args.TypeToken, Name: args.Name, URN: urn(rpc.GetParent(), args.TypeToken, args.Name),
		Parent: rpc.GetParent(), Provider: providerName(args.Provider), DependsOn: rpc.GetDependencies(),
		Custom: args.Custom, Remote: rpc.GetRemote(), Protect: rpc.GetProtect(), Retained: rpc.GetRetainOnDelete(), IgnoreChanges: rpc.GetIgnoreChanges(),
		ReplaceOnChanges: rpc.GetReplaceOnChanges(), DeleteFirst: rpc.GetDeleteBeforeReplace(),
		Timeouts:  []string{rpc.GetCustomTimeouts().GetCreate(), rpc.GetCustomTimeouts().GetUpdate()},
		Providers: map[string]string{}, Inputs: plain(args.Inputs),
	}
	for pkg, reference := range rpc.GetProviders() {
		recorded.Providers[pkg] = providerName(reference)
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	m.run.Resources = append(m.run.Resources, recorded)

	id, state := "", args.Inputs.Copy()
	if m.mode == Up && args.Custom {
		id = args.Name + "-id"
	}
	for key, value := range m.outputs(args) {
		if _, given := state[key]; !given {
			state[key] = value
		}
	}
	nameObject(args, state)
	return id, state, nil
}

// Call answers look-ups; one that nobody has modelled fails.
func (m *mocks) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.run.Calls = append(m.run.Calls, Call{args.Token, providerName(args.Provider), plain(args.Args)})
	return m.answer(args)
}

// urn is the mock engine's own rule: of the parents only the nearest is in it.
func urn(parent, typ, name string) string {
	parentType := tokens.Type("")
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parentType = p.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(stack()), project, parentType, tokens.Type(typ), name))
}

// providerName finds the name in a reference, "<urn>::<id>"; empty for default providers.
func providerName(reference string) string {
	if i := strings.LastIndex(reference, "::"); i >= 0 {
		return resource.URN(reference[:i]).Name()
	}
	return ""
}

func plain(inputs resource.PropertyMap) map[string]any {
	var bare func(resource.PropertyValue) (any, bool)
	bare = func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret():
			return v.SecretValue().Element.MapRepl(nil, bare), true
		case v.IsResourceReference():
			return string(v.ResourceReferenceValue().URN), true
		}
		return nil, false
	}
	return inputs.MapRepl(nil, bare)
}
