package main

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/cluster"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/network"
	"github.com/alphapulse/infrastructure/observability"
	"github.com/alphapulse/infrastructure/security"
	"github.com/alphapulse/infrastructure/workloads"
)

// build is one environment while it is put together: what each step needs from the steps before it.
type build struct {
	config.Platform
	ctx  *pulumi.Context
	name string
	tags map[string]string

	account    *aws.Provider
	cloudflare *cloudflare.Provider
	zone       network.Zone
	visitors   []string // Cloudflare's address ranges

	keys         *security.Keys
	certificates *security.CertificateAuthority
	vpc          *network.Network
	eks          *cluster.Cluster
	registries   *cluster.Registries
	database     *data.Postgres
	buckets      *data.Buckets
	balancers    *cluster.LoadBalancerController
	scaler       *cluster.KEDA
	karpenter    *cluster.Karpenter
	issuers      *security.Issuers
	secrets      *security.ClusterSecrets
	place        workloads.Place
	roles        pulumi.Resource       // done when the database knows those who connect
	webhook      *security.Certificate // the load balancer controller's
	originPull   *security.Certificate
	ingress      *workloads.Ingress
}

// newProviders makes the ways to the clouds. Each is known to the program, so that nothing reaches another account.
func (b *build) newProviders() (err error) {
	if b.account, err = security.NewAccount(b.ctx, b.AWS, b.tags); err != nil {
		return err
	}
	b.cloudflare, err = network.NewCloudflare(b.ctx)
	return err
}

// inspect asks the clouds, in previews too, what no config can know. As before, all that is wrong is said at once.
func (b *build) inspect() error {
	inAccount := pulumi.Provider(b.account)
	zone, problems, err := network.FindZone(b.ctx, b.Edge, b.name, b.cloudflare)
	if err != nil {
		return err
	}
	buckets, err := data.InspectBuckets(b.ctx, b.Data.BucketPrefix, inAccount)
	if err != nil {
		return err
	}
	eks, err := cluster.Inspect(b.ctx, b.name, b.Cluster, inAccount)
	if err != nil {
		return err
	}
	database, waits, err := data.InspectPostgres(b.ctx, b.name, b.Data.Postgres, b.Protect, inAccount)
	if err != nil {
		return err
	}
	if err := slices.Concat(problems, eks, database, buckets).Err(); err != nil {
		return err
	}
	empty, err := security.InspectSecrets(b.ctx, b.Environment, inAccount)
	if err != nil {
		return err
	}
	for _, warning := range []string{waits, empty} {
		if warning == "" {
			continue
		}
		if err := b.ctx.Log.Warn(warning, nil); err != nil {
			return err
		}
	}
	b.zone = zone
	b.visitors, err = network.CloudflareRanges(b.ctx, b.cloudflare)
	return err
}

func (b *build) newNetwork() (err error) {
	inAccount := pulumi.Provider(b.account)
	if b.keys, err = security.NewKeys(b.ctx, "keys", &security.KeysArgs{
		Name: b.name, AWS: b.AWS, Protect: b.Protect,
	}, inAccount); err != nil {
		return err
	}
	b.vpc, err = network.New(b.ctx, "network", &network.Args{
		Name: b.name, AWS: b.AWS, Spec: b.Network, LogKeyARN: b.keys.Logs, Protect: b.Protect,
	}, inAccount)
	return err
}

func (b *build) newCluster() (err error) {
	b.eks, err = cluster.New(b.ctx, "cluster", &cluster.Args{
		Name: b.name, AWS: b.AWS, Spec: b.Cluster, Tags: b.tags, Protect: b.Protect,
		VpcID: b.vpc.VpcID.ToStringOutput().ToStringPtrOutput(), PublicSubnetIDs: b.vpc.PublicSubnetIDs, PrivateSubnetIDs: b.vpc.PrivateSubnetIDs,
		Egress: b.vpc.Egress, Keys: b.keys,
	}, pulumi.Providers(b.account))
	return err
}

