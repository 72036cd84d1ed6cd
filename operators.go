package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/cluster"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// newOperators runs, inside the cluster, what looks after things for the workloads.
func (b *build) newOperators() (err error) {
	if b.certificates, err = security.NewCertificateAuthority(b.ctx, "certificates", &security.CertificateAuthorityArgs{Name: b.name}); err != nil {
		return err
	}
	if b.webhook, err = cluster.NewLoadBalancerWebhookCertificate(b.ctx, b.certificates); err != nil {
		return err
	}
	b.balancers, err = cluster.NewLoadBalancerController(b.ctx, &cluster.LoadBalancerControllerArgs{
		Cluster: b.eks, Name: b.name, AWS: b.AWS, VpcID: b.vpc.VpcID, Images: b.image, Webhook: b.webhook, Tags: b.tags,
	}, pulumi.Provider(b.account))
	return err
}

// newKarpenter makes nodes as pods need them. The platform's pods wait for its node pools, and go before them.
func (b *build) newKarpenter() (err error) {
	b.karpenter, err = cluster.NewKarpenter(b.ctx, &cluster.KarpenterArgs{
		Cluster: b.eks, Name: b.name, AWS: b.AWS, Pools: b.Cluster.NodePools, SubnetIDs: b.vpc.PrivateSubnetIDs,
		DiskKeyARN: b.keys.Disks, Images: b.image, Tags: b.tags,
	}, pulumi.Provider(b.account))
	return err
}

// newScaler runs what scales workers by their queues.
func (b *build) newScaler() (err error) {
	b.scaler, err = cluster.NewKEDA(b.ctx, &cluster.KEDAArgs{Cluster: b.eks, Name: b.name, Images: b.image})
	return err
}

// newSecrets brings the workloads their secrets, and rolls them when one changes.
func (b *build) newSecrets() error {
	namespaces := map[security.Space]pulumi.StringInput{
		security.InPlatform: b.eks.Namespaces.Platform, security.InMonitoring: b.eks.Namespaces.Monitoring,
		security.InCertManager: b.eks.Namespaces.Operators[config.CertManager.Name],
	}
	operator, err := security.NewExternalSecrets(b.ctx, &security.ExternalSecretsArgs{
		Provider: b.eks.Provider, Namespace: b.eks.Namespaces.Operators[config.ExternalSecrets.Name], Serves: namespaces, Images: b.image,
	})
	if err != nil {
		return err
	}
	image, err := b.image(config.Reloader.Program("controller").Reference())
	if err != nil {
		return err
	}
	if _, err := security.NewReloader(b.ctx, &security.ReloaderArgs{
		Namespace: b.eks.Namespaces.Operators[config.Reloader.Name], Watched: b.eks.Namespaces.Platform,
		Image: image,
	}, pulumi.Provider(b.eks.Provider)); err != nil {
		return err
	}
	b.secrets, err = security.NewClusterSecrets(b.ctx, "secrets", &security.ClusterSecretsArgs{
		Name: b.name, Environment: b.Environment, AWS: b.AWS, Issuer: b.eks.Issuer, Provider: b.eks.Provider, Operator: operator, Namespaces: namespaces,
		Made: map[string]pulumi.StringInput{
			security.DatabaseURLPath: b.database.URLSecretARN, security.DatabaseMasterPath: b.database.MasterSecretARN,
			security.DatabaseApplicationPath: b.database.ApplicationSecretARN, security.DatabaseMonitoringPath: b.database.MonitoringSecretARN,
		},
		DataKey: b.keys.Data, Protect: b.Protect,
	}, pulumi.Provider(b.account))
	return err
}

// newIssuers runs what gets certificates, for the ingress and for what speaks TLS inside.
func (b *build) newIssuers() error {
	namespace := b.eks.Namespaces.Operators[config.CertManager.Name]
	manager, err := security.NewCertManager(b.ctx, config.CertManager.Name, &security.CertManagerArgs{
		Namespace: namespace, Provider: b.eks.Provider, Images: b.image,
	})
	if err != nil {
		return err
	}
	b.issuers, err = security.NewIssuers(b.ctx, "issuers", &security.IssuersArgs{
		Name: b.name, CertManager: manager, Namespace: namespace, Platform: b.eks.Namespaces.Platform, Provider: b.eks.Provider, Zone: b.Edge.Zone,
	})
	return err
}
