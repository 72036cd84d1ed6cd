package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

var stacks = []string{"prod", "staging", "local"}

func stackFile(t *testing.T, path string) map[string]string {
	t.Helper()
	raw, err := config.FromFile(path)
	require.NoError(t, err)
	return raw
}

func prod(t *testing.T) map[string]string { return stackFile(t, "../Pulumi.prod.yaml") }

func TestE1CommittedStacksHaveNoProblems(t *testing.T) {
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			platform, problems := config.Load(stackFile(t, "../Pulumi."+stack+".yaml"))
			require.NoError(t, problems.Err())
			assert.Equal(t, stack, platform.Environment)
			assert.Equal(t, "alphapulse-"+stack, platform.Name())
		})
	}
}

func TestE1StacksShareNoAccountAndNoAddress(t *testing.T) {
	seen := map[string]string{}
	for _, stack := range stacks {
		platform, _ := config.Load(stackFile(t, "../Pulumi."+stack+".yaml"))
		for _, own := range []string{platform.AWS.Account, platform.Network.CIDR} {
			assert.Empty(t, seen[own], "%s is of two stacks", own)
			seen[own] = stack
		}
	}
}

func TestC1ProdShips136AndProtectsWhatItHolds(t *testing.T) {
	platform, _ := config.Load(prod(t))
	assert.Equal(t, "1.36", platform.Cluster.Version)
	assert.Equal(t, config.NATPerZone, platform.Network.NATGateways, "N2")
	assert.True(t, platform.Protect)
}

