package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const limit = 5 * time.Minute

// run runs a program in a folder, as in the pod: with the files that every pod of a service account has.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	account := t.TempDir()
	inside := filepath.Join(account, "secrets/kubernetes.io/serviceaccount")
	require.NoError(t, os.MkdirAll(inside, 0o755))
	for _, name := range []string{"token", "ca.crt"} {
		require.NoError(t, os.WriteFile(filepath.Join(inside, name), []byte("-"), 0o600))
	}
	args[0] = programs.Tool(t, args[0])
	return programs.Run(t, limit, programs.Command{
		Name: args[0], Args: args, Env: []string{"ENVIRONMENT=prod", "REGION=us-east-1"}, Names: programs.NewNames(t), Run: account,
	})
}

func TestO1PrometheusTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	out, err := run(t, "promtool", "check", "config", "--lint=all", "--lint-fatal", filepath.Join(folder(t, "prometheus"), "prometheus.yml"))
	require.NoError(t, err, out)
	assert.Contains(t, out, "SUCCESS")
	for _, path := range slices.Concat(files(t, "prometheus/facts"), files(t, "prometheus/rules"), files(t, "prometheus/alerts")) {
		assert.Contains(t, out, path, "its rules are checked with it")
	}
}

func TestO5RulesAreRead(t *testing.T) {
	t.Parallel()
	out, err := run(t, slices.Concat([]string{"promtool", "check", "rules", "--lint=all", "--lint-fatal"}, files(t, "prometheus/facts"), files(t, "prometheus/rules"), files(t, "prometheus/alerts"))...)
	require.NoError(t, err, out)
}

// unit is a file of tests for `promtool test rules`.
type unit struct {
	Tests []struct {
		Name      string
		AlertTest []struct {
			Alert string           `json:"alertname"`
			Fires []map[string]any `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

func TestO5EveryAlertIsTriedFiringAndQuiet(t *testing.T) {
	t.Parallel()
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, path := range files(t, "prometheus/tests") {
		var file unit
		read(t, path, &file)
		for _, test := range file.Tests {
			for _, alert := range test.AlertTest {
				fires[alert.Alert] = fires[alert.Alert] || len(alert.Fires) > 0
				quiet[alert.Alert] = quiet[alert.Alert] || len(alert.Fires) == 0
			}
		}
	}
	alerts := shipped(t)
	for name, alert := range alerts {
		assert.True(t, fires[name], "no test has %s fire", name)
		if alert.Labels["severity"] != "none" { // the dead man's switch is never quiet
			assert.True(t, quiet[name], "no test has %s stay quiet", name)
		}
	}
	for name := range fires {
		assert.Contains(t, alerts, name, "a test of an alert that is gone")
	}
}

func TestO5AlertsFireWhenTheyMustAndOnlyThen(t *testing.T) {
	t.Parallel()
	for _, path := range files(t, "prometheus/tests") {
		t.Run(strings.TrimSuffix(filepath.Base(path), "_test.yml"), func(t *testing.T) {
			t.Parallel()
			out, err := run(t, "promtool", "test", "rules", path)
			require.NoError(t, err, out)
			assert.Contains(t, out, "SUCCESS")
		})
	}
}

func TestO2AlertmanagerTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	out, err := run(t, "amtool", "check-config", filepath.Join(folder(t, "alertmanager"), "alertmanager.yml"))
	require.NoError(t, err, out)
	assert.Contains(t, out, "1 templates\n  SUCCESS", "what PagerDuty is shown is read, too")
}

func TestO2EverySeverityFindsItsReceiver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		labels   []string
		receiver string
	}{
		{[]string{"alertname=ApiDown", "severity=page", "owner=api"}, "pagerduty-page"},
		{[]string{"alertname=VaultSealed", "severity=page", "owner=platform"}, "pagerduty-page"},
		{[]string{"alertname=NodeNotReady", "severity=ticket", "owner=platform"}, "pagerduty-ticket"},
		{[]string{"alertname=CacheHitRateLow", "severity=ticket", "owner=api"}, "pagerduty-ticket"},
		{[]string{"alertname=Watchdog", "severity=none"}, "dead-mans-switch"},
		{[]string{"alertname=SomebodysOwn"}, "pagerduty-page"},
		{[]string{"alertname=SomebodysOwn", "severity=warning"}, "pagerduty-page"},
	} {
		out, err := run(t, slices.Concat([]string{
			"amtool", "config", "routes", "test", "--config.file", filepath.Join(folder(t, "alertmanager"), "alertmanager.yml"),
		}, c.labels)...)
		require.NoError(t, err, out)
		assert.Equal(t, c.receiver, strings.TrimSpace(out), "%v", c.labels)
	}
}

// What the shipped alerts are labelled with is what the routes ask for.
func TestO2EveryShippedAlertIsRouted(t *testing.T) {
	t.Parallel()
	receivers := map[string]string{"page": "pagerduty-page", "ticket": "pagerduty-ticket", "none": "dead-mans-switch"}
	for name, alert := range shipped(t) {
		args := []string{"amtool", "config", "routes", "test", "--config.file", filepath.Join(folder(t, "alertmanager"), "alertmanager.yml"), "alertname=" + name}
		for label, value := range alert.Labels {
			args = append(args, label+"="+value)
		}
		out, err := run(t, args...)
		require.NoError(t, err, out)
		assert.Equal(t, receivers[alert.Labels["severity"]], strings.TrimSpace(out), name)
	}
}

// A rule that one version takes another may refuse: what is tried here is what ships.
func TestO1ProgramsAreOfTheVersionsThatShip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ program, image string }{
		{"prometheus", "quay.io/prometheus/prometheus"}, {"promtool", "quay.io/prometheus/prometheus"},
		{"alertmanager", "quay.io/prometheus/alertmanager"}, {"amtool", "quay.io/prometheus/alertmanager"},
	} {
		out, err := run(t, c.program, "--version")
		require.NoError(t, err, out)
		version := regexp.MustCompile(`version ([0-9.]+)`).FindStringSubmatch(out)
		require.NotNil(t, version, out)
		for _, stack := range []string{"local", "staging", "prod"} {
			text, err := os.ReadFile(filepath.Join(root, "Pulumi."+stack+".yaml"))
			require.NoError(t, err)
			assert.Contains(t, string(text), c.image+":v"+version[1]+"\n", "%s of stack %s", c.program, stack)
		}
	}
}
