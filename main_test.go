package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/cost"
	"github.com/alphapulse/infrastructure/outputs"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/rules"
)

const (
	stackType     = "pulumi:pulumi:Stack"
	keyType       = "aws:kms/key:Key"
	priorityClass = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
	nodePool      = "kubernetes:karpenter.sh/v1:NodePool"
)

var modes = []recorder.Mode{recorder.Preview, recorder.Up}

func committed(t *testing.T, stack string) map[string]string {
	t.Helper()
	raw, err := config.FromFile("Pulumi." + stack + ".yaml")
	require.NoError(t, err)
	return raw
}

// hand gives the program its config as the engine does, and the name of a stack that it is for.
func hand(t *testing.T, raw map[string]string) {
	t.Helper()
	t.Setenv(pulumi.EnvStack, raw["alphapulse:environment"])
	text, err := json.Marshal(raw)
	require.NoError(t, err)
	t.Setenv(pulumi.EnvConfig, string(text))
}

// recorded are runs of the program, each made once: many tests look at the same ones, and none changes them.
var recorded = map[string]*recorder.Run{}

func run(t *testing.T, mode recorder.Mode, raw map[string]string) *recorder.Run {
	t.Helper()
	hand(t, raw)
	key := fmt.Sprint(mode, raw)
	if recorded[key] == nil {
		recorded[key] = recorder.Record(t, mode, deploy, asAdministrator(raw))
	}
	return recorded[key]
}

// asAdministrator are AWS's answers to one who may make the cluster.
func asAdministrator(raw map[string]string) recorder.Answers {
	platform, _ := config.Load(raw)
	return recorder.Answers{recorder.GetCaller: map[string]any{"arn": "arn:aws:sts::" + platform.AWS.Account + ":assumed-role/platform-engineer/tests"}}
}

// onEveryStack runs the program with every committed stack file, as preview and as up.
func onEveryStack(t *testing.T, check func(t *testing.T, stack string, run *recorder.Run)) {
	t.Helper()
	for _, stack := range []string{"prod", "staging", "local"} {
		for _, mode := range modes {
			t.Run(fmt.Sprint(stack, "/", mode), func(t *testing.T) {
				check(t, stack, run(t, mode, committed(t, stack)))
			})
		}
	}
}

func isProvider(one recorder.Resource) bool { return strings.HasPrefix(one.Type, "pulumi:providers:") }

func TestEveryResourceBelongsToAComponent(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		components := map[string]string{} // name by URN
		for _, one := range run.Resources {
			if !one.Custom && !one.Remote {
				components[one.URN] = one.Name
			}
		}
		assert.GreaterOrEqual(t, len(components), 4)
		for _, one := range run.Resources {
			own := strings.HasPrefix(one.Type, "alphapulse:")
			assert.Equal(t, own, !one.Custom && !one.Remote, "%s %s", one.Type, one.Name)
			_, nested := components[one.Parent]
			if own && !nested || one.Type == priorityClass || one.Type == "pulumi:providers:aws" || one.Type == "pulumi:providers:cloudflare" {
				assert.Contains(t, one.Parent, stackType, "%s %s", one.Type, one.Name)
				continue
			}
			component, ok := components[one.Parent]
			require.True(t, ok, "%s %s stands under %s", one.Type, one.Name, one.Parent)
			assert.True(t, one.Name == component || strings.HasPrefix(one.Name, component+"-"), "%s %s is no name of a child of %s", one.Type, one.Name, component)
		}
	})
}

func TestEveryNameIsUniqueInItsType(t *testing.T) {
	onEveryStack(t, func(t *testing.T, _ string, run *recorder.Run) {
		seen := map[string]bool{}
		for _, one := range run.Resources {
			key := one.Type + " " + one.Name
			assert.False(t, seen[key], key)
			seen[key] = true
		}
	})
}

