package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	clusterIssuer = "kubernetes:cert-manager.io/v1:ClusterIssuer"
	authorityType = "tls:index/selfSignedCert:SelfSignedCert"
)

func TestN5WhoHoldsTheInternalAuthorityIsNotTakenForCloudflare(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		inCluster := run.Find(t, "kubernetes:core/v1:Secret", "issuers-internal-ca")
		believed := run.Find(t, "kubernetes:core/v1:ConfigMap", "ingress-config").At(`data["origin-pull-ca.pem"]`)
		signers := map[any]string{} // the authority by its key
		subjects := map[any]string{}
		for _, authority := range run.All(authorityType) {
			key, subject := authority.At("privateKeyPem"), authority.At("subject.commonName")
			assert.Empty(t, signers[key], "%s has the key of another authority", authority.Name)
			assert.Empty(t, subjects[subject], "%s has the subject of another authority", authority.Name)
			signers[key], subjects[subject] = authority.Name, authority.Name
		}
		require.Len(t, signers, 2)
		assert.Equal(t, "certificate-of-"+signers[inCluster.At(`stringData["tls.key"]`)], inCluster.At(`stringData["tls.crt"]`))
		assert.NotEqual(t, inCluster.At(`stringData["tls.crt"]`), believed, "the origin believes an authority whose key is in no cluster")
		assert.Contains(t, signers, "key-of-"+strings.TrimPrefix(believed.(string), "certificate-of-"))
	})
}

func TestW1HostsCertificateComesFromAnIssuerThatMayProveIt(t *testing.T) {
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		platform, _ := config.Load(committed(t, stack))
		routes := run.Find(t, "kubernetes:networking.k8s.io/v1:Ingress", "ingress-routes")
		asked := routes.At(`metadata.annotations["cert-manager.io/cluster-issuer"]`)
		assert.Equal(t, "letsencrypt-prod", asked, "Cloudflare's strict TLS wants what the world trusts, on staging as well")
		issuer := run.Find(t, clusterIssuer, "issuers-letsencrypt-prod")
		assert.Equal(t, asked, issuer.At("metadata.name"))
		assert.Contains(t, routes.DependsOn, issuer.URN, "so that the certificate goes while its issuer is there")
		zone, _ := issuer.At("spec.acme.solvers[0].selector.dnsZones[0]").(string)
		assert.True(t, strings.HasSuffix(platform.Edge.Host, "."+zone), "%s is not in %s", platform.Edge.Host, zone)
	})
}

func TestN3CertManagerCanLookUpWhomItAsks(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		allowed := run.Find(t, "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList", "network-dns-allowed").At("domains")
		assert.Contains(t, allowed, "api.cloudflare.com.", "where it puts its proof")
		for _, name := range []string{"letsencrypt-prod", "letsencrypt-staging"} {
			server, err := url.Parse(run.Find(t, clusterIssuer, "issuers-"+name).At("spec.acme.server").(string))
			require.NoError(t, err)
			assert.Contains(t, allowed, server.Host+".", name)
		}
	})
}
