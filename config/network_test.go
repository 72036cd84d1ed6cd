package config_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

func layout(t *testing.T, cidr string, zones ...string) map[string]config.Subnets {
	t.Helper()
	list, err := config.Network{CIDR: cidr, Zones: zones}.Layout()
	require.NoError(t, err)
	byZone := map[string]config.Subnets{}
	for _, zone := range list {
		byZone[zone.Zone] = zone
	}
	require.Len(t, byZone, len(zones))
	return byZone
}

func TestN1SubnetsOfProdStayWhereTheyAre(t *testing.T) {
	platform, _ := config.Load(prod(t))
	list, err := platform.Network.Layout()
	require.NoError(t, err)
	var got []string
	for _, z := range list {
		got = append(got, fmt.Sprint(z.Zone, " ", z.Private, " ", z.Public, " ", z.Database))
	}
	assert.Equal(t, []string{
		"us-east-1a 10.20.0.0/20 10.20.16.0/22 10.20.20.0/22",
		"us-east-1b 10.20.32.0/20 10.20.48.0/22 10.20.52.0/22",
		"us-east-1c 10.20.64.0/20 10.20.80.0/22 10.20.84.0/22",
	}, got, "another address replaces a subnet and all that is in it")
}

func TestN1ReorderingZonesMovesNoSubnet(t *testing.T) {
	one, err := config.Network{CIDR: "10.20.0.0/16", Zones: []string{"us-east-1a", "us-east-1b", "us-east-1c"}}.Layout()
	require.NoError(t, err)
	other, err := config.Network{CIDR: "10.20.0.0/16", Zones: []string{"us-east-1c", "us-east-1a", "us-east-1b"}}.Layout()
	require.NoError(t, err)
	assert.Equal(t, one, other, "the order of outputs too")
}

func TestN1ReplacingAZoneMovesNoOther(t *testing.T) {
	before := layout(t, "10.20.0.0/16", "us-east-1a", "us-east-1b", "us-east-1c")
	after := layout(t, "10.20.0.0/16", "us-east-1a", "us-east-1c", "us-east-1f")
	assert.Equal(t, before["us-east-1a"], after["us-east-1a"])
	assert.Equal(t, before["us-east-1c"], after["us-east-1c"])
	for _, z := range before {
		assert.False(t, z.Private.Overlaps(after["us-east-1f"].Private), "the new zone is nobody's old place")
	}
}

func TestN1AnotherRegionIsConfigOnly(t *testing.T) {
	raw := recorder.Change(t, prod(t), "alphapulse:aws.region", "eu-west-1")
	raw = recorder.Change(t, raw, "alphapulse:network.zones", []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"})
	platform, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	here := layout(t, platform.Network.CIDR, platform.Network.Zones...)
	there := layout(t, platform.Network.CIDR, "us-east-1a", "us-east-1b", "us-east-1c")
	assert.Equal(t, there["us-east-1b"].Private, here["eu-west-1b"].Private)
}

// For every range that config allows and every choice of zones.
func TestN1SubnetsNeverOverlapAndLieInTheRange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	blocks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}
	for range 2000 {
		length := 16 + random.IntN(5)
		a := blocks[random.IntN(len(blocks))].Addr().As4()
		a[1] |= byte(random.IntN(16)) & map[byte]byte{10: 0xff, 172: 0x0f, 192: 0}[a[0]]
		a[2] = byte(random.IntN(256))
		cidr := netip.PrefixFrom(netip.AddrFrom4(a), length).Masked()
		if cidr.Overlaps(netip.MustParsePrefix(config.ServiceCIDR)) {
			continue // refused
		}
		letters := random.Perm(8)[:3]
		var zones []string
		for _, letter := range letters {
			zones = append(zones, "us-east-1"+string(rune('a'+letter)))
		}

		var all []netip.Prefix
		for zone, s := range layout(t, cidr.String(), zones...) {
			require.Equal(t, []int{length + 4, length + 6, length + 6}, []int{s.Private.Bits(), s.Public.Bits(), s.Database.Bits()}, "%s in %s", zone, cidr)
			all = append(all, s.Private, s.Public, s.Database)
		}
		require.Len(t, all, 9)
		for i, one := range all {
			require.Equal(t, one, one.Masked(), "%s of %s", one, cidr)
			require.True(t, cidr.Contains(one.Addr()) && one.Bits() > cidr.Bits(), "%s outside %s", one, cidr)
			require.LessOrEqual(t, one.Bits(), 28, "AWS has no smaller subnet")
			require.False(t, slices.ContainsFunc(all[i+1:], one.Overlaps), "%s of %s overlaps another", one, cidr)
		}
	}
}

func TestN3DomainsMayBeOfEveryLegalForm(t *testing.T) {
	for _, domain := range []string{"binance.com", "*.api.binance.com", "_service.example.co.uk", "xn--bcher-kva.example", "example.xn--p1ai", "1.example.com"} {
		_, problems := config.Load(recorder.Change(t, prod(t), "alphapulse:network.dnsFirewall.domains[0]", domain))
		assert.NoError(t, problems.Err(), domain)
	}
}

func TestN1RangeThatIsNoneHasNoLayout(t *testing.T) {
	_, err := config.Network{CIDR: "10.20.0.0/33", Zones: []string{"us-east-1a"}}.Layout()
	assert.ErrorContains(t, err, "10.20.0.0/33")
}