func TestE1EverythingOnAWSGoesThroughTheStacksAccount(t *testing.T) {
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		platform, _ := config.Load(committed(t, stack))
		assert.Len(t, run.All("pulumi:providers:aws"), 1)
		assert.Equal(t, []any{platform.AWS.Account}, run.Find(t, "pulumi:providers:aws", "aws").At("allowedAccountIds"))
		for _, one := range run.Resources {
			switch {
			case isProvider(one):
			case strings.HasPrefix(one.Type, "aws:"):
				assert.Equal(t, "aws", one.Provider, "%s %s", one.Type, one.Name)
			case strings.HasPrefix(one.Type, "cloudflare:"):
				assert.Equal(t, "cloudflare", one.Provider, "%s %s", one.Type, one.Name)
			case one.Type == "kubernetes:helm.sh/v4:Chart": // remote, but told outright
				assert.Equal(t, "cluster", one.Providers["kubernetes"], "%s %s", one.Type, one.Name)
			case strings.HasPrefix(one.Type, "kubernetes:"):
				assert.Equal(t, "cluster", one.Provider, "%s %s", one.Type, one.Name)
			case one.Remote:
				// The engine hands on what the component around it was given.
				i := slices.IndexFunc(run.Resources, func(parent recorder.Resource) bool { return parent.URN == one.Parent })
				require.GreaterOrEqual(t, i, 0)
				assert.Equal(t, "aws", run.Resources[i].Providers["aws"], "%s %s", one.Type, one.Name)
			}
		}
		require.NotEmpty(t, run.Calls)
		for _, call := range run.Calls {
			cloud, _, _ := strings.Cut(call.Token, ":")
			assert.Equal(t, cloud, call.Provider, call.Token)
		}
	})
}

func TestE1NothingOfAnotherStackIsNamed(t *testing.T) {
	foreign := map[string][]string{}
	for _, stack := range []string{"prod", "staging", "local"} {
		platform, _ := config.Load(committed(t, stack))
		foreign[stack] = []string{platform.AWS.Account, "alphapulse-" + stack, platform.Network.CIDR}
	}
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		text := inputs(t, run)
		for other, words := range foreign {
			for _, word := range words {
				assert.Equal(t, other == stack, strings.Contains(text, word), "%s of %s", word, other)
			}
		}
	})
}

func inputs(t *testing.T, run *recorder.Run) string {
	t.Helper()
	text, err := json.Marshal(run.Resources)
	require.NoError(t, err)
	return string(text)
}

// documents are all policy documents of a run, by resource and input.
func documents(run *recorder.Run) map[string]any {
	found := map[string]any{}
	for _, one := range run.Resources {
		for _, input := range []string{"policy", "assumeRolePolicy"} {
			if document, ok := one.Inputs[input]; ok && strings.HasPrefix(one.Type, "aws:") && !strings.HasPrefix(one.Type, "aws:ecr/lifecycle") {
				found[one.Type+" "+one.Name+" "+input] = document
			}
		}
	}
	return found
}

func TestS3NoPolicyHasAWildcardThatCouldBeScoped(t *testing.T) {
	// AWS knows no resource for these.
	unscoped := regexp.MustCompile(`^(logs:DescribeLogGroups|ec2:GetSecurityGroupsForVpc|pricing:GetProducts|(ec2|elasticloadbalancing):Describe\w+)$`)
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		platform, _ := config.Load(committed(t, stack))
		root := "arn:aws:iam::" + platform.AWS.Account + ":root"
		found := documents(run)
		require.NotEmpty(t, found)
		for name, document := range found {
			inKeyPolicy := strings.HasPrefix(name, keyType)
			for _, s := range recorder.Statements(t, document) {
				assert.NotEmpty(t, s.Action, name)
				if s.Effect == "Deny" { // the wider the better
					continue
				}
				assert.Equal(t, "Allow", s.Effect, name)
				for _, action := range s.Action {
					ofTheAccount := inKeyPolicy && action == "kms:*" && slices.Equal(s.Principal["AWS"], recorder.Strings{root})
					assert.True(t, ofTheAccount || !strings.Contains(action, "*"), "%s: %s", name, action)
					if !inKeyPolicy && slices.Contains(s.Resource, "*") {
						assert.Regexp(t, unscoped, action, name)
					}
				}
				for _, principals := range s.Principal {
					if slices.Contains(principals, "*") {
						assert.NotEmpty(t, s.Condition["StringEquals"]["aws:PrincipalArn"], "%s: anybody", name)
					}
				}
			}
		}
	})
}

