package clouds

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// The states of a cluster whose control plane does not serve.
const (
	creating = "CREATING"
	deleting = "DELETING"
)

// createCluster puts the cluster into the inventory before its control plane runs, as AWS does: who is interrupted in between leaves
// something that can be seen, and finished.
func createCluster(ctx context.Context, p *Provider, r *inventory.Record) error {
	if str(r.Inputs["version"]) == "" {
		version, err := controlplane.Version(ctx)
		if err != nil {
			return err
		}
		r.Outputs["version"] = version
	}
	r.Outputs["status"] = creating
	if err := p.put(*r); err != nil {
		return err
	}
	if err := p.startCluster(ctx, r); err != nil { // nothing of it is left, not even if it was told to stop
		return errors.Join(err, controlplane.Delete(context.WithoutCancel(ctx), r.ID), p.remove(*r))
	}
	return nil
}

// startCluster starts a real control plane. EKS makes a security group of its own for it, and unless told otherwise installs
// its three add-ons unmanaged.
func (p *Provider) startCluster(ctx context.Context, r *inventory.Record) error {
	version := str(r.Outputs["version"])
	subnets := strs(object(r.Inputs["vpcConfig"])["subnetIds"])
	vpc, err := p.vpcOf(subnets)
	if err != nil {
		return err
	}
	endpoint, err := controlplane.Create(ctx, controlplane.Spec{
		Name: r.ID, Version: version, Account: p.account, Region: p.region, Subnets: subnets})
	if err != nil {
		return err
	}
	if r.Inputs["bootstrapSelfManagedAddons"] != false {
		for _, name := range []string{"vpc-cni", "kube-proxy", "coredns"} {
			if err := p.selfManaged(ctx, r.ID, name, version); err != nil {
				return err
			}
		}
	}
	group, err := p.clusterGroup(ctx, r.ID, vpc)
	if err != nil {
		return err
	}
	id, err := p.expand(types[r.Type], "{uuid}", *r, group.ID)
	if err != nil {
		return err
	}
	authority := map[string]any{"data": endpoint.CA}
	issuer := fmt.Sprintf("https://oidc.eks.%s.amazonaws.com/id/%s", p.region, strings.ToUpper(strings.ReplaceAll(str(id), "-", "")))
	for path, value := range map[string]any{
		"status": "ACTIVE", "endpoint": endpoint.URL, "certificateAuthority": authority, "certificateAuthorities": []any{authority},
		"identities":                       []any{map[string]any{"oidcs": []any{map[string]any{"issuer": issuer}}}},
		"vpcConfig.clusterSecurityGroupId": group.ID, "vpcConfig.vpcId": vpc,
	} {
		set(r.Outputs, path, value)
	}
	return nil
}

// clusterGroup is the security group that EKS makes for a cluster; an interrupted creation may have made it already.
func (p *Provider) clusterGroup(ctx context.Context, cluster, vpc string) (inventory.Record, error) {
	group := inventory.Record{Type: token("ec2.SecurityGroup"), Inputs: map[string]any{
		"name": "eks-cluster-sg-" + cluster, "description": "EKS created security group applied to ENI that is attached to EKS Control Plane nodes",
		"vpcId": vpc, "tags": map[string]any{"aws:eks:cluster-name": cluster}}}
	groups, err := p.all(group.Type)
	if err != nil {
		return group, err
	}
	for _, g := range groups {
		if g.Inputs["name"] == group.Inputs["name"] && g.Inputs["vpcId"] == vpc {
			return g, nil
		}
	}
	return group, p.create(ctx, types[group.Type], &group)
}

// Resume finishes the clusters of every account whose creation or deletion was interrupted, and gives their names. Nobody else may be
// at work on them.
func Resume(ctx context.Context) (names []string, err error) {
	records, err := inventory.Account("")
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		status := r.Outputs["status"]
		if r.Type != token("eks.Cluster") || status != creating && status != deleting {
			continue
		}
		p := New("aws")
		arn := strings.SplitN(str(r.Outputs["arn"]), ":", 6)
		p.region, p.account = arn[3], arn[4]
		r.Outputs = clone(r.Outputs).(map[string]any) // which shares what was read with the inputs
		if status == deleting {
			err = p.delete(ctx, types[r.Type], r)
		} else if err = p.startCluster(ctx, &r); err == nil {
			err = p.put(r)
		}
		if err != nil {
			return names, fmt.Errorf("finishing cluster %s, which is %s: %w", r.ID, status, err)
		}
		names = append(names, r.ID)
	}
	return names, nil
}

// updateCluster refuses what EKS refuses: any other version than the next minor. The next minor needs other programs here.
func updateCluster(ctx context.Context, _ *Provider, old inventory.Record, r *inventory.Record) error {
	was, asked := str(old.Outputs["version"]), str(r.Inputs["version"])
	if asked == "" || asked == was {
		return nil
	}
	if minor(asked) != minor(was)+1 {
		return apiError("InvalidParameterException", "Unsupported Kubernetes minor version update from %s to %s", was, asked)
	}
	built, err := controlplane.Version(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("cluster %s goes from Kubernetes %s to %s, but the local control plane is built as %s", r.ID, was, asked, built)
}

func deleteCluster(ctx context.Context, p *Provider, r inventory.Record) error {
	r.Outputs["status"] = deleting
	if err := p.put(r); err != nil {
		return err
	}
	if err := controlplane.Delete(ctx, r.ID); err != nil {
		return err
	}
	id := str(object(r.Outputs["vpcConfig"])["clusterSecurityGroupId"])
	group, ok, err := p.find("ec2.SecurityGroup", id)
	if err != nil || !ok {
		return err
	}
	// As on AWS, a group that others refer to stays behind, and later blocks the VPC.
	if _, err := p.dependents(types[group.Type], group); err != nil {
		return nil
	}
	return p.delete(ctx, types[group.Type], group)
}

// vpcOf gives the VPC of the subnets, which must be in one.
func (p *Provider) vpcOf(subnets []string) (string, error) {
	vpc := ""
	for _, id := range subnets {
		subnet, _, err := p.find("ec2.Subnet", id)
		if err != nil {
			return "", err
		}
		in := str(subnet.Inputs["vpcId"])
		if vpc != "" && in != vpc {
			return "", apiError("InvalidParameterException", "subnets %v are not of one VPC", subnets)
		}
		vpc = in
	}
	return vpc, nil
}

func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text)
	return n
}

// needsAccessEntry fails when a policy is given to a principal that has no entry.
func needsAccessEntry(_ context.Context, p *Provider, r *inventory.Record) error {
	id := fmt.Sprintf("%v:%v", r.Inputs["clusterName"], r.Inputs["principalArn"])
	_, ok, err := p.get(token("eks.AccessEntry"), id)
	if err == nil && !ok {
		return apiError("ResourceNotFoundException", "The specified access entry resource could not be found: %s", id)
	}
	return err
}
