package data

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/security"
)

// Paths of the database's secrets, after /alphapulse/<environment>/.
const (
	MasterSecretPath = "database/master"
	URLSecretPath    = "database/url"
)

// newSecrets keeps the credentials where the cluster reads them (S2). The URL is the application's: its role is made, with the password
// in it, by a job in the cluster. RDS rotates neither: an application that reads its URL once, at its start, would lose the database.
func (b *postgresBuilder) newSecrets() error {
	application, err := security.NewPassword(b.ctx, b.child("application"), b.under())
	if err != nil {
		return err
	}
	b.masterSecret, err = b.newSecret("master-secret", MasterSecretPath, "Master user of the database", pulumi.JSONMarshal(map[string]any{
		"username": masterUser, "password": b.master,
		"host": b.primary.Address, "port": b.primary.Port, "dbname": b.primary.DbName,
	}))
	if err != nil {
		return err
	}
	b.urlSecret, err = b.newSecret("url-secret", URLSecretPath, "What workloads connect to the database with", pulumi.Sprintf(
		"postgresql://%s:%s@%s:%d/%s?sslmode=require", applicationUser, application, b.primary.Address, b.primary.Port, b.primary.DbName))
	return err
}

func (b *postgresBuilder) newSecret(part, path, description string, value pulumi.StringInput) (*security.Secret, error) {
	return security.NewSecret(b.ctx, b.child(part), &security.SecretArgs{
		Environment: b.args.Environment, Path: path, Description: description + " of " + b.args.Name,
		KeyARN: b.args.Keys.Data, Value: value, Protect: b.args.Protect,
	}, b.under())
}
