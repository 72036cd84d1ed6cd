package workloads_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

const (
	configMap = "kubernetes:core/v1:ConfigMap"
	ingress   = "kubernetes:networking.k8s.io/v1:Ingress"
	role      = "kubernetes:rbac.authorization.k8s.io/v1:Role"

	balancerPrefix = "service.beta.kubernetes.io/aws-load-balancer-"
)

func ingressOf(t *testing.T, authority string, trusted ...string) *recorder.Run {
	t.Helper()
	return ingressOn(t, prod(t), authority, trusted...)
}

func ingressOn(t *testing.T, p config.Platform, authority string, trusted ...string) *recorder.Run {
	t.Helper()
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		_, err := workloads.NewIngress(ctx, place, &workloads.IngressArgs{
			Name: "alphapulse-prod", Spec: p.Workloads.Ingress, Host: p.Edge.Host, Routes: p.Ingress.Routes, Trusted: trusted,
			OriginAuthority: pulumi.String(authority), SecurityGroupID: pulumi.String("sg-origin"),
			Issuer: pulumi.String("letsencrypt-prod"), Tags: map[string]string{"Project": "alphapulse", "Environment": "prod"},
		})
		return err
	})
	require.NoError(t, err)
	return run
}

func annotation(r recorder.Resource, name string) any {
	return r.At(`metadata.annotations["` + balancerPrefix + name + `"]`)
}

func TestW1IngressIsANetworkLoadBalancerWithItsOwnSecurityGroup(t *testing.T) {
	door := ingressOf(t, "pem", "192.0.2.0/24").Find(t, service, "ingress")
	assert.Equal(t, "LoadBalancer", door.At("spec.type"))
	assert.Equal(t, "service.k8s.aws/nlb", door.At("spec.loadBalancerClass"), "the AWS Load Balancer Controller's")
	for name, want := range map[string]any{
		"nlb-target-type": "ip", "scheme": "internet-facing", "security-groups": "sg-origin", "manage-backend-security-group-rules": "false",
		"additional-resource-tags": "Environment=prod,Project=alphapulse",
	} {
		assert.Equal(t, want, annotation(door, name), name)
	}
	assert.Contains(t, annotation(door, "target-group-attributes"), "preserve_client_ip.enabled=true", "Traefik has to see that Cloudflare calls")
	assert.EqualValues(t, 443, door.At("spec.ports[0].port"))
	assert.EqualValues(t, 8443, door.At("spec.ports[0].targetPort"))
	assert.EqualValues(t, 80, door.At("spec.ports[1].port"))
	assert.Len(t, door.At("spec.ports"), 2, "the health port is not for the outside")
}

func TestW1LoadBalancerAsksTraefiksOwnHealth(t *testing.T) {
	run := ingressOf(t, "pem")
	door, pods := run.Find(t, service, "ingress"), run.Find(t, deployment, "ingress")
	assert.Equal(t, "8080", annotation(door, "healthcheck-port"))
	assert.Equal(t, "/ping", annotation(door, "healthcheck-path"))
	for _, probe := range []string{"livenessProbe", "readinessProbe"} {
		assert.Equal(t, "/ping", pods.At(container+probe+".httpGet.path"))
		assert.EqualValues(t, 8080, pods.At(container+probe+".httpGet.port"))
	}
	assert.Contains(t, workloads.IngressPorts, workloads.Port{Name: "health", Container: 8080}, "the security group lets the health checks through")
}

// A network load balancer may send new connections to a target for two minutes after it was taken out
// (github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366).
func TestW1IngressListensUntilTheLoadBalancerHasForgottenIt(t *testing.T) {
	run := ingressOf(t, "pem")
	pods := run.Find(t, deployment, "ingress")
	assert.Equal(t, 5, seconds(t, pods, container+"livenessProbe.terminationGracePeriodSeconds"), "what hangs finishes nothing")
	drain := seconds(t, pods, container+"lifecycle.preStop.sleep.seconds")
	assert.GreaterOrEqual(t, drain, 130)
	assert.GreaterOrEqual(t, seconds(t, pods, pod+"terminationGracePeriodSeconds"), drain+70, "requests under way have a minute: traefik.yml")
	assert.Contains(t, annotation(run.Find(t, service, "ingress"), "target-group-attributes"), fmt.Sprintf("deregistration_delay.timeout_seconds=%d", drain))
}

