package workloads

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// NewAgents runs the agents: for each type a Deployment, a queue and an autoscaler of its own (W3).
func NewAgents(ctx *pulumi.Context, place Place, spec config.Agents, opts ...pulumi.ResourceOption) error {
	for _, kind := range spec.Types {
		if _, err := newWorker(ctx, config.AgentName(kind), place, worker{
			spec:   spec.Worker,
			labels: map[string]string{"app": "agent-worker", "type": kind},
			queue:  kind + "_agent",
			env: []Env{ // agents alone trade
				{Name: "BINANCE_API_KEY", Secret: "exchange-credentials", Key: "binance-api-key"},
				{Name: "BINANCE_API_SECRET", Secret: "exchange-credentials", Key: "binance-api-secret"},
				{Name: "COINBASE_API_KEY", Secret: "exchange-credentials", Key: "coinbase-api-key"},
				{Name: "COINBASE_API_SECRET", Secret: "exchange-credentials", Key: "coinbase-api-secret"},
			},
		}, opts...); err != nil {
			return err
		}
	}
	return nil
}
