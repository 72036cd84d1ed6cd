// Package checks holds what observability says against what there is (O1 to O5), with the parsers of those who read it: PromQL with Prometheus' own,
// LogQL with the one that Grafana's editor has, dashboards with Grafana's types, the collector's file with its own syntax. Each metric, and each
// label of one, has to stand in a list of what its exporter exposes (../metrics). It is a module of its own, since the others need older versions of
// what Prometheus needs.
package checks
