// Package alerts holds what Prometheus and Alertmanager are told against the programs that read it, of the versions that ship.
package alerts

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

var (
	severities = []string{"page", "ticket", "none"}
	owners     = []string{"platform", "data", "api", "agents"}
	dashboards = []string{"overview", "api", "agents", "data", "nodes", "backups"}
	topics     = []string{"severity", "owner", "topic", "slo", "window", "follows"}
)

// rule is one of a rule file's: a recording, or an alert.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// folder is one of the folders of Prometheus' files.
func folder(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "observability", name))
	require.NoError(t, err)
	return path
}

func files(t *testing.T, name string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder(t, name), "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, found, name)
	return found
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), path)
}

// shipped are all alerts by name.
func shipped(t *testing.T) map[string]rule {
	t.Helper()
	alerts := map[string]rule{}
	for _, path := range files(t, "prometheus/alerts") {
		var file struct {
			Groups []struct {
				Name  string
				Rules []rule
			}
		}
		read(t, path, &file)
		for _, group := range file.Groups {
			for _, r := range group.Rules {
				require.NotEmpty(t, r.Alert, "%s has alerts only", path)
				require.NotContains(t, alerts, r.Alert, "two alerts of one name")
				alerts[r.Alert] = r
			}
		}
	}
	return alerts
}

// problems are what an alert fails to say.
func problems(alert rule, page func(path string) (string, error)) (found []string) {
	bad := func(format string, args ...any) { found = append(found, alert.Alert+" "+fmt.Sprintf(format, args...)) }
	severity := alert.Labels["severity"]
	for label, legal := range map[string][]string{"severity": severities, "owner": owners} {
		if value := alert.Labels[label]; !slices.Contains(legal, value) {
			bad("has %s %q; legal: %s", label, value, strings.Join(legal, ", "))
		}
	}
	for label := range alert.Labels {
		if !slices.Contains(topics, label) {
			bad("has a label %q that nothing reads", label)
		}
	}
	if value := alert.Annotations["dashboard"]; !slices.Contains(dashboards, value) {
		bad("has dashboard %q; legal: %s", value, strings.Join(dashboards, ", "))
	}
	if alert.Annotations["summary"] == "" {
		bad("has no summary")
	}
	if description := alert.Annotations["description"]; severity != "none" && !regexp.MustCompile(`\d|\$value|minute|hour`).MatchString(description) {
		bad("has a description without a number: %q", description)
	}
	if alert.For == "" && severity != "none" {
		bad("fires at the first glance")
	}
	path, anchor, _ := strings.Cut(alert.Annotations["runbook"], "#")
	text, err := page(path)
	switch {
	case !strings.HasPrefix(path, "docs/runbooks/") || err != nil:
		bad("has no runbook page: %q", alert.Annotations["runbook"])
	case anchor != strings.ToLower(alert.Alert) || !strings.Contains(text, "\n## "+alert.Alert+"\n"):
		bad("has no section of its own in %s", path)
	}
	return found
}

func TestO5EveryAlertSaysWhatWhoeverIsPagedNeeds(t *testing.T) {
	page := func(path string) (string, error) {
		text, err := os.ReadFile(filepath.Join(root, path))
		return string(text), err
	}
	alerts := shipped(t)
	require.Greater(t, len(alerts), 50)
	for _, alert := range alerts {
		for _, problem := range problems(alert, page) {
			t.Error(problem)
		}
	}
}

func TestO5AnAlertThatDoesNotSayIsNoticed(t *testing.T) {
	good := func() rule {
		return rule{
			Alert: "Hot", Expr: "x > 1", For: "5m", Labels: map[string]string{"severity": "page", "owner": "data"},
			Annotations: map[string]string{"summary": "It is hot", "description": "For 5 minutes", "dashboard": "data", "runbook": "docs/runbooks/data.md#hot"},
		}
	}
	page := func(string) (string, error) { return "# Data\n\n## Hot\n\nCool it.\n", nil }
	require.Empty(t, problems(good(), page))
	for says, change := range map[string]func(*rule){
		`severity ""`:                  func(r *rule) { delete(r.Labels, "severity") },
		`owner "me"`:                   func(r *rule) { r.Labels["owner"] = "me" },
		`label "team"`:                 func(r *rule) { r.Labels["team"] = "x" },
		"no summary":                   func(r *rule) { delete(r.Annotations, "summary") },
		"description without a number": func(r *rule) { r.Annotations["description"] = "It is hot" },
		`dashboard "sun"`:              func(r *rule) { r.Annotations["dashboard"] = "sun" },
		"no runbook page":              func(r *rule) { delete(r.Annotations, "runbook") },
		"no section of its own":        func(r *rule) { r.Alert = "Hotter" },
		"fires at the first glance":    func(r *rule) { r.For = "" },
	} {
		alert := good()
		change(&alert)
		assert.Contains(t, strings.Join(problems(alert, page), "\n"), says)
	}
}

// A runbook section that no alert leads to is of an alert that is gone.
func TestO5EverySectionBelongsToAnAlert(t *testing.T) {
	alerts, name := shipped(t), regexp.MustCompile(`(?m)^## ([A-Z][a-z]+(?:[A-Z][a-z]+)+|Watchdog)$`)
	pages := map[string]bool{}
	for _, alert := range alerts {
		path, _, _ := strings.Cut(alert.Annotations["runbook"], "#")
		pages[path] = true
	}
	for path := range pages {
		text, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err)
		for _, section := range name.FindAllStringSubmatch(string(text), -1) {
			assert.Contains(t, alerts, section[1], path)
		}
	}
}
