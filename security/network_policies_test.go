package security_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const networkPolicy = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

var prodNetwork = config.Network{
	CIDR: "10.20.0.0/16", Zones: []string{"us-east-1a", "us-east-1b", "us-east-1c"},
	InterfaceEndpoints: []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"},
}

// policies makes those of every namespace; a ConfigMap stands for what goes into a namespace.
func policies(t *testing.T, network config.Network) *recorder.Run {
	t.Helper()
	run, err := tryPolicies(network)
	require.NoError(t, err)
	return run
}

func tryPolicies(network config.Network) (*recorder.Run, error) {
	return recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		namespaces := map[string]pulumi.StringOutput{}
		for _, name := range ownNamespaces() {
			namespaces[name] = pulumi.String(name).ToStringOutput()
		}
		made, err := security.NewNetworkPolicies(ctx, "network-policies", &security.NetworkPoliciesArgs{
			Name: "alphapulse-prod", Namespaces: namespaces, Network: network, Visitors: []string{"192.0.2.0/24", "198.51.100.0/24"},
		})
		if err != nil {
			return err
		}
		for name, namespace := range made.Namespaces {
			if _, err := corev1.NewConfigMap(ctx, "in-"+name, &corev1.ConfigMapArgs{Metadata: metav1.ObjectMetaArgs{Namespace: namespace}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func ownNamespaces() []string {
	names := []string{"alphapulse-prod", "monitoring", config.StateMetrics}
	for _, operator := range config.Operators {
		names = append(names, operator.Name)
	}
	return names
}

// entries are the rules of one direction, each as its ports and, in alphabetical order, its peers.
func entries(p recorder.Resource, direction, peers string) (found []string) {
	list, _ := p.At("spec." + direction).([]any)
	for i := range list {
		at := fmt.Sprintf("spec.%s[%d].", direction, i)
		var ports, others []string
		for _, port := range p.At(at + "ports").([]any) {
			port, _ := port.(map[string]any)
			ports = append(ports, fmt.Sprintf("%v/%v", port["port"], port["protocol"]))
		}
		for _, peer := range p.At(at + peers).([]any) {
			others = append(others, fmt.Sprint(peer))
		}
		slices.Sort(others)
		found = append(found, strings.Join(ports, ",")+" "+strings.Join(others, " "))
	}
	return found
}

func into(p recorder.Resource) []string  { return entries(p, "ingress", "from") }
func outOf(p recorder.Resource) []string { return entries(p, "egress", "to") }

func TestN7EveryNamespaceDeniesBothDirectionsAndLooksUpNames(t *testing.T) {
	run := policies(t, prodNetwork)
	for _, namespace := range ownNamespaces() {
		p := run.Find(t, networkPolicy, "network-policies-default-"+namespace)
		assert.Equal(t, namespace, p.At("metadata.namespace"))
		assert.Equal(t, map[string]any{}, p.At("spec.podSelector"), "all pods")
		assert.Equal(t, []any{"Ingress", "Egress"}, p.At("spec.policyTypes"))
		assert.Nil(t, p.At("spec.ingress"))
		assert.Equal(t, []string{"53/TCP,53/UDP map[namespaceSelector:map[matchLabels:map[kubernetes.io/metadata.name:kube-system]]" +
			" podSelector:map[matchLabels:map[k8s-app:kube-dns]]]"}, outOf(p))
	}
}

func TestN7PolicyOfTheSourceIsKeptAndCompleted(t *testing.T) {
	p := policies(t, prodNetwork).Find(t, networkPolicy, "network-policies-api")
	assert.Equal(t, "api-network-policy", p.At("metadata.name"))
	assert.Equal(t, map[string]any{"app": "api"}, p.At("spec.podSelector.matchLabels"))
	pod := func(app string) string { return "map[podSelector:map[matchLabels:map[app:" + app + "]]]" }
	assert.Equal(t, []string{
		"8000/TCP " + "map[namespaceSelector:map[matchLabels:map[kubernetes.io/metadata.name:monitoring]] podSelector:map[matchLabels:map[app:prometheus]]] " + pod("ingress"),
	}, into(p))
	assert.Equal(t, []string{
		"5432/TCP " + pod("pgbouncer"), "6379/TCP,26379/TCP " + pod("broker"), "6379/TCP " + pod("redis"), "8200/TCP " + pod("vault"),
	}, outOf(p), "nothing else: neither PostgreSQL itself nor the internet")
}

func TestN7IngressReachesWhatItLeadsToAndTheRedisThatItCountsIn(t *testing.T) {
	out := outOf(policies(t, prodNetwork).Find(t, networkPolicy, "network-policies-ingress"))
	pod := func(app string) string { return "map[podSelector:map[matchLabels:map[app:" + app + "]]]" }
	require.Len(t, out, 3, "the third is the API server's addresses")
	assert.Subset(t, out, []string{"8000/TCP " + pod("api") + " " + pod("billing"), "6379/TCP " + pod("redis")})
}

func TestN7EveryRuleNamesPortsAndPeers(t *testing.T) {
	for _, p := range policies(t, prodNetwork).All(networkPolicy) {
		assert.Equal(t, []any{"Ingress", "Egress"}, p.At("spec.policyTypes"), p.Name)
		assert.NotEmpty(t, p.At(`metadata.annotations["alphapulse.com/description"]`), p.Name)
		for _, entry := range append(into(p), outOf(p)...) {
			ports, peers, _ := strings.Cut(entry, " ")
			assert.Regexp(t, `^\d+/(TCP|UDP)`, ports, "%s: without a port a rule opens all of them", p.Name)
			assert.NotEmpty(t, peers, "%s: without a peer a rule is for everybody", p.Name)
			for _, peer := range strings.SplitAfter(peers, "]] map[") {
				assert.Regexp(t, "podSelector|ipBlock", peer, "%s: a peer that is everybody", p.Name)
			}
		}
	}
}

func TestN3InternetIsWithoutPrivateRangesAndMetadata(t *testing.T) {
	open := 0
	for _, p := range policies(t, prodNetwork).All(networkPolicy) {
		for _, entry := range append(into(p), outOf(p)...) {
			if !strings.Contains(entry, "0.0.0.0/0") {
				continue
			}
			open++
			assert.True(t, strings.HasPrefix(entry, "443/TCP "), "%s: %s", p.Name, entry)
			assert.Contains(t, entry, "map[ipBlock:map[cidr:0.0.0.0/0 except:[10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16]]]")
		}
	}
	assert.Equal(t, 8, open, "agents, billing, cert-manager, Alertmanager; and for AWS Vault, Loki, Karpenter, the load balancer controller")
}

func TestN4ServicesWithAnInterfaceInTheVPCNeedNoInternet(t *testing.T) {
	const name = "network-policies-external-secrets"
	inside := outOf(policies(t, prodNetwork).Find(t, networkPolicy, name))
	require.Len(t, inside, 1)
	assert.NotContains(t, inside[0], "0.0.0.0/0")
	assert.Contains(t, inside[0], "10.20.32.0/20", "the private subnet of a zone")

	without := prodNetwork
	without.InterfaceEndpoints = []string{"sts"}
	assert.Contains(t, outOf(policies(t, without).Find(t, networkPolicy, name))[0], "0.0.0.0/0", "Secrets Manager is reached over the internet then")
}

func TestN7APIServerIsReachedAtItsServiceAddressAndAtTheControlPlane(t *testing.T) {
	p := policies(t, prodNetwork).Find(t, networkPolicy, "network-policies-reloader")
	ranges := []string{"10.20.0.0/20", "10.20.16.0/22", "10.20.32.0/20", "10.20.48.0/22", "10.20.64.0/20", "10.20.80.0/22", "172.20.0.1/32"}
	want := "443/TCP"
	for _, cidr := range ranges {
		want += " map[ipBlock:map[cidr:" + cidr + "]]"
	}
	assert.Equal(t, []string{want}, outOf(p))
}

func TestN7WhatGoesIntoANamespaceWaitsForItsPolicies(t *testing.T) {
	run := policies(t, prodNetwork)
	for _, namespace := range ownNamespaces() {
		waits := run.Find(t, "kubernetes:core/v1:ConfigMap", "in-"+namespace)
		count := 0
		for _, p := range run.All(networkPolicy) {
			own := p.At("metadata.namespace") == namespace
			assert.Equal(t, own, slices.Contains(waits.DependsOn, p.URN), "%s and %s", namespace, p.Name)
			if own {
				count++
			}
		}
		assert.GreaterOrEqual(t, count, 2, "%s has a policy for all its pods and one for each group", namespace)
	}
}

func TestN7PoliciesAreWrittenTheSameEachTime(t *testing.T) {
	assert.Equal(t, policies(t, prodNetwork).All(networkPolicy), policies(t, prodNetwork).All(networkPolicy))
}

func TestN7NetworkThatHasNoSubnetsIsAnError(t *testing.T) {
	run, err := tryPolicies(config.Network{CIDR: "10.20.0.0/33"})
	assert.ErrorContains(t, err, "finding the subnets' address ranges")
	assert.Empty(t, run.All(networkPolicy))
}

func TestN7PolicyChangesOnlyWhenWhatItAllowsDoes(t *testing.T) {
	without := prodNetwork
	without.InterfaceEndpoints = []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager"}
	before, after := policies(t, prodNetwork), policies(t, without)
	var changed []string
	for _, p := range before.All(networkPolicy) {
		if !assert.ObjectsAreEqual(p.At("spec"), after.Find(t, networkPolicy, p.Name).At("spec")) {
			changed = append(changed, p.Name)
		}
	}
	assert.Equal(t, []string{"network-policies-external-secrets", "network-policies-loki"}, changed, "who speaks to STS and not to the internet")
}
