package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/scram"
	"github.com/alphapulse/infrastructure/security"
)

const saltBytes = 16

// newSecrets keeps the credentials where the cluster reads them (S2). The URL is the application's, and leads to the pooler (D4); roles are
// made by a job in the cluster. RDS rotates neither: an application that reads its URL once, at its start, would lose the database.
func (b *postgresBuilder) newSecrets() error {
	var err error
	b.masterSecret, err = b.newSecret("master-secret", security.DatabaseMasterPath, "Master user of the database", pulumi.JSONMarshal(map[string]any{
		"username": masterUser, "password": b.master,
		"host": b.primary.Address, "port": b.primary.Port, "dbname": b.primary.DbName,
	}))
	if err != nil {
		return err
	}
	var password pulumi.StringOutput
	b.applicationSecret, password, b.parent.VerifierDigest, err = b.newRole("application", applicationUser, security.DatabaseApplicationPath, "The application's role")
	if err != nil {
		return err
	}
	b.monitoringSecret, _, b.parent.MonitoringDigest, err = b.newRole("monitoring", monitoringUser, security.DatabaseMonitoringPath, "The role of what watches it")
	if err != nil {
		return err
	}
	// `require` and not `verify-full`: not every driver takes the path of an authority's certificate from a URL. Who pretends to be the pooler
	// inside the namespace learns no password: SCRAM proves it and never sends it.
	b.urlSecret, err = b.newSecret("url-secret", security.DatabaseURLPath, "What workloads connect to the database with", pulumi.Sprintf(
		"postgresql://%s:%s@%s:%d/%s?sslmode=require", applicationUser, password, config.PoolerName, b.primary.Port, b.primary.DbName))
	return err
}

// newRole makes up the password of a role and keeps it, with what the server keeps of it, the verifier. The job that makes the role sends nothing
// else, so the password stands in no log.
func (b *postgresBuilder) newRole(part, user, path, what string) (secret *security.Secret, password, digest pulumi.StringOutput, err error) {
	if password, err = security.NewPassword(b.ctx, b.child(part), b.under()); err != nil {
		return nil, password, digest, err
	}
	salt, err := random.NewRandomId(b.ctx, b.child(part+"-salt"), &random.RandomIdArgs{ByteLength: pulumi.Int(saltBytes)}, b.under())
	if err != nil {
		return nil, password, digest, creating("the salt of the database's role "+part, err)
	}
	verifier := pulumi.All(password, salt.Hex).ApplyT(func(of []any) (string, error) {
		return scram.Verifier(of[0].(string), of[1].(string))
	}).(pulumi.StringOutput)
	// Which verifier it is may be known: a hash of a salted hash leads nowhere.
	digest = pulumi.Unsecret(verifier.ApplyT(func(verifier string) string {
		sum := sha256.Sum256([]byte(verifier))
		return hex.EncodeToString(sum[:])
	})).(pulumi.StringOutput)
	secret, err = b.newSecret(part+"-secret", path, what+" in the database", pulumi.JSONMarshal(map[string]any{
		"username": user, "password": password, "verifier": verifier,
	}))
	return secret, password, digest, err
}

func (b *postgresBuilder) newSecret(part, path, description string, value pulumi.StringInput) (*security.Secret, error) {
	secret, err := security.NewSecret(b.ctx, b.child(part), &security.SecretArgs{
		Environment: b.args.Environment, Path: path, Description: description + " of " + b.args.Name,
		KeyARN: b.args.Keys.Data, Value: value, Protect: b.args.Protect,
	}, b.under())
	if err != nil {
		return nil, fmt.Errorf("keeping %s: %w", path, err)
	}
	return secret, nil
}
