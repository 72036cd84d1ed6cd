package network_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/network"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	eip         = "aws:ec2/eip:Eip"
	natGateway  = "aws:ec2/natGateway:NatGateway"
	route       = "aws:ec2/route:Route"
	table       = "aws:ec2/routeTable:RouteTable"
	association = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	endpoint    = "aws:ec2/vpcEndpoint:VpcEndpoint"
	ingressRule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	vpcType     = "aws:ec2/vpc:Vpc"
	subnet      = "aws:ec2/subnet:Subnet"
	rule        = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
	domainList  = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
	logKey      = "arn:aws:kms:us-east-1:222222222222:key/logs"
)

var zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// stack reads a committed stack's network.
func stack(t *testing.T, name string) config.Platform {
	t.Helper()
	raw, err := config.FromFile("../Pulumi." + name + ".yaml")
	require.NoError(t, err)
	platform, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	return platform
}

type outputs struct{ egress, private, public, database []string }

func record(t *testing.T, p config.Platform) (*recorder.Run, outputs) {
	t.Helper()
	var out outputs
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		n, err := network.New(ctx, "network", &network.Args{
			Name: p.Name(), AWS: p.AWS, Spec: p.Network, LogKeyARN: pulumi.String(logKey), Protect: p.Protect,
		})
		if err != nil {
			return err
		}
		pulumi.All(n.EgressIPs, n.PrivateSubnetIDs, n.PublicSubnetIDs, n.DatabaseSubnetIDs).ApplyT(func(v []any) error {
			out = outputs{v[0].([]string), v[1].([]string), v[2].([]string), v[3].([]string)}
			return nil
		})
		return nil
	})
	return run, out
}

// way says where a subnet's table sends what leaves the VPC; empty for nowhere.
func way(t *testing.T, run *recorder.Run, tier, zone string) string {
	t.Helper()
	id := run.Find(t, association, "network-"+tier+"-"+zone).At("routeTableId")
	require.NotEmpty(t, id)
	var out []string
	for _, r := range run.All(route) {
		if r.At("routeTableId") != id {
			continue
		}
		assert.Equal(t, "0.0.0.0/0", r.At("destinationCidrBlock"))
		for _, kind := range []string{"gatewayId", "natGatewayId"} {
			if to, ok := r.At(kind).(string); ok {
				out = append(out, to)
			}
		}
	}
	return strings.Join(out, ",")
}

func TestN2ProdHasANATGatewayPerZone(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	for _, zone := range zones {
		assert.Equal(t, "network-internet-id", way(t, run, "public", zone))
		assert.Equal(t, "network-nat-"+zone+"-id", way(t, run, "private", zone), "its own zone's: the loss of another changes nothing")
		assert.Empty(t, way(t, run, "database", zone))
		nat := run.Find(t, natGateway, "network-nat-"+zone)
		assert.Equal(t, "network-public-"+zone+"-id", nat.At("subnetId"))
		assert.Equal(t, "network-nat-"+zone+"-id", nat.At("allocationId"))
		assert.Contains(t, strings.Join(nat.DependsOn, " "), "::network-internet", "it comes up only in a VPC that has a way out")
	}
	assert.Len(t, run.All(natGateway), 3)
	assert.Len(t, run.All(eip), 3)
}

func TestN2StagingHasOneNATGatewayForAllZones(t *testing.T) {
	run, out := record(t, stack(t, "staging"))
	tables := map[any]bool{}
	for _, zone := range zones {
		assert.Equal(t, "network-nat-us-east-1a-id", way(t, run, "private", zone))
		assert.Empty(t, way(t, run, "database", zone))
		tables[run.Find(t, association, "network-private-"+zone).At("routeTableId")] = true
	}
	assert.Len(t, tables, 3, "a table per zone all the same, so that one NAT gateway per zone changes routes only")
	assert.Len(t, run.All(natGateway), 1)
	assert.Equal(t, []string{"address-of-network-nat-us-east-1a"}, out.egress)
}

