// Package machines are the EC2 instances that are nodes of a cluster, whoever asks for them, node groups or Karpenter: a record in the
// inventory, and a node that kwok keeps alive. And the zones that they stand in, which can be lost.
package machines

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// Type is what machines are in the inventory. Nobody declares them.
const Type = "aws:ec2/instance:Instance"

// Order is a machine that is asked for.
type Order struct {
	Cluster, InstanceType string
	Subnet                inventory.Record
	Pods                  int // how many the kubelet admits
	Labels                map[string]string
	Taints                []core.Taint
	Tags                  map[string]any
	Outputs               map[string]any // what else the record answers
}

// Launch starts a machine in its subnet's zone, which joins the cluster as a node. It does not wait until the node is ready.
func Launch(ctx context.Context, store *inventory.Store, o Order) (inventory.Record, error) {
	instance, ok := capacity.Instance(o.InstanceType)
	if !ok {
		return inventory.Record{}, fmt.Errorf("api error InvalidParameterException: instance type %s is not one of %s",
			o.InstanceType, strings.Join(capacity.InstanceTypes(), ", "))
	}
	zone := ZoneOf(o.Subnet)
	lost, err := Lost(zone)
	if err != nil {
		return inventory.Record{}, err
	}
	if lost {
		return inventory.Record{}, fmt.Errorf("api error InsufficientInstanceCapacity: there is no %s to be had in %s", o.InstanceType, zone)
	}
	m, err := record(store, o, zone)
	if err != nil {
		return inventory.Record{}, err
	}
	allocatable := instance.Allocatable()
	err = controlplane.AddNode(ctx, o.Cluster, controlplane.Node{
		Name: Node(m), InstanceID: m.ID, InstanceType: o.InstanceType, Address: m.Outputs["privateIp"].(string),
		Region: regionOf(zone), Zone: zone, Labels: o.Labels, Taints: o.Taints,
		Capacity:    controlplane.Resources{MilliCPU: int64(instance.VCPU) * 1000, MemoryMiB: instance.MemoryMiB},
		Allocatable: controlplane.Resources{MilliCPU: allocatable.MilliCPU, MemoryMiB: allocatable.MemoryMiB},
		Pods:        o.Pods, Volumes: allocatable.Volumes,
	})
	if err != nil {
		return m, errors.Join(err, store.Delete(m.Type, m.ID))
	}
	return m, nil
}

// record puts a machine into the inventory, with the first free address of its subnet: AWS keeps the first four, and the last.
func record(store *inventory.Store, o Order, zone string) (inventory.Record, error) {
	unlock, err := store.Lock("addresses")
	if err != nil {
		return inventory.Record{}, err
	}
	defer unlock()
	cidr, _ := o.Subnet.Inputs["cidrBlock"].(string)
	block, err := netip.ParsePrefix(cidr)
	if err != nil {
		return inventory.Record{}, err
	}
	all, err := store.List(Type)
	if err != nil {
		return inventory.Record{}, err
	}
	taken := map[any]bool{}
	for _, m := range all {
		taken[m.Outputs["privateIp"]] = true
	}
	address := block.Addr().Next().Next().Next().Next()
	for taken[address.String()] {
		address = address.Next()
	}
	if !block.Contains(address.Next()) {
		return inventory.Record{}, fmt.Errorf("api error InsufficientFreeAddressesInSubnet: %s has no free address", o.Subnet.ID)
	}
	id := make([]byte, 9)
	_, _ = rand.Read(id) // which never fails
	region := regionOf(zone)
	domain := region + ".compute.internal"
	if region == "us-east-1" {
		domain = "ec2.internal"
	}
	m := inventory.Record{
		Type: Type, ID: "i-" + hex.EncodeToString(id)[:17],
		Inputs: map[string]any{"instanceType": o.InstanceType, "subnetId": o.Subnet.ID, "tags": o.Tags},
		Outputs: map[string]any{
			"availabilityZone": zone, "privateIp": address.String(),
			"privateDns": fmt.Sprintf("ip-%s.%s", strings.ReplaceAll(address.String(), ".", "-"), domain),
		},
	}
	maps.Copy(m.Outputs, o.Outputs)
	return m, store.Put(m)
}

// Node is the name of a machine's node.
func Node(m inventory.Record) string { name, _ := m.Outputs["privateDns"].(string); return name }

// Tag is one of a machine's tags, or "".
func Tag(m inventory.Record, key string) string {
	tags, _ := m.Inputs["tags"].(map[string]any)
	value, _ := tags[key].(string)
	return value
}

// ProviderID is what a machine's node calls it.
func ProviderID(m inventory.Record) string {
	return fmt.Sprintf("aws:///%s/%s", m.Outputs["availabilityZone"], m.ID)
}

// InstanceID is the machine's ID in what its node calls it.
func InstanceID(providerID string) string { return providerID[strings.LastIndex(providerID, "/")+1:] }
