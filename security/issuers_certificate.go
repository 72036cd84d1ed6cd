package security

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	internalLeafHours = 90 * 24

	// RenewalPercent is what is left of a certificate's life when cert-manager renews it: a third, so that a renewal that fails can fail
	// for weeks before anybody notices.
	RenewalPercent = 33
)

// InternalCertificateArgs are a certificate for what speaks TLS inside the cluster.
type InternalCertificateArgs struct {
	Issuers   *Issuers
	Namespace pulumi.StringInput
	// SecretName is the Certificate's name, and that of the Secret it is kept in: tls.crt, tls.key and AuthorityKey.
	SecretName string
	DNSNames   pulumi.StringArrayInput
	// Uses are ForServer, ForClient or both.
	Uses []string
}

// NewInternalCertificate has cert-manager issue a certificate and renew it, with a new key each time. It gives the name of the Secret, in
// which the certificate appears a moment later: pods that mount it wait. Who reads it once only, has to be rolled at a renewal.
func NewInternalCertificate(ctx *pulumi.Context, name string, args *InternalCertificateArgs, opts ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	usages := pulumi.StringArray{pulumi.String("digital signature")}
	for _, use := range args.Uses {
		usages = append(usages, pulumi.String(strings.ReplaceAll(use, "_", " "))) // cert-manager writes them so
	}
	made, err := apiextensions.NewCustomResource(ctx, name, &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String(certManagerAPI), Kind: pulumi.String("Certificate"),
		Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(args.SecretName), Namespace: args.Namespace},
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"secretName":            pulumi.String(args.SecretName),
			"dnsNames":              args.DNSNames,
			"usages":                usages,
			"duration":              pulumi.Sprintf("%dh", internalLeafHours),
			"renewBeforePercentage": pulumi.Int(RenewalPercent),
			"privateKey":            pulumi.Map{"algorithm": pulumi.String("ECDSA"), "size": pulumi.Int(256), "rotationPolicy": pulumi.String("Always")},
			"issuerRef": pulumi.Map{
				"group": pulumi.String("cert-manager.io"), "kind": pulumi.String("ClusterIssuer"), "name": args.Issuers.internal.Metadata.Name().Elem(),
			},
		}},
	}, append(opts, pulumi.Provider(args.Issuers.provider))...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("asking for the certificate %q: %w", args.SecretName, err)
	}
	return made.Metadata.Name().Elem(), nil
}

// ServiceNames are the names under which the pods of a cluster call a Service, the shortest first (N6).
func ServiceNames(service string, namespace pulumi.StringInput) pulumi.StringArray {
	return pulumi.StringArray{
		pulumi.String(service),
		pulumi.Sprintf("%s.%s", service, namespace),
		pulumi.Sprintf("%s.%s.svc", service, namespace),
		pulumi.Sprintf("%s.%s.svc.cluster.local", service, namespace),
	}
}
