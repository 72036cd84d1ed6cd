package production

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// testRows: a seventh type of agent, a route and a flow are one row each, and need nothing else.
func testRows(t *testing.T) {
	t.Run("W1, W3 of the stack file", func(t *testing.T) {
		const routes = "    routes:\n"
		file := suite.Changed(t, "prod", "activist, buffett]", "activist, buffett, momentum]", routes, routes+"      - {path: /status, service: api-service}\n")
		seen := suite.Try(t, "--stack", "prod", "--config", file, "preview", "--refresh=false", "--diff")
		require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
		made, changed := touched(seen.Output)
		assert.Contains(t, made, "kubernetes:apps/v1:Deployment agent-worker-momentum")
		assert.Contains(t, made, "kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-momentum")
		assert.Contains(t, made, "kubernetes:core/v1:ServiceAccount agent-worker-momentum")
		for _, one := range made {
			assert.Contains(t, one, "agent-worker-momentum", "nothing else is made")
		}
		assert.Equal(t, []string{"kubernetes:networking.k8s.io/v1:Ingress ingress-routes"}, changed)
		assert.Regexp(t, `value *: "momentum_agent"`, seen.Output, "what the worker takes its tasks from")
		assert.Regexp(t, `listName *: "momentum_agent"`, seen.Output, "what its autoscaler looks at")
		assert.Contains(t, seen.Output, `"/status"`)
	})
	t.Run("N7 of the table of flows", func(t *testing.T) {
		seen := suite.Try(t, "--root", seventh(t), "--stack", "prod", "preview", "--refresh=false", "--diff")
		require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
		made, changed := touched(seen.Output)
		assert.Empty(t, made)
		assert.Equal(t, []string{
			"kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-billing", "kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-redis",
		}, changed, "the row is billing's way to Redis: tools/seventh")
		assert.Contains(t, details(seen.Output, "network-policies-billing"), "egress")
		assert.Contains(t, details(seen.Output, "network-policies-redis"), "ingress")
	})
}

var diffLine = regexp.MustCompile(`(?m)^ *([+~]) ([a-z]\S+): \((?:create|update)\)\n(?: *\[(?:id|provider)=.*\n)* *\[urn=\S*::([^\]\n]+)\]`)

// touched reads what a detailed preview makes and changes, without the components.
func touched(output string) (made, changed []string) {
	for _, m := range diffLine.FindAllStringSubmatch(output, -1) {
		switch one := m[2] + " " + m[3]; {
		case strings.HasPrefix(m[2], "pulumi:") || strings.HasPrefix(m[2], "alphapulse:"):
		case m[1] == "+":
			made = append(made, one)
		default:
			changed = append(changed, one)
		}
	}
	slices.Sort(changed)
	return made, changed
}

// details are what a detailed preview says of one resource.
func details(output, name string) string {
	_, after, _ := strings.Cut(output, "::"+name+"]")
	text, _, _ := strings.Cut(after, "[urn=")
	return text
}

// seventh is a project like ours, whose program `make test` has built with one flow more.
func seventh(t *testing.T) string {
	t.Helper()
	folder, binary := t.TempDir(), filepath.Join(suite.Root, "bin", "seventh")
	require.FileExists(t, binary, "this suite is run by `make test`, which builds it first")
	files, err := filepath.Glob(filepath.Join(suite.Root, "Pulumi*.yaml"))
	require.NoError(t, err)
	for _, file := range append(files, filepath.Join(suite.Root, "go.mod")) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(folder, "bin"), 0o700))
	require.NoError(t, os.Symlink(binary, filepath.Join(folder, "bin", "alphapulse")))
	return folder
}
