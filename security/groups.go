package security

import "github.com/alphapulse/infrastructure/config"

// Pods are a group of pods that have their flows in common.
type Pods struct {
	// Name is the group's; its policy is <Name>-network-policy.
	Name string
	// Namespace is where they run; "" is the platform's own.
	Namespace string
	// Labels select them; without any it is all pods of the namespace. A Service in front of them must select by these labels too: the
	// network policy controller lets callers through to a Service's address only if it does (resolvers/endpoints.go of
	// aws/amazon-network-policy-controller-k8s).
	Labels map[string]string
	// Metrics is the port on which Prometheus asks them; 0: they have none.
	Metrics int
}

// The platform's own programs. Redis, Vault and the broker have their places before they are there.
var (
	ingress       = app("ingress", 8080)
	api           = app("api", 8000)
	agents        = app("agent-worker", 8000)
	risk          = app("risk-worker", 8000)
	billing       = app("billing", 8000)
	pooler        = app("pgbouncer", 9127)
	databaseRoles = app("database-roles", 0)
	redis         = app("redis", 9121) // the port of its exporter, as for the broker
	redisCreate   = app("redis-cluster-create", 0)
	broker        = app("broker", 9121)
	vault         = app("vault", 8200)
)

// What watches them.
var (
	prometheus       = watcher(config.PrometheusName, config.MonitoringNamespace, 0) // it asks itself without a network
	alertmanager     = watcher(config.AlertmanagerName, config.MonitoringNamespace, 9093)
	grafana          = watcher(config.GrafanaName, config.MonitoringNamespace, 3000)
	loki             = watcher(config.LokiName, config.MonitoringNamespace, 3100)
	postgresExporter = watcher(config.PostgresExporterName, config.MonitoringNamespace, 9187)
	collector        = watcher(config.AlloyName, config.CollectorNamespace, 12345)
	// An add-on of EKS, whose labels are not ours: it has its namespace for itself.
	stateMetrics = Pods{Name: config.StateMetrics, Namespace: config.StateMetrics, Metrics: 8080}
)

// The operators' programs, with the labels and ports of their charts.
var (
	balancers            = program(config.LoadBalancerController, "load-balancer-controller", labelled(chartName, "aws-load-balancer-controller"), 8080)
	karpenter            = program(config.Karpenter, "karpenter", labelled(chartName, "karpenter"), 8080)
	certManager          = program(config.CertManager, "cert-manager", labelled(chartName, "cert-manager"), 9402)
	certInjector         = program(config.CertManager, "cert-manager-cainjector", labelled(chartName, "cainjector"), 9402)
	certWebhook          = program(config.CertManager, "cert-manager-webhook", labelled(chartName, "webhook"), 9402)
	externalSecrets      = program(config.ExternalSecrets, "external-secrets", labelled(chartName, "external-secrets"), 8080)
	secretsWebhook       = program(config.ExternalSecrets, "external-secrets-webhook", labelled(chartName, "external-secrets-webhook"), 8080)
	secretsCertificates  = program(config.ExternalSecrets, "external-secrets-cert-controller", labelled(chartName, "external-secrets-cert-controller"), 8080)
	reloader             = program(config.Reloader, "reloader", labelled("app", "reloader"), 9090)
	kedaOperator         = program(config.KEDA, "keda-operator", labelled("app", "keda-operator"), 8080)
	kedaMetricsServer    = program(config.KEDA, "keda-metrics-server", labelled("app", "keda-operator-metrics-apiserver"), 0)
	kedaAdmissionWebhook = program(config.KEDA, "keda-webhooks", labelled("app", "keda-admission-webhooks"), 0)
)

const chartName = "app.kubernetes.io/name"

// groups are all that get a policy of their own.
var groups = []Pods{
	ingress, api, agents, risk, billing, pooler, databaseRoles, redis, redisCreate, broker, vault,
	prometheus, alertmanager, grafana, loki, postgresExporter, collector, stateMetrics,
	balancers, karpenter, certManager, certInjector, certWebhook, externalSecrets, secretsWebhook, secretsCertificates, reloader,
	kedaOperator, kedaMetricsServer, kedaAdmissionWebhook,
}

// everybody are all pods of each of our namespaces, known and unknown.
var everybody = Pods{Name: "everybody"}

// clusterDNS is CoreDNS. It runs in a namespace of EKS's, which has no policies.
var clusterDNS = Pods{Name: "coredns", Namespace: "kube-system", Labels: labelled("k8s-app", "kube-dns")}

// app is one of the platform's programs, which are labelled with their names.
func app(name string, metrics int) Pods {
	return Pods{Name: name, Labels: labelled("app", name), Metrics: metrics}
}

func watcher(name, namespace string, metrics int) Pods {
	return Pods{Name: name, Namespace: namespace, Labels: labelled("app", name), Metrics: metrics}
}

func program(operator config.Operator, name string, labels map[string]string, metrics int) Pods {
	return Pods{Name: name, Namespace: operator.Name, Labels: labels, Metrics: metrics}
}

func labelled(key, value string) map[string]string { return map[string]string{key: value} }
