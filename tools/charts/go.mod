// What charts.txt copies from. No Go code needs these modules: `go mod tidy` would drop them.
module github.com/alphapulse/infrastructure/tools/charts

go 1.26.0

require (
	github.com/aws/karpenter-provider-aws v1.14.1
	github.com/cert-manager/cert-manager v1.21.2
	github.com/external-secrets/external-secrets v1.3.2
	github.com/kedacore/charts v2.20.3-0.20260903105638-fe065f4d8938+incompatible
	sigs.k8s.io/aws-load-balancer-controller v0.0.0-20260423195125-93ff3b5fdaad
)