func TestN2EgressAddressesAreAnOutputAndGuardedLikeData(t *testing.T) {
	prod := stack(t, "prod")
	run, out := record(t, prod)
	assert.Equal(t, []string{"address-of-network-nat-us-east-1a", "address-of-network-nat-us-east-1b", "address-of-network-nat-us-east-1c"}, out.egress)
	for _, one := range append(run.All(eip), run.Find(t, vpcType, "network-vpc")) {
		assert.True(t, one.Protect, one.Name)
	}
	prod.Protect = false
	run, _ = record(t, prod)
	for _, one := range run.Resources {
		assert.False(t, one.Protect, "%s %s", one.Type, one.Name)
	}
}

func TestN1DatabaseSubnetsHaveNoWayOut(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	database := run.Find(t, association, "network-database-us-east-1a").At("routeTableId")
	assert.Equal(t, "network-database-id", database)
	for _, r := range run.All(route) {
		assert.NotEqual(t, database, r.At("routeTableId"), r.Name)
	}
	assert.NotContains(t, run.Find(t, endpoint, "network-s3").At("routeTableIds"), database)
	for _, one := range run.All(table) {
		assert.Nil(t, one.At("routes"), "%s: routes are resources of their own", one.Name)
	}
}

func TestN1EverySubnetIsInItsZoneAndHasOneTable(t *testing.T) {
	prod := stack(t, "prod")
	run, out := record(t, prod)
	layout, err := prod.Network.Layout()
	require.NoError(t, err)
	require.Len(t, run.All(subnet), 9)
	require.Len(t, run.All(association), 9)
	for _, zone := range layout {
		for tier, cidr := range map[string]string{"private": zone.Private.String(), "public": zone.Public.String(), "database": zone.Database.String()} {
			made := run.Find(t, subnet, "network-"+tier+"-"+zone.Zone)
			assert.Equal(t, zone.Zone, made.At("availabilityZone"))
			assert.Equal(t, cidr, made.At("cidrBlock"))
			assert.Equal(t, "network-vpc-id", made.At("vpcId"))
			assert.NotEqual(t, true, made.At("mapPublicIpOnLaunch"), "nothing gets a public address by being there")
			assert.Equal(t, "network-"+tier+"-"+zone.Zone+"-id", run.Find(t, association, "network-"+tier+"-"+zone.Zone).At("subnetId"))
		}
	}
	ids := func(tier string) (list []string) {
		for _, zone := range zones {
			list = append(list, "network-"+tier+"-"+zone+"-id")
		}
		return list
	}
	assert.Equal(t, outputs{egress: out.egress, private: ids("private"), public: ids("public"), database: ids("database")}, out)
}

func TestN1SubnetsCarryTheTagsThatOthersLookFor(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	for _, zone := range zones {
		assert.Equal(t, map[string]any{
			"Name": "alphapulse-prod-public-" + zone, "kubernetes.io/cluster/alphapulse-prod": "shared", "kubernetes.io/role/elb": "1",
		}, run.Find(t, subnet, "network-public-"+zone).Inputs["tags"])
		assert.Equal(t, map[string]any{
			"Name": "alphapulse-prod-private-" + zone, "kubernetes.io/cluster/alphapulse-prod": "shared",
			"kubernetes.io/role/internal-elb": "1", "karpenter.sh/discovery": "alphapulse-prod",
		}, run.Find(t, subnet, "network-private-"+zone).Inputs["tags"])
		assert.Equal(t, map[string]any{"Name": "alphapulse-prod-database-" + zone},
			run.Find(t, subnet, "network-database-"+zone).Inputs["tags"], "no load balancer and no node lands beside a database")
	}
}

func TestN1ReorderedZonesChangeNothing(t *testing.T) {
	prod := stack(t, "staging") // one NAT gateway: it must not move either
	before, _ := record(t, prod)
	slices.Reverse(prod.Network.Zones)
	after, _ := record(t, prod)
	for _, one := range before.Resources {
		assert.Equal(t, one.Inputs, after.Find(t, one.Type, one.Name).Inputs, "%s %s", one.Type, one.Name)
	}
	assert.Len(t, after.Resources, len(before.Resources))
}

// An alert of the DNS firewall is a line in the query log, and nothing else.
func TestN3LookedUpNamesAreOnRecord(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	group := run.Find(t, "aws:cloudwatch/logGroup:LogGroup", "network-dns-queries")
	assert.Equal(t, "/alphapulse-prod/vpc/dns-queries", group.At("name"), "the logs key is for groups under the environment's name")
	assert.NotEmpty(t, group.At("kmsKeyId"))
	run.Find(t, "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig", "network-dns-queries")
	run.Find(t, "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation", "network-dns-queries")
}

