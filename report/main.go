// Command report says things about a stack file that need no engine and no account: `make capacity STACK=prod`, `make cost STACK=staging`.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/cost"
)

// reports by what they are about. Each says what it can, and fails on what must not stay as it is.
var reports = map[string]func(config.Platform) (string, error){
	"capacity": ofCapacity,
	"cost":     ofCost,
}

func main() {
	if len(os.Args) != 3 || reports[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: report capacity|cost Pulumi.STACK.yaml")
		os.Exit(2)
	}
	text, err := run(os.Args[1], os.Args[2])
	fmt.Print(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(about, path string) (string, error) {
	raw, err := config.FromFile(path)
	if err != nil {
		return "", err
	}
	platform, problems := config.Load(raw)
	if err := problems.Err(); err != nil {
		return "", err
	}
	text, err := reports[about](platform)
	if err != nil {
		return text, fmt.Errorf("%s of %s: %w", about, path, err)
	}
	return text, nil
}

// ofCapacity says what the workloads ask of their nodes and of the database, and fails when it does not fit (C3, D4).
func ofCapacity(platform config.Platform) (string, error) {
	var out strings.Builder
	report := capacity.PlanFor(platform).Check()
	fmt.Fprint(&out, report.Table())
	for _, pool := range platform.Cluster.NodePools {
		fmt.Fprintf(&out, "pool %s has %d nodes at minimum replicas, %d of them always\n", pool.Name, report.NodesAtMinimum(pool.Name), pool.Min)
	}
	budget := capacity.ConnectionsFor(platform)
	fmt.Fprint(&out, budget.Table())
	if n := len(report.Problems) + len(budget.Problems()); n > 0 {
		return out.String(), fmt.Errorf("does not fit in %d ways", n)
	}
	return out.String(), nil
}

// ofCost says what a month costs, beside the source's own estimate, and fails when something has no price (E4). What does not fit has no
// price either: its nodes would have to be more or others, and it is said why.
func ofCost(platform config.Platform) (string, error) {
	if why, err := ofCapacity(platform); err != nil {
		return why, err
	}
	estimate, err := cost.For(platform, time.Now())
	if err != nil {
		return "", err
	}
	return estimate.Table(), nil
}
