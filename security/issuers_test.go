package security_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	clusterIssuer = "kubernetes:cert-manager.io/v1:ClusterIssuer"
	certificate   = "kubernetes:cert-manager.io/v1:Certificate"
)

// issuers are made with one certificate of the internal one.
func issuers(t *testing.T, uses ...string) (*recorder.Run, string) {
	t.Helper()
	var secret string
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		manager, provider, err := newCertManager(ctx, fromRegistry)
		if err != nil {
			return err
		}
		made, err := security.NewIssuers(ctx, "issuers", &security.IssuersArgs{
			Name: "alphapulse-prod", CertManager: manager, Namespace: pulumi.String("cert-manager"), Platform: pulumi.String("alphapulse-prod"),
			Provider: provider, Zone: "alphapulse.com",
		})
		if err != nil {
			return err
		}
		name, err := security.NewInternalCertificate(ctx, "pgbouncer-tls", &security.InternalCertificateArgs{
			Issuers: made, Namespace: pulumi.String("alphapulse-prod"), SecretName: "pgbouncer-tls",
			DNSNames: security.ServiceNames("pgbouncer", pulumi.String("alphapulse-prod")), Uses: uses,
		})
		name.ApplyT(func(name string) error { secret = name; return nil })
		return err
	})
	return run, secret
}

func TestW1PublicIssuersProveTheZoneThroughCloudflare(t *testing.T) {
	run, _ := issuers(t)
	for name, server := range map[string]string{
		"letsencrypt-prod":    "https://acme-v02.api.letsencrypt.org/directory",
		"letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
	} {
		made := run.Find(t, clusterIssuer, "issuers-"+name)
		assert.Equal(t, name, made.At("metadata.name"))
		assert.Equal(t, map[string]any{"acme": map[string]any{
			"server":              server,
			"profile":             "tlsserver",
			"privateKeySecretRef": map[string]any{"name": name + "-account"},
			"solvers": []any{map[string]any{
				"selector":               map[string]any{"dnsZones": []any{"alphapulse.com"}},
				"waitInsteadOfSelfCheck": "2m",
				"dns01": map[string]any{"cloudflare": map[string]any{
					"apiTokenSecretRef": map[string]any{"name": "cloudflare-api-token", "key": "token"},
				}},
			}},
		}}, made.At("spec"), "no way but through the zone's own records")
	}
}

func TestW1IssuersComeAfterCertManagerAndGoBeforeIt(t *testing.T) {
	run, _ := issuers(t)
	chart := run.Find(t, helmChart, "cert-manager")
	require.Len(t, run.All(clusterIssuer), 3)
	for _, one := range run.All(clusterIssuer) {
		assert.Contains(t, one.DependsOn, chart.URN, one.Name)
	}
	assert.Contains(t, run.Find(t, certificate, "pgbouncer-tls").DependsOn, run.Find(t, clusterIssuer, "issuers-internal").URN)
}

func TestS1InternalIssuerSignsWithAnAuthorityOfItsOwn(t *testing.T) {
	run, _ := issuers(t)
	authority := run.Find(t, selfSigned, "issuers-authority")
	assert.Equal(t, "alphapulse-prod internal authority", authority.At("subject.commonName"), "no other authority has this subject")
	secret := run.Find(t, "kubernetes:core/v1:Secret", "issuers-internal-ca")
	assert.Equal(t, []any{"internal-ca", "cert-manager", "kubernetes.io/tls"},
		[]any{secret.At("metadata.name"), secret.At("metadata.namespace"), secret.At("type")})
	assert.Equal(t, map[string]any{"tls.crt": "certificate-of-issuers-authority", "tls.key": "key-of-issuers-authority"}, secret.At("stringData"))
	internal := run.Find(t, clusterIssuer, "issuers-internal")
	assert.Equal(t, map[string]any{"ca": map[string]any{"secretName": "internal-ca"}}, internal.At("spec"))
	assert.Contains(t, internal.DependsOn, secret.URN)
}

func TestS1ClientsKnowTheInternalAuthority(t *testing.T) {
	run, _ := issuers(t)
	known := run.Find(t, "kubernetes:core/v1:ConfigMap", "issuers-internal-ca")
	assert.Equal(t, []any{"internal-ca", "alphapulse-prod"}, []any{known.At("metadata.name"), known.At("metadata.namespace")})
	assert.Equal(t, map[string]any{"ca.crt": "certificate-of-issuers-authority"}, known.At("data"), "its certificate, and not its key")
}

func TestS1InternalCertificateIsRenewedWithANewKey(t *testing.T) {
	run, secret := issuers(t, security.ForServer, security.ForClient)
	made := run.Find(t, certificate, "pgbouncer-tls")
	assert.Equal(t, []any{"pgbouncer-tls", "alphapulse-prod"}, []any{made.At("metadata.name"), made.At("metadata.namespace")})
	assert.Equal(t, map[string]any{
		"secretName": "pgbouncer-tls",
		"dnsNames": []any{
			"pgbouncer", "pgbouncer.alphapulse-prod", "pgbouncer.alphapulse-prod.svc", "pgbouncer.alphapulse-prod.svc.cluster.local",
		},
		"usages":                []any{"digital signature", "server auth", "client auth"},
		"duration":              "2160h",
		"renewBeforePercentage": 33.,
		"privateKey":            map[string]any{"algorithm": "ECDSA", "size": 256., "rotationPolicy": "Always"},
		"issuerRef":             map[string]any{"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "internal"},
	}, made.At("spec"))
	assert.Equal(t, "pgbouncer-tls", secret)
	assert.Equal(t, "cluster", made.Provider)
}
