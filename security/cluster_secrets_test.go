package security_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	externalType  = "kubernetes:external-secrets.io/v1:ExternalSecret"
	storeType     = "kubernetes:external-secrets.io/v1:SecretStore"
	accountType   = "kubernetes:core/v1:ServiceAccount"
	chartType     = "kubernetes:helm.sh/v4:Chart"
	roleType      = "kubernetes:rbac.authorization.k8s.io/v1:Role"
	clusterRole   = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
	deployment    = "kubernetes:apps/v1:Deployment"
	passwordType  = "random:index/randomPassword:RandomPassword"
	whereSecrets  = "/alphapulse/prod/"
	namespaceProd = "alphapulse-prod"
)

var served = map[security.Space]pulumi.StringInput{
	security.InPlatform: pulumi.String(namespaceProd), security.InCertManager: pulumi.String("cert-manager"), security.InMonitoring: pulumi.String("monitoring"),
}

// made are the ARNs of the database's secrets, of which a test may leave some out.
func made() map[string]pulumi.StringInput {
	return map[string]pulumi.StringInput{
		"database/url": pulumi.String("arn-of-url"), "database/master": pulumi.String("arn-of-master"), "database/application": pulumi.String("arn-of-application"),
		"database/monitoring": pulumi.String("arn-of-monitoring"),
	}
}

// operators runs what deals with secrets in the cluster.
func operators(arns map[string]pulumi.StringInput, check ...func(*pulumi.Context, *security.ClusterSecrets) error) (*recorder.Run, error) {
	return recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		inAccount, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{})
		if err != nil {
			return err
		}
		cluster, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		operator, err := security.NewExternalSecrets(ctx, &security.ExternalSecretsArgs{
			Provider: cluster, Namespace: pulumi.String("external-secrets"), Serves: served, Images: fromRegistry,
		})
		if err != nil {
			return err
		}
		if _, err := security.NewReloader(ctx, &security.ReloaderArgs{
			Namespace: pulumi.String("reloader"), Watched: pulumi.String(namespaceProd), Image: pulumi.String("registry.example/" + config.Reloader.Programs[0].Reference()),
		}, pulumi.Provider(cluster)); err != nil {
			return err
		}
		secrets, err := security.NewClusterSecrets(ctx, "secrets", &security.ClusterSecretsArgs{
			Name: namespaceProd, Environment: "prod", AWS: config.AWS{Account: account, Region: "eu-west-1"}, Operator: operator,
			Issuer:   security.Issuer{ProviderARN: pulumi.String("issuer-arn"), Host: pulumi.String("issuer.example").ToStringOutput()},
			Provider: cluster, Namespaces: served, Made: arns, DataKey: pulumi.String("arn-of-data-key"), Protect: true,
		}, pulumi.Provider(inAccount))
		if err != nil {
			return err
		}
		for _, one := range check {
			if err := one(ctx, secrets); err != nil {
				return err
			}
		}
		return nil
	})
}

func inCluster(t *testing.T) *recorder.Run {
	t.Helper()
	run, err := operators(made())
	require.NoError(t, err)
	return run
}

// keysOf are what an ExternalSecret reads: "<path> <property>" by the Secret's key.
func keysOf(t *testing.T, external recorder.Resource) map[string]string {
	t.Helper()
	keys := map[string]string{}
	for i := range external.At("spec.data").([]any) {
		at := func(path string) any { return external.At(fmt.Sprintf("spec.data[%d].%s", i, path)) }
		property, _ := at("remoteRef.property").(string)
		keys[at("secretKey").(string)] = strings.TrimSpace(strings.TrimPrefix(at("remoteRef.key").(string), whereSecrets) + " " + property)
	}
	return keys
}

