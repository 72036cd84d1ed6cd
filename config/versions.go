package config

import "time"

// KubernetesSupport has the minors that EKS runs under standard support, and the day on which that ends (AWS's release calendar,
// read 2026-11-22; the last date is announced, not final). 1.34, which has until 2 December 2026, is left out: its pods do not learn in which
// zone they are, and Redis pairs its nodes by that (D7).
var KubernetesSupport = map[string]time.Time{
	"1.35": date(2027, time.March, 27),
	"1.36": date(2027, time.August, 2),
}

// PostgresSupport has the majors that RDS runs under standard support, and the day on which that ends (AWS's release calendar, read
// 2026-11-22). Afterwards extended support is charged for each vCPU.
var PostgresSupport = map[string]time.Time{
	"14": date(2027, time.February, 28),
	"15": date(2028, time.February, 29),
	"16": date(2029, time.February, 28),
	"17": date(2030, time.February, 28),
}

// ZoneSettingsEnd is the day on which Cloudflare ends the interface that version 5 of its provider keeps a zone's settings with
// (Cloudflare's deprecations, "Zone Settings batch API").
var ZoneSettingsEnd = date(2027, time.March, 31)

// Versions of the operators: the charts', which are the images' too.
const (
	LoadBalancerControllerVersion = "3.2.2"
	KarpenterVersion              = "1.14.1"
	CertManagerVersion            = "v1.21.2"
	ExternalSecretsVersion        = "1.3.2"
	ReloaderVersion               = "1.4.8"
	KEDAVersion                   = "2.20.2"
)

// Images of what belongs to the database (D4). The client's major is the server's: pg_dump refuses a newer server.
const (
	PostgresClientImage = "public.ecr.aws/docker/library/postgres:14.23-alpine"
	PoolerExporterImage = "quay.io/prometheuscommunity/pgbouncer-exporter:v0.12.1"
)

// RedisExporterImage is what turns a Redis' own figures into metrics (D7, D8).
const RedisExporterImage = "quay.io/oliver006/redis_exporter:v1.82.0"

// AWSCLIImage is what puts Vault's recovery keys into Secrets Manager (S1).
const AWSCLIImage = "public.ecr.aws/aws-cli/aws-cli:2.36.46"

// PodSecurityVersion is the edition of the Pod Security Standards that namespaces enforce. It is pinned: "latest" would change what is
// admitted with every upgrade of the cluster.
const PodSecurityVersion = "v1.34"

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
