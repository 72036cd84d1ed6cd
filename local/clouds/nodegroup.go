package clouds

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// instanceToken is the type under which the machines of node groups are in the inventory. Nobody declares them, so the tables
// do not have it.
const instanceToken = "aws:ec2/instance:Instance"

func createNodeGroup(ctx context.Context, p *Provider, r *inventory.Record) error {
	name := str(r.Inputs["clusterName"])
	cluster, _, err := p.find("eks.Cluster", name)
	if err != nil {
		return err
	}
	_, cni, err := p.get(token("eks.Addon"), name+":vpc-cni")
	if err != nil {
		return err
	}
	if cluster.Inputs["bootstrapSelfManagedAddons"] == false && !cni {
		return apiError("NodeCreationFailure", "Unhealthy nodes in the kubernetes cluster: container runtime network not ready: cni plugin not initialized")
	}
	desired, err := desiredSize(*r)
	if err != nil {
		return err
	}
	if err := p.nodeAccess(ctx, name, str(r.Inputs["nodeRoleArn"])); err != nil {
		return err
	}
	if r.Outputs["version"] == nil {
		r.Outputs["version"] = cluster.Outputs["version"]
	}
	if r.Outputs["releaseVersion"] == nil {
		r.Outputs["releaseVersion"] = fmt.Sprintf("%v.0-20261101", r.Outputs["version"])
	}
	group := fmt.Sprintf("eks-%s-%s", str(r.Inputs["nodeGroupName"]), path.Base(str(r.Outputs["arn"])))
	r.Outputs["resources"] = []any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": group}}}}
	if err := p.scale(ctx, *r, desired); err != nil {
		_ = p.scale(context.WithoutCancel(ctx), *r, 0)
		return err
	}
	return nil
}

// updateNodeGroup changes the nodes that are there, as EKS does for labels, taints and the size.
func updateNodeGroup(ctx context.Context, p *Provider, old inventory.Record, r *inventory.Record) error {
	machines, err := p.machines(*r)
	if err != nil {
		return err
	}
	var gone []string
	for key := range object(old.Inputs["labels"]) {
		if _, kept := object(r.Inputs["labels"])[key]; !kept {
			gone = append(gone, key)
		}
	}
	for _, m := range machines {
		if err := controlplane.UpdateNode(ctx, str(r.Inputs["clusterName"]), str(m.Outputs["privateDns"]), labels(*r), gone, taints(*r)); err != nil {
			return err
		}
	}
	// As the real provider: whoever changes one of the three numbers sends all of them, also a size that is out of date.
	if reflect.DeepEqual(old.Inputs["scalingConfig"], r.Inputs["scalingConfig"]) {
		return nil
	}
	desired, err := desiredSize(*r)
	if err != nil {
		return err
	}
	return p.scale(ctx, *r, desired)
}

func deleteNodeGroup(ctx context.Context, p *Provider, r inventory.Record) error {
	return p.scale(ctx, r, 0)
}

// desiredSize is the size that a group is told to have, if it lies within its bounds.
func desiredSize(r inventory.Record) (int, error) {
	scaling := object(r.Inputs["scalingConfig"])
	low, desired, high := number(scaling["minSize"]), number(scaling["desiredSize"]), number(scaling["maxSize"])
	switch {
	case low > desired:
		return 0, apiError("InvalidParameterException", "Minimum capacity %d can't be greater than desired size %d", low, desired)
	case desired > high:
		return 0, apiError("InvalidParameterException", "desired capacity %d can't be greater than max size %d", desired, high)
	}
	return desired, nil
}