func TestE1EveryProblemIsReportedAtOnce(t *testing.T) {
	_, problems := config.Load(stackFile(t, "testdata/invalid-everything.yaml"))
	text := problems.Err().Error()
	for _, line := range []string{
		`aws.account: "22222222222": must be the 12 digits of the one AWS account this stack may touch`,
		`cluster.addOns.coredns: "latest": must be a build of EKS such as v1.13.2-eksbuild.1`,
		`cluster.addOns.corends: "v1.13.2-eksbuild.1": is no add-on of this program; legal: aws-ebs-csi-driver, coredns, kube-proxy, `,
		`cluster.administratorRoles[1]: "platform-engineer": must be the ARN of an IAM role`,
		`cluster.logDays: 366: must be a retention that CloudWatch Logs has: 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 days`,
		`data.bucketPrefix: "Alpha Pulse": must be 3 to 51 lower-case letters`,
		`data.postgres.backupDays: 0: must be 1 to 35 days`,
		`data.postgres.instanceType: "db.r5.enormous": is not in the table of RDS instance classes`,
		`data.postgres.iops: 3000: must be 12000 to 64000 for gp3 from 400 GiB on`,
		`data.postgres.password: is a secret, and stack config holds none`,
		`data.postgres.version: "14.18": RDS makes no new instances of it since 1 Oct 2026`,
		`data.retention.backupLock: 30: must be 0 to 7 days`,
		`data.retention.applicationLogs: 0: must be 1 to 3650 days`,
		`edge.host: "api.eu.alphapulse.com": must be alphapulse.com or one name under it`,
		`edge.waf: true: the plan free has no managed rules`,
		`edge.rateLimit.periodSeconds: 60: the plan free counts over 10 seconds only`,
		`guardrails.exceptions[0].rule: is required: the name that the refusal gives in brackets`,
		`guardrails.exceptions[0].resource: "*": must be a type and a name as the refusal gives them`,
		`guardrails.exceptions[0].reason: is required: why the rule may be broken`,
		`guardrails.exceptions[0].expires: "tomorrow": must be a day such as 2027-06-30`,
		`ingress.routes[0].service: "web": is no service of this program; legal: api-service, billing-service`,
		`cluster.nodePools[0].taints: "[{Key:workload-type Value:general Effect:NoSchedule}]": must be empty: whatever names no pool runs in general`,
		`cluster.nodePools[1].capacityType: "CHEAP": must be ON_DEMAND or SPOT`,
		`cluster.nodePools[1].diskGiB: 10: must be 20 to 16384 GiB`,
		`cluster.nodePools[1].labels.workload-type: "api": is set by the program to the pool's name "Services"; leave it out`,
		`cluster.nodePools[1].lables: is not a key of this program; legal there: capacityType, diskGiB, instanceTypes, labels, max, min, name, taints`,
		`cluster.nodePools[1].name: "Services": must be 1 to 30 lower-case letters, digits or hyphens`,
		`cluster.nodePools[1].taints[0]: "{Key:dedicated Value:api Effect:NoEntry}": must have a key and an effect of NoSchedule, NoExecute, PreferNoSchedule`,
		`cluster.nodePools[2].max: "min 3, max 101": must be 0 <= min <= max <= 100 nodes`,
		`cluster.nodePools[2].name: "general": is the name of two pools`,
		`cluster.publicAccessCidrs[1]: "0.0.0.0/0": would open the API server to the whole internet`,
		`cluster.publicAccessCidrs[2]: "office": must be an IPv4 address range such as 203.0.113.0/24`,
		`cluster.version: "1.27": is not a Kubernetes minor that EKS has under standard support; legal: 1.35, 1.36`,
		`environment: "Prod_1": must be 2 to 16 lower-case letters or digits`,
		`network.cidr: "10.300.0.0/16": must be an IPv4 range such as 10.20.0.0/16`,
		`network.dnsFirewall.domain: is not a key of this program; legal there: domains, mode`,
		`network.dnsFirewall.domains: is required: the names that may be looked up from the VPC`,
		`network.dnsFirewall.mode: "deny": must be "alert" or "block"`,
		`network.flowLogDays: 8: must be a retention that CloudWatch Logs has`,
		`network.interfaceEndpoints[1]: "s3": must be one of ecr.api, ecr.dkr, kms, logs, secretsmanager, sts`,
		`network.natGateways: "two": must be "per-zone" or "single"`,
		`network.zones[1]: "eu-west-1b": is not a zone of us-east-1; legal: us-east-1a to us-east-1h`,
		`protect: perhaps: expected true or false`,
		`data.postgres.multiAZ: is required: true or false`,
		`data.postgres.replica: is required: true or false`,
		`observability.prometheus.replicas: 5: must be 1 to 3`,
		`regoin: is not a key of this program; legal: aws, cluster, data, edge, environment, guardrails, ingress, network, observability, protect, workloads`,
		"workloads.api.image: \"alphapulse/api:latest\": must not be `latest`",
		`workloads.api.connections: 400: must be 1 to 100: what one pod opens to the database at most`,
		`workloads.api.limits: "4, 2Gi": must not be below the requests (2 cores, 4Gi)`,
		`workloads.api.replicas: "min 60, max 50": must be 1 <= min <= max`,
		`workloads.api.requests.cpu: "2 cores": must be an amount of CPU such as "2" or "500m"`,
		`workloads.agents.types[1]: "Warren B.": must be 2 to 20 lower-case letters or digits`,
		`workloads.agents.types[2]: "technical": is named twice`,
		`workloads.agents.worker.limits: "500m, 2Gi": must not be below the requests (1, 2Gi)`,
	} {
		assert.Contains(t, text, "\n  - alphapulse:"+line)
	}
	assert.Len(t, problems, 55, "each once, and no more:\n%s", text)
	assert.Contains(t, text, "has 55 problem(s); nothing was created or changed")
}

