// Command report prints what a stack costs a month beside the source's own estimate, and fails when something has no price (E4):
// `make cost STACK=staging`.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/cost"
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
	estimate, err := cost.For(platform, time.Now())
	if err != nil {
		return fmt.Errorf("estimating %s: %w", path, err)
	}
	fmt.Print(estimate.Table())
	return nil
}
