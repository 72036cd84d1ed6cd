package rules

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Enforced is a program with its resources checked: pulumi.Run(rules.Enforced(deploy)). Unit tests run the program itself, since the
// SDK's mock engine knows no transforms.
func Enforced(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if err := Enforce(ctx); err != nil {
			return err
		}
		return program(ctx)
	}
}

// Enforce checks every resource that is registered after it. A preview reports all violations and fails at its end. In an update, also
// one without a preview, what breaks a rule is not made, and the update fails.
func Enforce(ctx *pulumi.Context) error {
	if err := ctx.RegisterResourceTransform(newGuard(ctx).check); err != nil {
		return fmt.Errorf("having every resource checked: %w", err)
	}
	return nil
}

// guard stands between the program and the engine.
type guard struct {
	ctx  *pulumi.Context
	book *Book

	lock   sync.Mutex
	said   map[string]bool
	failed bool
}

func newGuard(ctx *pulumi.Context) *guard {
	return &guard{ctx: ctx, book: &Book{}, said: map[string]bool{}}
}

// check is a transform. It changes nothing and has no error to return, so that it stops a resource with properties that have none.
func (g *guard) check(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	broken := g.judge(r)
	if len(broken) == 0 {
		return nil
	}
	if err := g.report(broken); err != nil {
		return g.refuse(r, err)
	}
	if !g.ctx.DryRun() {
		return g.refuse(r, fmt.Errorf("%s %s breaks a rule and was not made", r.Type, r.Name))
	}
	// What comes after it is planned and checked as well, so that one preview shows everything.
	if err := g.fail(); err != nil {
		return g.refuse(r, err)
	}
	return nil
}

func (g *guard) judge(r *pulumi.ResourceTransformArgs) []Violation {
	props, err := plainMap(g.ctx.Context(), r.Props)
	if err != nil {
		return []Violation{{Type: r.Type, Name: r.Name, Rule: "readable", Text: "its arguments cannot be read: " + err.Error()}}
	}
	return g.book.Check(r.Type, r.Name, props)
}

// report says each violation once. The engine shows remote components twice: as asked for, and as their plugin registers them.
func (g *guard) report(broken []Violation) error {
	g.lock.Lock()
	defer g.lock.Unlock()
	for _, violation := range broken {
		text := violation.String()
		if g.said[text] {
			continue
		}
		g.said[text] = true
		if err := g.ctx.Log.Error(text, nil); err != nil {
			return err
		}
	}
	return nil
}

// fail makes the program fail once everything is registered; a logged error alone leaves `pulumi preview` successful. The SDK keeps the
// error of a registration until the program's end, and with an input that has no value this one never reaches the engine.
func (g *guard) fail() error {
	g.lock.Lock()
	defer g.lock.Unlock()
	if g.failed {
		return nil
	}
	g.failed = true
	missing, _, reject := g.ctx.NewOutput()
	reject(errors.New("resources break rules, each is named above"))
	return g.ctx.RegisterComponentResourceV2("alphapulse:rules:Refusal", "refusal", pulumi.Map{"rules": missing}, &pulumi.ResourceState{})
}

func (g *guard) refuse(r *pulumi.ResourceTransformArgs, err error) *pulumi.ResourceTransformResult {
	missing, _, reject := g.ctx.NewOutput()
	reject(err)
	return &pulumi.ResourceTransformResult{Props: pulumi.Map{"rules": missing}, Opts: r.Opts}
}
