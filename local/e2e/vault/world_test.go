package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const (
	// files are what the ConfigMap vault-config has.
	files = "../../../workloads/vault"
	// loopback is the second number of all addresses here.
	loopback = 63
	region   = "us-east-1"
	// limit is what anything may take on a busy machine that is promised no time.
	limit = 3 * time.Minute
	// inUse is the label of the keys of a Vault that has been in use.
	inUse = "IN_USE"
)

// until waits for a condition and gives how long that took.
func until(t *testing.T, within time.Duration, what string, condition func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, within, true, func(context.Context) (bool, error) {
		return condition(), nil
	})
	require.NoError(t, err, "%s: not within %s", what, within)
	return time.Since(began)
}

// aws is Amazon as far as Vault knows it: moto plays KMS and Secrets Manager, and forgets all when it ends.
type aws struct {
	endpoint, key string
	bin           string // a folder with `aws`, as the image of the AWS CLI has it
}

func newAWS(t *testing.T, block int) aws {
	t.Helper()
	address := programs.AddressesIn(loopback, block, 1)[0] + ":5000"
	a := aws{endpoint: "http://" + address, bin: t.TempDir()}
	require.NoError(t, os.Symlink(programs.Tool(t, "aws-cli"), filepath.Join(a.bin, "aws")))
	host, port, _ := net.SplitHostPort(address)
	programs.Start(t, programs.Command{Name: "moto", Args: []string{programs.Tool(t, "moto_server"), "-H", host, "-p", port}})
	until(t, limit, "moto answers", func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
	var made struct{ KeyMetadata struct{ Arn string } }
	a.call(t, "kms", "CreateKey", fields{}, &made)
	a.key = made.KeyMetadata.Arn
	return a
}

// env is what a pod has of AWS; in the cluster it is a token for its role.
func (a aws) env() []string {
	return []string{
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL=" + a.endpoint, "AWS_KMS_ENDPOINT=" + a.endpoint, "VAULT_AWSKMS_SEAL_KEY_ID=" + a.key,
	}
}

// call is what the AWS CLI of whoever runs the test would do.
func (a aws) call(t *testing.T, service, action string, body any, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequest(http.MethodPost, a.endpoint, bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("X-Amz-Target", map[string]string{"kms": "TrentService.", "secretsmanager": "secretsmanager."}[service]+action)
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", action, got)
	require.NoError(t, json.Unmarshal(got, into), "%s", got)
}

type fields map[string]any

func (a aws) secrets(t *testing.T, action string, body fields, into any) {
	t.Helper()
	a.call(t, "secretsmanager", action, body, into)
}

// newSecret makes a secret without a value, as the program does.
func (a aws) newSecret(t *testing.T, name string) string {
	t.Helper()
	a.secrets(t, "CreateSecret", fields{"Name": name, "ClientRequestToken": rand.Text() + "-of-the-test"}, &fields{})
	return name
}

// version is a version of a secret: its name and its labels.
type version struct {
	VersionID     string `json:"VersionId"`
	VersionStages []string
}

func (a aws) versions(t *testing.T, secret string) []version {
	t.Helper()
	var got struct{ Versions []version }
	a.secrets(t, "ListSecretVersionIds", fields{"SecretId": secret}, &got)
	return got.Versions
}

// copySecret makes another secret with the versions and labels of one.
func (a aws) copySecret(t *testing.T, from, to string) string {
	t.Helper()
	a.newSecret(t, to)
	for _, v := range a.versions(t, from) {
		var got struct{ SecretString string }
		a.secrets(t, "GetSecretValue", fields{"SecretId": from, "VersionId": v.VersionID}, &got)
		a.secrets(t, "PutSecretValue", fields{
			"SecretId": to, "ClientRequestToken": v.VersionID, "SecretString": got.SecretString, "VersionStages": v.VersionStages,
		}, &fields{})
	}
	return to
}

// kept is what keep-keys.sh stores.
type kept struct {
	Threshold int      `json:"threshold"`
	Keys      []string `json:"recovery_keys"`
}

// keys are those of the Vault that is in use.
func (a aws) keys(t *testing.T, secret string) (k kept) {
	t.Helper()
	var got struct{ SecretString string }
	a.secrets(t, "GetSecretValue", fields{"SecretId": secret, "VersionStage": inUse}, &got)
	require.NoError(t, json.Unmarshal([]byte(got.SecretString), &k), "what was kept is no JSON")
	return k
}

// pod is one of Vault's: a volume, and a place for what is temporary.
type pod struct {
	name, address, private string
	volume, tmp            string
	secret                 string
	tls                    string
	run                    string // what is under /var/run: the token of its account
	names                  *programs.Names
	aws                    aws
}

func (p *pod) store() string { return filepath.Join(p.volume, "store") }

// env is the pod's environment, as vaultEnv in package workloads has it, with other places.
func (p *pod) env(t *testing.T) []string {
	t.Helper()
	config, err := filepath.Abs(files)
	require.NoError(t, err)
	self := "https://" + p.name + ".vault-internal"
	return append(p.aws.env(),
		"PATH="+strings.Join([]string{p.aws.bin, filepath.Dir(programs.Tool(t, "vault")), os.Getenv("PATH")}, ":"),
		"POD_NAME="+p.name, "POD_IP="+p.address, "NAMESPACE=alphapulse-prod", "CONFIG="+config, "DATA="+p.volume, "TLS="+p.tls,
		"KEYS="+filepath.Join(p.tmp, "keys"), "TMPDIR="+p.tmp, "HOME="+p.tmp, "PRIVATE_IP="+p.private, "KEYS_SECRET="+p.secret,
		"VAULT_ADDR="+self+":8200", "VAULT_API_ADDR="+self+".alphapulse-prod.svc:8200", "VAULT_CLUSTER_ADDR="+self+":8201", "VAULT_CACERT="+filepath.Join(p.tls, "ca.crt"))
}

func (p *pod) command(t *testing.T, script string, more ...string) programs.Command {
	t.Helper()
	config, err := filepath.Abs(files)
	require.NoError(t, err)
	return programs.Command{
		Name: p.name + " " + script, Args: []string{"sh", filepath.Join(config, script+".sh")}, Env: append(p.env(t), more...), Names: p.names, Run: p.run,
	}
}

// prepare runs the steps before Vault, as each start of a pod does.
func (p *pod) prepare(t *testing.T) (string, error) {
	t.Helper()
	var log string
	for _, step := range []string{"create", "keep-keys"} {
		out, err := programs.Run(t, limit, p.command(t, step))
		log += out
		if err != nil {
			return log, fmt.Errorf("%s of %s: %w\n%s", step, p.name, err, log)
		}
	}
	return log, nil
}

// fresh gives it an empty temporary place, as a pod that is made anew has.
func (p *pod) fresh(t *testing.T) { t.Helper(); p.tmp = t.TempDir() }
