package security

import (
	"cmp"
	"strings"
)

// Flow is one arrow: From opens connections to To on these ports, What says what for.
type Flow struct {
	From, To party
	Ports    []Port
	What     string
}

// party is one end of a flow: Pods, or something outside the cluster.
type party interface{ title() string }

func (p Pods) title() string    { return p.Name }
func (o outside) title() string { return o.name }

// Port is a port number of TCP or UDP.
type Port struct {
	Number   int
	Protocol string
}

var (
	https  = tcp(443)
	domain = []Port{{53, "UDP"}, {53, "TCP"}}
)

// flows are all there are (N7): the arrows of the source's diagram, and what it forgets. Policies for both ends are made from this table; a
// new flow is a new row, and a line in local/e2e/flows/testdata, by hand. What stands in no row is denied: nobody but the pooler, the
// job that makes the roles and the exporter reaches PostgreSQL, the API and the risk workers have no way out, operators reach no workload but the broker.
// Probes need no row: what a pod's own node sends is always let through.
var flows = append([]Flow{
	{everybody, clusterDNS, domain, "names"},

	{cloudflare, ingress, tcp(8000, 8443), "requests: the load balancer keeps the client's address"},
	{loadBalancer, ingress, tcp(8080), "health checks"},
	{ingress, api, tcp(8000), "requests"},
	{ingress, billing, tcp(8000), "requests and Stripe's webhooks"},
	{ingress, redis, tcp(6379), "limits"},
	{ingress, apiServer, https, "routes and certificates"},

	{api, pooler, tcp(5432), "SQL"},
	{api, redis, tcp(6379), "cache"},
	{api, vault, tcp(8200), "credentials"},
	{api, broker, tcp(6379, 26379), "tasks to do"},

	{agents, pooler, tcp(5432), "signals"},
	{agents, redis, tcp(6379), "cache"},
	{agents, broker, tcp(6379, 26379), "tasks"},
	{agents, internet("the exchanges"), https, "market data"},

	{risk, pooler, tcp(5432), "SQL"},
	{risk, redis, tcp(6379), "cache"},
	{risk, broker, tcp(6379, 26379), "tasks"},

	{billing, pooler, tcp(5432), "SQL"},
	{billing, internet("Stripe"), https, "payments"},

	{pooler, postgres, tcp(5432), "SQL"},
	{databaseRoles, postgres, tcp(5432), "roles and grants"},

	{redis, redis, tcp(6379, 16379), "replication and the cluster bus"},
	{redisCreate, redis, tcp(6379), "making a cluster of them"},
	{broker, broker, tcp(6379, 26379), "replication and Sentinel"},
	{vault, vault, tcp(8200, 8201), "Raft"},
	{vault, awsAPIs("kms", "s3", "secretsmanager", "sts"), https, "unsealing, recovery keys and snapshots"},
	{vault, apiServer, https, "who a client is"},

	{karpenter, apiServer, https, "pods without a node"},
	{karpenter, awsAPIs("ec2", "eks", "pricing", "sqs", "ssm", "sts"), https, "nodes"},
	{balancers, apiServer, https, "Services"},
	{balancers, awsAPIs("ec2", "elasticloadbalancing", "sts"), https, "load balancers"},
	{controlPlane, balancers, tcp(9443), "its webhook"},
	{certManager, apiServer, https, "certificates"},
	{certManager, internet("Let's Encrypt and Cloudflare"), https, "ACME and its DNS records"},
	{certInjector, apiServer, https, "webhooks' authorities"},
	{certWebhook, apiServer, https, "its own certificate"},
	{controlPlane, certWebhook, tcp(10250), "its webhook"},
	{externalSecrets, apiServer, https, "Secrets"},
	{externalSecrets, awsAPIs("secretsmanager", "sts"), https, "secrets"},
	{secretsWebhook, apiServer, https, "what it judges"},
	{controlPlane, secretsWebhook, tcp(10250), "its webhook"},
	{secretsCertificates, apiServer, https, "the webhook's certificate"},
	{reloader, apiServer, https, "Secrets, and rollouts"},
	{kedaOperator, apiServer, https, "autoscalers"},
	{kedaOperator, broker, tcp(6379, 26379), "the lengths of queues"},
	{kedaMetricsServer, kedaOperator, tcp(9666), "the figures it hands on"},
	{kedaMetricsServer, apiServer, https, "who asks"},
	{controlPlane, kedaMetricsServer, tcp(6443), "figures for autoscalers"},
	{kedaAdmissionWebhook, apiServer, https, "what it judges"},
	{controlPlane, kedaAdmissionWebhook, tcp(9443), "its webhook"},

	{prometheus, apiServer, https, "what there is to watch"},
	{prometheus, nodes, tcp(9100, 10250), "metrics of nodes and kubelets"},
	{prometheus, clusterDNS, tcp(9153), "metrics"}, // EKS's, and not a group of ours
	{prometheus, alertmanager, tcp(9093), "alerts"},
	{alertmanager, alertmanager, []Port{{9094, "TCP"}, {9094, "UDP"}}, "what each has told people already"},
	{alertmanager, internet("PagerDuty"), https, "alerts"},
	{grafana, prometheus, tcp(9090), "figures"},
	{grafana, loki, tcp(3100), "logs"},
	{grafana, alertmanager, tcp(9093), "alerts"},
	{postgresExporter, postgres, tcp(5432), "figures"},
	{loki, awsAPIs("s3", "sts"), https, "logs"},
	{collector, loki, tcp(3100), "logs"},
	{collector, apiServer, https, "which pods there are"},
	{stateMetrics, apiServer, https, "what there is"},
}, scrapes()...)

// scrapes are Prometheus's ways to all metrics.
func scrapes() (rows []Flow) {
	for _, group := range groups {
		if group.Metrics != 0 {
			rows = append(rows, Flow{prometheus, group, tcp(group.Metrics), "metrics"})
		}
	}
	return rows
}

func tcp(numbers ...int) (ports []Port) {
	for _, number := range numbers {
		ports = append(ports, Port{number, "TCP"})
	}
	return ports
}

// describe says a group's flows in words, for whoever reads its policy in the cluster.
func describe(group Pods) string {
	var in, out []string
	for _, flow := range flows {
		if flow.To.title() == group.Name {
			in = append(in, flow.From.title()+" ("+flow.What+")")
		}
		if flow.From.title() == group.Name {
			out = append(out, flow.To.title()+" ("+flow.What+")")
		}
	}
	return "In: " + cmp.Or(strings.Join(in, ", "), "nobody") + ". Out: " + cmp.Or(strings.Join(out, ", "), "nobody") + "."
}
