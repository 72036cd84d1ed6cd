package security

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/config"
)

// outside is an end of a flow that is no pod: address ranges with a name.
type outside struct {
	name   string
	blocks func(surroundings) []block
}

// block is an address range, less some parts of it.
type block struct {
	cidr   string
	except []string
}

// surroundings are the address ranges around the cluster.
type surroundings struct {
	private, public, database []string // the subnets'
	visitors                  []string // Cloudflare's
	endpoints                 []string // the AWS services that have an interface in the private subnets
}

func newSurroundings(network config.Network, visitors []string) (surroundings, error) {
	at := surroundings{visitors: visitors, endpoints: network.InterfaceEndpoints}
	layout, err := network.Layout()
	if err != nil {
		return at, fmt.Errorf("finding the subnets' address ranges: %w", err)
	}
	for _, zone := range layout {
		at.private = append(at.private, zone.Private.String())
		at.public = append(at.public, zone.Public.String())
		at.database = append(at.database, zone.Database.String())
	}
	return at, nil
}

// notInternet are the private and link-local ranges (N3); instance metadata, 169.254.169.254, is in the last but one. Whatever leads to
// the internet has the same exceptions: the VPC CNI's agent joins blocks of one range, and each loses what the others except.
var notInternet = []string{"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"}

// internet is somebody in the internet. Policies know addresses, not names: to them the exchanges, Stripe and everybody else are one,
// and what may reach one may reach all. The DNS firewall limits the names (N3).
func internet(name string) outside {
	return outside{name, func(surroundings) []block { return []block{{"0.0.0.0/0", notInternet}} }}
}

// awsAPIs are services of AWS: those with an interface endpoint are in the private subnets, the others, and S3 with its gateway endpoint, have
// public addresses.
func awsAPIs(services ...string) outside {
	return outside{"AWS (" + strings.Join(services, ", ") + ")", func(at surroundings) (blocks []block) {
		for _, service := range services {
			if slices.Contains(at.endpoints, service) {
				blocks = append(blocks, ranges(at.private)...)
			} else {
				blocks = append(blocks, internet(service).blocks(at)...)
			}
		}
		return blocks
	}}
}

var (
	cloudflare = outside{"Cloudflare", func(at surroundings) []block { return ranges(at.visitors) }}
	// Load balancers ask about health from addresses of their own; their clients keep theirs.
	loadBalancer = outside{"the load balancer", func(at surroundings) []block { return ranges(at.public) }}
	postgres     = outside{"PostgreSQL", func(at surroundings) []block { return ranges(at.database) }}
	nodes        = outside{"the nodes", func(at surroundings) []block { return ranges(at.private) }}
	// controlPlane calls webhooks from interfaces in the cluster's subnets, which are the private and the public ones (cluster.js of
	// pulumi-eks).
	controlPlane = outside{"the control plane", func(at surroundings) []block { return ranges(slices.Concat(at.private, at.public)) }}
	// apiServer is the Service `kubernetes`. It has the first address of its range and no selector, so that a policy can only name the
	// address. The VPC CNI's agent looks at the pod's own interface, where kube-proxy has not translated anything yet (tc.v4egress.bpf.c
	// of aws/aws-network-policy-agent); other engines look afterwards and see an interface of the control plane. Both are allowed.
	apiServer = outside{"the API server", func(at surroundings) []block {
		first := netip.MustParsePrefix(config.ServiceCIDR).Addr().Next()
		return append([]block{{cidr: netip.PrefixFrom(first, first.BitLen()).String()}}, controlPlane.blocks(at)...)
	}}
)

func ranges(cidrs []string) (blocks []block) {
	for _, cidr := range cidrs {
		blocks = append(blocks, block{cidr: cidr})
	}
	return blocks
}
