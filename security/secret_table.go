package security

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Space is where in the cluster a secret is needed.
type Space string

// The namespaces that have secrets from Secrets Manager. Only the platform's own name depends on the environment.
const (
	InPlatform    Space = "platform"
	InCertManager Space = "cert-manager"
	InMonitoring  Space = "monitoring"
)

// origin is who knows a secret's value.
type origin int

const (
	fromData  origin = iota // package data makes it, with what it is for
	generated               // the program makes it up
	byPerson                // only a person has it, and puts it into Secrets Manager
)

// Paths of the secrets that package data makes, after /alphapulse/<environment>/.
const (
	DatabaseURLPath         = "database/url"
	DatabaseMasterPath      = "database/master"
	DatabaseApplicationPath = "database/application"
	DatabaseMonitoringPath  = "database/monitoring"
)

// What kombu is told of the broker.
var (
	//go:embed broker/url
	brokerURL string
	//go:embed broker/transport-options.json
	brokerTransportOptions string
)

// clusterSecret is a row of the table of secrets: a Secret in the cluster, and where each of its keys comes from.
type clusterSecret struct {
	name  string
	space Space
	path  string // in Secrets Manager, after /alphapulse/<environment>/
	keys  []secretKey
	// template makes the Secret's keys from those above; without one they are the Secret's.
	template map[string]string
	origin   origin
	// prompt: a new value is fetched within a minute.
	prompt bool
	// url is what clients of a generated password are told; %s is the password. Empty if the template makes it.
	url string
	// Words for docs/secrets.md and for warnings: who reads it, what the value is, and how it shows that it is missing.
	readers, value, missing string
}

// secretKey is one key. Property is that of the stored JSON, none for a value that is stored as it is; path is another than the row's.
type secretKey struct{ name, property, path string }

// named are keys that have the names of their properties.
func named(names ...string) (keys []secretKey) {
	for _, name := range names {
		keys = append(keys, secretKey{name: name, property: name})
	}
	return keys
}

// refresh is how often Secrets Manager is asked.
func (s clusterSecret) refresh() string {
	if s.prompt {
		return promptRefresh
	}
	return secretRefresh
}

