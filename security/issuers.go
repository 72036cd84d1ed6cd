package security

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// IssuersToken is the component's type.
const IssuersToken = "alphapulse:security:Issuers"

// The ClusterIssuers: for what the world trusts, for trying out without using up Let's Encrypt's limits, and for what only we must trust.
const (
	publicIssuer   = "letsencrypt-prod"
	trialIssuer    = "letsencrypt-staging"
	internalIssuer = "internal"
)

var issuerNames = []string{publicIssuer, trialIssuer, internalIssuer}

const (
	certManagerAPI = "cert-manager.io/v1"

	internalAuthority = "internal-ca" // Secret and ConfigMap

	// acmeProfile is Let's Encrypt's for servers: 45 days, and nothing but names in it. The default one comes to the same in February 2028,
	// after a step in February 2027; those who take it now have it behind them.
	acmeProfile = "tlsserver"

	// Cloudflare serves a new record within seconds. Looking for it instead of waiting would need a way to name servers outside, or a
	// resolver that remembers for half an hour that the record was not there when it first asked.
	dnsChallengeWait = "2m"
)

// IssuersArgs are what the issuers are made from.
type IssuersArgs struct {
	// Name is the environment's prefix; it stands in the internal authority's certificate.
	Name        string
	CertManager *CertManager
	// Namespace is cert-manager's, Platform the one whose workloads must know the internal authority.
	Namespace, Platform pulumi.StringInput
	// Provider is the cluster's.
	Provider pulumi.ProviderResource
	// Zone is the only domain that public certificates are for.
	Zone string
}

// Issuers are the ways to a certificate inside the cluster (W1, S1).
type Issuers struct {
	pulumi.ResourceState

	// Public is the name of the ClusterIssuer for what the world trusts.
	Public pulumi.StringOutput
	// AuthorityPEM is what internal clients must know; the ConfigMap `internal-ca` of the platform's namespace has it under AuthorityKey.
	AuthorityPEM pulumi.StringOutput

	internal *apiextensions.CustomResource
	provider pulumi.ProviderResource
}

// AuthorityKey is the internal authority's key in its ConfigMap, and in every Secret with an internal certificate.
const AuthorityKey = "ca.crt"

// NewIssuers makes the issuers, and the authority of the internal one. It is no other's authority: its key lies in the cluster, and
// whoever has it must not be able to sign what the origin takes for Cloudflare's (N5).
func NewIssuers(ctx *pulumi.Context, name string, args *IssuersArgs, opts ...pulumi.ResourceOption) (*Issuers, error) {
	i := &Issuers{provider: args.Provider}
	if err := ctx.RegisterComponentResource(IssuersToken, name, i, append(opts, pulumi.Provider(args.Provider))...); err != nil {
		return nil, err
	}
	for _, acme := range []struct{ name, server string }{
		{publicIssuer, "https://acme-v02.api.letsencrypt.org/directory"},
		{trialIssuer, "https://acme-staging-v02.api.letsencrypt.org/directory"},
	} {
		made, err := i.newIssuer(ctx, name, acme.name, args.CertManager, pulumi.Map{"acme": acmeSpec(acme.name, acme.server, args.Zone)})
		if err != nil {
			return nil, err
		}
		if acme.name == publicIssuer {
			i.Public = made.Metadata.Name().Elem()
		}
	}
	secret, err := i.newAuthority(ctx, name, args)
	if err != nil {
		return nil, err
	}
	i.internal, err = i.newIssuer(ctx, name, internalIssuer, args.CertManager, pulumi.Map{"ca": pulumi.Map{"secretName": secret}})
	if err != nil {
		return nil, err
	}
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"authorityPem": i.AuthorityPEM})
}

func (i *Issuers) newIssuer(ctx *pulumi.Context, component, name string, manager *CertManager, spec pulumi.Map) (*apiextensions.CustomResource, error) {
	made, err := apiextensions.NewCustomResource(ctx, component+"-"+name, &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String(certManagerAPI), Kind: pulumi.String("ClusterIssuer"),
		Metadata:    metav1.ObjectMetaArgs{Name: pulumi.String(name)},
		OtherFields: kubernetes.UntypedArgs{"spec": spec},
	}, pulumi.Parent(i), pulumi.DependsOn([]pulumi.Resource{manager.chart})) // no value flows from the chart's definitions and webhook
	if err != nil {
		return nil, fmt.Errorf("creating the issuer %q: %w", name, err)
	}
	return made, nil
}

// acmeSpec proves by DNS records at Cloudflare that names of the zone are ours. Let's Encrypt cannot come and look: that would be through
// Cloudflare, which talks to no origin that has no certificate yet.
func acmeSpec(name, server, zone string) pulumi.Map {
	return pulumi.Map{
		"server":              pulumi.String(server),
		"profile":             pulumi.String(acmeProfile),
		"privateKeySecretRef": pulumi.StringMap{"name": pulumi.String(name + "-account")}, // cert-manager makes it
		"solvers": pulumi.Array{pulumi.Map{
			"selector":               pulumi.Map{"dnsZones": pulumi.ToStringArray([]string{zone})},
			"waitInsteadOfSelfCheck": pulumi.String(dnsChallengeWait),
			"dns01": pulumi.Map{"cloudflare": pulumi.Map{
				"apiTokenSecretRef": pulumi.StringMap{"name": pulumi.String("cloudflare-api-token"), "key": pulumi.String("token")},
			}},
		}},
	}
}

// newAuthority makes the internal authority, hands it to cert-manager, and its certificate to the platform's workloads. It gives the
// name of the Secret.
func (i *Issuers) newAuthority(ctx *pulumi.Context, component string, args *IssuersArgs) (pulumi.StringOutput, error) {
	authority, err := NewCertificateAuthority(ctx, component+"-authority", &CertificateAuthorityArgs{
		Name: args.Name + " internal", // no other authority has this subject, or verifiers would try the wrong key
	}, pulumi.Parent(i))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	secret, err := corev1.NewSecret(ctx, component+"-"+internalAuthority, &corev1.SecretArgs{
		Metadata:   metav1.ObjectMetaArgs{Name: pulumi.String(internalAuthority), Namespace: args.Namespace},
		Type:       pulumi.String("kubernetes.io/tls"),
		StringData: pulumi.StringMap{"tls.crt": authority.CertPEM, "tls.key": authority.keyPEM},
	}, pulumi.Parent(i))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("handing the internal authority to cert-manager: %w", err)
	}
	if _, err := corev1.NewConfigMap(ctx, component+"-"+internalAuthority, &corev1.ConfigMapArgs{
		Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(internalAuthority), Namespace: args.Platform},
		Data:     pulumi.StringMap{AuthorityKey: authority.CertPEM},
	}, pulumi.Parent(i)); err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("making the internal authority known: %w", err)
	}
	i.AuthorityPEM = authority.CertPEM
	return secret.Metadata.Name().Elem(), nil
}