// newNetworkPolicies comes before whatever has pods: the namespaces that the others get wait for their policies (N7).
func (b *build) newNetworkPolicies() error {
	namespaces := maps.Clone(b.eks.Namespaces.Operators)
	maps.Copy(namespaces, map[string]pulumi.StringOutput{
		b.name: b.eks.Namespaces.Platform, config.MonitoringNamespace: b.eks.Namespaces.Monitoring, config.CollectorNamespace: b.eks.Namespaces.Collector,
		config.StateMetrics: b.eks.Namespaces.StateMetrics,
	})
	made, err := security.NewNetworkPolicies(b.ctx, "network-policies", &security.NetworkPoliciesArgs{
		Name: b.name, Namespaces: namespaces, Network: b.Network, Visitors: b.visitors,
	}, pulumi.Provider(b.eks.Provider))
	if err != nil {
		return err
	}
	b.eks.Namespaces = cluster.Namespaces{
		Platform: made.Namespaces[b.name], Monitoring: made.Namespaces[config.MonitoringNamespace], Collector: made.Namespaces[config.CollectorNamespace],
		Operators: made.Namespaces, StateMetrics: made.Namespaces[config.StateMetrics],
	}
	return nil
}

func (b *build) newRegistries() (err error) {
	b.registries, err = cluster.NewRegistries(b.ctx, "registries", &cluster.RegistriesArgs{
		Name: b.name, AWS: b.AWS, Protect: b.Protect,
	}, pulumi.Provider(b.account))
	return err
}

func (b *build) newData() (err error) {
	inAccount := pulumi.Provider(b.account)
	if b.database, err = data.NewPostgres(b.ctx, "postgres", &data.PostgresArgs{
		Name: b.name, Environment: b.Environment, AWS: b.AWS, Spec: b.Data.Postgres, Zones: b.Network.Zones,
		VpcID: b.vpc.VpcID.ToStringOutput().ToStringPtrOutput(), SubnetIDs: b.vpc.DatabaseSubnetIDs,
		ClientSecurityGroupID: b.eks.SecurityGroupID.ToStringPtrOutput(),
		Keys:                  b.keys, LogDays: b.Cluster.LogDays, Protect: b.Protect,
	}, inAccount); err != nil {
		return err
	}
	if b.buckets, err = data.NewBuckets(b.ctx, "buckets", &data.BucketsArgs{
		Name: b.name, Prefix: b.Data.BucketPrefix, AWS: b.AWS, Retention: b.Data.Retention, Keys: b.keys, Protect: b.Protect,
	}, inAccount); err != nil {
		return err
	}
	_, err = data.NewAudit(b.ctx, "audit", &data.AuditArgs{
		Name: b.name, AWS: b.AWS, Logs: b.buckets.Logs, Keys: b.keys,
		ClusterLogGroup: cluster.LogGroup(b.name), After: []pulumi.Resource{b.eks.Logs}, LogDays: b.Cluster.LogDays,
	}, inAccount)
	return err
}

func (b *build) newWorkloads() error {
	if err := workloads.NewPriorities(b.ctx, b.eks.Provider); err != nil {
		return err
	}
	b.place = b.in(security.InPlatform, b.eks.Namespaces.Platform)
	connections, err := b.newConnections()
	if err != nil {
		return err
	}
	stores, err := b.newStores()
	if err != nil {
		return err
	}
	after := pulumi.DependsOn(slices.Concat(connections, stores))
	if _, err := workloads.NewAPI(b.ctx, b.place, b.Workloads.API, after); err != nil {
		return err
	}
	if _, err := workloads.NewBilling(b.ctx, b.place, b.Workloads.Billing, after); err != nil {
		return err
	}
	if err := workloads.NewAgents(b.ctx, b.place, b.Workloads.Agents, after); err != nil {
		return err
	}
	_, err = workloads.NewRisk(b.ctx, b.place, b.Workloads.Risk, after)
	return err
}

