package checks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limit is what anything may take on a busy machine.
const limit = time.Minute

// address is followed by a number for each program. Another run beside this one has another.
var address = fmt.Sprintf("127.70.%d.", os.Getpid()%250)

// program is one that can be run here, to be asked for its metrics.
type program struct {
	list string // of observability/metrics
	url  string
	args []string
	// files are what it finds in its folder, after is done once it answers.
	files map[string]string
	after func(t *testing.T)
}

var programs = []program{
	{
		list: "node-exporter", url: address + "1:9100/metrics", args: []string{"node_exporter", "--web.listen-address=" + address + "1:9100"},
	},
	{
		list: "traefik", url: address + "2:8080/metrics", args: []string{"traefik", "--configfile=traefik.yml"},
		files: map[string]string{
			"traefik.yml": `
entryPoints: {websecure: {address: "` + address + `2:8443", asDefault: true}, health: {address: "` + address + `2:8080"}}
metrics: {prometheus: {entryPoint: health, addRoutersLabels: true}}
providers: {file: {filename: dynamic.yml}}
`,
			"dynamic.yml": `
http:
  routers: {all: {rule: "PathPrefix(` + "`/`" + `)", service: itself}}
  services: {itself: {loadBalancer: {servers: [{url: "http://` + address + `2:8080"}]}}}
`,
		},
		after: func(t *testing.T) {
			until(t, "Traefik has read its routes", func() bool {
				answer, err := http.Get("http://" + address + "2:8443/metrics")
				if err == nil {
					_ = answer.Body.Close()
				}
				return err == nil && answer.StatusCode == http.StatusOK
			})
		},
	},
	{
		list: "vault", url: address + "3:8200/v1/sys/metrics?format=prometheus", args: []string{"vault", "server", "-config=vault.hcl"},
		files: map[string]string{"vault.hcl": `
disable_mlock = true
api_addr      = "http://` + address + `3:8200"
cluster_addr  = "http://` + address + `3:8201"

storage "raft" {
  path    = "."
  node_id = "vault-0"
}
listener "tcp" {
  address         = "` + address + `3:8200"
  cluster_address = "` + address + `3:8201"
  tls_disable     = true
  telemetry {
    unauthenticated_metrics_access = true
  }
}
telemetry {
  prometheus_retention_time = "1m"
  disable_hostname          = true
}
`},
		after: unseal,
	},
	{
		list: "prometheus", url: address + "4:9090/metrics",
		args: []string{"prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=" + address + "4:9090"},
		files: map[string]string{
			"prometheus.yml": `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["` + address + `5:9093"]}]}]}
scrape_configs:
  - {job_name: prometheus, static_configs: [{targets: ["` + address + `4:9090"]}]}
  - {job_name: kubernetes-pods, kubernetes_sd_configs: [{role: pod, api_server: "http://` + address + `9:1"}]}
`,
			"rules.yml": `groups: [{name: one, rules: [{alert: Watchdog, expr: vector(1)}]}]`,
		},
	},
	{
		list: "alertmanager", url: address + "5:9093/metrics",
		args: []string{
			"alertmanager", "--config.file=alertmanager.yml", "--storage.path=data", "--web.listen-address=" + address + "5:9093",
			"--cluster.listen-address=" + address + "5:9094",
		},
		files: map[string]string{"alertmanager.yml": `
route: {receiver: pagerduty}
receivers: [{name: pagerduty, pagerduty_configs: [{routing_key: none, url: "http://` + address + `9:1/"}]}]
`},
	},
}

// start runs it until the test ends.
func (p program) start(t *testing.T) {
	t.Helper()
	tools := os.Getenv("ALPHAPULSE_TOOLS")
	require.NotEmpty(t, tools, "this suite is run by `make test`, which installs its programs first")
	folder := t.TempDir()
	for name, text := range p.files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	var log bytes.Buffer
	command := exec.Command(filepath.Join(tools, p.args[0]), p.args[1:]...)
	command.Dir, command.Stdout, command.Stderr = folder, &log, &log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, command.Start(), "%s belongs to TEST_FAMILIES of the Makefile", p.args[0])
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	until(t, p.args[0]+" answers", func() bool {
		answer, err := http.Get("http://" + p.url)
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	})
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !condition(); time.Sleep(200 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "%s: not within %s", what, limit)
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	answer, err := http.Get("http://" + url)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return text
}

