// Package vault runs three real Vaults with the files that the platform's pods have.
package vault

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

var open = regexp.MustCompile(`(?m)^vault_core_unsealed\{.*\} 1$`)

// alive is what the kubelet asks: workloads/vault.go, whose test has the same words.
const alive = "sys/health?standbyok=true&sealedcode=204&uninitcode=204&haunhealthycode=204&removedcode=204"

// snapshot asks a pod for one, in Python, whose TLS is OpenSSL's.
const snapshot = `
import os, ssl, sys, urllib.request
request = urllib.request.Request("https://" + sys.argv[1] + ":8200/v1/sys/storage/raft/snapshot", headers={"X-Vault-Token": os.environ["TOKEN"]})
answer = urllib.request.urlopen(request, context=ssl.create_default_context(cafile=os.environ["VAULT_CACERT"]))
assert answer.read(2) == b"\x1f\x8b", "a snapshot is a gzip"
print("from", answer.url)
`

// One Vault's life, in the order in which it would come.
func TestS1VaultLives(t *testing.T) {
	t.Parallel()
	a := newAWS(t, 0)
	secret := a.newSecret(t, "/alphapulse/prod/vault/recovery-keys")
	c := newCluster(t, a, secret, 1)

	began := time.Now()
	for i := range c.pods { // the kubelet starts them together; the first one's steps are the longest
		if i > 0 {
			c.start(t, i)
		}
	}
	assert.False(t, c.ready(1), "who waits for the first is not ready")
	// What VaultSealed goes by: one that is sealed answers Prometheus, and does not say that it is open.
	until(t, limit, "who waits for the first tells Prometheus how it is", func() bool { return c.metrics(1) != "" })
	assert.NotRegexp(t, open, c.metrics(1))
	status, _, err := c.ask(1, "GET", alive, "", nil)
	require.NoError(t, err)
	assert.Equal(t, 204, status, "but alive")
	c.start(t, 0)
	c.awaitReady(t, 0, 1, 2)
	t.Logf("from nothing to three pods that are ready: %.1f s", time.Since(began).Seconds())

	versions := a.versions(t, secret)
	require.Len(t, versions, 1, "initialised once")
	assert.Contains(t, versions[0].VersionStages, inUse)
	keys := a.keys(t, secret)
	require.Len(t, keys.Keys, 5)
	root := c.root(t, keys)
	until(t, limit, "all three vote", func() bool { return len(c.voters(t, root)) == 3 })

	t.Run("NoRootTokenIsLeft", func(t *testing.T) {
		for _, p := range c.pods {
			require.NoError(t, filepath.WalkDir(p.tmp, func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				for _, part := range append(keys.Keys, "hvs.") {
					assert.NotContains(t, string(text), part, "left in %s", path)
				}
				return err
			}))
		}
		tokens := c.must(t, 0, "LIST", "auth/token/accessors", root, nil)
		data, _ := tokens["data"].(map[string]any)
		assert.Len(t, data["keys"], 1, "the one that this test has made")
	})
	t.Run("ItIsSetUp", func(t *testing.T) {
		role := c.must(t, 1, "GET", "auth/kubernetes/role/api", root, nil)["data"].(map[string]any)
		assert.Equal(t, []any{"api"}, role["bound_service_account_names"])
		assert.Equal(t, []any{"alphapulse-prod"}, role["bound_service_account_namespaces"])
		assert.Equal(t, "vault", role["audience"])
		assert.Equal(t, []any{"api"}, role["token_policies"])
		assert.Contains(t, c.must(t, 1, "GET", "sys/audit", root, nil), "file/")
		c.write(t, root, "first", 0, 1, 2)
		for i := range c.pods {
			c.read(t, root, "first", i) // whichever pod is asked
		}
	})
	t.Run("APolicyLetsTheAPIDoItsOwnAndNoMore", func(t *testing.T) {
		made := c.must(t, 0, "POST", "auth/token/create", root, map[string]any{"policies": []string{"api"}})["auth"].(map[string]any)
		token := made["client_token"].(string)
		c.read(t, token, "first", 0)
		for _, path := range []string{"sys/storage/raft/snapshot", "secret/data/others", "sys/policies/acl/api", "auth/kubernetes/role/api"} {
			status, _, err := c.ask(0, "GET", path, token, nil)
			require.NoError(t, err)
			assert.Equal(t, 403, status, path)
		}
	})
	t.Run("AccountsLogInThroughKubernetes", func(t *testing.T) {
		login := func(role, account string) (int, map[string]any) {
			status, got, err := c.ask(1, "POST", "auth/kubernetes/login", "", map[string]any{"role": role, "jwt": c.api.token(t, account)})
			require.NoError(t, err)
			return status, got
		}
		status, got := login("api", "api")
		require.Equal(t, 200, status, got)
		auth, _ := got["auth"].(map[string]any)
		assert.Equal(t, []any{"api", "default"}, auth["token_policies"])
		c.read(t, fmt.Sprint(auth["client_token"]), "first", 2)
		status, got = login("snapshots", "vault-snapshots")
		require.Equal(t, 200, status, got)
		for _, refused := range [][2]string{{"api", "billing"}, {"snapshots", "api"}} {
			status, _ = login(refused[0], refused[1])
			assert.Equal(t, 403, status, refused)
		}
	})
	// A standby sends who wants a snapshot to the leader. Go would follow to a name that OpenSSL refuses.
	t.Run("ARedirectLeadsToANameThatOpenSSLBelieves", func(t *testing.T) {
		for _, standby := range others(c.awaitLeader(t)) {
			p := c.pods[standby]
			got, err := programs.Run(t, limit, programs.Command{
				Name: "snapshot", Names: c.names, Env: append(p.env(t), "TOKEN="+root),
				Args: []string{programs.Tool(t, "python"), "-c", snapshot, p.name + ".vault-internal.alphapulse-prod.svc"},
			})
			require.NoError(t, err, got)
			assert.Contains(t, got, "from https://"+c.pods[c.awaitLeader(t)].name+".vault-internal.alphapulse-prod.svc:8200/")
		}
	})
	t.Run("PrometheusNeedsNoToken", func(t *testing.T) {
		for i := range c.pods {
			until(t, limit, "it says that it is open", func() bool { return open.MatchString(c.metrics(i)) })
		}
	})
	t.Run("ASecondInitRunChangesNothing", func(t *testing.T) {
		before := a.versions(t, secret)
		for _, p := range c.pods {
			silent := *p
			silent.aws.endpoint = "http://127.63.0.250:9" // nobody: everyday starts do not depend on Secrets Manager
			silent.tmp = t.TempDir()
			log, err := silent.prepare(t)
			require.NoError(t, err)
			assert.Empty(t, log)
		}
		assert.Equal(t, before, a.versions(t, secret))
		c.read(t, root, "first", 0)
	})

	t.Run("LeaderKilled", func(t *testing.T) {
		gone := c.awaitLeader(t)
		c.kill(gone)
		took := c.write(t, root, "after-a-kill", others(gone)...)
		t.Logf("kill -9 of the leader, until a secret is written: %.1f s (promised: 10 s)", took.Seconds())
		assert.Less(t, took, 10*time.Second)
		for range 50 {
			c.write(t, root, "while-it-was-away", others(gone)...)
		}
		c.address(t, 2, gone)
		began := time.Now()
		c.start(t, gone)
		c.awaitReady(t, gone)
		leader := c.awaitLeader(t)
		until(t, limit, "the follower has caught up", func() bool { return c.applied(gone) >= c.applied(leader) && c.applied(gone) > 0 })
		t.Logf("a pod back at a new address, unsealed and caught up: %.1f s", time.Since(began).Seconds())
		assert.Len(t, c.voters(t, root), 3)
	})
	t.Run("LeaderStopped", func(t *testing.T) {
		gone := c.awaitLeader(t)
		began := time.Now()
		c.processes[gone].Signal(t, syscall.SIGTERM) // the entrypoint hands it on
		until(t, limit, "another leads", func() bool { leader := c.leader(); return leader >= 0 && leader != gone })
		c.write(t, root, "after-a-stop", others(gone)...)
		took := time.Since(began)
		t.Logf("a planned stop of the leader, until a secret is written through another: %.1f s", took.Seconds())
		assert.Less(t, took, 10*time.Second)
		until(t, time.Minute, "it ends by itself within its grace", c.processes[gone].Ended)
		c.start(t, gone)
		c.awaitReady(t, 0, 1, 2)
	})
	t.Run("AllBackAtNewAddressesUnsealed", func(t *testing.T) {
		for i := range c.pods {
			c.kill(i)
		}
		c.address(t, 3)
		began := time.Now()
		for i := range c.pods {
			c.start(t, i)
		}
		c.awaitReady(t, 0, 1, 2)
		c.write(t, root, "after-all", 0, 1, 2)
		t.Logf("all three killed and back at new addresses, unsealed and writing: %.1f s", time.Since(began).Seconds())
		for _, name := range []string{"first", "after-a-kill", "while-it-was-away", "after-a-stop"} {
			c.read(t, root, name, 0)
		}
		assert.Len(t, a.versions(t, secret), 1)
	})
	t.Run("FirstPodsVolumeLost", func(t *testing.T) {
		c.kill(0)
		c.pods[0].volume = c.t.TempDir()
		c.address(t, 4, 0)
		c.start(t, 0)
		c.awaitReady(t, 0)
		assert.Len(t, a.versions(t, secret), 1, "it joins the others, and makes no Vault of its own")
		c.read(t, root, "after-all", 0)
		leader := c.awaitLeader(t)
		until(t, limit, "it has caught up", func() bool { return c.applied(0) >= c.applied(leader) && c.applied(0) > 0 })
		until(t, limit, "all three vote", func() bool { return len(c.voters(t, root)) == 3 })
	})
	t.Run("RenewedCertificate", func(t *testing.T) {
		for i, p := range c.pods {
			renewed := c.authority.issue(t, p.tls).String()
			took := until(t, limit, "the renewed certificate is served", func() bool { return c.serial(i) == renewed })
			t.Logf("%s serves a renewed certificate after %.1f s", p.name, took.Seconds())
			assert.False(t, c.processes[i].Ended())
			assert.NotContains(t, c.processes[i].Log(t), "shutdown")
		}
		c.write(t, root, "renewed", 0, 1, 2)

		// Half of a pair, as a mistake would leave it: it is refused, and the old one served on.
		p, shown := c.pods[2], c.serial(2)
		certificate, err := os.ReadFile(filepath.Join(c.pods[1].tls, "tls.crt"))
		require.NoError(t, err)
		key, err := os.ReadFile(filepath.Join(p.tls, "tls.key"))
		require.NoError(t, err)
		exchange(t, p.tls, map[string][]byte{"tls.crt": certificate, "tls.key": key, "ca.crt": nil})
		until(t, limit, "the broken pair is seen", func() bool {
			return strings.Count(c.processes[2].Log(t), "the certificate has changed") == 2
		})
		assert.Equal(t, shown, c.serial(2))
		assert.True(t, c.ready(2))
	})
	t.Run("AllVolumesLost", func(t *testing.T) { // docs/runbooks/vault.md
		old := a.versions(t, secret)
		require.Len(t, old, 1)
		for i, p := range c.pods {
			c.kill(i)
			p.volume = c.t.TempDir()
			c.authority.issue(t, p.tls) // one had half of another pair
		}
		c.address(t, 5)
		for i := range c.pods {
			c.start(t, i)
		}
		assert.Len(t, a.versions(t, secret), 1, "while the label is there nobody makes another Vault")
		label := func(stage, move string) {
			a.secrets(t, "UpdateSecretVersionStage", fields{"SecretId": secret, "VersionStage": stage, move: old[0].VersionID}, &fields{})
		}
		label("RESTORED", "MoveToVersionId")
		label(inUse, "RemoveFromVersionId")
		c.kill(0)
		c.pods[0].volume = c.t.TempDir()
		c.start(t, 0)
		c.awaitReady(t, 0, 1, 2)
		assert.Len(t, a.versions(t, secret), 2, "the keys of before are kept")
		c.write(t, c.root(t, a.keys(t, secret)), "in-the-new-one", 0, 1, 2)
	})
	t.Run("NoSecretInLogs", func(t *testing.T) { // of the steps that have them, and of all that has run since
		logs := c.past
		for _, p := range c.processes {
			logs = append(logs, p.Log(t))
		}
		assert.Contains(t, logs[2], "create: a Vault is made", "the first pod is started last")
		for _, log := range logs {
			unsaid(t, log, append(keys.Keys, a.keys(t, secret).Keys...))
		}
	})
}

// unsaid wants none of the keys in a log, and no token whatever.
func unsaid(t *testing.T, log string, keys []string) {
	t.Helper()
	for _, secret := range append(keys, "hvs.") {
		assert.False(t, strings.Contains(log, secret), "a key or a token is in a log")
	}
}