func TestW1TwoToThreeReplicasOf1CPUAnd2GB(t *testing.T) {
	run := ingressOf(t, "pem")
	hpa, pods := run.Find(t, autoscaler, "ingress"), run.Find(t, deployment, "ingress")
	assert.EqualValues(t, 2, hpa.At("spec.minReplicas"))
	assert.EqualValues(t, 3, hpa.At("spec.maxReplicas"))
	assert.Equal(t, "1", pods.At(container+"resources.requests.cpu"))
	assert.Equal(t, "2Gi", pods.At(container+"resources.requests.memory"))
	assert.Equal(t, "ingress", pods.At("spec.template.metadata.labels.app"), "the source's network policy knows it by this label")
}

func TestW1RoutesBecomeIngresses(t *testing.T) {
	run := ingressOf(t, "pem")
	limited, unlimited := run.Find(t, ingress, "ingress-routes"), run.Find(t, ingress, "ingress-unlimited")
	assert.Equal(t, "alphapulse-ingress", limited.At("metadata.name"))
	for _, one := range []recorder.Resource{limited, unlimited} {
		assert.Equal(t, "api.alphapulse.com", one.At("spec.rules[0].host"))
		assert.Equal(t, "alphapulse-tls", one.At("spec.tls[0].secretName"))
		assert.Equal(t, "traefik", one.At("spec.ingressClassName"))
	}
	path := func(r recorder.Resource, i string) []any {
		at := "spec.rules[0].http.paths[" + i + "]."
		return []any{r.At(at + "path"), r.At(at + "backend.service.name"), r.At(at + "backend.service.port.number")}
	}
	assert.Equal(t, []any{"/", "api-service", 8000.0}, path(limited, "0"))
	assert.Equal(t, []any{"/billing", "billing-service", 8000.0}, path(limited, "1"))
	assert.Equal(t, []any{"/webhooks/stripe", "billing-service", 8000.0}, path(unlimited, "1"))
	for name, want := range map[string]any{
		"cluster-issuer": "letsencrypt-prod", "private-key-algorithm": "ECDSA", "private-key-size": "256", "private-key-rotation-policy": "Always",
		"renew-before-percentage": "33",
	} {
		at := `metadata.annotations["cert-manager.io/` + name + `"]`
		assert.Equal(t, want, limited.At(at), name)
		assert.Nil(t, unlimited.At(at), "%s: two would quarrel over one certificate", name)
	}
	const middlewares = `metadata.annotations["traefik.ingress.kubernetes.io/router.middlewares"]`
	assert.Equal(t, "client-limit@file,total-limit@file", limited.At(middlewares), "what one client has too many takes nothing from the others")
	assert.Nil(t, unlimited.At(middlewares), "Stripe's webhooks are exempt")
}

func TestW1TraefikBelievesCloudflareOnly(t *testing.T) {
	data := ingressOf(t, "authority", "192.0.2.0/24", "198.51.100.0/24").Find(t, configMap, "ingress-config")
	static, ok := data.At(`data["traefik.yml"]`).(string)
	require.True(t, ok)
	assert.Contains(t, static, `trustedIPs: ["192.0.2.0/24", "198.51.100.0/24"]`)
	assert.Contains(t, static, `namespaces: ["alphapulse-prod"]`)
	assert.NotRegexp(t, `\$\{[A-Z]`, static)
	assert.NotContains(t, strings.ToLower(static), "insecure: true")
	assert.Equal(t, "authority", data.At(`data["origin-pull-ca.pem"]`), "whose client certificate the origin wants (N5)")
	assert.Contains(t, data.At(`data["dynamic.yml"]`), "clientAuthType: RequireAndVerifyClientCert")
}

func TestW6ChangeOfTraefiksFilesRollsItsPods(t *testing.T) {
	const digest = `spec.template.metadata.annotations["alphapulse.com/ingress-config"]`
	before := ingressOf(t, "pem", "192.0.2.0/24").Find(t, deployment, "ingress").At(digest)
	assert.NotEmpty(t, before)
	assert.Equal(t, before, ingressOf(t, "pem", "192.0.2.0/24").Find(t, deployment, "ingress").At(digest))
	assert.NotEqual(t, before, ingressOf(t, "another", "192.0.2.0/24").Find(t, deployment, "ingress").At(digest))
	assert.NotEqual(t, before, ingressOf(t, "pem", "203.0.113.0/24").Find(t, deployment, "ingress").At(digest))
}

