package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// cluster is the StatefulSet: three pods, and the names that lead to them.
type cluster struct {
	t         *testing.T // pods live as long as the test, not as long as a part of it
	pods      []*pod
	processes []*programs.Process
	past      []string // what steps and processes have said that have ended
	authority *authority
	names     *programs.Names
	api       *kubernetes
	aws       aws
	client    *http.Client

	mu    sync.Mutex
	where map[string]string // addresses by host name
}

func newCluster(t *testing.T, a aws, secret string, block int) *cluster {
	t.Helper()
	c := &cluster{t: t, authority: newAuthority(t), names: programs.NewNames(t), aws: a, processes: make([]*programs.Process, 3)}
	c.api = newKubernetes(t, block)
	for i := range 3 {
		p := &pod{
			run:  c.api.run,
			name: fmt.Sprintf("vault-%d", i), private: programs.AddressesIn(loopback, 200+block, 3)[i],
			volume: t.TempDir(), tmp: t.TempDir(), tls: t.TempDir(), secret: secret, names: c.names, aws: a,
		}
		c.authority.issue(t, p.tls)
		c.pods = append(c.pods, p)
	}
	c.address(t, block)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		host = c.where[host]
		c.mu.Unlock()
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	c.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: c.authority.pool()}, DisableKeepAlives: true,
	}}
	return c
}

// address gives the pods new addresses, all or those named, and tells DNS.
func (c *cluster) address(t *testing.T, block int, only ...int) {
	t.Helper()
	fresh := programs.AddressesIn(loopback, block, 3)
	hosts, where := map[string][]string{"kubernetes.default.svc": {c.api.address}}, map[string]string{}
	for i, p := range c.pods {
		if len(only) == 0 || only[0] == i {
			p.address = fresh[i]
		}
		for _, name := range []string{p.name + ".vault-internal", p.name + ".vault-internal.alphapulse-prod.svc"} {
			hosts[name], where[name] = []string{p.address}, p.address
		}
	}
	c.names.Set(t, hosts)
	c.mu.Lock()
	c.where = where
	c.mu.Unlock()
}

// start runs a pod: the steps before, then Vault.
func (c *cluster) start(t *testing.T, i int) {
	t.Helper()
	p := c.pods[i]
	p.tmp = c.t.TempDir()
	log, err := p.prepare(t)
	c.past = append(c.past, log)
	require.NoError(t, err)
	if gone := c.processes[i]; gone != nil {
		c.past = append(c.past, gone.Log(t))
	}
	c.processes[i] = programs.Start(c.t, p.command(t, "entrypoint"))
}

