package karpenter

import (
	"fmt"
	"strconv"
	"strings"

	aws "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/local/machines"
)

// instanceTypes are all types that can be had in the zones of a node class: the same nodes that capacity plans with. Both ways to pay
// are there in each zone that is not lost.
func instanceTypes(region string, class *aws.EC2NodeClass) ([]*cloudprovider.InstanceType, error) {
	var zones []string
	available := map[string]bool{}
	for _, s := range class.Status.Subnets {
		lost, err := machines.Lost(s.Zone)
		if err != nil {
			return nil, err
		}
		if _, twice := available[s.Zone]; !twice {
			zones = append(zones, s.Zone)
		}
		available[s.Zone] = !lost
	}
	var all []*cloudprovider.InstanceType
	for _, name := range capacity.InstanceTypes() {
		t, _ := capacity.Instance(name)
		all = append(all, instanceType(t, region, zones, available, class.Spec.Kubelet))
	}
	return all, nil
}

func instanceType(t capacity.InstanceType, region string, zones []string, available map[string]bool, kubelet *aws.KubeletConfiguration,
) *cloudprovider.InstanceType {
	whole := core.ResourceList{
		core.ResourceCPU:    *resource.NewQuantity(int64(t.VCPU), resource.DecimalSI),
		core.ResourceMemory: *resource.NewQuantity(t.MemoryMiB<<20, resource.BinarySI),
		core.ResourcePods:   *resource.NewQuantity(int64(pods(t, kubelet)), resource.DecimalSI),
	}
	node := t.Allocatable()
	allocatable := core.ResourceList{
		core.ResourceCPU:    *resource.NewMilliQuantity(node.MilliCPU, resource.DecimalSI),
		core.ResourceMemory: *resource.NewQuantity(node.MemoryMiB<<20, resource.BinarySI),
		core.ResourcePods:   whole[core.ResourcePods],
	}
	var offerings cloudprovider.Offerings
	for _, zone := range zones {
		for capacityType, share := range map[string]float64{karpenter.CapacityTypeOnDemand: 1, karpenter.CapacityTypeSpot: capacity.SpotShare} {
			offerings = append(offerings, &cloudprovider.Offering{
				Available: available[zone], Price: t.HourlyUSD * share,
				Requirements: scheduling.NewRequirements(
					in(core.LabelTopologyZone, zone), in(karpenter.CapacityTypeLabelKey, capacityType),
					absent(cloudprovider.ReservationIDLabel)),
			})
		}
	}
	return &cloudprovider.InstanceType{
		Name: t.Name, Requirements: requirements(t, region, zones), Offerings: offerings, Capacity: whole,
		Overhead: &cloudprovider.InstanceTypeOverhead{KubeReserved: resources.Subtract(whole, allocatable)},
	}
}

// pods is how many the kubelet admits: as many as the network interfaces have addresses for, unless it is told otherwise. The lower
// limit of managed node groups does not hold for Karpenter's nodes.
func pods(t capacity.InstanceType, kubelet *aws.KubeletConfiguration) int {
	if kubelet != nil && kubelet.MaxPods != nil {
		return int(*kubelet.MaxPods)
	}
	return t.Allocatable().Addresses + 2
}

// requirements are the labels that pods and node pools can ask for. A well-known one that is not modelled is there for no node: who asks
// for it gets none.
func requirements(t capacity.InstanceType, region string, zones []string) scheduling.Requirements {
	family, size, _ := strings.Cut(t.Name, ".")
	known := scheduling.NewRequirements(
		in(core.LabelInstanceTypeStable, t.Name),
		in(core.LabelArchStable, karpenter.ArchitectureAmd64),
		in(core.LabelOSStable, string(core.Linux)),
		in(core.LabelTopologyRegion, region),
		in(core.LabelTopologyZone, zones...),
		in(karpenter.CapacityTypeLabelKey, karpenter.CapacityTypeOnDemand, karpenter.CapacityTypeSpot),
		in(aws.LabelInstanceCPU, strconv.Itoa(t.VCPU)),
		in(aws.LabelInstanceMemory, fmt.Sprint(t.MemoryMiB)),
		in(aws.LabelInstanceFamily, family),
		in(aws.LabelInstanceSize, size),
		in(aws.LabelInstanceCategory, family[:1]),
		in(aws.LabelInstanceGeneration, family[1:2]),
	)
	for label := range karpenter.WellKnownLabels {
		if !known.Has(label) && label != karpenter.NodePoolLabelKey && label != core.LabelHostname {
			known.Add(absent(label))
		}
	}
	return known
}

func in(label string, values ...string) *scheduling.Requirement {
	return scheduling.NewRequirement(label, core.NodeSelectorOpIn, values...)
}

func absent(label string) *scheduling.Requirement {
	return scheduling.NewRequirement(label, core.NodeSelectorOpDoesNotExist)
}