func TestE1ProdProtectsWhatCannotBeMadeAgain(t *testing.T) {
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		protected := map[string]int{}
		for _, one := range run.Resources {
			if one.Protect {
				protected[one.Type]++
			}
		}
		want := map[string]int{}
		if stack == "prod" {
			want = map[string]int{ // the cluster: see package cluster
				keyType: 5, "aws:ec2/vpc:Vpc": 1, "aws:ec2/eip:Eip": 3, "aws:rds/instance:Instance": 1, "aws:s3/bucketV2:BucketV2": 3, "aws:ecr/repository:Repository": 4,
				"aws:secretsmanager/secret:Secret": 1, // Vault's recovery keys, which are given once
				"kubernetes:core/v1:PersistentVolumeClaim": config.RedisPods + config.BrokerPods + config.VaultPods +
					2 + 3 + config.LokiPods, // and what watches
			}
		}
		assert.Equal(t, want, protected)
	})
}

func TestPreviewPlansWhatUpMakes(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "local"} {
		names := map[recorder.Mode][]string{}
		for _, mode := range modes {
			for _, one := range run(t, mode, committed(t, stack)).Resources {
				names[mode] = append(names[mode], one.URN)
			}
		}
		assert.ElementsMatch(t, names[recorder.Preview], names[recorder.Up], stack)
	}
}

func TestN1AnotherRegionNeedsNoCodeChange(t *testing.T) {
	raw := recorder.Change(t, committed(t, "prod"), "alphapulse:aws.region", "eu-west-1")
	raw = recorder.Change(t, raw, "alphapulse:network.zones", []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"})
	there := run(t, recorder.Up, raw)
	assert.NotContains(t, inputs(t, there), "us-east-1")
	assert.Len(t, there.Resources, len(run(t, recorder.Up, committed(t, "prod")).Resources))
}

func TestC2NodePoolIsOneRowOfConfig(t *testing.T) {
	before := run(t, recorder.Preview, committed(t, "prod"))
	var cluster struct{ NodePools []any }
	require.NoError(t, json.Unmarshal([]byte(committed(t, "prod")["alphapulse:cluster"]), &cluster))
	cluster.NodePools = append(cluster.NodePools, map[string]any{
		"name": "research", "instanceTypes": []any{"m6i.4xlarge"}, "min": 1, "max": 2, "diskGiB": 50,
		"taints": []any{map[string]any{"key": "workload-type", "value": "research", "effect": "NoSchedule"}},
	})
	after := run(t, recorder.Preview, recorder.Change(t, committed(t, "prod"), "alphapulse:cluster.nodePools", cluster.NodePools))
	var added []string
	for _, one := range after.Resources {
		if !slices.ContainsFunc(before.Resources, func(old recorder.Resource) bool { return old.URN == one.URN }) {
			added = append(added, one.Type+" "+one.Name)
		}
	}
	assert.ElementsMatch(t, []string{
		"aws:ec2/launchTemplate:LaunchTemplate cluster-research", "aws:eks/nodeGroup:NodeGroup cluster-research",
		"kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-research", "kubernetes:karpenter.sh/v1:NodePool karpenter-research",
	}, added)
	for _, old := range before.Resources {
		assert.Equal(t, old.Inputs, after.Find(t, old.Type, old.Name).Inputs, "%s %s", old.Type, old.Name)
	}
}

// What a pool's group always has and what Karpenter may make beyond it are, together, the pool's bounds.
func TestC4EveryPoolHasItsFixedNodesAndKarpenterTheRest(t *testing.T) {
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		platform, _ := config.Load(committed(t, stack))
		for _, pool := range platform.Cluster.NodePools {
			fixed, beyond := 0, 0
			for _, group := range run.All("aws:eks/nodeGroup:NodeGroup") {
				if group.Name == "cluster-"+pool.Name {
					fixed = int(group.At("scalingConfig.maxSize").(float64))
				}
			}
			for _, made := range run.All(nodePool) {
				if made.Name == "karpenter-"+pool.Name {
					instance, _ := capacity.Instance(pool.InstanceTypes[0])
					cpu, err := strconv.Atoi(made.At("spec.limits.cpu").(string))
					require.NoError(t, err)
					beyond = cpu / instance.VCPU
				}
			}
			assert.Equal(t, []int{pool.Min, pool.Max}, []int{fixed, fixed + beyond}, pool.Name)
		}
	})
}

