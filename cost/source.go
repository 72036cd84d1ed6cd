package cost

// Components: the rows of the source's table, and below them ours that it has no row for.
const (
	Kubernetes   = "Kubernetes"
	PostgreSQL   = "PostgreSQL"
	Redis        = "Redis"
	Vault        = "Vault"
	LoadBalancer = "Load Balancer"
	Storage      = "S3 Storage"
	CDN          = "CDN"
	Monitoring   = "Monitoring"

	Network = "Network"
	Secrets = "Keys and secrets"
)

// Tenants is what the source's estimate is made for.
const Tenants = 100

// SourceRow is a row of the source's "Monthly Infrastructure Costs", USD, with what ours has in its place.
type SourceRow struct {
	Component, Specification string
	Monthly                  Range
	// Ours is what stands behind our figure where it is not the same thing.
	Ours string
}

// Source is the table, in its order.
var Source = []SourceRow{
	{Kubernetes, "3-10 nodes (t3.xlarge)", Range{600, 2000}, "nodes that hold the replicas it asks for"},
	{PostgreSQL, "db.r5.xlarge + replica", Range{800, 800}, ""},
	{Redis, "ElastiCache, 6 nodes (cache.t3.medium)", Range{400, 400}, "on our nodes, as its own manifests have it"},
	{Vault, "3 nodes on K8s", Range{}, "on our nodes"},
	{LoadBalancer, "AWS ELB/ALB", Range{50, 50}, ""},
	{Storage, "500GB backups + logs", Range{15, 15}, "S3 and image registry"},
	{CDN, "CloudFront, 1TB transfer", Range{85, 85}, "Cloudflare, paid by the stack that owns the zone"},
	{Monitoring, "Datadog, 10 hosts, 200GB logs", Range{400, 400}, "CloudWatch Logs; the rest on our nodes"},
	{Network, "not counted", Range{}, "NAT gateways, endpoints, data transfer"},
	{Secrets, "not counted", Range{}, "KMS, Secrets Manager"},
}

// SourceTotal is the table's own last row.
var SourceTotal = Range{2350, 3750}
