package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/alphapulse/infrastructure/local/home"
)

// findChart loads a chart from those that tools/install has put beside the pinned programs: nothing is downloaded here. The version
// must be the whole one, since which versions a repository offers is not known.
func findChart(repository, name, version string) (*helm.Chart, error) {
	if strings.HasPrefix(name, "oci://") {
		cut := strings.LastIndex(name, "/")
		repository, name = name[:cut], name[cut+1:]
	}
	table, err := home.Tool(filepath.Join("charts", "charts.txt"))
	if err != nil {
		return nil, err
	}
	rows, err := os.ReadFile(table)
	if err != nil {
		return nil, fmt.Errorf("reading which charts are installed: %w; run `make tools`", err)
	}
	var installed []string
	for row := range strings.Lines(string(rows)) {
		fields := strings.Fields(row)
		if len(fields) < 3 || strings.HasPrefix(row, "#") {
			continue
		}
		folder := filepath.Join(filepath.Dir(table), filepath.Base(fields[2]))
		metadata, err := chartutil.LoadChartfile(filepath.Join(folder, "Chart.yaml"))
		if err != nil {
			return nil, fmt.Errorf("reading the installed chart %s: %w", fields[2], err)
		}
		if strings.TrimSuffix(repository, "/") == fields[0] && name == metadata.Name && plainVersion(version) == plainVersion(metadata.Version) {
			return loader.LoadDir(folder)
		}
		installed = append(installed, fmt.Sprintf("%s %s of %s", metadata.Name, metadata.Version, fields[0]))
	}
	return nil, fmt.Errorf("the local engine does not have chart %q in version %q of repository %q, only %s: "+
		"pin its Go module in tools/charts/go.mod and add a row to tools/charts/charts.txt",
		name, version, repository, strings.Join(installed, ", "))
}

// plainVersion makes "v1.2.3" and "1.2.3" the same, as they are to Helm.
func plainVersion(version string) string { return strings.TrimPrefix(version, "v") }
