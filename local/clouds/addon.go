package clouds

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// createAddon puts the add-on's objects on the cluster and waits until they are available. The real one is DEGRADED, and then an
// error, after 20 minutes; this one after one.
func createAddon(ctx context.Context, p *Provider, r *inventory.Record) error {
	_, manifests, c, err := p.prepareAddon(r)
	if err != nil {
		return err
	}
	mode := str(r.Inputs["resolveConflictsOnCreate"])
	if mode == "" {
		mode = str(r.Inputs["resolveConflicts"])
	}
	if mode != "OVERWRITE" {
		if err := c.conflict(ctx, manifests); err != nil {
			return err
		}
	}
	return c.install(ctx, manifests)
}

func updateAddon(ctx context.Context, p *Provider, _ inventory.Record, r *inventory.Record) error {
	a, manifests, c, err := p.prepareAddon(r)
	if err != nil {
		return err
	}
	for _, o := range a.Objects { // what was switched off
		if !slices.ContainsFunc(manifests, func(kept manifest) bool { return nameOf(kept) == nameOf(o) }) {
			if err := c.delete(ctx, o); err != nil {
				return err
			}
		}
	}
	return c.install(ctx, manifests)
}

func deleteAddon(ctx context.Context, _ *Provider, r inventory.Record) error {
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
	chosen, err := a.choose(version, "")
	if err != nil {
		return err
	}
	manifests, err := a.render(p.region, chosen, nil)
	if err != nil {
		return err
	}
	c, err := connect(cluster)
	if err != nil {
		return err
	}
	return c.apply(ctx, manifests)
}

// prepareAddon gives the objects of an add-on as its record asks for them and the way to its cluster, and sets the record's version.
func (p *Provider) prepareAddon(r *inventory.Record) (*addon, []manifest, client, error) {
	fail := func(err error) (*addon, []manifest, client, error) { return nil, nil, client{}, err }
	a, err := loadAddon(str(r.Inputs["addonName"]))
	if err != nil {
		return fail(err)
	}
	cluster, _, err := p.find("eks.Cluster", str(r.Inputs["clusterName"]))
	if err != nil {
		return fail(err)
	}
	version, err := a.choose(str(cluster.Outputs["version"]), str(r.Outputs["addonVersion"])) // the one it has, unless told otherwise
	if err != nil {
		return fail(err)
	}
	r.Outputs["addonVersion"] = version
	values := map[string]any{}
	if text := str(r.Inputs["configurationValues"]); text != "" {
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return fail(apiError("InvalidParameterException", "ConfigurationValue provided in request is not JSON: %v", err))
		}
	}
	manifests, err := a.render(p.region, version, values)
	if err != nil {
		return fail(err)
	}
	accounts := map[string]bool{}
	for _, o := range manifests {
		if o.GetKind() != "ServiceAccount" {
			continue
		}
		accounts[o.GetName()] = true
		if role := str(r.Inputs["serviceAccountRoleArn"]); role != "" {
			o.SetAnnotations(map[string]string{"eks.amazonaws.com/role-arn": role})
		}
	}
	for _, association := range objects(r.Inputs["podIdentityAssociations"]) {
		if account := str(association["serviceAccount"]); !accounts[account] {
			return fail(apiError("InvalidParameterException", "Addon %s does not use service account %s", a.Name, account))
		}
	}
	c, err := connect(cluster.ID)
	return a, manifests, c, err
}

// choose gives the version that was asked for if there is such a one, or else EKS's default.
func (a *addon) choose(minor, asked string) (string, error) {
	versions := a.Versions[minor]
	switch {
	case len(versions) == 0:
		return "", apiError("InvalidParameterException", "Addon %s has no version for Kubernetes %s", a.Name, minor)
	case asked == "":
		return versions[0], nil
	case !slices.Contains(versions, asked):
		return "", apiError("InvalidParameterException", "Addon version specified is not supported: %s %s on Kubernetes %s; the local engine knows %s",
			a.Name, asked, minor, strings.Join(versions, ", "))
	}
	return asked, nil
}

// addonVersion answers aws:eks/getAddonVersion: EKS's default for a Kubernetes minor, or the newest.
func addonVersion(args map[string]any) (map[string]any, error) {
	a, err := loadAddon(str(args["addonName"]))
	if err != nil {
		return nil, err
	}
	minor, recent := str(args["kubernetesVersion"]), args["mostRecent"] == true
	version, err := a.choose(minor, "")
	if recent && err == nil {
		version = a.Versions[minor][len(a.Versions[minor])-1]
	}
	return map[string]any{"id": a.Name, "addonName": a.Name, "kubernetesVersion": minor, "version": version, "mostRecent": recent}, err
}