func TestS2DatabaseCredentialsAreAsTheSourceHasThem(t *testing.T) {
	external := inCluster(t).Find(t, externalType, "secrets-database-credentials")
	assert.Equal(t, map[string]any{
		"secretStoreRef":  map[string]any{"name": "aws-secrets-manager", "kind": "SecretStore"},
		"refreshInterval": "1m",
		"target":          map[string]any{"name": "database-credentials", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
		"data":            []any{map[string]any{"secretKey": "url", "remoteRef": map[string]any{"key": "/alphapulse/prod/database/url"}}},
	}, external.At("spec"))
	assert.Equal(t, namespaceProd, external.At("metadata.namespace"))
}

func TestS2EverySecretHasItsKeysFromItsPath(t *testing.T) {
	want := map[string]map[string]string{
		"alphapulse-prod/database-credentials": {"url": "database/url"},
		"alphapulse-prod/database-roles": {
			"PGHOST": "database/master host", "PGPORT": "database/master port", "PGDATABASE": "database/master dbname",
			"PGUSER": "database/master username", "PGPASSWORD": "database/master password",
			"APPLICATION_USER": "database/application username", "APPLICATION_VERIFIER": "database/application verifier",
			"MONITORING_USER": "database/monitoring username", "MONITORING_VERIFIER": "database/monitoring verifier",
		},
		"alphapulse-prod/pgbouncer-credentials": {"username": "database/application username", "password": "database/application password"},
		"alphapulse-prod/redis-credentials":     {"url": "redis/credentials url", "password": "redis/credentials password"},
		"alphapulse-prod/broker-credentials":    {"password": "broker/credentials password"},
		"alphapulse-prod/stripe-credentials":    {"api-key": "stripe api-key", "webhook-secret": "stripe webhook-secret"},
		"alphapulse-prod/exchange-credentials": {
			"binance-api-key": "exchanges binance-api-key", "binance-api-secret": "exchanges binance-api-secret",
			"coinbase-api-key": "exchanges coinbase-api-key", "coinbase-api-secret": "exchanges coinbase-api-secret",
		},
		"cert-manager/cloudflare-api-token": {"token": "cloudflare/api-token token"},
		"monitoring/pagerduty-credentials":  {"routing-key": "pagerduty routing-key", "dead-mans-switch-url": "pagerduty dead-mans-switch-url"},
		"monitoring/grafana-credentials":    {"admin-password": "grafana/admin password"},
		"monitoring/postgres-exporter-credentials": {
			"username": "database/monitoring username", "password": "database/monitoring password",
		},
	}
	got := map[string]map[string]string{}
	for _, external := range inCluster(t).All(externalType) {
		assert.Equal(t, external.At("metadata.name"), external.At("spec.target.name"))
		got[fmt.Sprintf("%v/%v", external.At("metadata.namespace"), external.At("metadata.name"))] = keysOf(t, external)
	}
	assert.Equal(t, want, got)
}

func TestD4PoolerGetsItsUserListOnly(t *testing.T) {
	external := inCluster(t).Find(t, externalType, "secrets-pgbouncer-credentials")
	assert.Equal(t, map[string]any{"data": map[string]any{"userlist.txt": "\"{{ .username }}\" \"{{ .password }}\"\n"}}, external.At("spec.target.template"))
}

func TestS2GeneratedPasswordsAndTheirURLs(t *testing.T) {
	run := inCluster(t)
	for path, want := range map[string]map[string]string{
		"redis-credentials": {
			"url": "redis://:password-of-secrets-redis-credentials@redis-cluster:6379", "password": "password-of-secrets-redis-credentials",
		},
		"broker-credentials": {"password": "password-of-secrets-broker-credentials"},
	} {
		var read map[string]string
		require.NoError(t, json.Unmarshal([]byte(fmt.Sprint(run.Find(t, versionType, "secrets-"+path).At("secretString"))), &read))
		assert.Equal(t, want, read)
	}
	assert.Len(t, run.All(passwordType), 3)
}

// What the templates make is tried with real workers in local/e2e/broker.
func TestD8ClientsOfTheBrokerAreToldAllSentinelsAndTheirPassword(t *testing.T) {
	made, ok := inCluster(t).Find(t, externalType, "secrets-broker-credentials").At("spec.target.template.data").(map[string]any)
	require.True(t, ok)
	filled := func(key string) string { return strings.ReplaceAll(made[key].(string), "{{ .password }}", "pw") }
	assert.Len(t, made, 3)
	assert.Equal(t, "pw", filled("password"), "as the broker itself and KEDA read it")
	assert.Equal(t, "sentinel://:pw@broker-0.broker:26379/0;sentinel://:pw@broker-1.broker:26379/0;sentinel://:pw@broker-2.broker:26379/0", filled("url"))
	var options struct {
		Master     string `json:"master_name"`
		Visibility int    `json:"visibility_timeout"`
		Sentinel   struct {
			Password string `json:"password"`
		} `json:"sentinel_kwargs"`
	}
	require.NoError(t, json.Unmarshal([]byte(filled("transport-options")), &options))
	assert.Equal(t, "broker", options.Master)
	assert.Equal(t, "pw", options.Sentinel.Password)
	assert.Greater(t, options.Visibility, 600, "above what a worker that goes may still take")
}

func TestS2WhatOnlyAPersonHasIsMadeEmptyAndSaysHowToFillIt(t *testing.T) {
	run := inCluster(t)
	for child, external := range map[string]string{
		"stripe": "stripe-credentials", "exchanges": "exchange-credentials", "cloudflare-api-token": "cloudflare-api-token", "pagerduty": "pagerduty-credentials",
	} {
		stored := run.Find(t, secretType, "secrets-"+child)
		assert.Equal(t, "arn-of-data-key", stored.At("kmsKeyId"))
		assert.False(t, slices.ContainsFunc(run.All(versionType), func(v recorder.Resource) bool { return v.Name == stored.Name }), "%s has a value", child)
		said := run.Find(t, externalType, "secrets-"+external).At(`metadata.annotations["alphapulse.com/value-is-put-in-with"]`)
		assert.Contains(t, said, "aws secretsmanager put-secret-value --secret-id "+stored.At("name").(string)+" --secret-string file://")
		for key := range keysOf(t, run.Find(t, externalType, "secrets-"+external)) {
			assert.Contains(t, said, `"`+key+`":"..."`)
		}
	}
	assert.Len(t, run.All(secretType), 7)
}

func TestS3EachNamespaceReadsItsOwnSecretsAndNothingElse(t *testing.T) {
	run := inCluster(t)
	stored := func(child string) string { return recorder.ARN(secretType, "secrets-"+child) }
	kept := func(child string) string { return recorder.ARN(versionType, "secrets-"+child) }
	for space, want := range map[string][]string{
		"platform": {
			"arn-of-url", "arn-of-master", "arn-of-application", "arn-of-monitoring",
			kept("redis-credentials"), kept("broker-credentials"), stored("stripe"), stored("exchanges"),
		},
		"cert-manager": {stored("cloudflare-api-token")},
		"monitoring":   {stored("pagerduty"), kept("grafana-admin"), "arn-of-monitoring"},
	} {
		statements := recorder.Statements(t, run.Find(t, rolePolicy, "secrets-"+space).At("policy"))
		require.Len(t, statements, 2, space)
		assert.Equal(t, recorder.Strings{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, statements[0].Action)
		assert.ElementsMatch(t, want, statements[0].Resource, space)
		assert.Equal(t, recorder.Strings{"kms:Decrypt"}, statements[1].Action)
		assert.Equal(t, recorder.Strings{"arn-of-data-key"}, statements[1].Resource)
		assert.Equal(t, map[string]map[string]recorder.Strings{"StringEquals": {"kms:ViaService": {"secretsmanager.eu-west-1.amazonaws.com"}}}, statements[1].Condition)

		reader, store := run.Find(t, accountType, "secrets-"+space), run.Find(t, storeType, "secrets-"+space+"-store")
		assert.Equal(t, recorder.ARN(role, "secrets-"+space), reader.At(`metadata.annotations["eks.amazonaws.com/role-arn"]`))
		assert.Equal(t, false, reader.At("automountServiceAccountToken"))
		trust := recorder.Statements(t, run.Find(t, role, "secrets-"+space).At("assumeRolePolicy"))
		assert.Equal(t, recorder.Strings{fmt.Sprintf("system:serviceaccount:%v:%v", reader.At("metadata.namespace"), reader.At("metadata.name"))},
			trust[0].Condition["StringEquals"]["issuer.example:sub"])
		assert.Equal(t, reader.At("metadata.name"), store.At("spec.provider.aws.auth.jwt.serviceAccountRef.name"))
		assert.Equal(t, reader.At("metadata.namespace"), store.At("metadata.namespace"))
		assert.Equal(t, "aws-secrets-manager", store.At("metadata.name"), "the source's name")
		assert.Equal(t, "eu-west-1", store.At("spec.provider.aws.region"))
	}
}

func TestS2ExternalSecretsComeAfterTheirOperatorAndGoBeforeIt(t *testing.T) {
	run := inCluster(t)
	operator := run.Find(t, chartType, "external-secrets")
	for _, store := range run.All(storeType) {
		assert.Contains(t, store.DependsOn, operator.URN, store.Name)
	}
	for _, external := range run.All(externalType) {
		assert.True(t, slices.ContainsFunc(run.All(storeType), func(store recorder.Resource) bool { return slices.Contains(external.DependsOn, store.URN) }), external.Name)
	}
	for _, right := range slices.Concat(run.All("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"), run.All("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")) {
		if strings.HasPrefix(right.Name, "external-secrets") {
			assert.Contains(t, operator.DependsOn, right.URN, right.Name)
		}
	}
}

func TestS2WhoReadsSecretsWaitsForThem(t *testing.T) {
	run, err := operators(made(), func(ctx *pulumi.Context, secrets *security.ClusterSecrets) error {
		_, err := corev1.NewServiceAccount(ctx, "reader", &corev1.ServiceAccountArgs{Metadata: metav1.ObjectMetaArgs{
			Namespace: pulumi.OutputWithDependencies(ctx.Context(), pulumi.String(namespaceProd).ToStringOutput(), secrets.External[security.InPlatform]...).(pulumi.StringOutput),
		}})
		return err
	})
	require.NoError(t, err)
	reader := run.Find(t, accountType, "reader")
	assert.Equal(t, namespaceProd, reader.At("metadata.namespace"))
	for _, external := range run.All(externalType) {
		assert.Equal(t, external.At("metadata.namespace") == namespaceProd, slices.Contains(reader.DependsOn, external.URN), external.Name)
	}
}

func TestS2SecretThatNobodyMadeIsAnError(t *testing.T) {
	some := made()
	delete(some, "database/application")
	_, err := operators(some)
	assert.ErrorContains(t, err, `the Secret "database-roles" is made from /alphapulse/prod/database/application, which nobody has made`)
}

// inspected is the warning that a preview of an environment gives.
func inspected(t *testing.T, answers ...recorder.Answers) (string, *recorder.Run, error) {
	t.Helper()
	var warning string
	run, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) (err error) {
		warning, err = security.InspectSecrets(ctx, "prod")
		return err
	}, answers...)
	return warning, run, err
}

