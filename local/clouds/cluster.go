package clouds

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// createCluster starts a real control plane. EKS makes a security group of its own for it, and unless told otherwise installs
// its three add-ons unmanaged.
func createCluster(ctx context.Context, p *Provider, r *inventory.Record) error {
	version := str(r.Inputs["version"])
	if version == "" {
		var err error
		if version, err = controlplane.Version(ctx); err != nil {
			return err
		}
	}
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
	group := inventory.Record{Type: token("ec2.SecurityGroup"), Inputs: map[string]any{
		"name": "eks-cluster-sg-" + r.ID, "description": "EKS created security group applied to ENI that is attached to EKS Control Plane nodes",
		"vpcId": vpc, "tags": map[string]any{"aws:eks:cluster-name": r.ID}}}
	if err := p.create(ctx, types[group.Type], &group); err != nil {
		return err
	}
	id, err := p.expand(types[r.Type], "{uuid}", *r, group.ID)
	if err != nil {
		return err
	}
	authority := map[string]any{"data": endpoint.CA}
	issuer := fmt.Sprintf("https://oidc.eks.%s.amazonaws.com/id/%s", p.region, strings.ToUpper(strings.ReplaceAll(str(id), "-", "")))
	for path, value := range map[string]any{
		"version": version, "endpoint": endpoint.URL, "certificateAuthority": authority, "certificateAuthorities": []any{authority},
		"identities":                       []any{map[string]any{"oidcs": []any{map[string]any{"issuer": issuer}}}},
		"vpcConfig.clusterSecurityGroupId": group.ID, "vpcConfig.vpcId": vpc,
	} {
		set(r.Outputs, path, value)
	}
	return nil
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
