// Command dashboards writes Grafana's dashboards (O3) as the files that it is provisioned with:
//
//	go run ./observability/dashboards
//
// A dashboard is a table of rows of panels; what Grafana wants besides is the same for all, and stands in grafana.go. A test holds the files
// against the tables.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// folder is where Grafana's dashboards lie, seen from the project's.
const folder = "observability/grafana/dashboards"

func main() {
	for _, d := range dashboards {
		text, err := d.json()
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, d.uid+".json"), text, 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "writing dashboard %q: %v\n", d.uid, err)
			os.Exit(1)
		}
	}
}
