package cost

import "github.com/alphapulse/infrastructure/capacity"

// Assumption is a quantity that no stack file states: what depends on use is estimated from the environment's own size with these.
type Assumption struct {
	What  string
	Value float64
	Unit  string
	Why   string
}

// All of these are guesses until there are bills; correct them from the first one.
var (
	spotShare = Assumption{"spot instances", capacity.SpotShare, "of the on-demand price", "AWS's examples are at half; prices move"}

	natPerNode   = Assumption{"through the NAT gateways", 20, "GB a node", "exchange feeds, Stripe, third-party images"}
	awsPerNode   = Assumption{"to AWS services", 10, "GB a node", "own images, logs, secrets: through the endpoints, or NAT where there are none"}
	crossPerNode = Assumption{"between zones", 30, "GB a node", "replication, and pods spread over three zones"}
	outPerAPI    = Assumption{"to the internet", 20, "GB an API replica", "answers to Cloudflare; AWS gives 100 GB a month"}
	dnsPerNode   = Assumption{"DNS look-ups through the firewall", 1, "million a node", "CoreDNS and nodes cache the rest"}
	unitsPerAPI  = Assumption{"load balancer capacity", 0.1, "NLCU an API replica", "an NLCU is 1 GB an hour; traffic is far below"}

	flowPerNode      = Assumption{"flow and DNS query logs", 2.5, "GB a node", "one line per connection and minute"}
	controlPlaneLogs = Assumption{"control-plane logs", 5, "GB a cluster", "five types; audit is the largest"}
	controlPerNode   = Assumption{"control-plane logs", 0.5, "GB a node", "the kubelets' requests"}
	auditShare       = Assumption{"audit logs, copied to S3", 0.5, "of the control-plane logs", "the other four types are not copied"}
	databaseLogs     = Assumption{"PostgreSQL logs and enhanced monitoring", 2, "GB an instance", "a reading a minute, slow queries"}
	logsPacked       = Assumption{"logs, as they are kept", 0.15, "of their size", "AWS's own figure for CloudWatch Logs"}
	appPerNode       = Assumption{"application logs in S3", 2, "GB a node, packed", "Loki's chunks and index"}
	trailLogs        = Assumption{"CloudTrail and access logs in S3", 1, "GB an environment, packed", "management events only; their first copy is free"}
	databaseUsed     = Assumption{"database, in use", 0.1, "of the disk at minimum", "a young platform"}
	databaseFull     = Assumption{"database, in use", 0.5, "of the disk at maximum", "above it the disk alarm asks for more"}
	dumpPacked       = Assumption{"nightly dump", 0.2, "of the data in use", "pg_dump's custom format packs"}
	imagesPerRepo    = Assumption{"images", 5, "GB a repository", "layers are shared; old tags expire"}
)

// NotCounted is what an environment can cost beyond the lines, and why it has none.
var NotCounted = []string{
	"CPU credits: t3 and db.t4g that run above their baseline all day pay 0.05 (0.075 for db.t4g) USD per vCPU-hour above it",
	"requests to S3, KMS, Secrets Manager and SQS, load-balancer and DNS overhead, rotated keys (1 USD more for each of the first two rotations): a few dollars",
	"RDS snapshots: as much as the disks' size is free; a restore, a drill or a blue/green upgrade doubles the database for its hours",
	"support plans, people, and what other parties bill: exchanges, Stripe, PagerDuty",
}