func TestC4PodsOfThePlatformGoBeforeTheNodePools(t *testing.T) {
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		require.NotEmpty(t, run.All(nodePool))
		require.NotEmpty(t, run.All("kubernetes:apps/v1:Deployment"))
		for _, made := range run.All("kubernetes:apps/v1:Deployment") {
			if made.At("metadata.namespace") != "alphapulse-"+stack {
				continue // operators' pods move on when their node is drained
			}
			for _, pool := range run.All(nodePool) {
				assert.Contains(t, made.DependsOn, pool.URN, "%s: or its pods would hold up the end of their node", made.Name)
			}
		}
	})
}

func TestE1NothingIsRegisteredWhenTheConfigIsBad(t *testing.T) {
	everything, err := config.FromFile("config/testdata/invalid-everything.yaml")
	require.NoError(t, err)
	connections, err := config.FromFile("config/testdata/too-many-connections.yaml")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		raw  map[string]string
		says []string
	}{
		"no config": {nil, []string{"alphapulse:environment: ", "alphapulse:cluster.version: "}},
		"everything, of config and of capacity": {everything, []string{
			"alphapulse:regoin: is not a key", "alphapulse:network.dnsFirewall.domain: is not a key", "alphapulse:protect: perhaps: expected true or false",
			`alphapulse:network.cidr: "10.300.0.0/16": must be`, `alphapulse:cluster.version: "1.27": is not`, `alphapulse:network.zones[1]: "eu-west-1b": is not a zone of us-east-1`,
			"alphapulse:cluster.nodePools[0].max: 3: pool general: ", "; would fit: ",
			`alphapulse:guardrails.exceptions[1].rule: "rds-gp3-performance": is no rule that has exceptions; legal: bucket-encrypted, `,
			`alphapulse:guardrails.exceptions[1].expires: "2025-01-01": is over: mend aws:rds/instance:Instance postgres`,
		}},
		"a pool too small": {recorder.Change(t, committed(t, "prod"), "alphapulse:cluster.nodePools[2].max", 8), []string{
			"has 1 problem(s); nothing was created", "alphapulse:cluster.nodePools[2].max: 8: pool services: ", "; would fit: max: 9",
		}},
		"too many connections (D4)": {connections, []string{
			"alphapulse:workloads.pooler.replicas.max: 30: db.r5.xlarge takes 200 connections", "; would fit: max: 18",
			"alphapulse:workloads.pooler.limits.memory: 256Mi: workloads open 5070 connections", "; would fit: memory: 413Mi",
		}},
		"a range without room for subnets": {recorder.Change(t, committed(t, "prod"), "alphapulse:network.cidr", "10.20.0.0/28"), []string{
			"has 1 problem(s)", `alphapulse:network.cidr: "10.20.0.0/28": must be /16`,
		}},
		"a range of another version": {recorder.Change(t, committed(t, "prod"), "alphapulse:network.cidr", "fd00::/16"), []string{"has 1 problem(s)"}},
		"a zone without a name":      {recorder.Change(t, committed(t, "prod"), "alphapulse:network.zones[1]", ""), []string{"has 1 problem(s)", `zones[1]: "": is not a zone`}},
		"pools that cannot be read":  {recorder.Change(t, committed(t, "prod"), "alphapulse:cluster.nodePools", "ten"), []string{"has 1 problem(s)", "expected a list"}},
		"a maximum that cannot be read": {recorder.Change(t, committed(t, "prod"), "alphapulse:cluster.nodePools[2].max", "ten"), []string{
			"has 1 problem(s)", `nodePools[2].max: "ten": expected an integer`,
		}},
		"an instance type that nobody sells": {recorder.Change(t, committed(t, "prod"), "alphapulse:cluster.nodePools[2].instanceTypes[0]", "m6i.huge"), []string{
			"alphapulse:cluster.nodePools[2].instanceTypes: [m6i.huge m5.4xlarge]: ",
		}},
		"two types wrong in one object": {recorder.Change(t, recorder.Change(t, committed(t, "prod"),
			"alphapulse:cluster.logDays", 7.5), "alphapulse:cluster.nodePools[1].name", 7), []string{
			"cluster.logDays: 7.5: expected an integer", "cluster.nodePools[1].name: 7: expected a string: put it in quotes",
		}},
	} {
		for _, mode := range modes {
			t.Run(fmt.Sprint(name, "/", mode), func(t *testing.T) {
				hand(t, c.raw)
				run, err := recorder.Try(mode, deploy)
				require.Error(t, err)
				for _, text := range c.says {
					assert.ErrorContains(t, err, text)
				}
				assert.Empty(t, run.Resources)
				assert.Empty(t, run.Calls)
			})
		}
	}
}

