package clouds

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/alphapulse/infrastructure/local/inventory"
)

const (
	secretType        = "secretsmanager.Secret"
	secretVersionType = "secretsmanager.SecretVersion"
)

var secretTypes = []Type{
	{Name: secretType, ID: "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{hex}", Unique: "ResourceExistsException name",
		check: checkSecret, admit: admitSecret, delete: keepSecretName,
		Props: `name@* description kmsKeyId~kms.Key policy recoveryWindowInDays=30 forceOverwriteReplicaSecret=false tags{}`,
		Out:   `arn={id}`},
	{Name: secretVersionType, ID: "{secretId}|{uuid}", admit: admitSecretVersion,
		Props: `secretId!*^secretsmanager.Secret secretString* secretBinary* versionStages`,
		Out:   `arn={secretId.arn} versionId=? versionStages=["AWSCURRENT"]`},
}

// deletedSecret is the type of the record that a deleted secret leaves for its recovery window; its id is the secret's name.
const deletedSecret = "aws:secretsmanager/secret:DeletedSecret"

var secretName = regexp.MustCompile(`^[0-9A-Za-z/_+=.@-]{1,512}$`)

func checkSecret(in map[string]any) error {
	if name, ok := in["name"].(string); ok && !secretName.MatchString(name) {
		return fmt.Errorf("%q is not a valid secret name: letters, digits and /_+=.@- only", name)
	}
	if days, ok := in["recoveryWindowInDays"].(float64); ok && days != 0 && (days < 7 || days > 30) {
		return fmt.Errorf("expected recoveryWindowInDays to be 0 or in the range (7 - 30), got %v", days)
	}
	return checkPolicies(in)
}

// admitSecret refuses a name that a deleted secret still keeps. The ARN ends in six characters, which policies match with "-??????".
func admitSecret(p *Provider, r *inventory.Record) error {
	name := str(r.Inputs["name"])
	old, ok, err := p.get(deletedSecret, name)
	if err != nil {
		return err
	}
	if ok {
		if until, err := time.Parse(time.RFC3339, str(old.Outputs["deletionDate"])); err != nil || time.Now().Before(until) {
			return apiError("InvalidRequestException",
				"You can't create this secret because a secret with this name is already scheduled for deletion: %s", name)
		}
		if err := p.remove(old); err != nil {
			return err
		}
	}
	end := strings.LastIndex(r.ID, "-") + 1
	r.ID = r.ID[:end+6]
	r.Outputs["arn"] = r.ID
	return nil
}

// keepSecretName leaves what blocks the name until the secret is gone for good.
func keepSecretName(_ context.Context, p *Provider, r inventory.Record) error {
	days := number(r.Inputs["recoveryWindowInDays"])
	if days == 0 {
		return nil
	}
	return p.put(inventory.Record{Type: deletedSecret, ID: str(r.Inputs["name"]),
		Inputs:  map[string]any{"name": r.Inputs["name"], "recoveryWindowInDays": r.Inputs["recoveryWindowInDays"]},
		Outputs: map[string]any{"arn": r.Outputs["arn"], "deletionDate": time.Now().UTC().AddDate(0, 0, days).Format(time.RFC3339)}})
}

func admitSecretVersion(_ *Provider, r *inventory.Record) error {
	if str(r.Inputs["secretString"]) == "" && str(r.Inputs["secretBinary"]) == "" {
		return apiError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	_, r.Outputs["versionId"], _ = strings.Cut(r.ID, "|")
	return nil
}

// lookupSecret is getSecret, by ARN or by name. It never tells the value.
func (p *Provider) lookupSecret(args map[string]any) (map[string]any, error) {
	wanted := str(args["arn"]) + str(args["name"])
	r, ok, err := p.findSecret(wanted)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("reading Secrets Manager Secret (%s): couldn't find resource", wanted)
	}
	out := map[string]any{"id": r.ID}
	for _, key := range []string{"arn", "description", "kmsKeyId", "name", "policy", "tags"} {
		out[key] = r.Outputs[key]
	}
	return out, nil
}

// lookupSecretVersions is getSecretVersions: which values a secret has had, and none of them.
func (p *Provider) lookupSecretVersions(args map[string]any) (map[string]any, error) {
	wanted := str(args["secretId"])
	secret, ok, err := p.findSecret(wanted)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("reading Secrets Manager Secret Versions Data Source (%s): %w", wanted,
			apiError("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))
	}
	records, err := p.all(token(secretVersionType))
	if err != nil {
		return nil, err
	}
	versions := []any{}
	for _, r := range records {
		if matches(secret, str(r.Inputs["secretId"])) {
			versions = append(versions, map[string]any{"versionId": r.Outputs["versionId"], "versionStages": r.Outputs["versionStages"]})
		}
	}
	return map[string]any{"id": secret.ID, "arn": secret.Outputs["arn"], "name": secret.Outputs["name"], "secretId": wanted, "versions": versions}, nil
}

// findSecret finds a secret by its ARN or its name.
func (p *Provider) findSecret(wanted string) (inventory.Record, bool, error) {
	records, err := p.all(token(secretType))
	if err != nil {
		return inventory.Record{}, false, err
	}
	for _, r := range records {
		if matches(r, wanted) || r.Inputs["name"] == wanted {
			return r, true, nil
		}
	}
	return inventory.Record{}, false, nil
}
