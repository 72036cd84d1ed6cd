package cost

import (
	"fmt"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
)

func (b *builder) addCluster() {
	b.add(Kubernetes, "EKS control plane, standard support", exactly(1), eksControlPlane)
	var disks Range
	for _, pool := range b.platform.Cluster.NodePools {
		size := b.size(pool)
		if b.refused(pool) {
			continue
		}
		name, of := dearest(pool.InstanceTypes, b.region)
		what := fmt.Sprintf("pool %s, %s", pool.Name, name)
		if pool.CapacityType == config.Spot {
			what += ", spot"
			of = of.times(b.assume(spotShare))
		}
		b.add(Kubernetes, what, size, of)
		disks = disks.plus(size.times(float64(pool.DiskGiB)))
	}
	b.add(Kubernetes, "disks of the nodes, gp3", disks, nodeDisk)
	kept := 0
	for _, w := range b.platform.Programs() {
		kept += w.Replicas.Max * w.Volumes * w.StorageGiB
	}
	b.add(Kubernetes, "volumes of what keeps something, gp3", exactly(float64(kept)), nodeDisk)
}

// refused names the types that package capacity does not know: without a size they have no price either.
func (b *builder) refused(pool config.NodePool) (refused bool) {
	for _, name := range pool.InstanceTypes {
		if _, known := capacity.Instance(name); !known {
			b.unknown = append(b.unknown, fmt.Errorf("the instance type %q of pool %s is not known: add it in capacity/instance_types.go, "+
				"and its family in cost/prices.go", name, pool.Name))
			refused = true
		}
	}
	return refused
}

func (b *builder) addLoadBalancer() {
	b.add(LoadBalancer, "network load balancer", exactly(1), loadBalancer)
	b.add(LoadBalancer, "its public addresses, one a zone", exactly(float64(len(b.platform.Network.Zones))), publicAddress)
	b.add(LoadBalancer, "its capacity units", b.apiReplicas().times(b.assume(unitsPerAPI)), loadBalancerUnits)
}

func (b *builder) apiReplicas() Range {
	replicas := b.platform.Workloads.API.Replicas
	return Range{float64(replicas.Min), float64(replicas.Max)}
}

func (b *builder) addSecrets() {
	b.add(Secrets, "KMS keys", exactly(b.billed(kmsKeys)), keyKept)
	b.add(Secrets, "secrets in Secrets Manager", exactly(b.billed(storedSecrets)), secretKept)
}