// secretTable has all secrets that the cluster reads (S2). A new one is a row here, and a line of docs/secrets.md.
var secretTable = []clusterSecret{
	{
		name: "database-credentials", space: InPlatform, prompt: true, path: DatabaseURLPath, keys: []secretKey{{name: "url"}},
		readers: "API, agents, risk workers, billing",
	}, {
		name: "database-roles", space: InPlatform, prompt: true, path: DatabaseMasterPath, keys: []secretKey{
			{name: "PGHOST", property: "host"}, {name: "PGPORT", property: "port"}, {name: "PGDATABASE", property: "dbname"},
			{name: "PGUSER", property: "username"}, {name: "PGPASSWORD", property: "password"},
			{name: "APPLICATION_USER", property: "username", path: DatabaseApplicationPath},
			{name: "APPLICATION_VERIFIER", property: "verifier", path: DatabaseApplicationPath},
			{name: "MONITORING_USER", property: "username", path: DatabaseMonitoringPath},
			{name: "MONITORING_VERIFIER", property: "verifier", path: DatabaseMonitoringPath},
		},
		readers: "the job that makes the database's roles",
	}, {
		name: "pgbouncer-credentials", space: InPlatform, prompt: true, path: DatabaseApplicationPath, keys: named("username", "password"),
		// PgBouncer's own format. It needs the password itself, to log in to PostgreSQL with it; a generated one holds nothing to escape.
		template: map[string]string{"userlist.txt": "\"{{ .username }}\" \"{{ .password }}\"\n"},
		readers:  "PgBouncer",
	}, {
		name: "redis-credentials", space: InPlatform, path: "redis/credentials", keys: named("url", "password"), origin: generated,
		url: "redis://:%s@redis-cluster:6379",
		// The exporter wants a map from where it asks, Redis' socket in its pod, to the password.
		template: map[string]string{"url": "{{ .url }}", "password": "{{ .password }}", "exporter.json": `{"unix:///tmp/redis.sock":"{{ .password }}"}`},
		readers:  "API, agents, risk workers, the ingress, Redis itself",
	}, {
		name: "broker-credentials", space: InPlatform, path: "broker/credentials", keys: named("password"), origin: generated,
		// As kombu reads them: the hosts of the URL are Sentinels, its password is that of the Redis that they name. The name of the group and
		// Sentinel's own password, the same one, are transport options.
		template: map[string]string{"password": "{{ .password }}", "url": brokerURL, "transport-options": brokerTransportOptions},
		readers:  "API, agents, risk workers, KEDA, the broker itself",
	}, {
		name: "stripe-credentials", space: InPlatform, path: "stripe", keys: named("api-key", "webhook-secret"), origin: byPerson,
		readers: "billing",
		value:   "a restricted key of Stripe's, and the signing secret of the endpoint `https://<host>/webhooks/stripe`",
		missing: "pods of billing stay in `CreateContainerConfigError`",
	}, {
		name: "exchange-credentials", space: InPlatform, path: "exchanges", origin: byPerson,
		keys:    named("binance-api-key", "binance-api-secret", "coinbase-api-key", "coinbase-api-secret"),
		readers: "agents",
		value:   "API keys of both exchanges, limited to the addresses in the stack output `platform.network.egressIps`",
		missing: "pods of all six agents stay in `CreateContainerConfigError`",
	}, {
		name: "cloudflare-api-token", space: InCertManager, path: "cloudflare/api-token", keys: named("token"), origin: byPerson,
		readers: "cert-manager",
		value:   "a token of Cloudflare's that may edit the zone's DNS records (Zone, DNS, Edit) and read the zone (Zone, Zone, Read), and no more",
		missing: "no certificate is issued: `alphapulse-tls` is missing, and Cloudflare answers 525",
	}, {
		name: "pagerduty-credentials", space: InMonitoring, path: "pagerduty", keys: named("routing-key", "dead-mans-switch-url"), origin: byPerson,
		readers: "Alertmanager",
		value: "the integration key of a PagerDuty service, Events API v2, and the URL of somebody outside who calls when nothing comes any more (a " +
			"heartbeat or dead man's switch; its host has to be in `network.dnsFirewall.domains`)",
		missing: "the pod of Alertmanager stays in `ContainerCreating`, and nobody is called",
	}, {
		name: "grafana-credentials", space: InMonitoring, path: "grafana/admin", keys: []secretKey{{name: "admin-password", property: "password"}}, origin: generated,
		readers: "Grafana, and whoever looks at it",
	}, {
		name: "postgres-exporter-credentials", space: InMonitoring, prompt: true, path: DatabaseMonitoringPath, keys: named("username", "password"),
		readers: "the exporter of PostgreSQL's metrics",
	},
}

// paths are all that a row reads, each once.
func (s clusterSecret) paths() (paths []string) {
	for _, key := range s.keys {
		if path := s.pathOf(key); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

func (s clusterSecret) pathOf(key secretKey) string {
	if key.path != "" {
		return key.path
	}
	return s.path
}

// command is what a person runs to give a secret its value. The value comes from a file: on the command line it would stay in the shell's
// history, and everybody on the machine could read it.
func (s clusterSecret) command(environment string) string {
	return fmt.Sprintf("aws secretsmanager put-secret-value --secret-id %s --secret-string file://%s.json",
		SecretName(environment, s.path), strings.ReplaceAll(s.path, "/", "-"))
}

// shape is the JSON that the value must be.
func (s clusterSecret) shape() string {
	properties := map[string]string{}
	for _, key := range s.keys {
		properties[key.property] = "..."
	}
	text, err := json.Marshal(properties)
	if err != nil {
		panic(err) // a map of strings
	}
	return string(text)
}

// spaces are the table's, sorted.
func spaces() []Space {
	found := map[Space]bool{}
	for _, s := range secretTable {
		found[s.space] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// inSpace are the rows of a namespace.
func inSpace(space Space) (rows []clusterSecret) {
	for _, s := range secretTable {
		if s.space == space {
			rows = append(rows, s)
		}
	}
	return rows
}
