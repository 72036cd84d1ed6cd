package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/alphapulse/infrastructure/local/clouds"
	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/home"
)

// up creates or updates the stack, waits until the autoscalers' pods are placed too, and ends with one line. What is in the cloud but
// not in the state is named, whether pulumi succeeded or not.
func (e *Engine) up(ctx context.Context, args []string) error {
	began := time.Now()
	events, remove, err := eventLog(args)
	if err != nil {
		return err
	}
	defer remove()
	made, failure := e.operate(ctx, events, append([]string{"up", "--yes", "--skip-preview"}, args...))
	orphans, err := e.orphans(events)
	if failure != nil || err != nil {
		return errors.Join(failure, err)
	}
	resources, err := e.resources()
	if err != nil {
		return err
	}
	pods, err := e.settle(ctx)
	more := ""
	if orphans > 0 {
		more = fmt.Sprintf(" orphans=%d", orphans)
	}
	fmt.Printf("up: stack=%s resources=%d changes=%d pods=%d/%d seconds=%.0f%s\n",
		e.stack, len(resources), made.total(), pods.ready, pods.all, time.Since(began).Seconds(), more)
	return err
}

// preview says what up would do. Nothing is needed for it but the program: an unborn stack has no cluster to ask.
func (e *Engine) preview(ctx context.Context, args []string) error {
	began := time.Now()
	events, remove, err := eventLog(args)
	if err != nil {
		return err
	}
	defer remove()
	would, err := e.operate(ctx, events, append([]string{"preview"}, args...))
	if err != nil {
		return err
	}
	fmt.Printf("preview: stack=%s create=%d update=%d replace=%d delete=%d seconds=%.0f\n", e.stack,
		would.of(apitype.OpCreate), would.of(apitype.OpUpdate), would.replaced(), would.of(apitype.OpDelete), time.Since(began).Seconds())
	return nil
}

// down destroys the stack. What is protected stops it before anything is touched, as it does on AWS.
func (e *Engine) down(ctx context.Context, args []string) error {
	began := time.Now()
	if err := e.refuseProtected(); err != nil {
		return err
	}
	events, remove, err := eventLog(args)
	if err != nil {
		return err
	}
	defer remove()
	if _, err := e.operate(ctx, events, append([]string{"destroy", "--yes", "--skip-preview"}, args...)); err != nil {
		return err
	}
	left, err := e.left()
	if err != nil {
		return err
	}
	for _, what := range left {
		fmt.Println("  left:", what)
	}
	fmt.Printf("down: stack=%s left=%d seconds=%.0f\n", e.stack, len(left), time.Since(began).Seconds())
	if len(left) > 0 {
		return fmt.Errorf("%d things were left behind", len(left))
	}
	return nil
}

func (e *Engine) refuseProtected() error {
	resources, err := e.resources()
	if errors.Is(err, os.ErrNotExist) {
		return nil // never made
	}
	if err != nil {
		return err
	}
	var protected []string
	for _, r := range resources {
		if r.Protect && r.ID != "" { // components have no ID, and nothing of their own to lose
			protected = append(protected, fmt.Sprintf("  protected: %s %s (%s)", r.Type, r.name(), r.ID))
		}
	}
	if len(protected) == 0 {
		return nil
	}
	fmt.Println(strings.Join(protected, "\n"))
	return fmt.Errorf("stack %s has %d protected resources and is not destroyed; `make reset` throws the local engine away, "+
		"and with a real cloud `pulumi state unprotect URN` is a decision for each of them", e.stack, len(protected))
}

// left names what the inventory still holds for the account, what no stack knows at Cloudflare, which all share, and control planes
// that run for no cluster of any account: what runs in a cluster is gone with it.
func (e *Engine) left() ([]string, error) {
	records, _, err := e.records()
	if err != nil {
		return nil, err
	}
	unclaimed, err := e.unclaimed()
	if err != nil {
		return nil, err
	}
	var left []string
	for _, r := range records {
		left = append(left, r.Type+" "+r.ID)
	}
	for _, r := range unclaimed {
		if strings.HasPrefix(r.Type, "cloudflare:") {
			left = append(left, r.Type+" "+r.ID)
		}
	}
	known, err := clustersOf("")
	if err != nil {
		return nil, err
	}
	running, err := controlplane.List()
	if err != nil {
		return nil, err
	}
	for _, name := range running {
		if !slices.Contains(known, name) {
			left = append(left, "control plane "+name)
		}
	}
	return left, nil
}

