package security

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// CertificateAuthorityToken is the component's type.
const CertificateAuthorityToken = "alphapulse:security:CertificateAuthority"

// How long certificates are valid, and how long before their end the next `pulumi up` renews them. The authority is renewed long before
// the last of its leaves could outlive it, and with its old key, so that leaves of before stay good.
const (
	year = 365 * 24 // hours

	authorityHours        = 10 * year
	authorityRenewalHours = 2 * year
	leafHours             = year
	leafRenewalHours      = 90 * 24
)

// What a certificate is for, in the words of the tls provider.
const (
	ForServer = "server_auth"
	ForClient = "client_auth"
)

// CertificateAuthority signs certificates for those who trust nobody but us: webhooks that the API server calls, and our origin, which
// wants to know that it is our Cloudflare zone that calls. Its key lies encrypted in Pulumi's state, and nowhere else unless it is the
// internal issuer's; losing it costs new certificates, not data, so it is not protected.
type CertificateAuthority struct {
	pulumi.ResourceState

	// CertPEM is what those who verify must know.
	CertPEM pulumi.StringOutput

	name, owner string
	keyPEM      pulumi.StringOutput
}

// CertificateAuthorityArgs are what an authority is made from.
type CertificateAuthorityArgs struct {
	// Name is the environment's prefix; it stands in the certificates.
	Name string
}

// CertificateArgs are one certificate.
type CertificateArgs struct {
	// Purpose names it among the authority's: "webhook".
	Purpose  string
	DNSNames []string
	// Uses are ForServer, ForClient or both.
	Uses []string
}

// Certificate is a certificate with its private key, which is secret, and the authority's certificate.
type Certificate struct {
	CertPEM, KeyPEM, AuthorityPEM pulumi.StringOutput
	// Ends is when it does, in seconds since 1970.
	Ends pulumi.IntOutput
}

// NewCertificateAuthority makes an authority.
func NewCertificateAuthority(ctx *pulumi.Context, name string, args *CertificateAuthorityArgs, opts ...pulumi.ResourceOption) (*CertificateAuthority, error) {
	ca := &CertificateAuthority{name: name, owner: args.Name}
	if err := ctx.RegisterComponentResource(CertificateAuthorityToken, name, ca, opts...); err != nil {
		return nil, err
	}
	var err error
	if ca.keyPEM, err = ca.newKey(ctx, name); err != nil {
		return nil, err
	}
	cert, err := tls.NewSelfSignedCert(ctx, name, &tls.SelfSignedCertArgs{
		PrivateKeyPem:       ca.keyPEM,
		Subject:             tls.SelfSignedCertSubjectArgs{CommonName: pulumi.String(args.Name + " authority")},
		IsCaCertificate:     pulumi.Bool(true),
		AllowedUses:         pulumi.ToStringArray([]string{"cert_signing", "crl_signing", "digital_signature"}),
		SetSubjectKeyId:     pulumi.Bool(true), // leaves refer to it
		ValidityPeriodHours: pulumi.Int(authorityHours),
		EarlyRenewalHours:   pulumi.Int(authorityRenewalHours),
	}, pulumi.Parent(ca))
	if err != nil {
		return nil, fmt.Errorf("creating the certificate authority %q: %w", name, err)
	}
	ca.CertPEM = cert.CertPem
	return ca, ctx.RegisterResourceOutputs(ca, pulumi.Map{"certPem": ca.CertPEM})
}

// Issue makes a certificate with a key of its own. What it consists of belongs to the authority.
func (ca *CertificateAuthority) Issue(ctx *pulumi.Context, args *CertificateArgs) (*Certificate, error) {
	name := ca.name + "-" + args.Purpose
	key, err := ca.newKey(ctx, name)
	if err != nil {
		return nil, err
	}
	request, err := tls.NewCertRequest(ctx, name, &tls.CertRequestArgs{
		PrivateKeyPem: key,
		Subject:       tls.CertRequestSubjectArgs{CommonName: pulumi.String(ca.owner + " " + args.Purpose)},
		DnsNames:      pulumi.ToStringArray(args.DNSNames),
	}, pulumi.Parent(ca))
	if err != nil {
		return nil, fmt.Errorf("requesting the certificate %q: %w", name, err)
	}
	cert, err := tls.NewLocallySignedCert(ctx, name, &tls.LocallySignedCertArgs{
		CertRequestPem:      request.CertRequestPem,
		CaCertPem:           ca.CertPEM,
		CaPrivateKeyPem:     ca.keyPEM,
		AllowedUses:         pulumi.ToStringArray(append([]string{"digital_signature"}, args.Uses...)),
		ValidityPeriodHours: pulumi.Int(leafHours),
		EarlyRenewalHours:   pulumi.Int(leafRenewalHours),
	}, pulumi.Parent(ca))
	if err != nil {
		return nil, fmt.Errorf("signing the certificate %q: %w", name, err)
	}
	return &Certificate{CertPEM: cert.CertPem, KeyPEM: key, AuthorityPEM: ca.CertPEM, Ends: cert.ValidityEndTime.ApplyT(unix).(pulumi.IntOutput)}, nil
}

func unix(text string) (int, error) {
	end, err := time.Parse(time.RFC3339, text)
	return int(end.Unix()), err
}

func (ca *CertificateAuthority) newKey(ctx *pulumi.Context, name string) (pulumi.StringOutput, error) {
	key, err := tls.NewPrivateKey(ctx, name, &tls.PrivateKeyArgs{
		Algorithm: pulumi.String("ECDSA"), EcdsaCurve: pulumi.String("P256"),
	}, pulumi.Parent(ca))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("generating the key %q: %w", name, err)
	}
	return pulumi.ToSecret(key.PrivateKeyPem).(pulumi.StringOutput), nil
}