func TestC6TraefikReadsItsNamespaceAndWritesStatusOnly(t *testing.T) {
	made := ingressOf(t, "pem").Find(t, role, "ingress")
	rules, ok := made.At("rules").([]any)
	require.True(t, ok)
	for _, rule := range rules {
		r, _ := rule.(map[string]any)
		for _, verb := range r["verbs"].([]any) {
			if verb == "update" {
				assert.Equal(t, []any{"ingresses/status"}, r["resources"])
				continue
			}
			assert.Contains(t, []any{"get", "list", "watch"}, verb)
		}
	}
}

func TestW1RouteServicesAreWhatTheProgramOffers(t *testing.T) {
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		if _, err := workloads.NewAPI(ctx, place, p.Workloads.API); err != nil {
			return err
		}
		_, err := workloads.NewBilling(ctx, place, p.Workloads.Billing)
		return err
	})
	require.NoError(t, err)
	offered := map[string]bool{}
	for _, made := range run.All(service) {
		name, _ := made.At("metadata.name").(string)
		port, known := config.Services[name]
		require.True(t, known, name)
		for i := range made.At("spec.ports").([]any) {
			at := "spec.ports[" + string(rune('0'+i)) + "]."
			offered[name] = offered[name] || made.At(at+"port") == float64(port) && made.At(at+"targetPort") == float64(port)
		}
	}
	for name := range config.Services {
		assert.True(t, offered[name], "%s offers its port under the container's number (N7)", name)
	}
}

func TestW6ImageThatCannotBePulledMakesNothing(t *testing.T) {
	p := prod(t)
	run, err := try(p, func(ctx *pulumi.Context, place workloads.Place) error {
		place.Image = func(string) (pulumi.StringInput, error) { return nil, assert.AnError }
		_, err := workloads.NewBilling(ctx, place, p.Workloads.Billing)
		return err
	})
	require.ErrorIs(t, err, assert.AnError)
	assert.ErrorContains(t, err, `workload "billing"`)
	assert.Empty(t, run.All(deployment))
}

func TestW1SomeIngressAlwaysAsksForTheCertificate(t *testing.T) {
	p := prod(t)
	p.Ingress.Routes = []config.Route{{Path: "/health", Service: "api-service", Unlimited: true}}
	only := ingressOn(t, p, "pem").Find(t, ingress, "ingress-unlimited")
	assert.Equal(t, "letsencrypt-prod", only.At(`metadata.annotations["cert-manager.io/cluster-issuer"]`))
}

func TestW1LimiterIsShippedAsTraefikLooksForIt(t *testing.T) {
	run := ingressOf(t, "pem")
	source, pods := run.Find(t, configMap, "ingress-limit"), run.Find(t, deployment, "ingress")
	data, ok := source.At("data").(map[string]any)
	require.True(t, ok)
	for _, file := range []string{".traefik.yml", "limit.go", "cluster.go"} {
		assert.Contains(t, data, file)
	}
	for file := range data {
		assert.NotContains(t, file, "_test", "tests stay at home")
	}
	mounts, _ := pods.At(container + "volumeMounts").([]any)
	assert.Contains(t, mounts, map[string]any{"name": "ingress-limit", "mountPath": "/plugins-local/src/alphapulse/limit", "readOnly": true})
	assert.NotEmpty(t, pods.At(`spec.template.metadata.annotations["alphapulse.com/ingress-limit"]`), "a new limiter rolls the pods")
	static, _ := run.Find(t, configMap, "ingress-config").At(`data["traefik.yml"]`).(string)
	assert.Contains(t, static, "abortOnPluginFailure: true", "without limits nothing starts")
	assert.Contains(t, static, "moduleName: alphapulse/limit")
}

func TestS2TraefikReadsTheRedisPasswordFromItsSecret(t *testing.T) {
	run := ingressOf(t, "pem")
	pods := run.Find(t, deployment, "ingress")
	mounts, _ := pods.At(container + "volumeMounts").([]any)
	assert.Contains(t, mounts, map[string]any{"name": "redis-credentials", "mountPath": "/etc/redis-credentials", "readOnly": true})
	assert.Contains(t, run.Find(t, configMap, "ingress-config").At(`data["dynamic.yml"]`), "passwordFile: /etc/redis-credentials/password")
	assert.Contains(t, run.Find(t, configMap, "ingress-config").At(`data["dynamic.yml"]`), "redis: "+config.RedisName+":6379")
	assert.Equal(t, "redis-credentials", pods.At(`metadata.annotations["secret.reloader.stakater.com/reload"]`))
}
