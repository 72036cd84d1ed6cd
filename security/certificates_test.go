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
	privateKey = "tls:index/privateKey:PrivateKey"
	selfSigned = "tls:index/selfSignedCert:SelfSignedCert"
	request    = "tls:index/certRequest:CertRequest"
	signed     = "tls:index/locallySignedCert:LocallySignedCert"
)

// issued are the certificates of one authority: a webhook's and Cloudflare's.
func issued(t *testing.T) (*recorder.Run, []string) {
	t.Helper()
	var got []string
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		ca, err := security.NewCertificateAuthority(ctx, "authority", &security.CertificateAuthorityArgs{Name: "alphapulse-prod"})
		if err != nil {
			return err
		}
		webhook, err := ca.Issue(ctx, &security.CertificateArgs{
			Purpose: "webhook", DNSNames: []string{"webhook.kube-system.svc"}, Uses: []string{security.ForServer},
		})
		if err != nil {
			return err
		}
		if _, err := ca.Issue(ctx, &security.CertificateArgs{Purpose: "cloudflare", Uses: []string{security.ForClient}}); err != nil {
			return err
		}
		assert.True(t, pulumi.IsSecret(webhook.KeyPEM), "in what it is put into as well")
		pulumi.All(webhook.CertPEM, webhook.KeyPEM, webhook.AuthorityPEM).ApplyT(func(v []any) error {
			got = []string{v[0].(string), v[1].(string), v[2].(string)}
			return nil
		})
		return nil
	})
	return run, got
}

func TestN5AuthoritySignsAndLastsLong(t *testing.T) {
	run, _ := issued(t)
	for _, key := range run.All(privateKey) {
		assert.Equal(t, []any{"ECDSA", "P256"}, []any{key.At("algorithm"), key.At("ecdsaCurve")}, key.Name)
		assert.False(t, key.Protect, key.Name)
	}
	ca := run.Find(t, selfSigned, "authority")
	assert.Equal(t, true, ca.At("isCaCertificate"))
	assert.Contains(t, ca.At("allowedUses"), "cert_signing")
	assert.Equal(t, "key-of-authority", ca.At("privateKeyPem"))
	assert.EqualValues(t, 10*365*24, ca.At("validityPeriodHours"))
}

func TestN5LeavesAreForWhatTheyAreIssuedForAndHaveTheirOwnKeys(t *testing.T) {
	run, got := issued(t)
	require.Len(t, run.All(signed), 2)
	for purpose, want := range map[string]struct {
		names any
		uses  []any
	}{
		"webhook":    {[]any{"webhook.kube-system.svc"}, []any{"digital_signature", "server_auth"}},
		"cloudflare": {[]any{}, []any{"digital_signature", "client_auth"}},
	} {
		name := "authority-" + purpose
		asked := run.Find(t, request, name)
		assert.Equal(t, "key-of-"+name, asked.At("privateKeyPem"))
		assert.Equal(t, want.names, asked.At("dnsNames"))
		leaf := run.Find(t, signed, name)
		assert.Equal(t, want.uses, leaf.At("allowedUses"))
		assert.Equal(t, []any{"request-of-" + name, "certificate-of-authority", "key-of-authority"},
			[]any{leaf.At("certRequestPem"), leaf.At("caCertPem"), leaf.At("caPrivateKeyPem")})
		assert.Nil(t, leaf.At("isCaCertificate"))
		authority := run.Find(t, security.CertificateAuthorityToken, "authority")
		assert.Equal(t, authority.URN, leaf.Parent)
	}
	assert.Equal(t, []string{"certificate-of-authority-webhook", "key-of-authority-webhook", "certificate-of-authority"}, got)
}

func TestN5RenewalComesInTimeAndNoLeafOutlivesItsAuthority(t *testing.T) {
	run, _ := issued(t)
	authority := run.Find(t, selfSigned, "authority")
	for _, leaf := range run.All(signed) {
		assert.GreaterOrEqual(t, leaf.At("earlyRenewalHours"), 90*24., "%s: an up each quarter is enough", leaf.Name)
		assert.Less(t, leaf.At("validityPeriodHours"), authority.At("earlyRenewalHours"), leaf.Name)
	}
}
