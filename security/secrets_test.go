package security_test

import (
	"regexp"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	secretType  = "aws:secretsmanager/secret:Secret"
	versionType = "aws:secretsmanager/secretVersion:SecretVersion"
)

func secret(t *testing.T, change func(*security.SecretArgs)) (*recorder.Run, security.Secret, string) {
	t.Helper()
	args := &security.SecretArgs{
		Environment: "prod", Path: "database/url", Description: "a secret", KeyARN: pulumi.String("key"), Value: pulumi.String("value"), Protect: true,
	}
	change(args)
	var made security.Secret
	var arn string
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		s, err := security.NewSecret(ctx, "url", args)
		if err != nil {
			return err
		}
		made = *s
		s.ARN.ApplyT(func(known string) error { arn = known; return nil })
		return nil
	})
	return run, made, arn
}

func TestS2SecretLiesUnderTheEnvironmentsPathEncryptedWithOurKey(t *testing.T) {
	run, made, arn := secret(t, func(*security.SecretArgs) {})
	one := run.Find(t, secretType, "url")
	assert.Equal(t, "/alphapulse/prod/database/url", one.At("name"))
	assert.Equal(t, "key", one.At("kmsKeyId"))
	assert.EqualValues(t, 30, one.At("recoveryWindowInDays"))
	version := run.Find(t, versionType, "url")
	assert.Equal(t, []any{"url-id", "value"}, []any{version.At("secretId"), version.At("secretString")})
	assert.Equal(t, "/alphapulse/prod/database/url", made.Name)
	assert.Equal(t, recorder.ARN(versionType, "url"), arn, "who uses it waits for its value")
}

func TestS2UnprotectedSecretLeavesItsNameFree(t *testing.T) {
	run, _, _ := secret(t, func(args *security.SecretArgs) { args.Protect = false })
	assert.EqualValues(t, 0, run.Find(t, secretType, "url").At("recoveryWindowInDays"))
}

func TestS2WhatOnlyAPersonHasGetsNoValue(t *testing.T) {
	run, _, arn := secret(t, func(args *security.SecretArgs) { args.Value = nil })
	assert.Empty(t, run.All(versionType))
	assert.Equal(t, recorder.ARN(secretType, "url"), arn)
}

func TestS2PasswordsAreLongAndNeedNoEscaping(t *testing.T) {
	var isSecret bool
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		password, err := security.NewPassword(ctx, "master")
		if err != nil {
			return err
		}
		isSecret = pulumi.IsSecret(password)
		return nil
	})
	one := run.Find(t, "random:index/randomPassword:RandomPassword", "master")
	assert.GreaterOrEqual(t, one.At("length"), 32.)
	assert.Equal(t, false, one.At("special"))
	assert.True(t, isSecret)
}

// raw keeps inputs as they come in, with what is secret marked; the recorder shows them bare.
type raw struct {
	lock   sync.Mutex
	inputs map[string]resource.PropertyMap // by type and name
}

func (r *raw) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.inputs[args.TypeToken+" "+args.Name] = args.Inputs
	outputs := args.Inputs.Copy()
	for _, pem := range []resource.PropertyKey{"privateKeyPem", "certPem", "certRequestPem", "result"} {
		if _, given := outputs[pem]; !given {
			outputs[pem] = resource.NewProperty(string(pem) + "-of-" + args.Name)
		}
	}
	return args.Name, outputs, nil
}

func (r *raw) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

var keyMaterial = regexp.MustCompile(`privateKeyPem-of-|result-of-`)

func TestS2SecretValuesAndKeysAreSecretInputs(t *testing.T) {
	seen := &raw{inputs: map[string]resource.PropertyMap{}}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		password, err := security.NewPassword(ctx, "password")
		if err != nil {
			return err
		}
		if _, err := security.NewSecret(ctx, "bare", &security.SecretArgs{Environment: "prod", Path: "a", KeyARN: pulumi.String("key"), Value: pulumi.String("v")}); err != nil {
			return err
		}
		if _, err := security.NewSecret(ctx, "generated", &security.SecretArgs{Environment: "prod", Path: "b", KeyARN: pulumi.String("key"), Value: password}); err != nil {
			return err
		}
		ca, err := security.NewCertificateAuthority(ctx, "authority", &security.CertificateAuthorityArgs{Name: "alphapulse-prod"})
		if err != nil {
			return err
		}
		_, err = ca.Issue(ctx, &security.CertificateArgs{Purpose: "webhook", DNSNames: []string{"a.svc"}, Uses: []string{security.ForServer}})
		return err
	}, pulumi.WithMocks("alphapulse", "raw", seen)))

	for _, name := range []string{"bare", "generated"} {
		assert.True(t, seen.inputs[versionType+" "+name]["secretString"].IsSecret(), name)
	}
	held := 0
	for resourceName, inputs := range seen.inputs {
		for key, value := range inputs {
			if value.IsSecret() {
				held++
				continue
			}
			assert.False(t, keyMaterial.MatchString(value.String()), "%s: %s", resourceName, key)
		}
	}
	assert.Equal(t, 5, held, "two secrets, the authority's key twice, the leaf's once")
}
