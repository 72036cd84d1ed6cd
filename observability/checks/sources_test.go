package checks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	dashboardFiles  = "../grafana/dashboards/*.json"
	prometheusFiles = "../prometheus"
	lists           = "../metrics"
)

// page is a dashboard, as far as is looked at here.
type page struct {
	UID        string
	Templating struct {
		List []struct {
			Name  string
			Query struct{ Query string }
		}
	}
	Annotations struct{ List []struct{ Expr string } }
	Panels      []struct {
		Title, Type string
		ID          int
		GridPos     struct{ X, Y, W, H int }
		FieldConfig struct {
			Defaults struct{ Thresholds struct{ Steps []step } }
		}
		Targets []struct {
			Expr, LegendFormat string
			Datasource         struct{ Type, UID string }
		}
		Transformations []struct {
			Options struct{ IndexByName map[string]int }
		}
	}
}

// step is from which value on a colour holds; the first is for all below.
type step struct {
	Color string
	Value *float64
}

func pages(t *testing.T) (all []page) {
	t.Helper()
	files, err := filepath.Glob(dashboardFiles)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		var one page
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &one), file)
		all = append(all, one)
	}
	return all
}

// rule is one of Prometheus'.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// rules are all of them, in the order in which they have to be read: what is recorded before what asks for it.
func rules(t *testing.T) (all []rule) {
	t.Helper()
	for _, folder := range []string{"facts", "rules", "alerts"} {
		files, err := filepath.Glob(filepath.Join(prometheusFiles, folder, "*.yml"))
		require.NoError(t, err)
		require.NotEmpty(t, files, folder)
		for _, file := range files {
			var one struct{ Groups []struct{ Rules []rule } }
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, yaml.Unmarshal(text, &one), file)
			for _, group := range one.Groups {
				all = append(all, group.Rules...)
			}
		}
	}
	return all
}
