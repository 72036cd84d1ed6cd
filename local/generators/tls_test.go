package generators

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func TestKeysOfEveryAlgorithm(t *testing.T) {
	for name, in := range map[string]props{
		"P224": {"algorithm": "ECDSA"}, "P256": {"algorithm": "ECDSA", "ecdsaCurve": "P256"}, "P384": {"algorithm": "ECDSA", "ecdsaCurve": "P384"},
		"P521": {"algorithm": "ECDSA", "ecdsaCurve": "P521"}, "RSA": {"algorithm": "RSA", "rsaBits": 1024.0}, "ED25519": {"algorithm": "ED25519"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := try(t, privateKey, in)
			require.NoError(t, err)
			out := plain(resp.Properties)
			key, algorithm, err := parseKey("privateKeyPem", out.text("privateKeyPem"))
			require.NoError(t, err)
			assert.Equal(t, in["algorithm"], algorithm)
			same, _, err := parseKey("privateKeyPemPkcs8", out.text("privateKeyPemPkcs8"))
			require.NoError(t, err)
			assert.Equal(t, key, same)
			public, err := x509.MarshalPKIXPublicKey(key.Public())
			require.NoError(t, err)
			assert.Equal(t, encode("PUBLIC KEY", public), out.text("publicKeyPem"))
			assert.Regexp(t, "^[0-9a-f]{40}$", string(resp.ID))
			for _, secret := range []resource.PropertyKey{"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"} {
				assert.True(t, resp.Properties[secret].IsSecret(), secret)
			}
			if name == "P224" { // which SSH does not have
				assert.Empty(t, out.text("publicKeyOpenssh")+out.text("privateKeyOpenssh")+out.text("publicKeyFingerprintSha256"))
				return
			}
			shell, _, _, _, err := ssh.ParseAuthorizedKey([]byte(out.text("publicKeyOpenssh")))
			require.NoError(t, err)
			assert.Equal(t, ssh.FingerprintSHA256(shell), out.text("publicKeyFingerprintSha256"))
			assert.Equal(t, ssh.FingerprintLegacyMD5(shell), out.text("publicKeyFingerprintMd5"))
			signer, err := ssh.ParsePrivateKey([]byte(out.text("privateKeyOpenssh")))
			require.NoError(t, err)
			assert.Equal(t, shell.Marshal(), signer.PublicKey().Marshal())
		})
	}
	for reason, in := range map[string]props{
		`attribute algorithm value must be one of: ["RSA" "ECDSA" "ED25519"], got: "DSA"`: {"algorithm": "DSA"},
		`attribute ecdsaCurve value must be one of`:                                       {"algorithm": "ECDSA", "ecdsaCurve": "P-256"},
	} {
		_, reasons := check(t, privateKey, in)
		assert.Contains(t, reasons, reason)
	}
}

func keyOf(t *testing.T) string {
	t.Helper()
	_, key := made(t, privateKey, props{"algorithm": "ECDSA", "ecdsaCurve": "P256"})
	return key.text("privateKeyPem")
}

// authority are the inputs of a certificate that signs others.
func authority(t *testing.T) props {
	return props{"privateKeyPem": keyOf(t), "isCaCertificate": true, "validityPeriodHours": 87600.0, "setAuthorityKeyId": true,
		"allowedUses": []any{"cert_signing", "crl_signing"}, "subject": props{"commonName": "alphapulse", "organization": "AlphaPulse"}}
}

func parse(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	require.NotNil(t, block)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return certificate
}

func TestS1CertificatesVerify(t *testing.T) {
	ca := authority(t)
	id, root := made(t, selfSigned, ca)
	rootCertificate := parse(t, root.text("certPem"))
	assert.Equal(t, rootCertificate.SerialNumber.String(), id)
	assert.True(t, rootCertificate.IsCA)
	assert.Equal(t, "CN=alphapulse,O=AlphaPulse", rootCertificate.Subject.String())
	assert.Equal(t, rootCertificate.SubjectKeyId, rootCertificate.AuthorityKeyId)
	assert.Equal(t, "ECDSA", root.text("keyAlgorithm"))

	key := keyOf(t)
	_, request := made(t, certRequest, props{"privateKeyPem": key, "dnsNames": []any{"vault", "*.vault-internal"}, "ipAddresses": []any{"127.0.0.1"},
		"uris": []any{"spiffe://alphapulse/vault"}, "subject": props{"commonName": "vault", "emailAddress": "ops@alphapulse.com"}})
	_, leaf := made(t, locallySigned, props{"caCertPem": root["certPem"], "caPrivateKeyPem": ca["privateKeyPem"],
		"certRequestPem": request["certRequestPem"], "validityPeriodHours": 2160.0, "allowedUses": []any{"digital_signature", "server_auth"}})
	assert.Equal(t, "ECDSA", leaf.text("caKeyAlgorithm"))
	certificate := parse(t, leaf.text("certPem"))
	roots := x509.NewCertPool()
	roots.AddCert(rootCertificate)
	for _, name := range []string{"vault", "vault-0.vault-internal", "127.0.0.1"} {
		_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		assert.NoError(t, err, name)
	}
	_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	assert.Error(t, err, "it was not made for clients")
	_, err = tls.X509KeyPair([]byte(leaf.text("certPem")), []byte(key))
	assert.NoError(t, err)
	assert.Equal(t, "spiffe://alphapulse/vault", certificate.URIs[0].String())
	der, err := parsePEM("certRequestPem", "CERTIFICATE REQUEST", request.text("certRequestPem"))
	require.NoError(t, err)
	asked, err := x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	assert.Contains(t, asked.Subject.String(), "1.2.840.113549.1.9.1", "the address of a person")
	assert.Equal(t, 2160*time.Hour, certificate.NotAfter.Sub(certificate.NotBefore))
	assert.Equal(t, certificate.NotAfter.Format(time.RFC3339), leaf.text("validityEndTime"))
	assert.False(t, leaf.flag("readyForRenewal"))
}