func TestS2OneWarningNamesEverySecretWithoutValueAndTheCommand(t *testing.T) {
	versions := func(stages ...any) recorder.Answers {
		return recorder.Answers{recorder.GetSecretVersions: map[string]any{"versions": []any{map[string]any{"versionId": "1", "versionStages": stages}}}}
	}
	for name, answer := range map[string]recorder.Answers{
		"a new stack": {}, "secrets that are empty": {recorder.GetSecretVersions: map[string]any{"versions": []any{}}},
		"a value that is no longer current": versions("AWSPREVIOUS"),
	} {
		warning, run, err := inspected(t, answer)
		require.NoError(t, err, name)
		assert.Contains(t, warning, "4 secret(s) have no value", name)
		assert.Contains(t, warning, "stripe-credentials, for billing: aws secretsmanager put-secret-value --secret-id /alphapulse/prod/stripe --secret-string file://stripe.json", name)
		assert.Len(t, strings.Split(warning, "\n"), 5, name)
		require.Len(t, run.Calls, 4, "one question for each that a person fills, and none for others")
		for _, call := range run.Calls {
			assert.Equal(t, recorder.GetSecretVersions, call.Token, "which answers with no value")
		}
	}
	warning, _, err := inspected(t, versions("AWSCURRENT"))
	require.NoError(t, err)
	assert.Empty(t, warning)
	_, _, err = inspected(t, recorder.Answers{recorder.GetSecretVersions: errors.New("AccessDeniedException: not authorized")})
	assert.ErrorContains(t, err, "asking for the versions of the secret /alphapulse/prod/stripe: ")
}
