// Package rules shows what the real engine makes of a broken rule: the real Pulumi CLI and EKS component run a small program
// (rules/violations) against the stand-in of AWS. `make test` builds what it needs.
package rules

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

const account = "000000000000" // the stand-in's, when nobody names another

const (
	keyType     = "aws:kms/key:Key"
	groupType   = "aws:cloudwatch/logGroup:LogGroup"
	clusterType = "aws:eks/cluster:Cluster"
)

// engine is a Pulumi of a test's own, with its state, its plugins and its cloud in one folder.
type engine struct{ folder, tools string }

func newEngine(t *testing.T) engine {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	standIn, program := os.Getenv("ALPHAPULSE_ENGINE"), filepath.Join(root, "bin", "violations")
	e := engine{folder: t.TempDir(), tools: os.Getenv(home.ToolsVariable)}
	require.FileExists(t, program, "this suite is run by `make test`, which builds it first")
	require.FileExists(t, standIn, "this suite is run by `make test`, which builds the engine first")
	t.Setenv(home.DirVariable, e.folder)

	link := func(target string, path ...string) {
		name := filepath.Join(append([]string{e.folder}, path...)...)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.Symlink(target, name))
	}
	link(standIn, "bin", "aws") // the EKS component asks it for its version
	link(standIn, "pulumi", "plugins", "resource-aws-"+version(t, root, "pulumi-aws/sdk/v6"), "pulumi-resource-aws")
	link(standIn, "pulumi", "plugins", "resource-kubernetes-"+version(t, root, "pulumi-kubernetes/sdk/v4"), "pulumi-resource-kubernetes")
	link(filepath.Join(e.tools, "pulumi-resource-eks"), "pulumi", "plugins", "resource-eks-"+version(t, root, "pulumi-eks/sdk/v2"), "pulumi-resource-eks")
	link(e.host(t, program), "pulumi", "plugins", "language-go-v3.0.0", "pulumi-language-go")

	project, err := os.ReadFile(filepath.Join(root, "rules", "violations", "Pulumi.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(e.folder, "Pulumi.yaml"), project, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(e.folder, "state"), 0o700))
	said, err := e.pulumi(t, "stack", "init")
	require.NoError(t, err, said)
	return e
}

// host writes a language host that runs the program that is built already. Its own options reach it by command line only, and the CLI
// does not put them there.
func (e engine) host(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(e.folder, "host")
	script := "#!/bin/sh\nexec '" + filepath.Join(e.tools, "pulumi-language-go") + "' -binary '" + program + "' \"$@\"\n"
	require.NoError(t, os.WriteFile(path, []byte(script), 0o700)) //nolint:gosec // it is run
	return path
}

// version is the one that the program was written against.
func version(t *testing.T, root, module string) string {
	t.Helper()
	path := filepath.Join(root, "go.mod")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	file, err := modfile.ParseLax(path, data, nil)
	require.NoError(t, err)
	for _, require := range file.Require {
		if require.Mod.Path == "github.com/pulumi/"+module {
			return require.Mod.Version
		}
	}
	require.Fail(t, "go.mod has no "+module)
	return ""
}

// pulumi runs one command and gives what it printed. Nothing of the caller's environment that could lead to a real cloud is handed on.
func (e engine) pulumi(t *testing.T, args ...string) (string, error) {
	t.Helper()
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), filepath.Join(e.tools, "pulumi"), append(args, "--stack", "rules", "--non-interactive")...)
	cmd.Dir = e.folder
	cmd.Env = []string{
		"PATH=" + strings.Join([]string{filepath.Join(e.folder, "bin"), e.tools, os.Getenv("PATH")}, string(os.PathListSeparator)),
		"HOME=" + os.Getenv("HOME"),
		home.DirVariable + "=" + e.folder, home.ToolsVariable + "=" + e.tools,
		"PULUMI_HOME=" + filepath.Join(e.folder, "pulumi"), "PULUMI_BACKEND_URL=file://" + filepath.Join(e.folder, "state"),
		"PULUMI_CONFIG_PASSPHRASE=local", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true", "PULUMI_IGNORE_AMBIENT_PLUGINS=true",
		"PULUMI_SKIP_UPDATE_CHECK=true",
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Logf("pulumi %s: %.1f s", strings.Join(args, " "), time.Since(began).Seconds())
	return out.String(), err
}

func (e engine) preview(t *testing.T, name, clean string) (string, error) {
	t.Helper()
	return e.pulumi(t, "preview", "-c", "violations:case="+name, "-c", "violations:clean="+clean)
}

// up goes without a preview, which would stop it before it makes anything.
func (e engine) up(t *testing.T, name, clean string) (string, error) {
	t.Helper()
	return e.pulumi(t, "up", "--yes", "--skip-preview", "-c", "violations:case="+name, "-c", "violations:clean="+clean)
}

// made counts what the cloud holds of a type.
func made(t *testing.T, typ string) (n int) {
	t.Helper()
	records, err := inventory.Account(account)
	require.NoError(t, err)
	for _, r := range records {
		if r.Type == typ {
			n++
		}
	}
	return n
}

func TestS4SeveralBrokenRules(t *testing.T) {
	e := newEngine(t)
	said, err := e.preview(t, "several", "false")
	require.Error(t, err, said)
	for _, want := range []string{
		"error: aws:kms/key:Key first: enableKeyRotation false: the key would be the same for ever",
		"error: aws:kms/key:Key hidden: deletionWindowInDays [secret]: is not a waiting time of KMS",
		"error: aws:cloudwatch/logGroup:LogGroup waits: retentionInDays 100: is not a retention that CloudWatch has", // it waits for the first key
		"resources break rules, each is named above",
	} {
		assert.Contains(t, said, want)
	}
	assert.NotContains(t, said, "Key clean:")
	assert.NotContains(t, said, "rules:Refusal", "what makes the preview fail is not planned")

	said, err = e.up(t, "several", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, "Key first: enableKeyRotation false")
	assert.LessOrEqual(t, made(t, keyType), 1, "the clean one at most")
	assert.Zero(t, made(t, groupType))

	said, err = e.preview(t, "several", "true")
	require.NoError(t, err, said)
	said, err = e.up(t, "several", "true")
	require.NoError(t, err, said)
	assert.Equal(t, 3, made(t, keyType))
	assert.Equal(t, 1, made(t, groupType))

	said, err = e.up(t, "several", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, "Key first: enableKeyRotation false")
	assert.Equal(t, 3, made(t, keyType), "what is refused is neither changed nor deleted")
	assert.Equal(t, 1, made(t, groupType))
	records, err := inventory.Account(account)
	require.NoError(t, err)
	for _, r := range records {
		assert.NotEqual(t, false, r.Inputs["enableKeyRotation"], r.ID)
	}
}

func TestS4ChildrenOfAnothersComponent(t *testing.T) {
	e := newEngine(t)
	broken := "error: aws:eks/cluster:Cluster cluster-eksCluster: enabledClusterLogTypes [\"api\",\"audit\"]: authenticator is missing (requirement C1)"
	said, err := e.preview(t, "remote", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, broken)

	said, err = e.up(t, "remote", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, broken)
	assert.Contains(t, said, "cluster-eksCluster breaks a rule and was not made")
	assert.Zero(t, made(t, clusterType))
	assert.NotZero(t, made(t, "aws:ec2/securityGroup:SecurityGroup"), "the component got as far as its cluster")

	said, err = e.preview(t, "remote", "true")
	require.NoError(t, err, said)
}
