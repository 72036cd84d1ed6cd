package workloads

import (
	"embed"
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Traefik's files, as it reads them.
var (
	//go:embed traefik/traefik.yml
	traefikStatic string
	//go:embed traefik/dynamic.yml
	traefikDynamic string
	// The limiter is a plugin, which Traefik takes as source (its tests stay here).
	//
	//go:embed traefik/limit/.traefik.yml traefik/limit/*.go
	traefikLimit embed.FS
)

// IngressPorts are the ports of Traefik's container. The load balancer reaches them all: two to forward to, one to ask about health.
var IngressPorts = []Port{
	{Name: "websecure", Container: 8443, Service: []int{443}},
	{Name: "web", Container: 8000, Service: []int{80}},
	{Name: "health", Container: ingressHealthPort},
}

const (
	ingressClass      = "traefik"
	ingressHealthPort = 8080
)

// IngressArgs are what the ingress is made from.
type IngressArgs struct {
	// Name is the environment's prefix, and the load balancer's name.
	Name   string
	Spec   config.Workload
	Host   string
	Routes []config.Route
	// Trusted are the address ranges of those whose X-Forwarded-For is believed: Cloudflare's.
	Trusted []string
	// OriginAuthority is the certificate in PEM of the authority that signed Cloudflare's client certificate.
	OriginAuthority pulumi.StringInput
	// SecurityGroupID is the load balancer's.
	SecurityGroupID pulumi.StringInput
	// Issuer is the ClusterIssuer of the host's certificate. The Ingresses go before it, while it can still take its certificate back.
	Issuer pulumi.StringInput
	Tags   map[string]string
}

// IngressToken is the component's type.
const IngressToken = "alphapulse:workloads:Ingress"

// deregistration is how long a target that is taken out of the load balancer still listens, in seconds.
const deregistration = 150

// Ingress is the way in: Traefik behind a network load balancer.
type Ingress struct {
	pulumi.ResourceState

	// Host is the load balancer's name.
	Host pulumi.StringOutput
}

// NewIngress runs Traefik (W1).
func NewIngress(ctx *pulumi.Context, place Place, args *IngressArgs, opts ...pulumi.ResourceOption) (*Ingress, error) {
	i := &Ingress{}
	if err := ctx.RegisterComponentResource(IngressToken, config.IngressName, i, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	files, err := newTraefikConfig(ctx, place, args, i)
	if err != nil {
		return nil, err
	}
	// Traefik looks for plugins beside its working folder, which is / in its image.
	limit, err := NewFolder(ctx, place, config.IngressName+"-limit", config.IngressName, "/plugins-local/src/alphapulse/limit", traefikLimit, "traefik/limit", i)
	if err != nil {
		return nil, err
	}
	service, err := NewService(ctx, config.IngressName, place, &ServiceArgs{
		Spec:        args.Spec,
		Labels:      map[string]string{"app": config.IngressName}, // the source's network policy lets it reach the API by this label
		ServiceName: config.IngressName,
		Ports:       IngressPorts,
		Balancer:    balancer(args),
		Command:     []string{"--configFile=/etc/traefik/traefik.yml"},
		// The plugin reads the password of the Redis that it counts in.
		Files:           []Files{files, limit, {Name: "redis-credentials", Path: "/etc/redis-credentials", Secret: "redis-credentials"}},
		CallsKubernetes: true,
		Probes: Probes{
			Port: ingressHealthPort,
			// What hangs finishes nothing: without the limit its end would wait for the load balancer, as that of a pod that works.
			Live: Probe{Path: "/ping", InitialDelay: 10, Period: 10, Timeout: 2, Failures: 3, KillWithin: 5},
			// One that is slow for a moment stays: back at the load balancer it would be only minutes later, and the others had its share. One that goes
			// leaves the Service's endpoints by itself.
			Ready: Probe{Path: "/ping", InitialDelay: 2, Period: 5, Timeout: 3, Failures: 3},
		},
		MetricsPort: ingressHealthPort,
		Autoscaler:  "ingress-hpa",
		TargetCPU:   70,
		Priority:    CustomerFacing,
		// A network load balancer may send new connections for two minutes to a target that is taken out, whatever its deregistration delay
		// (github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366). Then Traefik finishes what it has within one more.
		DrainSeconds: deregistration,
		StopWithin:   deregistration + 80,
	}, pulumi.Parent(i))
	if err != nil {
		return nil, err
	}
	if err := newIngressRights(ctx, place, service.Account, i); err != nil {
		return nil, err
	}
	if err := newRoutes(ctx, place, args, i); err != nil {
		return nil, err
	}
	i.Host = service.Door.Status.ApplyT(balancerHost).(pulumi.StringOutput)
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"host": i.Host})
}

// balancerHost is the name of the load balancer that a Service got.
func balancerHost(status *corev1.ServiceStatus) (string, error) {
	if status != nil && status.LoadBalancer != nil && len(status.LoadBalancer.Ingress) > 0 && status.LoadBalancer.Ingress[0].Hostname != nil {
		return *status.LoadBalancer.Ingress[0].Hostname, nil
	}
	return "", fmt.Errorf("the Service %q has no load balancer: see `kubectl describe service %s` and the log of the load balancer controller", config.IngressName, config.IngressName)
}

// balancer are the settings of the network load balancer, as annotations for the AWS Load Balancer Controller.
func balancer(args *IngressArgs) pulumi.StringMap {
	const prefix = "service.beta.kubernetes.io/aws-load-balancer-"
	var tags []string
	for _, key := range sortedKeys(args.Tags) {
		tags = append(tags, key+"="+args.Tags[key])
	}
	settings := pulumi.StringMap{"security-groups": args.SecurityGroupID}
	for key, value := range map[string]string{
		"name":            args.Name,
		"scheme":          "internet-facing",
		"nlb-target-type": "ip",
		// The rules between the load balancer and the pods are resources of ours.
		"manage-backend-security-group-rules": "false",
		"attributes":                          "load_balancing.cross_zone.enabled=true",
		// Traefik has to see who calls, to believe Cloudflare only.
		"target-group-attributes":         "preserve_client_ip.enabled=true,deregistration_delay.timeout_seconds=" + fmt.Sprint(deregistration),
		"healthcheck-protocol":            "http",
		"healthcheck-port":                fmt.Sprint(ingressHealthPort),
		"healthcheck-path":                "/ping",
		"healthcheck-interval":            "10",
		"healthcheck-timeout":             "5",
		"healthcheck-healthy-threshold":   "2",
		"healthcheck-unhealthy-threshold": "2",
		"additional-resource-tags":        strings.Join(tags, ","),
	} {
		settings[key] = pulumi.String(value)
	}
	annotations := pulumi.StringMap{}
	for key, value := range settings {
		annotations[prefix+key] = value
	}
	return annotations
}

// newTraefikConfig makes the files that Traefik reads.
func newTraefikConfig(ctx *pulumi.Context, place Place, args *IngressArgs, parent pulumi.Resource) (Files, error) {
	static := place.Namespace.ToStringOutput().ApplyT(func(namespace string) string {
		return strings.NewReplacer("${NAMESPACE}", namespace, "${CLOUDFLARE_RANGES}", strings.Join(args.Trusted, `", "`)).Replace(traefikStatic)
	}).(pulumi.StringOutput)
	return NewTexts(ctx, place, config.IngressName+"-config", config.IngressName, "/etc/traefik", pulumi.StringMap{
		"traefik.yml": static, "dynamic.yml": pulumi.String(traefikDynamic), "origin-pull-ca.pem": args.OriginAuthority,
	}, parent)
}