// metrics are what a pod tells Prometheus, who has no token; nothing while it does not answer.
func (c *cluster) metrics(i int) string {
	answer, err := c.client.Get("https://" + c.pods[i].name + ".vault-internal:8200/v1/sys/metrics?format=prometheus")
	if err != nil {
		return ""
	}
	text, err := readAll(answer)
	if err != nil || answer.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

func readAll(answer *http.Response) ([]byte, error) {
	defer func() { _ = answer.Body.Close() }()
	return io.ReadAll(answer.Body)
}

// ask sends a request to one pod, or to the one it sends to, and gives the status and the answer.
func (c *cluster) ask(i int, method, path, token string, body any) (int, map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(method, "https://"+c.pods[i].name+".vault-internal:8200/v1/"+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("X-Vault-Token", token)
	answer, err := c.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	raw, err := readAll(answer)
	if err != nil {
		return 0, nil, err
	}
	var got map[string]any
	_ = json.Unmarshal(raw, &got) // some answers have no body
	return answer.StatusCode, got, nil
}

// must is a request that is answered.
func (c *cluster) must(t *testing.T, i int, method, path, token string, body any) map[string]any {
	t.Helper()
	status, got, err := c.ask(i, method, path, token, body)
	require.NoError(t, err)
	require.Less(t, status, 300, "%s %s: %v", method, path, got)
	return got
}

// ready is what the readiness probe asks.
func (c *cluster) ready(i int) bool {
	status, _, err := c.ask(i, "GET", "sys/health?standbyok=true", "", nil)
	return err == nil && status == 200
}

func (c *cluster) awaitReady(t *testing.T, pods ...int) {
	t.Helper()
	until(t, limit, fmt.Sprint("pods are ready: ", pods), func() bool {
		for _, i := range pods {
			if !c.ready(i) {
				return false
			}
		}
		return true
	})
}

// leader is the pod that leads, as those say that run; -1 if none does.
func (c *cluster) leader() int {
	for i := range c.pods {
		_, got, err := c.ask(i, "GET", "sys/leader", "", nil)
		if err == nil && got["is_self"] == true {
			return i
		}
	}
	return -1
}

func (c *cluster) awaitLeader(t *testing.T) (leader int) {
	t.Helper()
	until(t, limit, "there is a leader", func() bool { leader = c.leader(); return leader >= 0 })
	return leader
}

// others are the two that are not the one.
func others(one int) []int { return []int{(one + 1) % 3, (one + 2) % 3} }

// applied is how far a pod has applied Raft's log.
func (c *cluster) applied(i int) float64 {
	_, got, err := c.ask(i, "GET", "sys/leader", "", nil)
	if err != nil {
		return -1
	}
	index, _ := got["raft_applied_index"].(float64)
	return index
}

// voters are the pods that may vote, by what the leader knows of them.
func (c *cluster) voters(t *testing.T, token string) (names []string) {
	t.Helper()
	got := c.must(t, c.awaitLeader(t), "GET", "sys/storage/raft/configuration", token, nil)
	data, _ := got["data"].(map[string]any)
	config, _ := data["config"].(map[string]any)
	servers, _ := config["servers"].([]any)
	for _, one := range servers {
		if server, _ := one.(map[string]any); server["voter"] == true {
			names = append(names, fmt.Sprint(server["node_id"]))
		}
	}
	return names
}

// root makes a root token from the recovery keys, as a person would: whoever can, has the keys.
func (c *cluster) root(t *testing.T, keys kept) string {
	t.Helper()
	leader := c.awaitLeader(t)
	begun := c.must(t, leader, "POST", "sys/generate-root/attempt", "", map[string]any{})
	var encoded string
	for _, key := range keys.Keys[:keys.Threshold] {
		got := c.must(t, leader, "POST", "sys/generate-root/update", "", map[string]any{"nonce": begun["nonce"], "key": key})
		encoded, _ = got["encoded_token"].(string)
	}
	require.NotEmpty(t, encoded, "three keys are enough")
	raw, err := base64.RawStdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	otp := fmt.Sprint(begun["otp"])
	for i := range raw {
		raw[i] ^= otp[i]
	}
	return string(raw)
}

// write keeps asking pods until a secret is written, and gives how long that took.
func (c *cluster) write(t *testing.T, token, name string, pods ...int) time.Duration {
	t.Helper()
	tried := 0
	return until(t, limit, "a secret is written", func() bool {
		tried++
		status, _, err := c.ask(pods[tried%len(pods)], "POST", "secret/data/api/"+name, token, map[string]any{"data": map[string]any{"value": name}})
		return err == nil && status < 300
	})
}

func (c *cluster) read(t *testing.T, token, name string, pod int) {
	t.Helper()
	got := c.must(t, pod, "GET", "secret/data/api/"+name, token, nil)
	assert.Contains(t, fmt.Sprint(got["data"]), "value:"+name)
}

// serial is that of the certificate that a pod shows.
func (c *cluster) serial(i int) string {
	connection, err := tls.Dial("tcp", c.pods[i].address+":8200", &tls.Config{RootCAs: c.authority.pool(), ServerName: "vault"})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = connection.Close() }()
	return connection.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func (c *cluster) kill(i int) { c.processes[i].Kill() }
