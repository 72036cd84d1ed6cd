// Package engine is the local engine's command line: it runs the unmodified program with the real Pulumi CLI against stand-in clouds
// and a real Kubernetes control plane, and says in one line what came of it.
package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/home"
)

// Engine is one run of the command line, for one stack.
type Engine struct {
	root  string // the clone
	stack string
	// configFile is the stack file that is tried; Pulumi.<stack>.yaml unless another is named.
	configFile string
	environ    []string
	running    int // the process of another pulumi at work on the stack, or 0
}

// command is a row of the command line.
type command struct {
	name, help string
	run        func(*Engine, context.Context, []string) error
}

var commands = []command{
	{"up", "create or update the stack; further arguments go to `pulumi up`", (*Engine).up},
	{"preview", "say what `up` would do", (*Engine).preview},
	{"down", "destroy the stack, and say what is left", (*Engine).down},
	{"reset", "throw the local engine away, whatever it holds", (*Engine).reset},
	{"zone-lost", "lose a zone: its machines end at once, and none is launched there any more", (*Engine).zoneLost},
	{"zone-back", "bring a lost zone back", (*Engine).zoneBack},
	{"kubectl", "run the pinned kubectl against the stack's cluster", (*Engine).kubectl},
	{"pulumi", "run the pinned pulumi against the local engine", (*Engine).pulumi},
}

// Main runs one command.
func Main(args []string) error {
	flags := flag.NewFlagSet("engine", flag.ContinueOnError)
	e := &Engine{}
	flags.StringVar(&e.root, "root", ".", "the project's folder")
	flags.StringVar(&e.stack, "stack", "local", "the stack: local, staging or prod")
	flags.StringVar(&e.configFile, "config", "", "a stack file to try instead of Pulumi.<stack>.yaml")
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	name := flags.Arg(0)
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		usage(flags)
		return fmt.Errorf("unknown command %q", name)
	}
	if _, err := faults.Parse(os.Getenv(faults.Variable)); err != nil {
		return err
	}
	if err := e.prepare(); err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	return commands[i].run(e, ctx, flags.Args()[1:])
}

// errInterrupted is why a context ended by Ctrl-C has ended, which reaches all that we have started by itself.
var errInterrupted = errors.New("interrupted")

// untilSignal is a context that Ctrl-C or a SIGTERM ends. A second one changes nothing: pulumi, which takes it for a wish to lose what it is
// at work on, is not to be left alone.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			if s == os.Interrupt {
				cancel(errInterrupted)
			} else {
				cancel(errors.New("told to end"))
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

func usage(flags *flag.FlagSet) {
	fmt.Fprintln(os.Stderr, "usage: engine [flags] COMMAND [arguments]")
	for _, c := range commands {
		fmt.Fprintf(os.Stderr, "  %-9s %s\n", c.name, c.help)
	}
	flags.PrintDefaults()
	fmt.Fprintf(os.Stderr, "faults to rehearse with, in the environment variable %s:\n%s\n", faults.Variable, faults.Help)
}

// prepare finds the project and points this process, and all that it starts, at the local engine.
func (e *Engine) prepare() (err error) {
	if e.root, err = filepath.Abs(e.root); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(e.root, "Pulumi.yaml")); err != nil {
		return fmt.Errorf("%s is not the project's folder: it has no Pulumi.yaml", e.root)
	}
	if e.configFile == "" {
		e.configFile = filepath.Join(e.root, "Pulumi."+e.stack+".yaml")
	}
	if _, err := os.Stat(e.configFile); err != nil {
		stacks, _ := filepath.Glob(filepath.Join(e.root, "Pulumi.*.yaml"))
		for i, path := range stacks {
			stacks[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "Pulumi."), ".yaml")
		}
		return fmt.Errorf("there is no stack file %s; stacks: %s", e.configFile, strings.Join(stacks, ", "))
	}
	for variable, fallback := range map[string]string{
		home.DirVariable: ".local", home.ToolsVariable: filepath.Join(".local", "tools"),
	} {
		if os.Getenv(variable) == "" {
			if err := os.Setenv(variable, filepath.Join(e.root, fallback)); err != nil {
				return err
			}
		}
	}
	return e.setEnviron()
}
