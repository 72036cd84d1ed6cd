package checks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// classic is the form that files of dashboards have; the newer one is Kubernetes', for Grafana's own store.
type classic = dashboard.Dashboard //nolint:staticcheck // deprecated for who stores dashboards, not for who ships files

// There is no Grafana here to show them: its code is under a license that keeps it out. But its types are published, and made from its schema:
// they take nothing that they do not know, in no panel's options, no field's, no query.
func TestO3DashboardsAreOfGrafanasSchema(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	files, err := filepath.Glob(dashboardFiles)
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var read classic
		require.Empty(t, faults(strictly(t, text, &read)), file)
		require.Empty(t, faults(read.Validate()), file)
		assert.EqualValues(t, dashboard.NewDashboard().SchemaVersion, read.SchemaVersion, "%s: the edition that these types are of", file)
	}

	// The check itself.
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	for i, spoil := range []func(board map[string]any){
		func(board map[string]any) { board["titel"] = "x" },
		func(board map[string]any) { firstOf(board, "stat")["options"].(map[string]any)["colourMode"] = "x" },
		func(board map[string]any) { firstOf(board, "stat")["options"].(map[string]any)["textMode"] = 1 },
		func(board map[string]any) {
			firstOf(board, "timeseries")["fieldConfig"].(map[string]any)["default"] = 1
		},
		func(board map[string]any) {
			firstOf(board, "timeseries")["fieldConfig"].(map[string]any)["defaults"].(map[string]any)["custom"].(map[string]any)["lineWith"] = 1
		},
		func(board map[string]any) { firstOf(board, "stat")["targets"].([]any)[0].(map[string]any)["query"] = 1 },
	} {
		board := map[string]any{}
		require.NoError(t, json.Unmarshal(text, &board))
		spoil(board)
		spoiled, err := json.Marshal(board)
		require.NoError(t, err)
		assert.NotEmpty(t, faults(strictly(t, spoiled, new(classic))), "%d", i)
	}
}

// strictly reads a dashboard, and what the dashboard's own type does not look at: how fields look.
func strictly(t *testing.T, text []byte, into *classic) error {
	t.Helper()
	if err := into.UnmarshalJSONStrict(text); faults(err) != "" {
		return err
	}
	var board struct {
		Panels []struct{ FieldConfig json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(text, &board))
	for _, panel := range board.Panels {
		if err := new(dashboard.FieldConfigSource).UnmarshalJSONStrict(panel.FieldConfig); faults(err) != "" {
			return err
		}
	}
	return nil
}

// faults are what is wrong, in words: the types say so with an error that is not nil when nothing is.
func faults(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func firstOf(board map[string]any, kind string) map[string]any {
	for _, p := range board["panels"].([]any) {
		if panel := p.(map[string]any); panel["type"] == kind {
			return panel
		}
	}
	return nil
}

func TestO3PanelsLieBesideEachOther(t *testing.T) {
	uids := set{}
	for _, p := range pages(t) {
		assert.False(t, uids[p.UID], p.UID)
		uids[p.UID] = true
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, panel := range p.Panels {
			assert.False(t, ids[panel.ID], "%s: two panels have number %d", p.UID, panel.ID)
			ids[panel.ID] = true
			at := panel.GridPos
			assert.True(t, at.W > 0 && at.H > 0 && at.X >= 0 && at.X+at.W <= 24, "%s: %s", p.UID, panel.Title)
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other, lies := taken[[2]int{x, y}]; lies {
						require.Fail(t, "one panel over another", "%s: %q and %q", p.UID, other, panel.Title)
					}
					taken[[2]int{x, y}] = panel.Title
				}
			}
		}
	}
}
