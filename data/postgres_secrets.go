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

// newSecrets keeps the credentials where the cluster reads them (S2). The URL is the application's, and leads to the pooler (D4); its role is
// made by a job in the cluster. RDS rotates neither: an application that reads its URL once, at its start, would lose the database.
func (b *postgresBuilder) newSecrets() error {
	password, err := security.NewPassword(b.ctx, b.child("application"), b.under())
	if err != nil {
		return err
	}
	verifier, err := b.newVerifier("application", password)
	if err != nil {
		return err
	}
	b.masterSecret, err = b.newSecret("master-secret", security.DatabaseMasterPath, "Master user of the database", pulumi.JSONMarshal(map[string]any{
		"username": masterUser, "password": b.master,
		"host": b.primary.Address, "port": b.primary.Port, "dbname": b.primary.DbName,
	}))
	if err != nil {
		return err
	}
	b.applicationSecret, err = b.newSecret("application-secret", security.DatabaseApplicationPath, "The application's role in the database", pulumi.JSONMarshal(map[string]any{
		"username": applicationUser, "password": password, "verifier": verifier,
	}))
	if err != nil {
		return err
	}
	// `require` and not `verify-full`: not every driver takes the path of an authority's certificate from a URL. Who pretends to be the pooler
	// inside the namespace learns no password: SCRAM proves it and never sends it.
	b.urlSecret, err = b.newSecret("url-secret", security.DatabaseURLPath, "What workloads connect to the database with", pulumi.Sprintf(
		"postgresql://%s:%s@%s:%d/%s?sslmode=require", applicationUser, password, config.PoolerName, b.primary.Port, b.primary.DbName))
	return err
}

// newVerifier is what the server keeps of a password. The job that makes the role sends nothing else, so the password stands in no log.
func (b *postgresBuilder) newVerifier(part string, password pulumi.StringOutput) (pulumi.StringOutput, error) {
	salt, err := random.NewRandomId(b.ctx, b.child(part+"-salt"), &random.RandomIdArgs{ByteLength: pulumi.Int(saltBytes)}, b.under())
	if err != nil {
		return pulumi.StringOutput{}, creating("the salt of the database's role "+part, err)
	}
	verifier := pulumi.All(password, salt.Hex).ApplyT(func(of []any) (string, error) {
		return scram.Verifier(of[0].(string), of[1].(string))
	}).(pulumi.StringOutput)
	// Which verifier it is may be known: a hash of a salted hash leads nowhere.
	b.parent.VerifierDigest = pulumi.Unsecret(verifier.ApplyT(func(verifier string) string {
		sum := sha256.Sum256([]byte(verifier))
		return hex.EncodeToString(sum[:])
	})).(pulumi.StringOutput)
	return verifier, nil
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