func TestN3DefaultGroupHasNoRules(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	group := run.Find(t, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "network-default")
	assert.Equal(t, "network-vpc-id", group.At("vpcId"))
	assert.Nil(t, group.At("ingress"))
	assert.Nil(t, group.At("egress"))
}

func TestN3NothingIsOpenToTheInternet(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	rules := run.All(ingressRule)
	require.NotEmpty(t, rules)
	for _, r := range rules {
		assert.Equal(t, "10.20.0.0/16", r.At("cidrIpv4"), r.Name)
		assert.Nil(t, r.At("cidrIpv6"), r.Name)
		assert.EqualValues(t, []any{"tcp", 443., 443.}, []any{r.At("ipProtocol"), r.At("fromPort"), r.At("toPort")}, r.Name)
	}
	groups := run.All("aws:ec2/securityGroup:SecurityGroup")
	require.NotEmpty(t, groups)
	for _, g := range groups {
		assert.Nil(t, g.At("ingress"), "%s: rules are resources of their own", g.Name)
		assert.Nil(t, g.At("egress"), "%s: rules are resources of their own", g.Name)
	}
}

func TestN3NamesAreLimitedByADNSFirewall(t *testing.T) {
	for mode, want := range map[string][]any{"alert": {"ALERT", nil}, "block": {"BLOCK", "NXDOMAIN"}} {
		t.Run(mode, func(t *testing.T) {
			prod := stack(t, "prod")
			prod.Network.DNSFirewall = config.DNSFirewall{Mode: mode, Domains: []string{"*.binance.com"}}
			run, _ := record(t, prod)
			allowed, rest := run.Find(t, rule, "network-dns-allowed"), run.Find(t, rule, "network-dns-rest")
			assert.Equal(t, "ALLOW", allowed.At("action"))
			assert.Equal(t, want, []any{rest.At("action"), rest.At("blockResponse")})
			assert.Less(t, allowed.At("priority"), rest.At("priority"), "the first that matches decides")
			assert.Equal(t, "TRUST_REDIRECTION_DOMAIN", allowed.At("firewallDomainRedirectionAction"))

			assert.Equal(t, "network-dns-allowed-id", allowed.At("firewallDomainListId"))
			assert.Equal(t, "network-dns-rest-id", rest.At("firewallDomainListId"))
			assert.Equal(t, []any{"*."}, run.Find(t, domainList, "network-dns-rest").At("domains"))
			domains := run.Find(t, domainList, "network-dns-allowed").At("domains")
			assert.Subset(t, domains, []any{"*.binance.com.", "*.amazonaws.com."}, "the stack's and AWS's own, as Route 53 gives them back")
			assert.NotContains(t, domains, "*.")

			applied := run.Find(t, "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation", "network-dns-firewall")
			assert.Equal(t, []any{"network-vpc-id", "network-dns-firewall-id"}, []any{applied.At("vpcId"), applied.At("firewallRuleGroupId")})
			assert.Greater(t, applied.At("priority"), 100., "100 and below are AWS's")
			failing := run.Find(t, "aws:route53/resolverFirewallConfig:ResolverFirewallConfig", "network-dns-firewall")
			assert.Equal(t, []any{"network-vpc-id", map[string]any{"alert": "ENABLED", "block": "DISABLED"}[mode]},
				[]any{failing.At("resourceId"), failing.At("firewallFailOpen")}, "one that only watches lets names through when it fails")
			assert.Contains(t, applied.DependsOn, failing.URN)
			assert.Equal(t, "network-dns-firewall-id", rest.At("firewallRuleGroupId"))
		})
	}
}

