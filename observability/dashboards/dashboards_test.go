package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files is the folder that the program embeds.
const files = "../grafana/dashboards"

func TestO3FilesAreWhatTheTablesSay(t *testing.T) {
	var names []string
	for _, d := range dashboards {
		want, err := d.json()
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(files, d.uid+".json"))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s: run `go run ./observability/dashboards`", d.uid)
		names = append(names, filepath.Join(files, d.uid+".json"))
	}
	found, err := filepath.Glob(files + "/*")
	require.NoError(t, err)
	assert.ElementsMatch(t, names, found, "every file is one of them")
}

// Alerts name dashboards by these.
func TestO3DashboardsHaveTheAddressesThatAlertsName(t *testing.T) {
	var uids []string
	for _, d := range dashboards {
		uids = append(uids, d.uid)
	}
	assert.Equal(t, []string{"overview", "api", "agents", "data", "nodes", "backups"}, uids)
}

func TestO3PanelsExplainThemselves(t *testing.T) {
	for _, d := range dashboards {
		for _, r := range d.rows {
			for _, p := range r.panels {
				where := d.uid + ": " + p.title
				assert.NotEmpty(t, p.title, where)
				assert.NotEmpty(t, p.about, "%s says what is good, what is bad", where)
				assert.True(t, p.width > 0 && p.width <= page, where)
				assert.Equal(t, p.kind == table, p.columns != nil, where)
				if p.kind == words {
					continue
				}
				assert.NotEmpty(t, p.queries, where)
				assert.True(t, p.unit != "" || p.kind == lines, "%s has no unit", where)
				for _, q := range p.queries {
					assert.Equal(t, p.queries[0].logs, q.logs, "%s asks one source", where)
					assert.True(t, q.legend != "" || len(p.queries) == 1, "%s: two queries without names look the same", where)
				}
			}
		}
	}
}

// Ten seconds: what is first, on any screen, is the state of the customers, in colours.
func TestO3OverviewBeginsWithTheCustomers(t *testing.T) {
	first := overview.rows[0]
	width := 0
	for _, p := range first.panels {
		assert.Equal(t, light, p.kind, p.title)
		require.NotEmpty(t, p.limits, p.title)
		assert.Equal(t, red, p.limits[len(p.limits)-1].color, p.title)
		width += p.width
	}
	assert.Equal(t, page, width, "they are one line")
	for _, r := range overview.rows[:3] {
		for _, p := range r.panels {
			if p.kind == light && p.title != "Alerts that page" && p.title != "Alerts for the morning" {
				assert.NotEmpty(t, p.leads, "%s leads to the page that knows more", p.title)
			}
		}
	}
}
