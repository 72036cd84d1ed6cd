package checks

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// settings are those of grafana.ini, by section and name.
func settings(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../grafana/grafana.ini")
	require.NoError(t, err)
	all, section := map[string]string{}, ""
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, ";"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]") + "."
		default:
			name, value, found := strings.Cut(line, " = ")
			require.True(t, found, line)
			require.NotContains(t, all, section+name, "twice")
			all[section+name] = value
		}
	}
	return all
}

func TestO3GrafanaLetsNobodyInWithoutAPasswordAndCallsNobody(t *testing.T) {
	got := settings(t)
	for name, want := range map[string]string{
		"auth.anonymous.enabled": "false", "users.allow_sign_up": "false", "users.allow_org_create": "false", "snapshots.external_enabled": "false",
		"public_dashboards.enabled": "false", "analytics.enabled": "false", "analytics.reporting_enabled": "false", "analytics.check_for_updates": "false",
		"analytics.check_for_plugin_updates": "false", "news.news_feed_enabled": "false", "plugins.preinstall_disabled": "true",
		"plugins.public_key_retrieval_disabled": "true", "plugins.plugin_admin_enabled": "false", "security.disable_gravatar": "true",
		"unified_alerting.enabled": "false", "metrics.enabled": "true",
	} {
		assert.Equal(t, want, got[name], name)
	}
	assert.Equal(t, "$__file{/etc/grafana/secrets/admin-password}", got["security.admin_password"])
	for name, value := range got {
		if strings.Contains(name, "password") || strings.Contains(name, "secret") {
			assert.True(t, strings.HasPrefix(value, "$__file{"), "%s stands in a file, and in no ConfigMap", name)
		}
	}
	assert.FileExists(t, filepath.Join("../grafana/dashboards", filepath.Base(got["dashboards.default_home_dashboard_path"])))
}

func TestO3GrafanaFindsItsSourcesAndPages(t *testing.T) {
	strict := func(file string, into any) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true)
		require.NoError(t, decoder.Decode(into), file)
	}
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Prune       bool
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool `yaml:"isDefault"`
			Editable                     bool
			JSONData                     map[string]any `yaml:"jsonData"`
		}
	}
	strict("../grafana/provisioning/datasources/datasources.yaml", &sources)
	urls := map[string]string{}
	for _, one := range sources.Datasources {
		assert.Equal(t, one.Type, one.UID, "dashboards name them so")
		assert.False(t, one.Editable, one.Name)
		urls[one.UID] = one.URL
	}
	assert.Equal(t, map[string]string{
		"prometheus": "http://prometheus.monitoring.svc.cluster.local:9090", "loki": "http://loki.monitoring.svc.cluster.local:3100",
		"alertmanager": "http://alertmanager.monitoring.svc.cluster.local:9093",
	}, urls)
	for _, p := range pages(t) {
		for _, panel := range p.Panels {
			for _, target := range panel.Targets {
				assert.Equal(t, target.Datasource.Type, target.Datasource.UID)
				assert.Contains(t, urls, target.Datasource.UID, "%s: %s", p.UID, panel.Title)
			}
		}
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type string
			DisableDeletion    bool `yaml:"disableDeletion"`
			AllowUIUpdates     bool `yaml:"allowUiUpdates"`
			Interval           int  `yaml:"updateIntervalSeconds"`
			Options            struct{ Path string }
		}
	}
	strict("../grafana/provisioning/dashboards/dashboards.yaml", &boards)
	require.Len(t, boards.Providers, 1)
	assert.Equal(t, filepath.Dir(settings(t)["dashboards.default_home_dashboard_path"]), boards.Providers[0].Options.Path)
}
