package production

// What a change of each setting leads to. What is replaced comes back without loss: nodes, whose pods move before them, and what is known
// by its content only, such as a certificate or an access entry. Whatever holds data, or is known to others, refuses.
var changes = []change{
	{setting: "environment", with: text{"environment: prod\n": "environment: live\n"},
		says: `alphapulse:environment: "live": must be the stack's name, "prod"`},
	// Taking the protection away is a change of its own, and shows as one; what is destroyed afterwards asks nobody any more.
	{setting: "protect", alone: true, with: text{"protect: true": "protect: false"}, plan: []string{
		"~ aws:ecr:Repository registries-agent-worker", "~ aws:ecr:Repository registries-api",
		"~ aws:ecr:Repository registries-billing", "~ aws:ecr:Repository registries-risk-worker",
		"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica",
		"~ aws:s3:BucketPolicy buckets-backups", "~ aws:s3:BucketV2 buckets-access-logs",
		"~ aws:s3:BucketV2 buckets-backups", "~ aws:s3:BucketV2 buckets-logs",
		"~ aws:secretsmanager:Secret postgres-application-secret", "~ aws:secretsmanager:Secret postgres-master-secret",
		"~ aws:secretsmanager:Secret postgres-monitoring-secret", "~ aws:secretsmanager:Secret secrets-grafana-admin",
		"~ aws:secretsmanager:Secret postgres-url-secret", "~ aws:secretsmanager:Secret secrets-broker-credentials",
		"~ aws:secretsmanager:Secret secrets-cloudflare-api-token", "~ aws:secretsmanager:Secret secrets-exchanges",
		"~ aws:secretsmanager:Secret secrets-pagerduty", "~ aws:secretsmanager:Secret secrets-redis-credentials",
		"~ aws:secretsmanager:Secret secrets-stripe", "~ aws:secretsmanager:Secret vault-recovery-keys",
		"+- kubernetes:storage.k8s.io/v1:StorageClass cluster-gp3", // that a volume outlives its claim is said of new volumes
	}},
	{setting: "aws.account", with: text{`"222222222222"`: `"333333333333"`, "222222222222:role": "333333333333:role"}, protected: []string{"buckets-access-logs", "buckets-backups", "buckets-logs"}},
	{setting: "aws.region", with: text{"us-east-1": "eu-west-1"}, protected: []string{"buckets-backups", "keys-data", "network-vpc"}},

	{setting: "network.cidr", with: text{"cidr: 10.20.0.0/16": "cidr: 10.40.0.0/16"}, protected: []string{"network-vpc"}},
	{setting: "network.zones, reordered", with: text{"[us-east-1a, us-east-1b, us-east-1c]": "[us-east-1c, us-east-1a, us-east-1b]"}},
	{setting: "network.zones, another", with: text{"us-east-1c]": "us-east-1d]"}, protected: []string{"network-nat-us-east-1c"}},
	{setting: "network.natGateways", with: text{"natGateways: per-zone": "natGateways: single"},
		protected: []string{"network-nat-us-east-1b", "network-nat-us-east-1c"}},
	{setting: "network.interfaceEndpoints", with: text{", sts]": "]"}, plan: []string{ // who spoke to the endpoint speaks to the internet
		"- aws:ec2:VpcEndpoint network-sts",
		"~ kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-external-secrets", "~ kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-loki",
	}},
	{setting: "network.flowLogDays", with: text{"flowLogDays: 90": "flowLogDays: 60"},
		plan: []string{"~ aws:cloudwatch:LogGroup network-dns-queries", "~ aws:cloudwatch:LogGroup network-flow-logs"}},
	{setting: "network.dnsFirewall.mode", with: text{"mode: alert": "mode: block"}, plan: []string{"~ aws:route53:ResolverFirewallConfig network-dns-firewall", "~ aws:route53:ResolverFirewallRule network-dns-rest"}},
	{setting: "network.dnsFirewall.domains", with: text{`        - "*.pagerduty.com"` + "\n": `        - "*.kraken.com"` + "\n"},
		plan: []string{"~ aws:route53:ResolverFirewallDomainList network-dns-allowed"}},

	{setting: "cluster.version, back", with: text{`version: "1.36"`: `version: "1.35"`},
		says: `alphapulse:cluster.version: "1.35": the cluster alphapulse-prod runs 1.36, and EKS does not go back; set "1.36"`},
	{setting: "cluster.publicAccessCidrs", with: text{"[203.0.113.0/24]": "[198.51.100.0/24]"}, plan: []string{"~ aws:eks:Cluster cluster-eksCluster"}},
	{setting: "cluster.administratorRoles", with: text{`role/platform-engineer"]`: `role/platform-engineer", "arn:aws:iam::222222222222:role/deploy"]`},
		plan: []string{"+ aws:eks:AccessEntry cluster-admin-deploy", "+ aws:eks:AccessPolicyAssociation cluster-admin-deploy-admin"}},
	{setting: "cluster.breakGlassRole", with: text{"role/break-glass": "role/emergency"},
		plan: []string{"+- aws:eks:AccessEntry cluster-break-glass", "+- aws:eks:AccessPolicyAssociation cluster-break-glass-admin"}},
	{setting: "cluster.logDays", with: text{"logDays: 365": "logDays: 400"}, plan: []string{
		"~ aws:cloudwatch:LogGroup audit-delivery", "~ aws:cloudwatch:LogGroup cluster-control-plane",
		"~ aws:cloudwatch:LogGroup postgres-postgresql", "~ aws:cloudwatch:LogGroup postgres-upgrade",
		"~ aws:cloudwatch:LogGroup postgres-replica-postgresql", "~ aws:cloudwatch:LogGroup postgres-replica-upgrade",
	}},
	{setting: "cluster.nodeRelease", with: text{"    logDays: 365\n": "    logDays: 365\n    nodeRelease: 1.36.2-20261115\n"}, plan: []string{
		"~ aws:eks:NodeGroup cluster-compute-optimized", "~ aws:eks:NodeGroup cluster-general", "~ aws:eks:NodeGroup cluster-services", "~ aws:eks:NodeGroup cluster-stateful",
		"~ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-compute-optimized", "~ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-general",
		"~ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-services", "~ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-stateful",
		"~ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-workers",
	}},
	{setting: "cluster.addOns", with: text{"    logDays: 365\n": "    logDays: 365\n    addOns: {coredns: v1.13.1-eksbuild.7}\n"},
		plan: []string{"~ aws:eks:Addon cluster-coredns"}},

	{setting: "cluster.nodePools: a name", with: text{"- name: services\n": "- name: front\n"},
		says: `alphapulse:workloads.api.pool: "services": is not a node pool of this stack; legal: general, compute-optimized, front, workers`},
	{setting: "cluster.nodePools: a name, with its workloads", with: text{"- name: services\n": "- name: front\n", "value: services": "value: front", "pool: services": "pool: front"},
		plan: []string{
			"+ aws:ec2:LaunchTemplate cluster-front", "+ aws:eks:NodeGroup cluster-front", "- aws:ec2:LaunchTemplate cluster-services", "- aws:eks:NodeGroup cluster-services",
			"+ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-front", "+ kubernetes:karpenter.sh/v1:NodePool karpenter-front", "- kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-services", "- kubernetes:karpenter.sh/v1:NodePool karpenter-services",
			"~ kubernetes:apps/v1:Deployment api", "~ kubernetes:apps/v1:Deployment billing",
		}},
	{setting: "cluster.nodePools: instance types", with: text{"[m6i.4xlarge, m5.4xlarge]": "[m6i.8xlarge]"},
		plan: []string{"+- aws:eks:NodeGroup cluster-services", "~ kubernetes:karpenter.sh/v1:NodePool karpenter-services"}},
	{setting: "cluster.nodePools: a maximum", with: text{"max: 12\n": "max: 15\n"}, plan: []string{"~ kubernetes:karpenter.sh/v1:NodePool karpenter-services"}},
	{setting: "cluster.nodePools: a minimum", with: text{"        min: 3\n        max: 12\n": "        min: 4\n        max: 12\n"},
		plan: []string{"~ aws:eks:NodeGroup cluster-services", "~ kubernetes:karpenter.sh/v1:NodePool karpenter-services"}},
	{setting: "cluster.nodePools: disks", with: text{"        max: 12\n        diskGiB: 100": "        max: 12\n        diskGiB: 150"},
		plan: []string{"~ aws:ec2:LaunchTemplate cluster-services", "~ aws:eks:NodeGroup cluster-services", "~ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-services"}},
	{setting: "cluster.nodePools: spot", with: text{"        max: 5\n": "        max: 5\n        capacityType: SPOT\n"}, // its workers get less time to finish
		plan: []string{"+- aws:eks:NodeGroup cluster-compute-optimized", "~ kubernetes:apps/v1:Deployment risk-worker", "~ kubernetes:karpenter.sh/v1:NodePool karpenter-compute-optimized"}},
	{setting: "cluster.nodePools: labels", with: text{"        max: 12\n": "        max: 12\n        labels: {team: platform}\n"},
		plan: []string{"~ aws:eks:NodeGroup cluster-services", "~ kubernetes:karpenter.sh/v1:NodePool karpenter-services"}},
	{setting: "cluster.nodePools: taints", with: text{"{key: workload-type, value: services, effect: NoSchedule}": "{key: dedicated, value: services, effect: NoExecute}"}, plan: []string{
		"~ aws:eks:NodeGroup cluster-services", "~ kubernetes:karpenter.sh/v1:NodePool karpenter-services",
		"~ kubernetes:apps/v1:Deployment api", "~ kubernetes:apps/v1:Deployment billing",
	}},
	{setting: "cluster.nodePools: one more", with: text{
		"      # The source puts these pods": "      - {name: research, instanceTypes: [m6i.4xlarge], min: 1, max: 2, diskGiB: 50, taints: [{key: workload-type, value: research, effect: NoSchedule}]}\n      # The source puts these pods",
	}, plan: []string{"+ aws:ec2:LaunchTemplate cluster-research", "+ aws:eks:NodeGroup cluster-research", "+ kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-research", "+ kubernetes:karpenter.sh/v1:NodePool karpenter-research"}},

	{setting: "data.bucketPrefix", with: text{"  alphapulse:data:\n": "  alphapulse:data:\n    bucketPrefix: another-prefix\n"},
		protected: []string{"buckets-access-logs", "buckets-backups", "buckets-logs"}},
	{setting: "data.postgres.version: a minor", with: text{`version: "14"`: `version: "14.20"`},
		plan: []string{"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica"}},
	{setting: "data.postgres.version: a major", with: text{`version: "14"`: `version: "15"`},
		says: "alphapulse:data.postgres.version: 15: the instance alphapulse-prod runs 14.20, and a new major is no change of config: follow docs/runbooks/postgres-major-upgrade.md"},
	{setting: "data.postgres.instanceType", with: text{"db.r5.xlarge": "db.r5.2xlarge"}, // its settings go by its memory
		plan: []string{"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica", "~ aws:rds:ParameterGroup postgres"}},
	{setting: "data.postgres.storageGiB: more", with: text{"storageGiB: 500": "storageGiB: 600"}, plan: []string{
		"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica",
		"~ kubernetes:apps/v1:StatefulSet prometheus", "+- kubernetes:core/v1:ConfigMap prometheus-facts", // which is told, for its alert
	}},
	{setting: "data.postgres.storageGiB: less", with: text{"storageGiB: 500": "storageGiB: 450"},
		says: "alphapulse:data.postgres.storageGiB: 450: the instance alphapulse-prod has 500 GiB, and RDS storage never shrinks: a smaller instance would be a new one, without the data; set at least 500"},
	{setting: "data.postgres.iops", with: text{"      storageGiB: 500": "      iops: 20000\n      storageGiB: 500"},
		plan: []string{"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica"}},
	{setting: "data.postgres.throughput", with: text{"      storageGiB: 500": "      throughput: 1000\n      storageGiB: 500"},
		plan: []string{"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica"}},
	{setting: "data.postgres.applyImmediately", with: text{"      storageGiB: 500": "      applyImmediately: true\n      storageGiB: 500"},
		plan: []string{"~ aws:rds:Instance postgres", "~ aws:rds:Instance postgres-replica"}},
	{setting: "data.postgres.multiAZ", with: text{"multiAZ: true": "multiAZ: false"}, plan: []string{"~ aws:rds:Instance postgres"}},
	{setting: "data.postgres.replica", with: text{"replica: true": "replica: false"}, plan: []string{
		"- aws:cloudwatch:LogGroup postgres-replica-postgresql", "- aws:cloudwatch:LogGroup postgres-replica-upgrade", "- aws:rds:Instance postgres-replica",
	}},
	{setting: "data.postgres.backupDays", with: text{"backupDays: 7": "backupDays: 14"}, plan: []string{"~ aws:rds:Instance postgres"}},
	{setting: "data.retention", with: text{"backups: 90, applicationLogs: 90, auditLogs: 400, accessLogs: 90": "backups: 120, applicationLogs: 60, auditLogs: 500, accessLogs: 60"},
		plan: []string{
			"~ aws:s3:BucketLifecycleConfigurationV2 buckets-access-logs", "~ aws:s3:BucketLifecycleConfigurationV2 buckets-backups",
			"~ aws:s3:BucketLifecycleConfigurationV2 buckets-logs", "~ kubernetes:apps/v1:StatefulSet loki",
		}},
	{setting: "data.retention.backupLock", with: text{"backupLock: 30": "backupLock: 0"}, // what is locked stays locked until its day
		plan: []string{"- aws:s3:BucketObjectLockConfigurationV2 buckets-backups"}},

	{setting: "workloads.api.image", with: text{"api:1.0.0": "api:1.0.1"}, plan: []string{"~ kubernetes:apps/v1:Deployment api"}},
	{setting: "workloads.api.replicas", with: text{"{min: 10, max: 50}": "{min: 12, max: 50}"},
		plan: []string{"~ kubernetes:autoscaling/v2:HorizontalPodAutoscaler api"}},
	{setting: "workloads.api.requests", with: text{"max: 50}\n      requests: {cpu: \"2\", memory: 4Gi}": "max: 50}\n      requests: {cpu: 1900m, memory: 5Gi}"},
		plan: []string{"~ kubernetes:apps/v1:Deployment api"}},
	{setting: "workloads.api.limits", with: text{"limits: {cpu: \"4\", memory: 8Gi}\n      connections: 10": "limits: {cpu: \"3\", memory: 6Gi}\n      connections: 10"},
		plan: []string{"~ kubernetes:apps/v1:Deployment api"}},
	{setting: "workloads.billing.pool", with: text{"billing:1.0.0\n      pool: services": "billing:1.0.0\n      pool: general"},
		plan: []string{"~ kubernetes:apps/v1:Deployment billing"}},
	{setting: "workloads.api.connections", with: text{"connections: 10\n": "connections: 12\n"}}, // a budget, which holds still
	{setting: "workloads.agents.types", with: text{"activist, buffett]": "activist, momentum]"}, plan: []string{
		"+ alphapulse:workloads:Service agent-worker-momentum", "- alphapulse:workloads:Service agent-worker-buffett",
		"+ kubernetes:apps/v1:Deployment agent-worker-momentum", "- kubernetes:apps/v1:Deployment agent-worker-buffett",
		"+ kubernetes:core/v1:ServiceAccount agent-worker-momentum", "- kubernetes:core/v1:ServiceAccount agent-worker-buffett",
		"+ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-momentum", "- kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-buffett",
		"+ kubernetes:policy/v1:PodDisruptionBudget agent-worker-momentum", "- kubernetes:policy/v1:PodDisruptionBudget agent-worker-buffett",
	}},
	{setting: "workloads.agents.worker.replicas", with: text{"{min: 5, max: 20}": "{min: 6, max: 20}"}, plan: []string{
		"~ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-activist", "~ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-buffett",
		"~ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-fundamental", "~ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-sentiment",
		"~ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-technical", "~ kubernetes:keda.sh/v1alpha1:ScaledObject agent-worker-value",
	}},
	{setting: "workloads.risk.replicas", with: text{"{min: 5, max: 10}": "{min: 6, max: 10}"}, plan: []string{"~ kubernetes:keda.sh/v1alpha1:ScaledObject risk-worker"}},
	{setting: "workloads.pooler.replicas.max", with: text{ // more poolers share the database's connections: each pod's pool gets smaller
		"pgbouncer:1.25.2\n      pool: general\n      replicas: {min: 2, max: 3}": "pgbouncer:1.25.2\n      pool: general\n      replicas: {min: 2, max: 4}",
	}, plan: []string{
		"+- kubernetes:batch/v1:Job database-roles", "~ kubernetes:apps/v1:Deployment pgbouncer",
		"~ kubernetes:autoscaling/v2:HorizontalPodAutoscaler pgbouncer", "+- kubernetes:core/v1:ConfigMap pgbouncer-config",
	}},
	{setting: "workloads.ingress.image", with: text{"traefik:v3.7.13": "traefik:v3.7.14"}, plan: []string{"~ kubernetes:apps/v1:Deployment ingress"}},
	{setting: "workloads.redis.image", with: text{"redis:\n      image: public.ecr.aws/docker/library/redis:7.4.7": "redis:\n      image: public.ecr.aws/docker/library/redis:7.4.8"},
		plan: []string{"+- kubernetes:batch/v1:Job redis-cluster-create", "~ kubernetes:apps/v1:StatefulSet redis-cluster"}},
	{setting: "workloads.broker.image", with: text{"broker:\n      image: public.ecr.aws/docker/library/redis:7.4.7": "broker:\n      image: public.ecr.aws/docker/library/redis:7.4.8"},
		plan: []string{"~ kubernetes:apps/v1:StatefulSet broker"}},
	{setting: "workloads.vault.image", with: text{"vault:1.21.4": "vault:1.21.5"}, plan: []string{"~ kubernetes:apps/v1:StatefulSet vault"}},
	{setting: "workloads.vault.pool", with: text{"vault:1.21.4\n      pool: stateful": "vault:1.21.4\n      pool: general"}, plan: []string{"~ kubernetes:apps/v1:StatefulSet vault"}},
	{setting: "workloads.broker.storageGiB: more", with: text{"storageGiB: 10\n      requests: {cpu: 500m, memory: 1Gi}": "storageGiB: 20\n      requests: {cpu: 500m, memory: 1Gi}"}, plan: []string{
		"~ kubernetes:core/v1:PersistentVolumeClaim broker-data-0", "~ kubernetes:core/v1:PersistentVolumeClaim broker-data-1",
		"~ kubernetes:core/v1:PersistentVolumeClaim broker-data-2",
	}},
	{setting: "workloads.vault.storageGiB: more", with: text{"storageGiB: 10\n      requests: {cpu: \"2\", memory: 4Gi}": "storageGiB: 20\n      requests: {cpu: \"2\", memory: 4Gi}"}, plan: []string{
		"~ kubernetes:core/v1:PersistentVolumeClaim vault-data-0", "~ kubernetes:core/v1:PersistentVolumeClaim vault-data-1",
		"~ kubernetes:core/v1:PersistentVolumeClaim vault-data-2",
	}},
	{setting: "workloads.redis.storageGiB: more", with: text{"storageGiB: 10\n      requests: {cpu: \"2\", memory: 3Gi}": "storageGiB: 20\n      requests: {cpu: \"2\", memory: 3Gi}"}, plan: []string{
		"~ kubernetes:core/v1:PersistentVolumeClaim redis-cluster-data-0", "~ kubernetes:core/v1:PersistentVolumeClaim redis-cluster-data-1",
		"~ kubernetes:core/v1:PersistentVolumeClaim redis-cluster-data-2", "~ kubernetes:core/v1:PersistentVolumeClaim redis-cluster-data-3",
		"~ kubernetes:core/v1:PersistentVolumeClaim redis-cluster-data-4", "~ kubernetes:core/v1:PersistentVolumeClaim redis-cluster-data-5",
	}},
	{setting: "workloads.redis.storageGiB: less", with: text{"storageGiB: 10\n      requests: {cpu: \"2\", memory: 3Gi}": "storageGiB: 5\n      requests: {cpu: \"2\", memory: 3Gi}"},
		says: `is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity`},
	{setting: "workloads.redis.requests", with: text{"requests: {cpu: \"2\", memory: 3Gi}": "requests: {cpu: \"1\", memory: 2Gi}"},
		plan: []string{"~ kubernetes:apps/v1:StatefulSet redis-cluster"}},
	{setting: "workloads.redis.limits", with: text{"limits: {cpu: \"4\", memory: 3Gi}": "limits: {cpu: \"3\", memory: 4Gi}"},
		plan: []string{"~ kubernetes:apps/v1:StatefulSet redis-cluster"}},

	{setting: "observability.prometheus.image", with: text{"prometheus:v3.16.0": "prometheus:v3.16.1"}, plan: []string{"~ kubernetes:apps/v1:StatefulSet prometheus"}},
	{setting: "observability.prometheus.replicas", with: text{"replicas: 2\n      storageGiB: 100": "replicas: 3\n      storageGiB: 100"},
		plan: []string{"+ kubernetes:core/v1:PersistentVolumeClaim prometheus-data-2", "~ kubernetes:apps/v1:StatefulSet prometheus"}},
	{setting: "observability.prometheus.storageGiB: more, which it may fill", with: text{"storageGiB: 100": "storageGiB: 200"}, plan: []string{
		"~ kubernetes:apps/v1:StatefulSet prometheus",
		"~ kubernetes:core/v1:PersistentVolumeClaim prometheus-data-0", "~ kubernetes:core/v1:PersistentVolumeClaim prometheus-data-1",
	}},
	{setting: "observability.alertmanager.image", with: text{"alertmanager:v0.34.2": "alertmanager:v0.34.3"}, plan: []string{"~ kubernetes:apps/v1:StatefulSet alertmanager"}},
	{setting: "observability.alertmanager.storageGiB: more", with: text{"storageGiB: 1\n": "storageGiB: 2\n"}, plan: []string{
		"~ kubernetes:core/v1:PersistentVolumeClaim alertmanager-data-0", "~ kubernetes:core/v1:PersistentVolumeClaim alertmanager-data-1",
		"~ kubernetes:core/v1:PersistentVolumeClaim alertmanager-data-2",
	}},
	{setting: "observability.loki.image", with: text{"loki:3.7.8": "loki:3.7.9"}, plan: []string{"~ kubernetes:apps/v1:StatefulSet loki"}},
	{setting: "observability.loki.storageGiB: more", with: text{"storageGiB: 20\n": "storageGiB: 30\n"}, plan: []string{"~ kubernetes:core/v1:PersistentVolumeClaim loki-data-0"}},
	{setting: "observability.grafana.image", with: text{"grafana:13.2.3": "grafana:13.2.4"}, plan: []string{"~ kubernetes:apps/v1:Deployment grafana"}},
	{setting: "observability.postgresExporter.pool", with: text{"postgres-exporter:v0.20.1\n      pool: general": "postgres-exporter:v0.19.1\n      pool: services"},
		plan: []string{"~ kubernetes:apps/v1:Deployment postgres-exporter"}},
	{setting: "observability.alloy.image", with: text{"alloy:v1.18.0": "alloy:v1.18.1"}, plan: []string{"~ kubernetes:apps/v1:DaemonSet alloy"}},
	{setting: "observability.alloy.requests", with: text{"requests: {cpu: 50m, memory: 192Mi}": "requests: {cpu: 40m, memory: 128Mi}"}, plan: []string{"~ kubernetes:apps/v1:DaemonSet alloy"}},
	{setting: "observability.alloy.limits", with: text{"limits: {cpu: 500m, memory: 384Mi}": "limits: {cpu: 400m, memory: 512Mi}"}, plan: []string{"~ kubernetes:apps/v1:DaemonSet alloy"}},

	{setting: "ingress.routes", with: text{"      - {path: /billing, service: billing-service}\n": "      - {path: /invoices, service: billing-service}\n"},
		plan: []string{"~ kubernetes:networking.k8s.io/v1:Ingress ingress-routes"}},

	{setting: "ingress.routes: service", with: text{"{path: /billing, service: billing-service}": "{path: /billing, service: api-service}"},
		plan: []string{"~ kubernetes:networking.k8s.io/v1:Ingress ingress-routes"}},
	{setting: "ingress.routes: unlimited", with: text{"{path: /billing, service: billing-service}": "{path: /billing, service: billing-service, unlimited: true}"}, plan: []string{
		"~ kubernetes:networking.k8s.io/v1:Ingress ingress-routes", "~ kubernetes:networking.k8s.io/v1:Ingress ingress-unlimited",
	}},
	{setting: "ingress.routes: signed", with: text{"{path: /billing, service: billing-service}": "{path: /billing, service: billing-service, signed: true}"}, plan: []string{
		"~ cloudflare:index:Ruleset edge-http_ratelimit", "~ cloudflare:index:Ruleset edge-http_request_firewall_managed",
	}},

	{setting: "edge.host", with: text{"host: api.alphapulse.com": "host: app.alphapulse.com"}, plan: []string{
		"+- cloudflare:index:AuthenticatedOriginPulls edge-client", "+- cloudflare:index:AuthenticatedOriginPullsCertificate edge-client", "+- cloudflare:index:Record edge",
		"~ cloudflare:index:Ruleset edge-http_ratelimit",
		"~ kubernetes:apps/v1:StatefulSet prometheus", "+- kubernetes:core/v1:ConfigMap prometheus-facts", // when the new certificate ends
		"+- tls:index:CertRequest certificates-origin-pull", "+- tls:index:LocallySignedCert certificates-origin-pull",
		"~ kubernetes:networking.k8s.io/v1:Ingress ingress-routes", "~ kubernetes:networking.k8s.io/v1:Ingress ingress-unlimited",
	}},
	{setting: "edge.zone, which is not there", with: text{"alphapulse.com": "alphapulse.org"},
		says: `alphapulse:edge.zone: "alphapulse.org": is not a zone that CLOUDFLARE_API_TOKEN may see`},
	{setting: "edge.plan, which nobody pays for", with: text{"plan: pro": "plan: business"},
		says: `alphapulse:edge.plan: "business": Cloudflare has the zone alphapulse.com on "Pro Website"; set plan: pro, or change the zone's plan there`},
	{setting: "edge.ownsZone, given up", with: text{"ownsZone: true": "ownsZone: false", "    waf: true\n": "", "    rateLimit: {": "    #"}, plan: []string{
		"- cloudflare:index:Ruleset edge-http_ratelimit", "- cloudflare:index:Ruleset edge-http_request_firewall_managed", "- cloudflare:index:ZoneSettingsOverride edge-zone",
	}},
	{setting: "edge.rateLimit", with: text{"requests: 200, periodSeconds: 60": "requests: 50, periodSeconds: 10"}, plan: []string{"~ cloudflare:index:Ruleset edge-http_ratelimit"}},
	{setting: "edge.waf", with: text{"    waf: true\n": ""}, plan: []string{"- cloudflare:index:Ruleset edge-http_request_firewall_managed"}},

	{setting: "no setting, but a year later", renewed: "**LocallySignedCert::certificates-*", plan: []string{
		"+- tls:index:LocallySignedCert certificates-load-balancer-webhook", "+- tls:index:LocallySignedCert certificates-origin-pull",
		"~ kubernetes:core/v1:Secret load-balancer-controller:load-balancer-controller/aws-load-balancer-tls",
		"~ cloudflare:index:AuthenticatedOriginPulls edge-client", "+- cloudflare:index:AuthenticatedOriginPullsCertificate edge-client",
		"~ kubernetes:apps/v1:StatefulSet prometheus", "+- kubernetes:core/v1:ConfigMap prometheus-facts",
	}},

	{setting: "guardrails.exceptions", with: text{"  alphapulse:edge:\n": "  alphapulse:guardrails:\n    exceptions:\n" +
		"      - {rule: database-encrypted, resource: \"aws:rds/instance:Instance nobody\", reason: tried in a test, expires: \"EXPIRES\"}\n  alphapulse:edge:\n"}}, // nothing is made otherwise
}
