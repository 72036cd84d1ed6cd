package workloads

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// NewBilling runs the billing service (W5).
func NewBilling(ctx *pulumi.Context, place Place, spec config.Workload, opts ...pulumi.ResourceOption) (*Service, error) {
	return NewService(ctx, "billing", place, &ServiceArgs{
		Spec:        spec,
		Labels:      map[string]string{"app": "billing"},
		ServiceName: "billing-service",
		Ports:       []Port{{Name: "http", Container: 8000, Service: []int{8000}}},
		Env: []Env{
			{Name: "DATABASE_URL", Secret: "database-credentials", Key: "url"},
			{Name: "STRIPE_API_KEY", Secret: "stripe-credentials", Key: "api-key"},
			{Name: "STRIPE_WEBHOOK_SECRET", Secret: "stripe-credentials", Key: "webhook-secret"},
		},
		Probes: Probes{
			Live:  Probe{Path: "/health", InitialDelay: 30, Period: 10, Timeout: 2, Failures: 3, KillWithin: 5}, // what hangs finishes nothing
			Ready: Probe{Path: "/ready", InitialDelay: 10, Period: 5, Timeout: 3, Failures: 2},
		},
		Autoscaler:   "billing-hpa",
		TargetCPU:    70,
		Priority:     CustomerFacing,
		DrainSeconds: 10,
		StopWithin:   40,
	}, opts...)
}
