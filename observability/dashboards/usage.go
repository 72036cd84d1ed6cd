package main

import "strings"

// usage is a graph of shares of limits, of the pods whose names begin with a workload's.
func usage(title, pods, expr string) panel {
	return panel{
		title: title, kind: graph, width: 8, unit: share, limits: rising(0.8, 0.95), floor: number(0),
		about:   "The ten that use most. CPU at its limit is slowed down; memory at its limit is killed.",
		queries: []query{ask("topk(10, "+strings.ReplaceAll(expr, "PODS", pods+"-.+")+")", "{{pod}}")},
	}
}
