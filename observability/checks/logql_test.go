package checks

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrong is what the grammar of Grafana's editor finds wrong with each expression; "" is nothing.
func wrong(t *testing.T, expressions []string) []string {
	t.Helper()
	tools := os.Getenv("ALPHAPULSE_TOOLS")
	require.NotEmpty(t, tools, "this suite is run by `make test`, which installs its programs first")
	text, err := json.Marshal(expressions)
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), filepath.Join(tools, "logql"))
	command.Stdin = bytes.NewReader(text)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var found []*string
	require.NoError(t, json.Unmarshal(out, &found), "%s", out)
	require.Len(t, found, len(expressions))
	all := make([]string, len(found))
	for i, one := range found {
		if one != nil {
			all[i] = *one
		}
	}
	return all
}

var (
	selector = regexp.MustCompile(`{([^{}]*)}`)
	matcher  = regexp.MustCompile(`(\w+) *(?:=~|!~|!=|=) *"`)
	grouping = regexp.MustCompile(`\b(?:by|without) *\(([^)]*)\)`)
	filter   = regexp.MustCompile(`\| *(\w+) *(?:=~|!~|!=|=) *"`)
)

// asked are the labels by which an expression chooses streams and groups, and those by which it filters lines.
func asked(expression string) (streams, lines []string) {
	for _, one := range selector.FindAllStringSubmatch(expression, -1) {
		streams = append(streams, names(matcher, one[1])...)
	}
	for _, one := range grouping.FindAllStringSubmatch(expression, -1) {
		for _, name := range strings.Split(one[1], ",") {
			lines = append(lines, strings.TrimSpace(name))
		}
	}
	return streams, append(lines, names(filter, expression)...)
}

func TestO3EveryQuestionToLokiIsOne(t *testing.T) {
	// Labels that the collector gives, and what Loki finds out by itself (TestO4LokiKeepsLogsInOurBucketForSoLong).
	streams := setOf("namespace", "workload", "pod", "container", "environment")
	lines := streams.with(setOf("detected_level"))
	var where, expressions []string
	for _, p := range pages(t) {
		for _, panel := range p.Panels {
			for _, target := range panel.Targets {
				if target.Datasource.Type != "loki" {
					continue
				}
				where, expressions = append(where, p.UID+": "+panel.Title), append(expressions, variables.Replace(target.Expr))
				byStream, byLine := asked(target.Expr)
				assert.NotEmpty(t, byStream, target.Expr)
				for _, name := range byStream {
					assert.True(t, streams[name], "%s: no stream has %q", panel.Title, name)
				}
				for _, name := range append(byLine, names(legend, target.LegendFormat)...) {
					assert.True(t, lines[name], "%s: no line has %q", panel.Title, name)
				}
			}
		}
	}
	require.NotEmpty(t, expressions)
	for i, fault := range wrong(t, expressions) {
		assert.Empty(t, fault, "%s\n%s", where[i], expressions[i])
	}
	t.Logf("%d expressions", len(expressions))

	// The check itself.
	for i, fault := range wrong(t, []string{`{namespace=~"a"`, `{}`, `rate({a="b"})`, `summ(rate({a="b"}[1m]))`, `sum by (a (rate({a="b"}[1m]))`}) {
		assert.NotEmpty(t, fault, "%d", i)
	}
}
