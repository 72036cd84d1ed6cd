package cost

import (
	"fmt"
	"strings"
)

func (b *builder) addNetwork() {
	spec := b.platform.Network
	nat := exactly(b.billed(natGateways))
	b.add(Network, "NAT gateways, "+spec.NATGateways, nat, natGateway)
	b.add(Network, "their public addresses", nat, publicAddress)

	through, toAWS := b.nodes.times(b.assume(natPerNode)), b.nodes.times(b.assume(awsPerNode))
	if len(spec.InterfaceEndpoints) == 0 {
		through, toAWS = through.plus(toAWS), Range{}
	}
	b.add(Network, "data through the NAT gateways", through, natData)
	b.add(Network, fmt.Sprintf("interface endpoints in %d zones: %s", len(spec.Zones), strings.Join(spec.InterfaceEndpoints, " ")),
		exactly(float64(len(spec.InterfaceEndpoints)*len(spec.Zones))), interfaceEndpoint)
	b.add(Network, "data through the endpoints", toAWS, endpointData)
	b.add(Network, "data between zones", b.nodes.times(b.assume(crossPerNode)), betweenZones)
	b.add(Network, "data to the internet", b.apiReplicas().times(b.assume(outPerAPI)).without(freeDataOut), dataOut)
	b.add(Network, "DNS firewall, look-ups", b.nodes.times(b.assume(dnsPerNode)), dnsFirewall)
}

// addEdge counts the zone's plan where its settings are kept: a plan is paid for once a zone, however many stacks use it.
func (b *builder) addEdge() {
	if edge := b.platform.Edge; edge.OwnsZone && edge.Plan != "free" {
		b.add(CDN, fmt.Sprintf("Cloudflare, plan %s of %s", edge.Plan, edge.Zone), exactly(1), edgePlan[edge.Plan])
	}
}