func TestE1OneWrongValueIsOneProblem(t *testing.T) {
	const poolKeys = "capacityType, diskGiB, instanceTypes, labels, max, min, name, taints"
	for _, c := range []struct {
		name, key string
		value     any
		want      string // after the namespace
	}{
		{"unknown at the top", "alphapulse:networks", "x",
			"networks: is not a key of this program; legal: aws, cluster, data, edge, environment, guardrails, ingress, network, observability, protect, workloads"},
		{"unknown in an object", "alphapulse:network.natGateway", "single",
			"network.natGateway: is not a key of this program; legal there: cidr, dnsFirewall, flowLogDays, interfaceEndpoints, natGateways, zones"},
		{"a node release of another minor", "alphapulse:cluster.nodeRelease", "1.35.9-20261101",
			"cluster.nodeRelease: \"1.35.9-20261101\": must be a release of EKS's AL2023 image for Kubernetes 1.36, such as 1.36.2-20261101"},
		{"a node release without its day", "alphapulse:cluster.nodeRelease", "1.36.2",
			"cluster.nodeRelease: \"1.36.2\": must be a release of EKS's AL2023 image for Kubernetes 1.36, such as 1.36.2-20261101"},
		{"unknown in a list", "alphapulse:cluster.nodePools[1].Min", 3,
			"cluster.nodePools[1].Min: is not a key of this program; legal there: " + poolKeys},
		{"unknown in a list of a list", "alphapulse:cluster.nodePools[1].taints[0].operator", "Exists",
			"cluster.nodePools[1].taints[0].operator: is not a key of this program; legal there: effect, key, value"},
		{"an object wanted", "alphapulse:aws", "us-east-1", "aws: us-east-1: expected an object"},
		{"a boolean wanted", "alphapulse:protect", "1", "protect: 1: expected true or false"},
		{"a string wanted", "alphapulse:network.natGateways", true, "network.natGateways: true: expected a string"},
		{"a version without quotes", "alphapulse:cluster.version", 1.36,
			"cluster.version: 1.36: expected a string: put it in quotes"},
		{"an account without quotes", "alphapulse:aws.account", 222222222222,
			"aws.account: 222222222222: expected a string: put it in quotes"},
		{"an amount without quotes", "alphapulse:workloads.api.requests.cpu", 2,
			"workloads.api.requests.cpu: 2: expected a string: put it in quotes"},
		{"half a replica", "alphapulse:workloads.api.replicas.min", 1.5, "workloads.api.replicas.min: 1.5: expected an integer"},
		{"a word for a number", "alphapulse:cluster.nodePools[2].max", "ten", `cluster.nodePools[2].max: "ten": expected an integer`},
		{"a word for a list", "alphapulse:network.dnsFirewall.domains", "binance", `network.dnsFirewall.domains: "binance": expected a list`},
		{"a word for an object", "alphapulse:network.dnsFirewall", "alert", `network.dnsFirewall: "alert": expected an object`},
		{"a word for the pools", "alphapulse:cluster.nodePools", "ten", `cluster.nodePools: "ten": expected a list`},
		{"two values for one", "alphapulse:protect", "true yes", "protect: true yes: expected true or false"},
		{"a range that is none", "alphapulse:network.cidr", "10.20.0.0/33", `network.cidr: "10.20.0.0/33": must be an IPv4 range such as 10.20.0.0/16`},
		{"a range with host bits", "alphapulse:network.cidr", "10.20.1.0/16", `network.cidr: "10.20.1.0/16": has bits set beyond its prefix; the range is 10.20.0.0/16`},
		{"a range that is public", "alphapulse:network.cidr", "11.0.0.0/16", `network.cidr: "11.0.0.0/16": must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16`},
		{"a range too large", "alphapulse:network.cidr", "10.0.0.0/15", `network.cidr: "10.0.0.0/15": must be /16`},
		{"a range too small", "alphapulse:network.cidr", "10.0.0.0/21", `network.cidr: "10.0.0.0/21": must be /16`},
		{"a range of version 6", "alphapulse:network.cidr", "fd00::/16", `network.cidr: "fd00::/16": must be an IPv4 range`},
		{"the services' range", "alphapulse:network.cidr", "172.20.0.0/18", `network.cidr: "172.20.0.0/18": overlaps 172.20.0.0/16`},
		{"a zone twice", "alphapulse:network.zones[2]", "us-east-1a", `network.zones[2]: "us-east-1a": is named twice`},
		{"a zone beyond the last", "alphapulse:network.zones[2]", "us-east-1i", `network.zones[2]: "us-east-1i": is not a zone of us-east-1; legal: us-east-1a to us-east-1h`},
		{"two zones", "alphapulse:network.zones", []any{"us-east-1a", "us-east-1b"}, `network.zones: "[us-east-1a us-east-1b]": must name 3 availability zones`},
		{"an endpoint twice", "alphapulse:network.interfaceEndpoints", []any{"sts", "kms", "sts"}, `network.interfaceEndpoints[2]: "sts": is named twice`},
		{"every domain", "alphapulse:network.dnsFirewall.domains[1]", "*", `network.dnsFirewall.domains[1]: "*": must be a domain such as api.binance.com, or *.binance.com`},
		{"every domain of a kind", "alphapulse:network.dnsFirewall.domains[1]", "*.com", `network.dnsFirewall.domains[1]: "*.com": must be a domain`},
		{"an address for a domain", "alphapulse:network.dnsFirewall.domains[1]", "https://binance.com", `network.dnsFirewall.domains[1]: "https://binance.com": must be a domain`},
		{"a path in a domain", "alphapulse:network.dnsFirewall.domains[1]", "binance.com/api", `network.dnsFirewall.domains[1]: "binance.com/api": must be a domain`},
		{"an asterisk inside a domain", "alphapulse:network.dnsFirewall.domains[1]", "api.*.com", `network.dnsFirewall.domains[1]: "api.*.com": must be a domain`},
		{"a domain twice", "alphapulse:network.dnsFirewall.domains[1]", "*.binance.com", `network.dnsFirewall.domains[1]: "*.binance.com": is named twice`},
		{"no Kubernetes", "alphapulse:cluster.version", nil, `cluster.version: "": is not a Kubernetes minor`},
		{"the refused Kubernetes", "alphapulse:cluster.version", "1.27", `cluster.version: "1.27": is not a Kubernetes minor`},
		{"an administrator of another account", "alphapulse:cluster.administratorRoles[0]", "arn:aws:iam::111111111111:role/a",
			`cluster.administratorRoles[0]: "arn:aws:iam::111111111111:role/a": is a role of another account than aws.account, 222222222222`},
		{"a break-glass role for every day", "alphapulse:cluster.breakGlassRole", "arn:aws:iam::222222222222:role/platform-engineer",
			`cluster.breakGlassRole: "arn:aws:iam::222222222222:role/platform-engineer": must not be one of administratorRoles`},
		{"a range that is not of the internet", "alphapulse:cluster.publicAccessCidrs[0]", "10.0.0.0/8", `cluster.publicAccessCidrs[0]: "10.0.0.0/8": is no range of the internet, and EKS refuses it`},
		{"the internet in halves", "alphapulse:cluster.publicAccessCidrs", []any{"128.0.0.0/1", "203.0.113.0/24"},
			`cluster.publicAccessCidrs[0]: "128.0.0.0/1": would open the API server to the whole internet, or to a large part`},
		{"a range that EKS's endpoint has no use for", "alphapulse:cluster.publicAccessCidrs[0]", "2001:db8::/32", `cluster.publicAccessCidrs[0]: "2001:db8::/32": must be an IPv4 address range`},
		{"an administrator twice", "alphapulse:cluster.administratorRoles", []any{"arn:aws:iam::222222222222:role/a", "arn:aws:iam::222222222222:role/a"},
			`cluster.administratorRoles[1]: "arn:aws:iam::222222222222:role/a": is named twice`},
		{"two administrators with one access entry", "alphapulse:cluster.administratorRoles", []any{"arn:aws:iam::222222222222:role/team/a", "arn:aws:iam::222222222222:role/team-a"},
			`cluster.administratorRoles[1]: "arn:aws:iam::222222222222:role/team-a": would have the access entry of administratorRoles[0], arn:aws:iam::222222222222:role/team/a`},
		{"a pool that can have none", "alphapulse:cluster.nodePools[3].max", 0, `cluster.nodePools[3].max: "min 0, max 0": must be 0 <= min <= max <= 100 nodes, and max at least 1`},
		{"too few nodes for Karpenter", "alphapulse:cluster.nodePools[0].min", 1, `cluster.nodePools[0].min: 1: must be at least 2: Karpenter, which makes`},
		{"fewer than no nodes", "alphapulse:cluster.nodePools[1].min", -1, `cluster.nodePools[1].max: "min -1, max 5": must be 0 <= min <= max <= 100 nodes`},
		{"no instance type", "alphapulse:cluster.nodePools[0].instanceTypes", []any{}, "cluster.nodePools[0].instanceTypes: is required: at least one EC2 instance type"},
		{"a pool that anything may use", "alphapulse:cluster.nodePools[1].taints", nil, `cluster.nodePools[1].taints: "[]": must have one with the effect NoSchedule or NoExecute: whatever names no pool runs in general`},
		{"a pool that anything may use at last", "alphapulse:cluster.nodePools[1].taints[0].effect", "PreferNoSchedule",
			`cluster.nodePools[1].taints: "[{Key:workload-type Value:compute-optimized Effect:PreferNoSchedule}]": must have one with the effect NoSchedule or NoExecute`},
		{"an effect that is none", "alphapulse:cluster.nodePools[1].taints[0].effect", "Never", `cluster.nodePools[1].taints[0]: "{Key:workload-type Value:compute-optimized Effect:Never}": must have a key and an effect of`},
		{"a pool that is not there", "alphapulse:workloads.api.pool", "gpu", `workloads.api.pool: "gpu": is not a node pool of this stack; legal: general, compute-optimized, services`},
		{"no replica", "alphapulse:workloads.api.replicas.min", 0, `workloads.api.replicas: "min 0, max 50": must be 1 <= min <= max`},
		{"an amount in words", "alphapulse:workloads.api.requests.memory", "4GB of it", `workloads.api.requests.memory: "4GB of it": must be an amount of memory`},
		{"nothing about protection", "alphapulse:protect", nil, "protect: is required: true or false"},
		{"nothing about the standby", "alphapulse:data.postgres.multiAZ", nil, "data.postgres.multiAZ: is required: true or false"},
		{"nothing about the replica", "alphapulse:data.postgres.replica", nil, "data.postgres.replica: is required: true or false"},
		{"a word for the data", "alphapulse:data", "ten", "data: ten: expected an object"},
		{"a word for the database", "alphapulse:data.postgres", "ten", `data.postgres: "ten": expected an object`},
		{"thousandths of a byte", "alphapulse:workloads.api.requests.memory", "512m", `workloads.api.requests.memory: "512m": must be whole bytes, and at least "16Mi"`},
		{"bytes", "alphapulse:workloads.api.requests.memory", "512", `workloads.api.requests.memory: "512": must be whole bytes, and at least "16Mi": a bare number is bytes`},
		{"too little for any program", "alphapulse:workloads.api.requests.memory", "4Ki", `workloads.api.requests.memory: "4Ki": must be whole bytes, and at least "16Mi"`},
		{"half a byte", "alphapulse:workloads.api.requests.memory", "4294967296500m", `workloads.api.requests.memory: "4294967296500m": must be whole bytes`},
		{"thousandths of a byte at most", "alphapulse:workloads.api.limits.memory", "512m", `workloads.api.limits.memory: "512m": must be whole bytes, and at least "16Mi"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := config.Load(recorder.Change(t, prod(t), c.key, c.value))
			require.Len(t, problems, 1, "%v", problems.Err())
			assert.True(t, strings.HasPrefix(problems[0].String(), "alphapulse:"+c.want), "%s\nwanted: %s", problems[0], c.want)
		})
	}
}

// The name is a label's value, and Kubernetes takes none that ends so.
func TestC2PoolNamesEndInALetterOrDigit(t *testing.T) {
	raw := recorder.Change(t, prod(t), "alphapulse:cluster.nodePools[1].name", "risk-")
	_, problems := config.Load(recorder.Change(t, raw, "alphapulse:workloads.risk.pool", "risk-"))
	require.Len(t, problems, 1, "%v", problems.Err())
	assert.Contains(t, problems[0].String(), `cluster.nodePools[1].name: "risk-": must be 1 to 30 lower-case letters, digits or hyphens, beginning with a letter and not ending with a hyphen`)
}

func TestE1HalfAReplicaIsRefused(t *testing.T) {
	_, problems := config.Load(recorder.Change(t, prod(t), "alphapulse:workloads.api.replicas.min", 1.5))
	var keys []string
	for _, problem := range problems {
		if problem.Key == "alphapulse:workloads.api.replicas.min" {
			assert.Contains(t, problem.String(), "1.5")
		}
		keys = append(keys, problem.Key)
	}
	assert.Contains(t, keys, "alphapulse:workloads.api.replicas.min")
}

func TestE1WhatCouldNotBeReadIsNotJudgedAsWell(t *testing.T) {
	raw := recorder.Change(t, prod(t), "alphapulse:network", "ten")
	raw = recorder.Change(t, raw, "alphapulse:cluster.logDays", "ten")
	_, problems := config.Load(raw)
	require.Len(t, problems, 2, "%v", problems.Err())
	assert.Equal(t, "alphapulse:cluster.logDays", problems[0].Key)
	assert.Equal(t, "alphapulse:network", problems[1].Key)
}

func TestE1OtherPackagesSettingsAreLeftAlone(t *testing.T) {
	_, problems := config.Load(recorder.Change(t, prod(t), "aws:skipMetadataApiCheck", "true"))
	assert.NoError(t, problems.Err())
}

func TestW6ImagesSayWhatRuns(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for image, legal := range map[string]bool{
		"alphapulse/api:1.0.0":                          true,
		"alphapulse/api" + digest:                       true,
		"alphapulse/api:latest" + digest:                true, // the digest decides
		"public.ecr.aws/docker/library/traefik:v3.7.13": true,
		"quay.io/org/image:v1":                          true,
		"quay.io/org/image" + digest:                    false, // ECR fills its caches by tag only
		"registry.example:5000/alphapulse/api:1.0.0":    false, // no registry that nodes pull from
		"docker.io/library/redis:7":                     false,
		"alphapulse/apis:1.0.0":                         false,
		"alphapulse/api:latest":                         false,
		"alphapulse/api:1.0.0-rc.1_2":                   true,
		"alphapulse/api:":                               false,
		"alphapulse/api:1.0 0":                          false,
		"alphapulse/api:1.0.0+build":                    false,
		"alphapulse/api:-1":                             false,
		"alphapulse/api:" + strings.Repeat("1", 129):    false,
		"alphapulse/api@sha256:0123":                    false,
		"alphapulse/api@md5" + digest[7:]:               false,
		"alphapulse/api:1.0.0:1.0.1":                    false,
		"registry.example:5000/alphapulse/api:latest":   false,
		"alphapulse/api":                                false,
		"registry.example:5000/alphapulse/api":          false, // the port is no tag
		"":                                              false,
		":1.0.0":                                        false,
	} {
		t.Run(image, func(t *testing.T) {
			_, problems := config.Load(recorder.Change(t, prod(t), "alphapulse:workloads.api.image", image))
			if legal {
				assert.NoError(t, problems.Err())
				return
			}
			require.Len(t, problems, 1)
			assert.Equal(t, "alphapulse:workloads.api.image", problems[0].Key)
		})
	}
}

func TestC2PoolsAreOnDemandUnlessTheySaySpot(t *testing.T) {
	platform, _ := config.Load(stackFile(t, "../Pulumi.staging.yaml"))
	general, _ := platform.Cluster.Pool("general")
	assert.Equal(t, config.OnDemand, general.CapacityType)
	compute, _ := platform.Cluster.Pool("compute-optimized")
	assert.Equal(t, config.Spot, compute.CapacityType)
	_, found := platform.Cluster.Pool("gpu")
	assert.False(t, found)
}

func TestE1ProblemsAreSortedAndNoneIsNoError(t *testing.T) {
	var none config.Problems
	assert.True(t, none.Err() == nil, "not a nil slice in an error")
	problems := config.Problems{{Key: "b", Value: "1", Want: "x"}, {Key: "a", Want: "first"}, {Key: "b", Value: "0", Want: "y"}}
	lines := strings.Split(problems.Err().Error(), "\n")
	assert.Equal(t, []string{"  - a: first", "  - b: 1: x", "  - b: 0: y"}, lines[1:], "by key; of one key in the order found")
}

func TestE1ConfigComesFromTheEngine(t *testing.T) {
	t.Setenv("PULUMI_CONFIG", "")
	raw, secret, err := config.FromEnvironment()
	require.NoError(t, err)
	assert.Empty(t, raw)
	assert.Empty(t, secret)
	t.Setenv("PULUMI_CONFIG", `{"alphapulse:environment":"prod"}`)
	t.Setenv("PULUMI_CONFIG_SECRET_KEYS", `["alphapulse:pin"]`)
	raw, secret, err = config.FromEnvironment()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"alphapulse:environment": "prod"}, raw)
	assert.Equal(t, []string{"alphapulse:pin"}, secret)
	t.Setenv("PULUMI_CONFIG", "{")
	_, _, err = config.FromEnvironment()
	assert.ErrorContains(t, err, "PULUMI_CONFIG")
}

func TestE1MissingStackFileIsAnError(t *testing.T) {
	_, err := config.FromFile("testdata/nowhere.yaml")
	assert.ErrorContains(t, err, "testdata/nowhere.yaml is not there")
}

func TestC3AmountsAreReadAsKubernetesReadsThem(t *testing.T) {
	for _, c := range []struct {
		cpu, memory string
		milli, mib  int64
	}{
		{"2", "4Gi", 2000, 4096}, {"500m", "512Mi", 500, 512}, {"0.25", "1G", 250, 954}, {"1", "1Ki", 1000, 1}, {"two", "much", 0, 0},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			amount := config.Amount{CPU: c.cpu, Memory: c.memory}
			assert.Equal(t, c.milli, amount.MilliCPU())
			assert.Equal(t, c.mib, amount.MemoryMiB(), "rounded up")
		})
	}
}
