package clouds

import (
	"context"

	"github.com/alphapulse/infrastructure/local/inventory"
)

func firstVersion(_ context.Context, _ *Provider, r *inventory.Record) error {
	setVersion(r, 1, 1)
	return nil
}

// nextVersion makes a new version of a launch template, as every change does. It is the default one only when that is asked for:
// node groups that say "$Default" stay where they are otherwise.
func nextVersion(_ context.Context, _ *Provider, old inventory.Record, r *inventory.Record) error {
	latest := number(old.Outputs["latestVersion"]) + 1
	current := number(old.Outputs["defaultVersion"])
	if r.Inputs["updateDefaultVersion"] == true {
		current = latest
	}
	setVersion(r, latest, current)
	return nil
}

func setVersion(r *inventory.Record, latest, current int) {
	r.Outputs["latestVersion"] = float64(latest)
	if asked := number(r.Inputs["defaultVersion"]); asked != 0 {
		current = asked
	}
	r.Outputs["defaultVersion"] = float64(current)
}
