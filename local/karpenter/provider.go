package karpenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	aws "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	"github.com/awslabs/operatorpkg/status"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/alphapulse/infrastructure/local/machines"
)

// The tags that Karpenter puts on its instances.
var (
	clusterTag = "eks:eks-cluster-name"
	poolTag    = karpenter.NodePoolLabelKey
	claimTag   = aws.NodeClaimTagKey
	classTag   = aws.NodeClassTagKey
)

// provider plays EC2 for Karpenter.
type provider struct {
	client          client.Client
	store           *inventory.Store
	region, cluster string
}

// Create launches a machine for a claim.
func (p *provider) Create(ctx context.Context, claim *karpenter.NodeClaim) (*karpenter.NodeClaim, error) {
	class, err := p.classOf(ctx, claim.Spec.NodeClassRef)
	if apierrors.IsNotFound(err) {
		return nil, cloudprovider.NewInsufficientCapacityError(fmt.Errorf("finding the claim's node class: %w", err))
	}
	if err != nil {
		return nil, err
	}
	if ready := class.StatusConditions().Get(status.ConditionReady); !ready.IsTrue() {
		return nil, cloudprovider.NewNodeClassNotReadyError(errors.New(ready.Message))
	}
	if err := p.forget(claim); err != nil {
		return nil, err
	}
	kinds, err := instanceTypes(p.region, class)
	if err != nil {
		return nil, err
	}
	there, err := p.machines()
	if err != nil {
		return nil, err
	}
	kind, offering := choose(kinds, claim, there)
	if kind == nil {
		return nil, cloudprovider.NewInsufficientCapacityError(errors.New("all requested instance types were unavailable during launch"))
	}
	i := slices.IndexFunc(class.Status.Subnets, func(s aws.Subnet) bool { return s.Zone == offering.Zone() })
	subnet, ok, err := p.store.Get(subnetType, class.Status.Subnets[i].ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("subnet %s is not there any more", class.Status.Subnets[i].ID)
	}
	// Until Karpenter has given the node its own labels and taints, nothing that it is not meant for may land there.
	taints := slices.Concat([]core.Taint{karpenter.UnregisteredNoExecuteTaint}, claim.Spec.Taints, claim.Spec.StartupTaints)
	m, err := machines.Launch(ctx, p.store, machines.Order{
		Cluster: p.cluster, InstanceType: kind.Name, Subnet: subnet, Pods: int(kind.Capacity.Pods().Value()),
		Labels: labels(claim, kind, offering), Taints: taints,
		Tags: map[string]any{
			"Name": claim.Labels[karpenter.NodePoolLabelKey], clusterTag: p.cluster, poolTag: claim.Labels[karpenter.NodePoolLabelKey],
			claimTag: claim.Name, classTag: class.Name, "kubernetes.io/cluster/" + p.cluster: "owned",
		},
		Outputs: map[string]any{"capacityType": offering.CapacityType()},
	})
	if err != nil {
		return nil, cloudprovider.NewInsufficientCapacityError(err)
	}
	made := p.claim(m, kind)
	made.Labels = labels(claim, kind, offering)
	return made, nil
}

// choose is the cheapest that does what the claim asks for: spot where it may be spot. Prices do not differ between zones, which take
// turns; EC2 looks at what it has free.
func choose(kinds []*cloudprovider.InstanceType, claim *karpenter.NodeClaim, there []inventory.Record,
) (kind *cloudprovider.InstanceType, offering *cloudprovider.Offering) {
	inZone := map[any]int{}
	for _, m := range there {
		inZone[m.Outputs["availabilityZone"]]++
	}
	asked := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...)
	better := func(o *cloudprovider.Offering) bool {
		return cmp.Or(cmp.Compare(o.Price, offering.Price), cmp.Compare(inZone[o.Zone()], inZone[offering.Zone()]),
			cmp.Compare(o.Zone(), offering.Zone())) < 0
	}
	for _, k := range kinds {
		if asked.Compatible(k.Requirements, scheduling.AllowUndefinedWellKnownLabels) != nil ||
			!resources.Fits(claim.Spec.Resources.Requests, k.Allocatable()) {
			continue
		}
		for _, o := range k.Offerings.Available().Compatible(asked) {
			if offering == nil || better(o) {
				kind, offering = k, o
			}
		}
	}
	return kind, offering
}