// unseal makes a Vault of one, with one key, and uses it once.
func unseal(t *testing.T) {
	t.Helper()
	token := ""
	put := func(path, body string, into any) bool {
		request, err := http.NewRequest(http.MethodPut, "http://"+address+"3:8200/v1/"+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("X-Vault-Token", token)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		return answer.StatusCode < 300 && (into == nil || json.NewDecoder(answer.Body).Decode(into) == nil)
	}
	var made struct {
		Keys  []string
		Token string `json:"root_token"`
	}
	require.True(t, put("sys/init", `{"secret_shares": 1, "secret_threshold": 1}`, &made))
	token = made.Token
	require.True(t, put("sys/unseal", fmt.Sprintf(`{"key": %q}`, made.Keys[0]), nil))
	var lent struct {
		Auth struct {
			Token string `json:"client_token"`
		}
	}
	until(t, "Vault lends a token", func() bool { return put("auth/token/create", `{"ttl": "1m"}`, &lent) })
	require.True(t, put("auth/token/revoke", fmt.Sprintf(`{"token": %q}`, lent.Auth.Token), nil))
}

// exposed is what a program says of itself: of each metric its kind and its labels.
func exposed(t *testing.T, url string) map[string]metric {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(get(t, url)))
	require.NoError(t, err)
	all := map[string]metric{}
	for name, family := range families {
		kind := strings.ToLower(dto.MetricType_name[int32(family.GetType())])
		labels := set{}
		for _, one := range family.GetMetric() {
			for _, label := range one.GetLabel() {
				labels[label.GetName()] = true
			}
		}
		all[name] = metric{kind, labels}
	}
	return all
}

// What stands in a list is what the program of the version that we run exposes.
func TestO5ListsAreWhatProgramsExpose(t *testing.T) {
	t.Parallel()
	for _, p := range programs {
		t.Run(p.list, func(t *testing.T) {
			t.Parallel() // most of it is waiting for what a program shows only after a while
			p.start(t)
			if p.after != nil {
				p.after(t)
			}
			text, err := os.ReadFile(filepath.Join(lists, p.list+".txt"))
			require.NoError(t, err)
			listed := regexp.MustCompile(`(?m)^([a-z]\S*) (\S+) ?(.*)$`).FindAllStringSubmatch(string(text), -1)
			require.NotEmpty(t, listed)
			var missing []string
			seen := map[string]metric{} // some come after a while, and Vault forgets what has not happened for a minute
			for end := time.Now().Add(limit); ; time.Sleep(time.Second) {
				for name, one := range exposed(t, p.url) {
					seen[name] = metric{one.kind, one.labels.with(seen[name].labels)}
				}
				missing = nil
				for _, one := range listed {
					found, is := seen[one[1]]
					switch {
					case !is:
						missing = append(missing, one[1])
					case found.kind != one[2]:
						missing = append(missing, one[1]+" is a "+found.kind)
					default:
						for _, label := range strings.Fields(one[3]) {
							if !found.labels[label] {
								missing = append(missing, one[1]+" without "+label)
							}
						}
					}
				}
				if len(missing) == 0 || time.Now().After(end) {
					break
				}
			}
			assert.Empty(t, missing, "%d are listed", len(listed))
		})
	}
}

// The programs are those that the platform runs: a list of another version would prove little.
func TestO5ListsAreOfTheVersionsThatRun(t *testing.T) {
	stack, err := os.ReadFile("../../Pulumi.prod.yaml")
	require.NoError(t, err)
	versions, err := os.ReadFile("../../config/versions.go")
	require.NoError(t, err)
	for list, where := range map[string]struct {
		pattern string
		text    []byte
	}{
		"traefik":            {`library/traefik:v(\S+)`, stack},
		"vault":              {`hashicorp/vault:(\S+)`, stack},
		"postgres-exporter":  {`postgres-exporter:v(\S+)`, stack},
		"alloy":              {`grafana/alloy:v(\d+\.\d+)\.`, stack}, // these two lists are of any patch
		"loki":               {`grafana/loki:(\d+\.\d+)\.`, stack},
		"redis-exporter":     {`redis_exporter:v([0-9.]+)`, versions},
		"pgbouncer-exporter": {`pgbouncer-exporter:v([0-9.]+)`, versions},
		"keda":               {`KEDAVersion += "([0-9.]+)"`, versions},
		"karpenter":          {`KarpenterVersion += "([0-9.]+)"`, versions},
		"cert-manager":       {`CertManagerVersion += "v([0-9.]+)"`, versions},
		"external-secrets":   {`ExternalSecretsVersion += "([0-9.]+)"`, versions},
	} {
		found := regexp.MustCompile(where.pattern).FindSubmatch(where.text)
		require.NotNil(t, found, list)
		text, err := os.ReadFile(filepath.Join(lists, list+".txt"))
		require.NoError(t, err)
		head, _, _ := strings.Cut(string(text), "\n")
		assert.Contains(t, head, " "+string(found[1]), "%s is of another version: read its source, or run it, again", list)
	}
}
