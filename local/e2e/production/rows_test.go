package production

import (
	"os"
	"path/filepath"
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
		seen, planned := plan(t, "--config", file, "preview", "--refresh=false", "--diff")
		require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
		for _, made := range []string{"apps/v1:Deployment", "keda.sh/v1alpha1:ScaledObject", "core/v1:ServiceAccount"} {
			assert.Contains(t, planned, "+ kubernetes:"+made+" agent-worker-momentum")
		}
		others := slices.DeleteFunc(planned, func(line string) bool {
			return strings.HasPrefix(line, "+ ") && strings.Contains(line, "agent-worker-momentum")
		})
		assert.Equal(t, []string{"~ kubernetes:networking.k8s.io/v1:Ingress ingress-routes"}, others, "nothing else is touched")
		assert.Regexp(t, `value *: "momentum_agent"`, seen.Output, "what the worker takes its tasks from")
		assert.Regexp(t, `listName *: "momentum_agent"`, seen.Output, "what its autoscaler looks at")
		assert.Contains(t, seen.Output, `"/status"`)
	})
	t.Run("N7 of the table of flows", func(t *testing.T) {
		seen, planned := plan(t, "--root", seventh(t), "preview", "--refresh=false", "--diff")
		require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
		assert.Equal(t, []string{
			"~ kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-billing", "~ kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-redis",
		}, planned, "the row is billing's way to Redis: tools/seventh")
		assert.Contains(t, details(seen.Output, "network-policies-billing"), "egress")
		assert.Contains(t, details(seen.Output, "network-policies-redis"), "ingress")
	})
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