// reset stops every control plane and removes all that the local engine has made.
func (e *Engine) reset(ctx context.Context, _ []string) error {
	if err := refuseBusy(); err != nil { // it would write again what is removed
		return err
	}
	if _, err := faults.Settle(ctx); err != nil { // or what they are at work on would come back
		return err
	}
	names, err := controlplane.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := controlplane.Delete(ctx, name); err != nil {
			return err
		}
	}
	for _, folder := range []string{"cloud", "state", "project", "pulumi", "kwok", "plugins", "calls.json", "bin"} {
		path, err := home.Path(folder)
		if err != nil {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	fmt.Printf("reset: removed %d clusters, the inventory and the state of every stack\n", len(names))
	return nil
}

func (e *Engine) pulumi(ctx context.Context, args []string) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	cmd := e.tool(ctx, "pulumi", args...)
	if len(args) > 0 && args[0] == "config" { // a setting belongs into the stack file, not into the engine's copy of it
		cmd.Env = append(cmd.Env, configFileVariable+"="+e.configFile)
	}
	return cmd.Run()
}

func (e *Engine) kubectl(ctx context.Context, args []string) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	names, err := e.clusters()
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return fmt.Errorf("stack %s has no cluster yet: run `make up STACK=%s` first", e.stack, e.stack)
	}
	config, err := controlplane.Kubeconfig(names[0])
	if err != nil {
		return err
	}
	return e.tool(ctx, "kubectl", append([]string{"--kubeconfig", config}, args...)...).Run()
}

// begin settles what an interrupted command has left, installs what pulumi needs, and starts the control planes of the account again if
// the machine was off. Commands that begin at once would each start them: one waits for the other.
func (e *Engine) begin(ctx context.Context) error {
	done, err := alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	busy, err := faults.Settle(ctx)
	if err != nil {
		return err
	}
	if e.running, err = e.releaseLocks(); err != nil {
		return err
	}
	if e.running == 0 { // else it is just being written
		if err := e.mendCheckpoint(); err != nil {
			return err
		}
	}
	if err := e.install(ctx); err != nil {
		return err
	}
	if !busy {
		resumed, err := clouds.Resume(ctx)
		for _, name := range resumed {
			fmt.Fprintf(os.Stderr, "finished cluster %s, which was being made or deleted when its plugin was killed\n", name)
		}
		if err != nil {
			return err
		}
	}
	names, err := e.clusters()
	if err != nil {
		return err
	}
	for _, name := range names {
		running, err := controlplane.Running(name)
		if err != nil {
			return err
		}
		if running {
			continue
		}
		fmt.Fprintf(os.Stderr, "starting the control plane of %s again ...\n", name)
		if err := controlplane.EnsureRunning(ctx, name); err != nil {
			return fmt.Errorf("starting the control plane of %s: %w", name, err)
		}
	}
	return nil
}

// operate runs one pulumi operation on the stack, after what an earlier one left open is settled, and gives what it changed. The
// engine's events go to a log.
func (e *Engine) operate(ctx context.Context, events string, args []string) (changes, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	switch {
	case e.running == 0:
		if err := e.recover(ctx); err != nil {
			return nil, err
		}
	case args[0] != "preview": // which changes nothing, and may look on
		return nil, errAtWork(e.running, e.stack)
	}
	if err := faults.Reset(); err != nil {
		return nil, err
	}
	err := e.tool(ctx, "pulumi", append(args, eventLogFlag, events)...).Run()
	switch {
	case killed(err):
		fmt.Println() // it was in the middle of a line
		return nil, fmt.Errorf("pulumi %s: %w: the same command finds out what became of the steps that were under way, and goes on from there",
			args[0], err)
	case err != nil && args[0] != "preview":
		return nil, fmt.Errorf("pulumi %s: %w: what succeeded is kept; mend what is named above, and the same command goes on from there",
			args[0], err)
	case err != nil:
		return nil, fmt.Errorf("pulumi %s: %w", args[0], err)
	}
	return readChanges(events)
}