// forget ends what an earlier attempt, of which Karpenter knows nothing, has launched for a claim.
func (p *provider) forget(claim *karpenter.NodeClaim) error {
	there, err := p.machines()
	if err != nil {
		return err
	}
	for _, m := range there {
		if machines.Tag(m, claimTag) == claim.Name {
			if err := p.store.Delete(m.Type, m.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Delete ends a machine. The cloud's controllers see to its node, which Karpenter has drained.
func (p *provider) Delete(_ context.Context, claim *karpenter.NodeClaim) error {
	id := machines.InstanceID(claim.Status.ProviderID)
	if err := p.store.Delete(machines.Type, id); err != nil {
		return err
	}
	return cloudprovider.NewNodeClaimNotFoundError(fmt.Errorf("instance %s is terminated", id)) // at once; on AWS within a minute
}

// Get finds a machine by what its node calls it.
func (p *provider) Get(_ context.Context, providerID string) (*karpenter.NodeClaim, error) {
	m, ok, err := p.store.Get(machines.Type, machines.InstanceID(providerID))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, cloudprovider.NewNodeClaimNotFoundError(fmt.Errorf("there is no instance %s", providerID))
	}
	return p.claim(m, nil), nil
}

// List gives the cluster's machines that Karpenter has made.
func (p *provider) List(context.Context) ([]*karpenter.NodeClaim, error) {
	there, err := p.machines()
	if err != nil {
		return nil, err
	}
	claims := make([]*karpenter.NodeClaim, len(there))
	for i, m := range there {
		claims[i] = p.claim(m, nil)
	}
	return claims, nil
}

// GetInstanceTypes are all types that there are; lost zones have no offering.
func (p *provider) GetInstanceTypes(ctx context.Context, pool *karpenter.NodePool) ([]*cloudprovider.InstanceType, error) {
	class, err := p.classOf(ctx, pool.Spec.Template.Spec.NodeClassRef)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return instanceTypes(p.region, class)
}

// IsDrifted is never true for what only AWS can tell, such as a newer machine image; Karpenter itself sees changes of a node pool.
func (p *provider) IsDrifted(context.Context, *karpenter.NodeClaim) (cloudprovider.DriftReason, error) {
	return "", nil
}

// RepairPolicies are none: simulated nodes do not fall ill.
func (p *provider) RepairPolicies() []cloudprovider.RepairPolicy { return nil }

// Name is that of the provider that this one plays.
func (p *provider) Name() string { return "aws" }

// GetSupportedNodeClasses is the one kind that AWS has.
func (p *provider) GetSupportedNodeClasses() []status.Object {
	return []status.Object{&aws.EC2NodeClass{}}
}

func (p *provider) classOf(ctx context.Context, ref *karpenter.NodeClassReference) (*aws.EC2NodeClass, error) {
	class := &aws.EC2NodeClass{}
	return class, p.client.Get(ctx, types.NamespacedName{Name: ref.Name}, class)
}

// machines are those that Karpenter has made for the cluster.
func (p *provider) machines() ([]inventory.Record, error) {
	all, err := p.store.List(machines.Type)
	return slices.DeleteFunc(all, func(m inventory.Record) bool {
		return machines.Tag(m, clusterTag) != p.cluster || machines.Tag(m, poolTag) == ""
	}), err
}

// claim is what a machine looks like to Karpenter; its size is told only when it is made.
func (p *provider) claim(m inventory.Record, kind *cloudprovider.InstanceType) *karpenter.NodeClaim {
	capacityType, _ := m.Outputs["capacityType"].(string)
	kindName, _ := m.Inputs["instanceType"].(string)
	zone, _ := m.Outputs["availabilityZone"].(string)
	c := &karpenter.NodeClaim{
		ObjectMeta: meta.ObjectMeta{Name: machines.Tag(m, claimTag), Labels: map[string]string{
			karpenter.NodePoolLabelKey: machines.Tag(m, poolTag), karpenter.CapacityTypeLabelKey: capacityType,
			core.LabelInstanceTypeStable: kindName, core.LabelTopologyZone: zone,
		}},
		Status: karpenter.NodeClaimStatus{ProviderID: machines.ProviderID(m)},
	}
	if kind != nil {
		c.Status.Capacity, c.Status.Allocatable = kind.Capacity, kind.Allocatable()
	}
	return c
}

// labels are what the node and its claim carry: the claim's own, and all that type and offering leave no choice in.
func labels(claim *karpenter.NodeClaim, kind *cloudprovider.InstanceType, offering *cloudprovider.Offering) map[string]string {
	all := map[string]string{}
	for _, requirements := range []scheduling.Requirements{kind.Requirements, offering.Requirements} {
		for _, r := range requirements {
			if r.Operator() == core.NodeSelectorOpIn && r.Len() == 1 {
				all[r.Key] = r.Values()[0]
			}
		}
	}
	maps.Copy(all, claim.Labels)
	return all
}
