package clouds

import (
	"context"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"

	core "k8s.io/api/core/v1"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/alphapulse/infrastructure/local/machines"
)

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
		r.Outputs["releaseVersion"] = newest(r)
	}
	group := fmt.Sprintf("eks-%s-%s", str(r.Inputs["nodeGroupName"]), path.Base(str(r.Outputs["arn"])))
	r.Outputs["resources"] = []any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": group}}}}
	if err := p.scale(ctx, *r, desired); err != nil {
		return errors.Join(err, p.scale(context.WithoutCancel(ctx), *r, 0))
	}
	return nil
}

// newest is the release of the node image that EKS takes where nobody names one.
func newest(r *inventory.Record) string { return fmt.Sprintf("%v.0-20261101", r.Outputs["version"]) }

// updateNodeGroup changes the nodes that are there, as EKS does for labels, taints and the size. Another version or another launch template
// comes with the newest image, unless a release is named.
func updateNodeGroup(ctx context.Context, p *Provider, old inventory.Record, r *inventory.Record) error {
	rolls := !reflect.DeepEqual(old.Inputs["launchTemplate"], r.Inputs["launchTemplate"]) || old.Inputs["version"] != r.Inputs["version"]
	if rolls && r.Inputs["releaseVersion"] == nil {
		r.Outputs["releaseVersion"] = newest(r)
	}
	there, err := p.machines(*r)
	if err != nil {
		return err
	}
	var gone []string
	for key := range object(old.Inputs["labels"]) {
		if _, kept := object(r.Inputs["labels"])[key]; !kept {
			gone = append(gone, key)
		}
	}
	for _, m := range there {
		if err := controlplane.UpdateNode(ctx, str(r.Inputs["clusterName"]), machines.Node(m), labels(*r), gone, taints(*r)); err != nil {
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
	if err := p.put(*r); err != nil { // first, or the machines that go would be replaced
		return err
	}
	return p.scale(ctx, *r, desired)
}

func deleteNodeGroup(ctx context.Context, p *Provider, r inventory.Record) error {
	r.Outputs["status"] = deleting
	if err := p.put(r); err != nil {
		return err
	}
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

// scale gives a group n machines.
func (p *Provider) scale(ctx context.Context, r inventory.Record, n int) error {
	return p.sizing(r.ID, func(store *inventory.Store) error { return p.resize(ctx, store, r, n) })
}

// sizing is for one at a time: cloud-controllers keep the size that the inventory names.
func (p *Provider) sizing(group string, work func(*inventory.Store) error) error {
	store, err := p.store(machines.Type, "")
	if err != nil {
		return err
	}
	unlock, err := store.Lock("size." + group)
	if err != nil {
		return err
	}
	defer unlock()
	return work(store)
}

// resize starts machines, or drains and ends the youngest, until the group has n, and waits until they are ready.
func (p *Provider) resize(ctx context.Context, store *inventory.Store, r inventory.Record, n int) error {
	there, err := p.machines(r)
	if err != nil {
		return err
	}
	cluster := str(r.Inputs["clusterName"])
	for len(there) > n {
		last := there[len(there)-1]
		if err := controlplane.RemoveNode(ctx, cluster, machines.Node(last)); err != nil {
			return err
		}
		if err := p.remove(last); err != nil {
			return err
		}
		there = there[:len(there)-1]
	}
	var names []string
	for len(there) < n {
		m, err := p.launch(ctx, store, r, there)
		if err != nil {
			return err
		}
		there = append(there, m)
		names = append(names, machines.Node(m))
	}
	return controlplane.WaitReady(ctx, cluster, names)
}

// Refill gives the node groups of a cluster the machines that they have lost, as their auto scaling groups do.
func Refill(ctx context.Context, account, region, cluster string) error {
	p := New("aws")
	p.account, p.region = account, region
	groups, err := p.all(token("eks.NodeGroup"))
	if err != nil {
		return err
	}
	for _, group := range groups {
		if group.Inputs["clusterName"] != cluster {
			continue
		}
		err := p.sizing(group.ID, func(store *inventory.Store) error { return p.refill(ctx, store, group.ID) })
		if err != nil {
			return fmt.Errorf("refilling node group %s: %w", group.ID, err)
		}
	}
	return nil
}

// refill looks at the group anew: whoever sized it meanwhile may have made it smaller, or be deleting it.
func (p *Provider) refill(ctx context.Context, store *inventory.Store, id string) error {
	group, there, err := p.get(token("eks.NodeGroup"), id)
	if err != nil || !there || group.Outputs["status"] != "ACTIVE" {
		return err
	}
	desired, err := desiredSize(group)
	if err != nil {
		return err
	}
	running, err := p.machines(group)
	if err != nil || len(running) >= desired {
		return err
	}
	return p.resize(ctx, store, group, desired)
}

// machines are the group's instances, oldest first.
func (p *Provider) machines(r inventory.Record) ([]inventory.Record, error) {
	all, err := p.all(machines.Type)
	all = slices.DeleteFunc(all, func(m inventory.Record) bool { return m.Outputs["nodeGroup"] != r.ID })
	slices.SortFunc(all, func(a, b inventory.Record) int { return number(a.Outputs["index"]) - number(b.Outputs["index"]) })
	return all, err
}

// launch starts one more machine beside those that are there.
func (p *Provider) launch(ctx context.Context, store *inventory.Store, r inventory.Record, there []inventory.Record) (inventory.Record, error) {
	kind, err := p.instanceType(r)
	if err != nil {
		return inventory.Record{}, err
	}
	subnet, err := p.emptiest(r, there)
	if err != nil {
		return inventory.Record{}, err
	}
	index := 0
	if len(there) > 0 {
		index = number(there[len(there)-1].Outputs["index"]) + 1
	}
	instance, _ := capacity.Instance(kind) // an unknown one is refused by Launch
	return machines.Launch(ctx, store, machines.Order{
		Cluster: str(r.Inputs["clusterName"]), InstanceType: kind, Subnet: subnet, Pods: instance.Allocatable().Pods,
		Labels: labels(r), Taints: taints(r),
		Tags:    map[string]any{"eks:cluster-name": r.Inputs["clusterName"], "eks:nodegroup-name": r.Inputs["nodeGroupName"]},
		Outputs: map[string]any{"nodeGroup": r.ID, "index": float64(index)},
	})
}

// emptiest is the first of the group's subnets with the fewest of its machines, lost zones left out.
func (p *Provider) emptiest(r inventory.Record, there []inventory.Record) (best inventory.Record, err error) {
	fewest := -1
	for _, id := range strs(r.Inputs["subnetIds"]) {
		subnet, _, err := p.find("ec2.Subnet", id)
		if err != nil {
			return best, err
		}
		lost, err := machines.Lost(machines.ZoneOf(subnet))
		if err != nil {
			return best, err
		}
		n := 0
		for _, m := range there {
			if m.Inputs["subnetId"] == id {
				n++
			}
		}
		if !lost && (fewest < 0 || n < fewest) {
			best, fewest = subnet, n
		}
	}
	if fewest < 0 {
		return best, apiError("InsufficientInstanceCapacity", "every zone of node group %s is lost", r.ID)
	}
	return best, nil
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
