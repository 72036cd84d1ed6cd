// Command report prints what a stack's workloads ask of its nodes, and fails when they do not fit (C3): `make capacity STACK=prod`.
package main

import (
	"fmt"
	"os"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: report Pulumi.STACK.yaml")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	raw, err := config.FromFile(path)
	if err != nil {
		return err
	}
	platform, problems := config.Load(raw)
	if err := problems.Err(); err != nil {
		return err
	}
	report := capacity.PlanFor(platform).Check()
	fmt.Print(report.Table())
	for _, pool := range platform.Cluster.NodePools {
		fmt.Printf("pool %s starts with %d nodes\n", pool.Name, report.StartSize(pool.Name))
	}
	if n := len(report.Problems); n > 0 {
		return fmt.Errorf("%s does not fit in %d ways", path, n)
	}
	return nil
}