func TestN4EndpointsAreThereAsConfigured(t *testing.T) {
	prod := stack(t, "prod")
	run, _ := record(t, prod)
	s3 := run.Find(t, endpoint, "network-s3")
	assert.Equal(t, []any{"Gateway", "com.amazonaws.us-east-1.s3"}, []any{s3.At("vpcEndpointType"), s3.At("serviceName")})
	assert.ElementsMatch(t, []any{"network-private-us-east-1a-id", "network-private-us-east-1b-id", "network-private-us-east-1c-id"}, s3.At("routeTableIds"))

	require.Len(t, run.All(endpoint), 1+len(prod.Network.InterfaceEndpoints))
	for _, service := range []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"} {
		one := run.Find(t, endpoint, "network-"+strings.ReplaceAll(service, ".", "-"))
		assert.Equal(t, "com.amazonaws.us-east-1."+service, one.At("serviceName"))
		assert.Equal(t, "Interface", one.At("vpcEndpointType"))
		assert.Equal(t, true, one.At("privateDnsEnabled"), "callers use the service's own name")
		assert.Equal(t, []any{"network-endpoints-id"}, one.At("securityGroupIds"))
		assert.Len(t, one.At("subnetIds"), 3)
		assert.Subset(t, []any{"network-private-us-east-1a-id", "network-private-us-east-1b-id", "network-private-us-east-1c-id"}, one.At("subnetIds"))
	}
}

func TestN4WithoutInterfaceEndpointsOnlyS3Remains(t *testing.T) {
	staging := stack(t, "staging")
	require.Empty(t, staging.Network.InterfaceEndpoints)
	run, _ := record(t, staging)
	require.Len(t, run.All(endpoint), 1)
	assert.Equal(t, "network-s3", run.All(endpoint)[0].Name)
	assert.Empty(t, run.All("aws:ec2/securityGroup:SecurityGroup"))
}

func TestN4FlowLogsRecordEverything(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	group := run.Find(t, "aws:cloudwatch/logGroup:LogGroup", "network-flow-logs")
	assert.Equal(t, "/alphapulse-prod/vpc/flow-logs", group.At("name"))
	assert.Equal(t, logKey, group.At("kmsKeyId"))
	assert.EqualValues(t, 90, group.At("retentionInDays"))
	log := run.Find(t, "aws:ec2/flowLog:FlowLog", "network-flow-logs")
	assert.Equal(t, map[string]any{
		"vpcId": "network-vpc-id", "trafficType": "ALL", "logDestinationType": "cloud-watch-logs",
		"logDestination": recorder.ARN(group.Type, group.Name), "iamRoleArn": recorder.ARN("aws:iam/role:Role", "network-flow-logs"),
		"tags": map[string]any{"Name": "alphapulse-prod-flow-logs"},
	}, log.Inputs)
	assert.Contains(t, log.DependsOn, run.Find(t, "aws:iam/rolePolicy:RolePolicy", "network-flow-logs").URN, "permissions before use")
}

func TestN4FlowLogsRoleWritesToItsOwnGroupOnly(t *testing.T) {
	run, _ := record(t, stack(t, "prod"))
	trust := recorder.Statements(t, run.Find(t, "aws:iam/role:Role", "network-flow-logs").At("assumeRolePolicy"))
	require.Len(t, trust, 1)
	assert.Equal(t, map[string]recorder.Strings{"Service": {"vpc-flow-logs.amazonaws.com"}}, trust[0].Principal)
	assert.Equal(t, recorder.Strings{"222222222222"}, trust[0].Condition["StringEquals"]["aws:SourceAccount"])

	group := recorder.ARN("aws:cloudwatch/logGroup:LogGroup", "network-flow-logs")
	for _, s := range recorder.Statements(t, run.Find(t, "aws:iam/rolePolicy:RolePolicy", "network-flow-logs").At("policy")) {
		if slices.Equal(s.Action, recorder.Strings{"logs:DescribeLogGroups"}) {
			continue // AWS does not scope it
		}
		for _, resource := range s.Resource {
			assert.Equal(t, group+":*", resource)
		}
		assert.Subset(t, []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}, s.Action)
	}
}

func TestN1RangeThatIsNoneMakesNothing(t *testing.T) {
	prod := stack(t, "prod")
	run, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		_, err := network.New(ctx, "network", &network.Args{Name: "x", AWS: prod.AWS, Spec: config.Network{CIDR: "10.20"}, LogKeyARN: pulumi.String(logKey)})
		return err
	})
	assert.ErrorContains(t, err, "10.20")
	assert.Empty(t, run.Resources)
}