// newStores makes what keeps things in the cluster. Whoever calls them comes afterwards.
func (b *build) newStores() ([]pulumi.Resource, error) {
	redis, err := workloads.NewRedis(b.ctx, b.place, &workloads.RedisArgs{Spec: b.Workloads.Redis})
	if err != nil {
		return nil, err
	}
	broker, err := workloads.NewBroker(b.ctx, b.place, b.Workloads.Broker)
	if err != nil {
		return nil, err
	}
	vault, err := b.newVault()
	if err != nil {
		return nil, err
	}
	return slices.Concat(redis.Ready, broker.Ready, vault.Ready), nil
}

// in is a namespace as a place for programs, whose pods read its secrets and need nodes. It is known in previews all the same.
func (b *build) in(space security.Space, namespace pulumi.StringOutput) workloads.Place {
	after := slices.Concat(b.karpenter.NodePools, b.secrets.External[space])
	return workloads.Place{
		Namespace: pulumi.OutputWithDependencies(b.ctx.Context(), namespace, after...).(pulumi.StringOutput),
		Provider:  b.eks.Provider, Pools: b.Cluster.Pool, Image: b.image, Scaler: b.scaler.Ready, Protect: b.Protect,
	}
}

// image is where nodes pull an image from.
func (b *build) image(name string) (pulumi.StringInput, error) { return b.registries.Image(name) }

// newConnections makes the way to the database: the application's role in it, and the pooler in front of it. Workloads come afterwards.
func (b *build) newConnections() ([]pulumi.Resource, error) {
	budget := capacity.ConnectionsFor(b.Platform)
	roles, err := workloads.NewRoles(b.ctx, b.place, &workloads.RolesArgs{
		Region: b.AWS.Region, VerifierDigest: b.database.VerifierDigest, MonitoringDigest: b.database.MonitoringDigest,
		Connections: budget.Poolers * budget.PoolSize,
	}, pulumi.DependsOn(b.database.Ready)) // its address and passwords come by way of Secrets Manager
	if err != nil {
		return nil, err
	}
	b.roles = roles.Job
	if _, err := security.NewInternalCertificate(b.ctx, "issuers-"+workloads.PoolerCertificate, &security.InternalCertificateArgs{
		Issuers: b.issuers, Namespace: b.eks.Namespaces.Platform, SecretName: workloads.PoolerCertificate,
		DNSNames: security.ServiceNames(config.PoolerName, b.eks.Namespaces.Platform), Uses: []string{security.ForServer},
	}, pulumi.Parent(b.issuers)); err != nil {
		return nil, err
	}
	pooler, err := workloads.NewPooler(b.ctx, b.place, &workloads.PoolerArgs{
		Spec: b.Workloads.Pooler, Region: b.AWS.Region, Host: b.database.Address, Port: b.database.Port, Database: b.database.Database,
		PoolSize: budget.PoolSize, MaxClients: budget.MaxClients,
	})
	if err != nil {
		return nil, err
	}
	return append(pooler.Ready, roles.Job), nil
}

// newVault runs Vault, with its identity at AWS and its certificate.
func (b *build) newVault() (*workloads.Vault, error) {
	identity, err := security.NewVaultIdentity(b.ctx, &security.VaultIdentityArgs{
		Name: b.name, Environment: b.Environment, AWS: b.AWS, Issuer: b.eks.Issuer, Keys: b.keys, Protect: b.Protect,
	}, pulumi.Provider(b.account))
	if err != nil {
		return nil, err
	}
	if _, err := security.NewInternalCertificate(b.ctx, "issuers-"+workloads.VaultCertificate, &security.InternalCertificateArgs{
		Issuers: b.issuers, Namespace: b.eks.Namespaces.Platform, SecretName: workloads.VaultCertificate,
		DNSNames: append(security.ServiceNames(config.VaultName, b.eks.Namespaces.Platform),
			security.ServiceNames("*."+workloads.VaultInternal, b.eks.Namespaces.Platform)...),
		Uses: []string{security.ForServer},
	}, pulumi.Parent(b.issuers)); err != nil {
		return nil, err
	}
	return workloads.NewVault(b.ctx, b.place, &workloads.VaultArgs{
		Spec: b.Workloads.Vault, Region: b.AWS.Region, KeyARN: b.keys.VaultUnseal, KeysSecret: identity.KeysSecret, Identity: identity.RoleARN,
	})
}

