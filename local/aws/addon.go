package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// createAddon puts the add-on's objects on the cluster and waits until they are available. The real one is DEGRADED, and then an
// error, after 20 minutes; this one after one.
func createAddon(ctx context.Context, p *Provider, r *inventory.Record) error {
	a, objects, err := p.renderAddon(r)
	if err != nil {
		return err
	}
	c, err := connect(str(r.Inputs["clusterName"]))
	if err != nil {
		return err
	}
	mode := str(r.Inputs["resolveConflictsOnCreate"])
	if mode == "" {
		mode = str(r.Inputs["resolveConflicts"])
	}
	if mode != "OVERWRITE" {
		for _, o := range objects {
			if o.GetKind() == "Namespace" {
				continue
			}
			exists, err := c.exists(ctx, o)
			if err != nil {
				return err
			}
			if exists {
				return apiError("ConfigurationConflict", "Conflicts found when trying to apply %s. Will not continue due to resolve conflicts mode. %s %s exists",
					a.Name, o.GetKind(), o.GetName())
			}
		}
	}
	return c.install(ctx, objects)
}

func updateAddon(ctx context.Context, p *Provider, _ inventory.Record, r *inventory.Record) error {
	delete(r.Outputs, "addonVersion")
	if given := r.Inputs["addonVersion"]; given != nil {
		r.Outputs["addonVersion"] = given
	}
	a, objects, err := p.renderAddon(r)
	if err != nil {
		return err
	}
	c, err := connect(str(r.Inputs["clusterName"]))
	if err != nil {
		return err
	}
	for _, o := range a.Objects {
		if !slices.ContainsFunc(objects, func(kept manifest) bool { return nameOf(kept) == nameOf(o) }) {
			if err := c.delete(ctx, o); err != nil {
				return err
			}
		}
	}
	return c.install(ctx, objects)
}

func deleteAddon(ctx context.Context, p *Provider, r inventory.Record) error {
	if r.Inputs["preserve"] == true {
		return nil
	}
	a, err := loadAddon(str(r.Inputs["addonName"]))
	if err != nil {
		return err
	}
	c, err := connect(str(r.Inputs["clusterName"]))
	if err != nil {
		return err
	}
	for _, o := range slices.Backward(a.Objects) {
		if err := c.delete(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// selfManaged installs one of the add-ons that EKS puts on a new cluster by itself. There is no node yet to wait for.
func (p *Provider) selfManaged(ctx context.Context, cluster, name, version string) error {
	a, err := loadAddon(name)
	if err != nil {
		return err
	}
	objects, err := a.render(p.region, a.versions(version)[0], nil)
	if err != nil {
		return err
	}
	c, err := connect(cluster)
	if err != nil {
		return err
	}
	return c.apply(ctx, objects)
}

// renderAddon gives the objects of an add-on as its record asks for them, and sets the record's version.
func (p *Provider) renderAddon(r *inventory.Record) (*addon, []manifest, error) {
	a, err := loadAddon(str(r.Inputs["addonName"]))
	if err != nil {
		return nil, nil, err
	}
	cluster, _, err := p.find("eks.Cluster", str(r.Inputs["clusterName"]))
	if err != nil {
		return nil, nil, err
	}
	minor := str(cluster.Outputs["version"])
	versions := a.versions(minor)
	if len(versions) == 0 {
		return nil, nil, apiError("InvalidParameterException", "Addon %s has no version for Kubernetes %s", a.Name, minor)
	}
	version := str(r.Inputs["addonVersion"])
	if version == "" {
		version = versions[0]
	}
	if !slices.Contains(versions, version) {
		return nil, nil, apiError("InvalidParameterException", "Addon version specified is not supported: %s %s on Kubernetes %s; the local engine knows %s",
			a.Name, version, minor, strings.Join(versions, ", "))
	}
	r.Outputs["addonVersion"] = version
	values := map[string]any{}
	if text := str(r.Inputs["configurationValues"]); text != "" {
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, nil, apiError("InvalidParameterException", "ConfigurationValue provided in request is not JSON: %v", err)
		}
	}
	objects, err := a.render(p.region, version, values)
	if err != nil {
		return nil, nil, err
	}
	if role := str(r.Inputs["serviceAccountRoleArn"]); role != "" {
		for _, o := range objects {
			if o.GetKind() == "ServiceAccount" {
				annotations := map[string]string{"eks.amazonaws.com/role-arn": role}
				maps.Copy(annotations, o.GetAnnotations())
				o.SetAnnotations(annotations)
			}
		}
	}
	for _, association := range podIdentities(r) {
		account := str(association["serviceAccount"])
		if !slices.ContainsFunc(objects, func(o manifest) bool { return o.GetKind() == "ServiceAccount" && o.GetName() == account }) {
			return nil, nil, apiError("InvalidParameterException", "Addon %s does not use service account %s", a.Name, account)
		}
	}
	return a, objects, nil
}

func podIdentities(r *inventory.Record) []map[string]any {
	return objects(r.Inputs["podIdentityAssociations"])
}

// addonVersion answers aws:eks/getAddonVersion: EKS's default for a Kubernetes minor, or the newest.
func addonVersion(args map[string]any) (map[string]any, error) {
	name, minor := str(args["addonName"]), str(args["kubernetesVersion"])
	a, err := loadAddon(name)
	if err != nil {
		return nil, err
	}
	versions := a.versions(minor)
	if len(versions) == 0 {
		return nil, fmt.Errorf("no version of add-on %s for Kubernetes %s is modelled by the local engine", name, minor)
	}
	version := versions[0]
	if args["mostRecent"] == true {
		version = versions[len(versions)-1]
	}
	return map[string]any{"id": name, "addonName": name, "kubernetesVersion": minor, "version": version, "mostRecent": args["mostRecent"] == true}, nil
}
