package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NewCloudflare makes the provider that everything at Cloudflare goes through. It reads its token from CLOUDFLARE_API_TOKEN by itself:
// handed over as an input, the token would be kept in the state, and the next refresh would use the old one after a change.
func NewCloudflare(ctx *pulumi.Context) (*cloudflare.Provider, error) {
	provider, err := cloudflare.NewProvider(ctx, "cloudflare", &cloudflare.ProviderArgs{})
	if err != nil {
		return nil, fmt.Errorf("configuring Cloudflare: %w", err)
	}
	return provider, nil
}

// CloudflareRanges are the IPv4 ranges that Cloudflare's proxies connect from, in alphabetical order. They open the origin's firewall,
// so an answer that is empty, or would open it to others, is an error.
func CloudflareRanges(ctx *pulumi.Context, provider *cloudflare.Provider) ([]string, error) {
	answer, err := cloudflare.GetIpRanges(ctx, pulumi.Provider(provider))
	if err != nil {
		return nil, fmt.Errorf("asking Cloudflare for its address ranges: %w", err)
	}
	if err := checkRanges(answer.Ipv4CidrBlocks); err != nil {
		return nil, fmt.Errorf("asking Cloudflare for its address ranges: %w", err)
	}
	ranges := slices.Sorted(slices.Values(answer.Ipv4CidrBlocks))
	return slices.Compact(ranges), nil // a prefix list takes no range twice
}

// widestRange is the shortest prefix that can be Cloudflare's: its widest today is a /13.
const widestRange = 8

func checkRanges(ranges []string) error {
	if len(ranges) == 0 {
		return errors.New("it names none")
	}
	for _, text := range ranges {
		cidr, err := netip.ParsePrefix(text)
		if err != nil || !cidr.Addr().Is4() || cidr != cidr.Masked() {
			return fmt.Errorf("%q is no IPv4 range", text)
		}
		if cidr.Bits() < widestRange || cidr.Addr().IsPrivate() || !cidr.Addr().IsGlobalUnicast() {
			return fmt.Errorf("%s cannot be one of its ranges; the origin is not opened to it", text)
		}
	}
	return nil
}