// newObservability runs what watches all of it.
func (b *build) newObservability() error {
	place, stack := b.in(security.InMonitoring, b.eks.Namespaces.Monitoring), observability.Stack{Environment: b.Environment, Region: b.AWS.Region, Name: b.name}
	if _, err := observability.NewPrometheus(b.ctx, place, &observability.PrometheusArgs{
		Spec: b.Observability.Prometheus, Stack: stack, Facts: observability.Facts{
			observability.PostgresStorage: pulumi.Int(b.Data.Postgres.StorageGiB << 30),
			observability.OriginPullEnds:  b.originPull.Ends, observability.BalancerWebhookEnds: b.webhook.Ends,
		},
	}); err != nil {
		return err
	}
	if _, err := observability.NewAlertmanager(b.ctx, place, &observability.AlertmanagerArgs{Spec: b.Observability.Alertmanager, Stack: stack}); err != nil {
		return err
	}
	if _, err := observability.NewLoki(b.ctx, place, &observability.LokiArgs{
		Spec: b.Observability.Loki, Stack: stack, Issuer: b.eks.Issuer,
		Bucket: b.buckets.Logs, DataKey: b.keys.Data, Days: b.Data.Retention.ApplicationLogs,
	}, pulumi.Provider(b.account)); err != nil {
		return err
	}
	if _, err := observability.NewAlloy(b.ctx, b.in(security.Space(config.CollectorNamespace), b.eks.Namespaces.Collector), &observability.AlloyArgs{
		Spec: b.Observability.Alloy, Stack: stack,
	}); err != nil {
		return err
	}
	if _, err := observability.NewGrafana(b.ctx, place, &observability.GrafanaArgs{Spec: b.Observability.Grafana, Stack: stack}); err != nil {
		return err
	}
	_, err := observability.NewPostgresExporter(b.ctx, place, &observability.PostgresExporterArgs{
		Spec: b.Observability.PostgresExporter, Stack: stack, Host: b.database.Address, Port: b.database.Port, Database: b.database.Database,
	}, pulumi.DependsOn([]pulumi.Resource{b.roles}))
	return err
}

func (b *build) newIngress() (err error) {
	if b.originPull, err = b.certificates.Issue(b.ctx, &security.CertificateArgs{
		Purpose: "origin-pull", DNSNames: []string{b.Edge.Host}, Uses: []string{security.ForClient},
	}); err != nil {
		return err
	}
	origin, err := network.NewOrigin(b.ctx, "origin", &network.OriginArgs{
		Name: b.name, VpcID: b.vpc.VpcID.ToStringOutput().ToStringPtrOutput(), Ranges: b.visitors,
		ClusterGroupID: b.eks.SecurityGroupID, Ports: ingressPorts(),
	}, pulumi.Provider(b.account))
	if err != nil {
		return err
	}
	b.ingress, err = workloads.NewIngress(b.ctx, b.place, &workloads.IngressArgs{
		Name: b.name, Spec: b.Workloads.Ingress, Host: b.Edge.Host, Routes: b.Ingress.Routes, Trusted: b.visitors,
		OriginAuthority: b.originPull.AuthorityPEM, SecurityGroupID: origin.GroupID, Issuer: b.issuers.Public, Tags: b.tags,
	}, pulumi.DependsOn(slices.Concat(b.balancers.Ready, origin.Ready))) // so that the load balancer goes before its controller and its firewall
	return err
}

func ingressPorts() []network.Port {
	var ports []network.Port
	for _, port := range workloads.IngressPorts {
		ports = append(ports, network.Port{Name: port.Name, Number: port.Container})
	}
	return ports
}

func (b *build) newEdge() error {
	_, err := network.NewEdge(b.ctx, "edge", &network.EdgeArgs{
		Name: b.name, Zone: b.zone, Spec: b.Edge, Signed: b.Ingress.Signed(), Origin: b.ingress.Host,
		ClientCertPEM: b.originPull.CertPEM, ClientKeyPEM: b.originPull.KeyPEM,
	}, pulumi.Provider(b.cloudflare))
	return err
}