func TestE1StackFileOfAnotherStackIsRefused(t *testing.T) {
	hand(t, committed(t, "staging"))
	t.Setenv(pulumi.EnvStack, "demo")
	run, err := recorder.Try(recorder.Preview, deploy)
	assert.ErrorContains(t, err, `has 1 problem(s); nothing was created or changed:
  - alphapulse:environment: "staging": must be the stack's name, "demo": whatever is made is named after it, and the stack "staging" may have it already`)
	assert.Empty(t, run.Calls, "nobody is asked")
}

func TestE1ConfigThatIsNoJSONIsAnError(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, "{")
	run, err := recorder.Try(recorder.Preview, deploy)
	assert.ErrorContains(t, err, "reading the stack config from PULUMI_CONFIG")
	assert.Empty(t, run.Resources)
}

// ready is a committed stack with the API server's placeholder set.
func ready(t *testing.T, stack string) map[string]string {
	t.Helper()
	return recorder.Change(t, committed(t, stack), "alphapulse:cluster.publicAccessCidrs", []any{"9.9.9.0/24", "203.0.112.0/23", "203.0.114.0/24"})
}

func TestC1EveryPreviewSaysThatAPlaceholderIsLeft(t *testing.T) {
	today := time.Date(2026, time.August, 1, 0, 0, 0, 0, time.UTC)
	for stack, want := range map[string]int{"prod": 1, "staging": 1, "local": 0} {
		platform, _ := config.Load(committed(t, stack))
		list := warnings(platform, capacity.Report{}, today)
		require.Len(t, list, want, stack)
		if want > 0 {
			assert.Contains(t, list[0], "alphapulse:cluster.publicAccessCidrs: 203.0.113.0/24: is a range for examples, which nobody has")
		}
	}
	platform, _ := config.Load(ready(t, "prod"))
	assert.Empty(t, warnings(platform, capacity.Report{}, today))
	platform.Cluster.PublicAccessCIDRs = []string{"192.0.2.8/32", "198.51.100.0/25", "9.9.9.0/24"}
	assert.Len(t, warnings(platform, capacity.Report{}, today), 2)
}

func TestC1EveryPreviewSaysWhenSupportEndsWithinAQuarter(t *testing.T) {
	platform, _ := config.Load(recorder.Change(t, ready(t, "staging"), "alphapulse:data.postgres.version", "17"))
	end := config.KubernetesSupport[platform.Cluster.Version]
	assert.Empty(t, warnings(platform, capacity.Report{}, end.Add(-91*24*time.Hour)))
	list := warnings(platform, capacity.Report{}, end.Add(-89*24*time.Hour))
	require.Len(t, list, 1)
	assert.Contains(t, list[0], "alphapulse:cluster.version: 1.36: EKS ends standard support on 2027-08-02")
	assert.Len(t, warnings(platform, capacity.Report{}, end.Add(time.Hour)), 1)
}