// scale starts machines, or drains and ends the youngest, until the group has n, and waits until they are ready.
func (p *Provider) scale(ctx context.Context, r inventory.Record, n int) error {
	machines, err := p.machines(r)
	if err != nil {
		return err
	}
	cluster := str(r.Inputs["clusterName"])
	for len(machines) > n {
		last := machines[len(machines)-1]
		if err := controlplane.RemoveNode(ctx, cluster, str(last.Outputs["privateDns"])); err != nil {
			return err
		}
		if err := p.remove(last); err != nil {
			return err
		}
		machines = machines[:len(machines)-1]
	}
	var names []string
	for i := len(machines); i < n; i++ {
		name, err := p.launch(ctx, r, i)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	return controlplane.WaitReady(ctx, cluster, names)
}

// machines are the group's instances, oldest first.
func (p *Provider) machines(r inventory.Record) ([]inventory.Record, error) {
	all, err := p.all(instanceToken)
	all = slices.DeleteFunc(all, func(m inventory.Record) bool { return m.Outputs["nodeGroup"] != r.ID })
	slices.SortFunc(all, func(a, b inventory.Record) int { return number(a.Outputs["index"]) - number(b.Outputs["index"]) })
	return all, err
}

// launch starts the group's instance number i: the subnets, and so the zones, take turns.
func (p *Provider) launch(ctx context.Context, r inventory.Record, i int) (string, error) {
	kind, err := p.instanceType(r)
	if err != nil {
		return "", err
	}
	instance, ok := capacity.Instance(kind)
	if !ok {
		return "", apiError("InvalidParameterException", "instance type %s is not one of %s", kind, strings.Join(capacity.InstanceTypes(), ", "))
	}
	subnets := strs(r.Inputs["subnetIds"])
	subnet, _, err := p.find("ec2.Subnet", subnets[i%len(subnets)])
	if err != nil {
		return "", err
	}
	m, err := p.machine(r, subnet, kind, i)
	if err != nil {
		return "", err
	}
	allocatable := instance.Allocatable()
	name := str(m.Outputs["privateDns"])
	return name, controlplane.AddNode(ctx, str(r.Inputs["clusterName"]), controlplane.Node{
		Name: name, InstanceID: m.ID, InstanceType: kind, Address: str(m.Outputs["privateIp"]),
		Region: p.region, Zone: str(subnet.Outputs["availabilityZone"]), Labels: labels(r), Taints: taints(r),
		Capacity:    controlplane.Resources{MilliCPU: int64(instance.VCPU) * 1000, MemoryMiB: instance.MemoryMiB},
		Allocatable: controlplane.Resources{MilliCPU: allocatable.MilliCPU, MemoryMiB: allocatable.MemoryMiB},
		Pods:        allocatable.Pods, Volumes: allocatable.Volumes,
	})
}

// machine puts an instance into the inventory, with the first free address of its subnet: AWS keeps the first four.
func (p *Provider) machine(r, subnet inventory.Record, kind string, i int) (inventory.Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	block, err := netip.ParsePrefix(str(subnet.Inputs["cidrBlock"]))
	if err != nil {
		return inventory.Record{}, err
	}
	all, err := p.all(instanceToken)
	if err != nil {
		return inventory.Record{}, err
	}
	taken := map[string]bool{}
	for _, m := range all {
		taken[str(m.Outputs["privateIp"])] = true
	}
	address := block.Addr().Next().Next().Next().Next()
	for taken[address.String()] {
		address = address.Next()
	}
	if !block.Contains(address.Next()) { // the last one is AWS's too
		return inventory.Record{}, apiError("InsufficientFreeAddressesInSubnet", "%s has no free address", subnet.ID)
	}
	id, err := p.expand(types[r.Type], "i-{hex}", r, rand.Text())
	if err != nil {
		return inventory.Record{}, err
	}
	domain := p.region + ".compute.internal"
	if p.region == "us-east-1" {
		domain = "ec2.internal"
	}
	m := inventory.Record{Type: instanceToken, ID: str(id),
		Inputs: map[string]any{"instanceType": kind, "subnetId": subnet.ID, "tags": map[string]any{
			"eks:cluster-name": r.Inputs["clusterName"], "eks:nodegroup-name": r.Inputs["nodeGroupName"]}},
		Outputs: map[string]any{"nodeGroup": r.ID, "index": float64(i), "privateIp": address.String(),
			"privateDns": fmt.Sprintf("ip-%s.%s", strings.ReplaceAll(address.String(), ".", "-"), domain)},
	}
	return m, p.put(m)
}

// instanceType is the first of the list; the launch template's without a list; EKS's default without both.
func (p *Provider) instanceType(r inventory.Record) (string, error) {
	if kinds := strs(r.Inputs["instanceTypes"]); len(kinds) > 0 {
		return kinds[0], nil
	}
	template, _, err := p.find("ec2.LaunchTemplate", str(object(r.Inputs["launchTemplate"])["id"]))
	if kind := str(template.Inputs["instanceType"]); kind != "" {
		return kind, err
	}
	return "t3.medium", err
}

// nodeAccess makes the access entry by which the nodes of a managed group join, as EKS does itself.
func (p *Provider) nodeAccess(ctx context.Context, cluster, role string) error {
	t := types[token("eks.AccessEntry")]
	if _, ok, err := p.get(token(t.Name), cluster+":"+role); ok || err != nil {
		return err
	}
	return p.create(ctx, t, &inventory.Record{Type: token(t.Name), Inputs: map[string]any{
		"clusterName": cluster, "principalArn": role, "type": "EC2_LINUX",
		"userName": "system:node:{{EC2PrivateDNSName}}", "kubernetesGroups": []any{"system:nodes"}}})
}

func labels(r inventory.Record) map[string]string {
	all := map[string]string{
		"eks.amazonaws.com/nodegroup":       str(r.Inputs["nodeGroupName"]),
		"eks.amazonaws.com/capacityType":    str(r.Outputs["capacityType"]),
		"eks.amazonaws.com/nodegroup-image": str(r.Outputs["releaseVersion"]),
	}
	for key, value := range object(r.Inputs["labels"]) {
		all[key] = str(value)
	}
	return all
}

func taints(r inventory.Record) []core.Taint {
	var list []core.Taint
	for _, t := range objects(r.Inputs["taints"]) {
		list = append(list, core.Taint{Key: str(t["key"]), Value: str(t["value"]), Effect: core.TaintEffect(taintEffects[str(t["effect"])])})
	}
	return list
}
