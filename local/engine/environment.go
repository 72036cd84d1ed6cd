package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"sigs.k8s.io/yaml"

	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/home"
)

// plugin is a row of what pulumi loads: in the version that the Go module asks for, from a pinned tool, or else from this program.
type plugin struct{ kind, name, module, tool string }

var plugins = []plugin{
	{"resource", "aws", "github.com/pulumi/pulumi-aws/sdk/v6", ""},
	{"resource", "cloudflare", "github.com/pulumi/pulumi-cloudflare/sdk/v5", ""},
	{"resource", "random", "github.com/pulumi/pulumi-random/sdk/v4", ""},
	{"resource", "tls", "github.com/pulumi/pulumi-tls/sdk/v5", ""},
	{"resource", "kubernetes", "github.com/pulumi/pulumi-kubernetes/sdk/v4", ""},
	{"resource", "eks", "github.com/pulumi/pulumi-eks/sdk/v2", "pulumi-resource-eks"},
	{"language", "go", "", "pulumi-language-go"},
}

// anyVersion is the version of what nobody asks for by version.
const anyVersion = "3.0.0"

// credentials are variables through which a program could reach somebody's real cloud. Nothing of the local engine sees them.
var credentials = regexp.MustCompile(`^(AWS_|KUBECONFIG=|CLOUDFLARE_|PULUMI_)`)

// configFileVariable is pulumi's --config-file for every command that has it.
const configFileVariable = "PULUMI_OPTION_CONFIG_FILE"

// setEnviron makes the environment that everything runs in.
func (e *Engine) setEnviron() error {
	bin, err := home.Path("bin")
	if err != nil {
		return err
	}
	tools, err := home.Tool("")
	if err != nil {
		return err
	}
	state, _ := home.Path("state")
	pulumiHome, _ := home.Path("pulumi")
	config, _ := home.Path("project", "Pulumi."+e.stack+".yaml")
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); name == faults.ForgetVariable ||
			!credentials.MatchString(variable) && name != "PATH" {
			e.environ = append(e.environ, variable)
		}
	}
	e.environ = append(e.environ,
		"PATH="+strings.Join([]string{bin, tools, os.Getenv("PATH")}, string(os.PathListSeparator)),
		"PULUMI_HOME="+pulumiHome,
		"PULUMI_BACKEND_URL=file://"+state+"?metadata=skip", // attributes of each file, in a file beside it: nobody reads them
		"PULUMI_STACK="+e.stack,
		configFileVariable+"="+config, // the committed stack file stays as it is; this copy has a salt of its own
		"PULUMI_CONFIG_PASSPHRASE=local",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"PULUMI_IGNORE_AMBIENT_PLUGINS=true", // only those that install puts into Pulumi's home
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_PARALLEL=64",         // as README.md says; on two CPUs it would be 8, which can all wait for a ninth
		"PULUMI_DEBUG_COMMANDS=true", // for --event-log, which the summaries are read from
		// A fifth of their time went into collecting what is thrown away soon. A control plane that they start has it, too.
		"GOGC=400",
	)
	if os.Getenv(home.StateVariable) == home.StateAtEnd {
		e.environ = append(e.environ, "PULUMI_SKIP_CHECKPOINTS=true")
	}
	return nil
}

// install puts the plugins where the Pulumi engine looks for them, and makes the stack. Doing it again changes nothing.
func (e *Engine) install(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	stub, err := home.Path("bin", "aws")
	if err != nil {
		return err
	}
	links := map[string]string{stub: self}
	versions, err := e.pluginVersions()
	if err != nil {
		return err
	}
	for _, p := range plugins {
		target := self
		if p.tool != "" {
			if target, err = home.Tool(p.tool); err != nil {
				return err
			}
		}
		if p.kind == "language" {
			if target, err = e.languageHost(target); err != nil {
				return err
			}
		}
		version, ok := versions[p.module]
		if !ok {
			version = "v" + anyVersion
		}
		path, err := home.Path("pulumi", "plugins", p.kind+"-"+p.name+"-"+version, "pulumi-"+p.kind+"-"+p.name)
		if err != nil {
			return err
		}
		links[path] = target
	}
	logs, err := home.Path("pulumi", "logs")
	if err != nil {
		return err
	}
	// Pulumi keeps a diary of all that it sends and gets, which takes half of its time and hundreds of megabytes. It does without one where it
	// can make no folder, and knows no other switch.
	links[logs] = os.DevNull
	for path, target := range links {
		if err := link(path, target); err != nil {
			return err
		}
	}
	state, err := home.Path("state")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	return e.initStack(ctx)
}

// pluginVersions reads the versions that the program was written against from its go.mod, by module.
func (e *Engine) pluginVersions() (map[string]string, error) {
	path := filepath.Join(e.root, "go.mod")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	module, err := modfile.ParseLax(path, data, nil)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, require := range module.Require {
		versions[require.Mod.Path] = require.Mod.Version
	}
	return versions, nil
}

// initStack writes the engine's copy of the stack file and makes the stack in the local state, if it is not there. The copy has the
// passphrase's salt, which `pulumi stack init` would otherwise write into the committed file.
func (e *Engine) initStack(ctx context.Context) error {
	folder, err := home.Path("project")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	project, err := os.ReadFile(filepath.Join(e.root, "Pulumi.yaml"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "Pulumi.yaml"), project, 0o600); err != nil {
		return err
	}
	copied := filepath.Join(folder, "Pulumi."+e.stack+".yaml")
	salt, err := read(copied)
	if err != nil {
		return err
	}
	settings, err := read(e.configFile)
	if err != nil {
		return err
	}
	for _, key := range []string{"secretsprovider", "encryptedkey", "encryptionsalt"} {
		delete(settings, key)
	}
	if value, ok := salt["encryptionsalt"]; ok {
		settings["encryptionsalt"] = value
	}
	data, err := yaml.Marshal(settings)
	if err != nil {
		return err
	}
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		return err
	}
	state, err := checkpoint(e.stack)
	if err != nil {
		return err
	}
	if _, err := os.Stat(state); err == nil {
		return nil
	}
	init := e.tool(ctx, "pulumi", "stack", "init", e.stack, "--non-interactive", "--no-select")
	init.Dir = folder
	var said bytes.Buffer
	init.Stdout, init.Stderr = &said, &said
	if err := init.Run(); err != nil {
		return fmt.Errorf("making the stack %q: %w: %s", e.stack, err, said.String())
	}
	return nil
}

// tool is a pinned program, run in the project's folder with the engine's environment and this terminal.
func (e *Engine) tool(ctx context.Context, name string, args ...string) *exec.Cmd {
	path, err := home.Tool(name)
	if err == nil {
		_, err = os.Stat(path)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { // pulumi then ends in its own time, and keeps its state whole
		if errors.Is(context.Cause(ctx), errInterrupted) {
			return os.ErrProcessDone // the terminal has told it; told twice, it would drop what it is at work on
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.Dir, cmd.Env = e.root, slices.Clone(e.environ)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err != nil {
		cmd.Err = fmt.Errorf("%s is not installed: run `make tools`: %w", name, err)
	}
	return cmd
}

func read(path string) (map[string]any, error) {
	settings := map[string]any{}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settings, nil
	}
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(data, &settings); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return settings, nil
}

func link(path, target string) error {
	if now, err := os.Readlink(path); err == nil && now == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return os.Symlink(target, path)
}