func TestD1EveryPreviewSaysHalfAYearBeforeThatADatabaseVersionEnds(t *testing.T) {
	platform, _ := config.Load(ready(t, "staging"))
	end := platform.Data.Postgres.SupportEnds()
	assert.Empty(t, warnings(platform, capacity.Report{}, end.Add(-181*24*time.Hour)))
	list := warnings(platform, capacity.Report{}, end.Add(-179*24*time.Hour))
	require.Len(t, list, 1)
	assert.Contains(t, list[0], "alphapulse:data.postgres.version: 14: RDS ends standard support on 2027-02-28")
	assert.FileExists(t, "docs/runbooks/postgres-major-upgrade.md", "which the warning names")
}

func TestN5EveryPreviewSaysHalfAYearBeforeThatTheZonesInterfaceEnds(t *testing.T) {
	platform, _ := config.Load(recorder.Change(t, ready(t, "prod"), "alphapulse:data.postgres.version", "17"))
	assert.Empty(t, warnings(platform, capacity.Report{}, config.ZoneSettingsEnd.Add(-181*24*time.Hour)))
	list := warnings(platform, capacity.Report{}, config.ZoneSettingsEnd.Add(-179*24*time.Hour))
	require.Len(t, list, 1)
	assert.Contains(t, list[0], "alphapulse:edge.ownsZone: true: from 2027-03-31 on Cloudflare refuses")
}

func TestC3WarningsOfCapacityReachThePreview(t *testing.T) {
	platform, _ := config.Load(recorder.Change(t, ready(t, "staging"), "alphapulse:data.postgres.version", "17"))
	report := capacity.PlanFor(platform).Check()
	list := warnings(platform, report, time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC))
	require.Len(t, list, 1)
	assert.Regexp(t, `alphapulse:cluster\.nodePools: general: at minimum \d+\.\d vCPU are asked`, list[0])
	assert.Contains(t, list[0], "surcharges")
}

func TestE4TheEstimatePaysForWhatTheProgramMakes(t *testing.T) {
	onEveryStack(t, func(t *testing.T, stack string, run *recorder.Run) {
		platform, _ := config.Load(committed(t, stack))
		for token, want := range cost.Billed(platform) {
			assert.Len(t, run.All(token), want, token)
		}
	})
}

func TestE3TheContractIsWhatTheStackExports(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "local"} {
		var text []byte
		raw := committed(t, stack)
		hand(t, raw)
		recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
			b, err := compose(ctx)
			if err != nil {
				return err
			}
			b.contract().ToMapOutput().ApplyT(func(exported map[string]any) (err error) {
				text, err = json.Marshal(exported)
				return err
			})
			return nil
		}, asAdministrator(raw))
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		var platform outputs.Platform
		require.NoError(t, decoder.Decode(&platform), "every key is a field of the contract")
		again, err := json.Marshal(platform)
		require.NoError(t, err)
		assert.JSONEq(t, string(again), string(text), "every field is exported")
		assert.Equal(t, stack, platform.Environment)
		assert.Equal(t, outputs.Version, platform.ContractVersion)
		assert.NotContains(t, string(text), "result-of-", "no generated password (S2)")
	}
}

func TestN3S4RulesTakeWhatEveryStackRegisters(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "local"} {
		platform, _ := config.Load(committed(t, stack))
		run, book := run(t, recorder.Up, committed(t, stack)), &rules.Book{Protect: platform.Protect, Account: platform.AWS.Account} // in an up nothing is unknown
		require.NotEmpty(t, run.Resources)
		var broken []rules.Violation
		for _, one := range run.Resources {
			in := rules.NewResource(one.Type, one.Name, one.Inputs)
			in.Protected = one.Protect
			broken = append(broken, book.Check(in)...)
		}
		for _, violation := range append(broken, book.Close()...) {
			assert.Fail(t, violation.String(), stack)
		}
	}
}

func TestE1PulumiThatMayWaitForItselfIsWarnedOf(t *testing.T) {
	assert.Empty(t, tooFewAtOnce(enoughAtOnce))
	list := tooFewAtOnce(8)
	require.Len(t, list, 1)
	assert.Contains(t, list[0], "pulumi takes 8 steps at a time")
	assert.Contains(t, list[0], "PULUMI_PARALLEL=64")
}
