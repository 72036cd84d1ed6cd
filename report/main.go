// Command report says things about a stack file that need no engine and no account: `make capacity STACK=prod`, `make cost STACK=staging`.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/cost"
)

// reports by what they are about. Each prints what it can say, and fails on what must not stay as it is.
var reports = map[string]func(config.Platform) error{
	"capacity": ofCapacity,
	"cost":     ofCost,
}

func main() {
	if len(os.Args) != 3 || reports[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: report capacity|cost Pulumi.STACK.yaml")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(about, path string) error {
	raw, err := config.FromFile(path)
	if err != nil {
		return err
	}
	platform, problems := config.Load(raw)
	if err := problems.Err(); err != nil {
		return err
	}
	if err := reports[about](platform); err != nil {
		return fmt.Errorf("%s of %s: %w", about, path, err)
	}
	return nil
}

// ofCapacity says what the workloads ask of their nodes and of the database, and fails when it does not fit (C3, D4).
func ofCapacity(platform config.Platform) error {
	report := capacity.PlanFor(platform).Check()
	fmt.Print(report.Table())
	for _, pool := range platform.Cluster.NodePools {
		fmt.Printf("pool %s has %d nodes at minimum replicas, %d of them always\n", pool.Name, report.NodesAtMinimum(pool.Name), pool.Min)
	}
	budget := capacity.ConnectionsFor(platform)
	fmt.Print(budget.Table())
	if n := len(report.Problems) + len(budget.Problems()); n > 0 {
		return fmt.Errorf("does not fit in %d ways", n)
	}
	return nil
}

// ofCost says what a month costs, beside the source's own estimate, and fails when something has no price (E4).
func ofCost(platform config.Platform) error {
	estimate, err := cost.For(platform, time.Now())
	if err == nil {
		fmt.Print(estimate.Table())
	}
	return err
}
