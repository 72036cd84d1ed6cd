package network_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/network"
	"github.com/alphapulse/infrastructure/recorder"
)

const (
	egressRule = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	groupType  = "aws:ec2/securityGroup:SecurityGroup"
	listType   = "aws:ec2/managedPrefixList:ManagedPrefixList"
)

var cloudflareRanges = []string{"198.51.100.0/24", "192.0.2.0/24"}

func origin(t *testing.T, ranges []string) (*recorder.Run, string, error) {
	t.Helper()
	var group string
	run, err := recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		o, err := network.NewOrigin(ctx, "origin", &network.OriginArgs{
			Name: environment, VpcID: pulumi.String("vpc-1"), Ranges: ranges, ClusterGroupID: pulumi.String("sg-cluster"),
			Ports: []network.Port{{"https", 8443}, {"http", 8000}, {"health", 8082}},
		})
		if err != nil {
			return err
		}
		o.GroupID.ApplyT(func(id string) error { group = id; return nil })
		return nil
	})
	return run, group, err
}

// opens says what a rule opens: group, from or to where, ports.
func opens(one recorder.Resource) string {
	peer := ""
	for _, kind := range []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} {
		if value := one.At(kind); value != nil {
			peer += fmt.Sprintf("%s %v", kind, value)
		}
	}
	return fmt.Sprintf("%v: %s: %v %v-%v", one.At("securityGroupId"), peer, one.At("ipProtocol"), one.At("fromPort"), one.At("toPort"))
}

func TestN5OriginAcceptsCloudflaresRangesOnly(t *testing.T) {
	run, group, err := origin(t, cloudflareRanges)
	require.NoError(t, err)
	assert.Equal(t, "origin-id", group)
	assert.Equal(t, "vpc-1", run.Find(t, groupType, "origin").At("vpcId"))
	list := run.Find(t, listType, "origin")
	assert.Equal(t, []any{map[string]any{"cidr": "198.51.100.0/24"}, map[string]any{"cidr": "192.0.2.0/24"}}, list.At("entries"))
	assert.Equal(t, "IPv4", list.At("addressFamily"))
	for name, port := range map[string]int{"https": 443, "http": 80} {
		assert.Equal(t, fmt.Sprintf("origin-id: prefixListId origin-id: tcp %d-%d", port, port), opens(run.Find(t, ingressRule, "origin-"+name)))
	}
}

// A rule that refers to a list counts as the list's size.
func TestN5ListFitsTheGroupsQuota(t *testing.T) {
	const rulesPerGroup = 60
	run, _, err := origin(t, cloudflareRanges)
	require.NoError(t, err)
	count := 0.
	for _, one := range run.All(ingressRule) {
		if one.At("prefixListId") != nil {
			count += run.Find(t, listType, "origin").At("maxEntries").(float64)
		}
	}
	assert.LessOrEqual(t, count, float64(rulesPerGroup))

	var many []string
	for i := range 26 {
		many = append(many, fmt.Sprintf("198.51.%d.0/24", i))
	}
	_, _, err = origin(t, many[:25])
	assert.NoError(t, err)
	run, _, err = origin(t, many)
	assert.ErrorContains(t, err, "has room for 25 ranges, not for 26")
	assert.Empty(t, run.Resources)
}

func TestN3LoadBalancerAndPodsSeeOnlyEachOthersPorts(t *testing.T) {
	run, _, err := origin(t, cloudflareRanges)
	require.NoError(t, err)
	ports := map[string]int{"https": 8443, "http": 8000, "health": 8082}
	require.Len(t, run.All(egressRule), len(ports), "the load balancer reaches nothing else")
	require.Len(t, run.All(ingressRule), 2+len(ports))
	for name, port := range ports {
		assert.Equal(t, fmt.Sprintf("origin-id: referencedSecurityGroupId sg-cluster: tcp %d-%d", port, port), opens(run.Find(t, egressRule, "origin-pods-"+name)))
		assert.Equal(t, fmt.Sprintf("sg-cluster: referencedSecurityGroupId origin-id: tcp %d-%d", port, port), opens(run.Find(t, ingressRule, "origin-pods-"+name)))
	}
	groups := run.All(groupType)
	require.Len(t, groups, 1)
	assert.Nil(t, groups[0].At("ingress"), "rules are resources of their own")
	assert.Nil(t, groups[0].At("egress"), "rules are resources of their own")
}
