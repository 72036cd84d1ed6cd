// What charts.txt copies from. No Go code needs these modules: `go mod tidy` would drop them.
module github.com/alphapulse/infrastructure/tools/charts

go 1.26.0

require sigs.k8s.io/aws-load-balancer-controller v0.0.0-20260423195125-93ff3b5fdaad
