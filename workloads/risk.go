package workloads

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// NewRisk runs the risk workers (W4).
func NewRisk(ctx *pulumi.Context, place Place, spec config.Workload, opts ...pulumi.ResourceOption) (*Service, error) {
	return newWorker(ctx, "risk-worker", place, worker{
		spec:         spec,
		labels:       map[string]string{"app": "risk-worker"},
		queue:        "risk",
		nodeAffinity: true,
	}, opts...)
}
