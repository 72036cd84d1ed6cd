package workloads

import (
	"fmt"
	"maps"
	"slices"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

// newRoutes makes the Ingresses, which Traefik reads: annotations hold for a whole Ingress, so routes without limits have one of their own.
func newRoutes(ctx *pulumi.Context, place Place, args *IngressArgs, parent pulumi.Resource) error {
	if _, err := networkingv1.NewIngressClass(ctx, config.IngressName+"-class", &networkingv1.IngressClassArgs{
		Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(ingressClass)},
		Spec:     networkingv1.IngressClassSpecArgs{Controller: pulumi.String("traefik.io/ingress-controller")},
	}, pulumi.Parent(parent)); err != nil {
		return fmt.Errorf("creating the ingress class: %w", err)
	}
	hasAsked := false
	for _, kind := range []struct {
		child, name, middlewares string
		unlimited                bool
	}{
		{"routes", "alphapulse-ingress", "client-limit@file,total-limit@file", false},
		{"unlimited", "alphapulse-ingress-unlimited", "", true},
	} {
		var paths networkingv1.HTTPIngressPathArray
		for _, route := range args.Routes {
			if route.Unlimited == kind.unlimited {
				paths = append(paths, path(route))
			}
		}
		if len(paths) == 0 {
			continue
		}
		annotations := pulumi.StringMap{
			"traefik.ingress.kubernetes.io/router.entrypoints": pulumi.String("websecure"),
			// The address appears with the load balancer, which the Service is waited for already.
			"pulumi.com/skipAwait": pulumi.String("true"),
		}
		if !hasAsked { // both use the certificate, one asks for it: cert-manager ties it to the Ingress that does
			maps.Copy(annotations, certificate(args.Issuer))
			hasAsked = true
		}
		if kind.middlewares != "" {
			annotations["traefik.ingress.kubernetes.io/router.middlewares"] = pulumi.String(kind.middlewares)
		}
		if _, err := networkingv1.NewIngress(ctx, config.IngressName+"-"+kind.child, &networkingv1.IngressArgs{
			Metadata: metav1.ObjectMetaArgs{
				Name: pulumi.String(kind.name), Namespace: place.Namespace, Annotations: annotations,
				Labels: pulumi.StringMap{"app": pulumi.String(config.IngressName)},
			},
			Spec: networkingv1.IngressSpecArgs{
				IngressClassName: pulumi.String(ingressClass),
				Tls: networkingv1.IngressTLSArray{networkingv1.IngressTLSArgs{
					Hosts: pulumi.StringArray{pulumi.String(args.Host)}, SecretName: pulumi.String("alphapulse-tls"),
				}},
				Rules: networkingv1.IngressRuleArray{networkingv1.IngressRuleArgs{
					Host: pulumi.String(args.Host), Http: networkingv1.HTTPIngressRuleValueArgs{Paths: paths},
				}},
			},
		}, pulumi.Parent(parent)); err != nil {
			return fmt.Errorf("creating the ingress %q: %w", kind.name, err)
		}
	}
	return nil
}

// certificate has cert-manager get the certificate of an Ingress, with a new key at each renewal.
func certificate(issuer pulumi.StringInput) pulumi.StringMap {
	return pulumi.StringMap{
		"cert-manager.io/cluster-issuer":              issuer,
		"cert-manager.io/private-key-algorithm":       pulumi.String("ECDSA"),
		"cert-manager.io/private-key-size":            pulumi.String("256"),
		"cert-manager.io/private-key-rotation-policy": pulumi.String("Always"),
		"cert-manager.io/renew-before-percentage":     pulumi.Sprintf("%d", security.RenewalPercent),
	}
}

func path(route config.Route) networkingv1.HTTPIngressPathArgs {
	return networkingv1.HTTPIngressPathArgs{
		Path: pulumi.String(route.Path), PathType: pulumi.String("Prefix"),
		Backend: networkingv1.IngressBackendArgs{Service: networkingv1.IngressServiceBackendArgs{
			Name: pulumi.String(route.Service),
			Port: networkingv1.ServiceBackendPortArgs{Number: pulumi.Int(config.Services[route.Service])},
		}},
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
