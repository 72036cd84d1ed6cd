package workloads

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// Where the API finds what it needs to speak with Vault.
const (
	authorityPath  = "/etc/alphapulse/" + authorityFile
	vaultTokenPath = "/var/run/secrets/vault"
)

// NewAPI runs the API (W2). Names, paths, first delays and periods are the source document's.
func NewAPI(ctx *pulumi.Context, place Place, spec config.Workload, opts ...pulumi.ResourceOption) (*Service, error) {
	args := &ServiceArgs{
		Spec:        spec,
		Labels:      map[string]string{"app": "api"},
		ServiceName: "api-service",
		// 80 is the source's; callers inside the cluster use 8000, because the network policy agent of the VPC CNI wants a service's
		// port to equal the container's (N7).
		Ports: []Port{{Name: "http", Container: 8000, Service: []int{80, 8000}}},
		Env: []Env{
			{Name: "DATABASE_URL", Secret: "database-credentials", Key: "url"},
			{Name: "REDIS_URL", Secret: "redis-credentials", Key: "url"},
			{Name: "CELERY_BROKER_URL", Secret: brokerSecret, Key: "url"},
			{Name: "CELERY_BROKER_TRANSPORT_OPTIONS", Secret: brokerSecret, Key: "transport-options"},
			{Name: "VAULT_ADDR", Value: "https://vault:8200"},
			{Name: "VAULT_CACERT", Value: authorityPath + "/" + security.AuthorityKey},
			// What it logs in with, at auth/kubernetes, as the role `api`. It is renewed, so it is read each time.
			{Name: "VAULT_LOGIN_TOKEN", Value: vaultTokenPath + "/token"},
		},
		Files: []Files{
			{Name: authorityFile, Path: authorityPath, ConfigMap: pulumi.String(authorityFile)},
			{Name: "vault-token", Path: vaultTokenPath, Audience: vaultAudience},
		},
		Probes: Probes{
			// A hung pod is back within 30 s (R1): noticed after at most period x failures + timeout = 12 s, killed within 3 s (the wait of
			// its preStop hook uses the second up, then the kubelet gives two more), started in about 2 s, and asked whether it is ready
			// after 10 to 11 s: 28 s. It can be 32 s when the first question just misses its moment and the next comes 5 s later. A second
			// failure would add 10.
			Live:  Probe{Path: "/health", InitialDelay: 30, Period: 10, Timeout: 2, Failures: 1, KillWithin: 1},
			Ready: Probe{Path: "/ready", InitialDelay: 10, Period: 5, Timeout: 3, Failures: 2},
		},
		Autoscaler:   "api-hpa",
		TargetCPU:    70,
		TargetMemory: 80,
		Priority:     CustomerFacing,
		DrainSeconds: 10,
		StopWithin:   40,
	}
	api, err := NewService(ctx, "api", place, args, opts...)
	if err != nil {
		return nil, err
	}
	return api, newAPIRights(ctx, place, api, args.Env)
}