func TestCertificatesAreRefusedAsForReal(t *testing.T) {
	ca := authority(t)
	_, root := made(t, selfSigned, ca)
	_, request := made(t, certRequest, props{"privateKeyPem": keyOf(t)})
	leaf := props{"caCertPem": root["certPem"], "caPrivateKeyPem": ca["privateKeyPem"], "certRequestPem": request["certRequestPem"],
		"validityPeriodHours": 1.0, "allowedUses": []any{}}
	for _, test := range []struct {
		typ, reason, key string
		in               props
		value            any
	}{
		{selfSigned, "must contain at least one Distinguished Name", "subject", ca, props{}},
		{selfSigned, "could not determine Authority Key Identifier", "isCaCertificate", ca, false},
		{selfSigned, `failed to parse "localhost"`, "ipAddresses", ca, []any{"localhost"}},
		{selfSigned, "invalid URI", "uris", ca, []any{"%"}},
		{selfSigned, "privateKeyPem is no PEM", "privateKeyPem", ca, "x"},
		{selfSigned, "unable to determine parser for PEM preamble: CERTIFICATE", "privateKeyPem", ca, root["certPem"]},
		{locallySigned, "certRequestPem: expected a PEM block CERTIFICATE REQUEST, got CERTIFICATE", "certRequestPem", leaf, root["certPem"]},
		{locallySigned, "caCertPem is no PEM", "caCertPem", leaf, ""},
		{locallySigned, "provided PrivateKey doesn't match parent's PublicKey", "caPrivateKeyPem", leaf, keyOf(t)},
	} {
		_, err := try(t, test.typ, with(test.in, test.key, test.value))
		assert.ErrorContains(t, err, test.reason)
	}
	for reason, in := range map[string]props{
		`attribute allowedUses[0] value must be one of`:                   with(ca, "allowedUses", []any{"certSigning"}),
		`attribute validityPeriodHours value must be at least 0, got: -1`: with(ca, "validityPeriodHours", -1.0),
		`property subject.commonname of ` + selfSigned:                    with(ca, "subject", props{"commonname": "x"}),
		`property maxPathLength of ` + selfSigned:                         with(ca, "maxPathLength", 1.0),
	} {
		_, reasons := check(t, selfSigned, in)
		assert.Contains(t, reasons, reason)
	}
}

func TestCertificatesAreReplacedInTime(t *testing.T) {
	in := with(authority(t), "validityPeriodHours", 100.0)
	resp, err := try(t, selfSigned, in)
	require.NoError(t, err)
	assert.True(t, resp.Properties["privateKeyPem"].IsSecret())
	assert.Equal(t, plugin.DiffNone, diff(t, selfSigned, in, in, resp.Properties).Changes)

	soon := diff(t, selfSigned, in, with(in, "earlyRenewalHours", 99.0), resp.Properties)
	assert.Empty(t, soon.ReplaceKeys, "an hour is left")
	assert.Equal(t, []resource.PropertyKey{"earlyRenewalHours"}, soon.ChangedKeys)
	now := diff(t, selfSigned, in, with(in, "earlyRenewalHours", 100.0), resp.Properties)
	assert.Equal(t, []resource.PropertyKey{"readyForRenewal"}, now.ReplaceKeys)

	inputs, _ := check(t, selfSigned, with(in, "earlyRenewalHours", 99.0))
	updated, err := New("tls").Update(context.Background(), plugin.UpdateRequest{URN: urn(selfSigned), NewInputs: inputs, OldOutputs: resp.Properties})
	require.NoError(t, err)
	assert.Equal(t, resp.Properties["certPem"], updated.Properties["certPem"])
	assert.Equal(t, 99.0, updated.Properties["earlyRenewalHours"].NumberValue())
	due := resp.Properties.Copy()
	due["readyForRenewal"] = resource.NewProperty(true) // as a refresh found it, with an hour more
	updated, err = New("tls").Update(context.Background(), plugin.UpdateRequest{URN: urn(selfSigned), NewInputs: inputs, OldOutputs: due})
	require.NoError(t, err)
	assert.False(t, updated.Properties["readyForRenewal"].BoolValue())

	expired := resp.Properties.Copy()
	expired["validityEndTime"] = resource.NewProperty(time.Now().Add(-time.Minute).Format(time.RFC3339))
	assert.Equal(t, []resource.PropertyKey{"readyForRenewal"}, diff(t, selfSigned, in, in, expired).ReplaceKeys)
	read, err := New("tls").Read(context.Background(), plugin.ReadRequest{URN: urn(selfSigned), ID: resp.ID, State: expired})
	require.NoError(t, err)
	assert.True(t, read.Outputs["readyForRenewal"].BoolValue())
}
