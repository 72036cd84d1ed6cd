package rules

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"

	"github.com/alphapulse/infrastructure/config"
)

// Enforced is a program with its resources checked: pulumi.Run(rules.Enforced(deploy)). A preview reports all violations and fails at its
// end. In an update, also one without a preview, what breaks a rule is not made, and the update fails. Unit tests run the program itself,
// since the SDK's mock engine knows no transforms.
func Enforced(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		raw, secret, err := config.FromEnvironment()
		if err != nil {
			return err
		}
		platform, _ := config.Load(raw, secret...) // the program itself says what is wrong with its config
		g := newGuard(ctx, platform, time.Now())
		if err := ctx.RegisterResourceTransform(g.check); err != nil {
			return fmt.Errorf("having every resource checked: %w", err)
		}
		if err := ctx.RegisterStackTransformation(g.note); err != nil {
			return fmt.Errorf("having every resource noted: %w", err)
		}
		if err := program(ctx); err != nil {
			return err
		}
		return g.finish()
	}
}

// guard stands between the program and the engine.
type guard struct {
	ctx     *pulumi.Context
	book    *Book
	excuses *excuses

	lock   sync.Mutex
	asked  []pulumi.Resource // what the program asked the engine for
	said   map[string]bool
	failed bool
}

func newGuard(ctx *pulumi.Context, platform config.Platform, today time.Time) *guard {
	return &guard{
		ctx: ctx, book: &Book{Protect: platform.Protect, Account: platform.AWS.Account},
		excuses: newExcuses(platform.Guardrails.Exceptions, today), said: map[string]bool{},
	}
}

// check is a transform. It changes nothing and has no error to return, so that it stops a resource with properties that have none. In a
// preview it stops nothing: what comes after is planned and checked as well, so that one preview shows everything.
func (g *guard) check(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	refused, err := g.report(g.judge(r))
	if err == nil && refused && !g.ctx.DryRun() {
		err = fmt.Errorf("%s %s breaks a rule and was not made", r.Type, r.Name)
	}
	if err == nil {
		return nil
	}
	missing, _, reject := g.ctx.NewOutput()
	reject(err)
	return &pulumi.ResourceTransformResult{Props: pulumi.Map{"rules": missing}, Opts: r.Opts}
}

func (g *guard) judge(r *pulumi.ResourceTransformArgs) []Violation {
	props, err := plainMap(g.ctx.Context(), r.Props)
	if err != nil {
		return []Violation{{Type: r.Type, Name: r.Name, Rule: "readable", Text: "its arguments cannot be read: " + err.Error()}}
	}
	in := NewResource(r.Type, r.Name, props)
	in.Protected = r.Opts.Protect
	return g.book.Check(in)
}

// report says each violation once, and whether there is one that is not excepted. The engine shows remote components twice: as asked for,
// and as their plugin registers them.
func (g *guard) report(found []Violation) (refused bool, err error) {
	g.lock.Lock()
	defer g.lock.Unlock()
	broken, excepted := g.excuses.sort(found)
	g.failed = g.failed || len(broken) > 0
	for _, text := range excepted {
		err = errors.Join(err, g.sayOnce(text, g.ctx.Log.Info))
	}
	for _, violation := range broken {
		err = errors.Join(err, g.sayOnce(violation.String(), g.ctx.Log.Error))
	}
	return len(broken) > 0, err
}

func (g *guard) sayOnce(text string, say func(string, *pulumi.LogArgs) error) error {
	if g.said[text] {
		return nil
	}
	g.said[text] = true
	return say(text, nil)
}

// note is a transformation, the older kind, which runs in the program and is shown what is being made. It changes nothing.
func (g *guard) note(r *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.asked = append(g.asked, r.Resource)
	return nil
}

// finish waits until everything that the program asked for has been checked, children of components included, and says what is missing
// then. A logged error alone would leave `pulumi preview` successful.
func (g *guard) finish() error {
	g.lock.Lock()
	asked := g.asked
	g.lock.Unlock()
	for _, one := range asked {
		if _, err := internals.UnsafeAwaitOutput(g.ctx.Context(), one.URN()); err != nil {
			return nil // the engine said why it was not registered, and what was to come after it is missing for that reason
		}
	}
	if _, err := g.report(g.book.Close()); err != nil {
		return err
	}
	for _, text := range g.excuses.unused() {
		if err := g.ctx.Log.Warn(text, nil); err != nil {
			return err
		}
	}
	if g.failed {
		return errors.New("resources break rules, each is named above")
	}
	return nil
}
