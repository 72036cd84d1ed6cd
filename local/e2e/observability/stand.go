// Package observability runs the real Prometheus and Alertmanager with the files that the platform's pods have: against the API server of a
// whole stack, with a network of the test's and a PagerDuty of the test's.
package observability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

const (
	loopback = 83 // this suite's part of the loopback range
	stack    = "local"
	// quicker and quickest are how much faster than in the cluster time passes where a test waits for alerts: for every duration in every
	// file. Prometheus has to ask all its targets meanwhile.
	quicker, quickest = 10, 30
)

func stringReader(text string) io.Reader { return strings.NewReader(text) }

// patch changes what a test has to change in the files of a program, and nothing else.
type patch func(text string) string

// replace wants the text to be there.
func replace(t *testing.T, old, with string) patch {
	return func(text string) string {
		t.Helper()
		require.Contains(t, text, old)
		return strings.ReplaceAll(text, old, with)
	}
}

var duration = regexp.MustCompile(`\b(\d+)(s|m|h|d)\b`)

// faster makes all durations shorter.
func faster(times int) patch {
	return func(text string) string {
		return duration.ReplaceAllStringFunc(text, func(found string) string {
			parts := duration.FindStringSubmatch(found)
			n, _ := strconv.Atoi(parts[1])
			unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[parts[2]]
			return fmt.Sprintf("%dms", time.Duration(n)*unit/time.Duration(times)/time.Millisecond)
		})
	}
}

// shipped copies a folder of files that the pods have, patched.
func shipped(t *testing.T, name string, patches map[string][]patch, all ...patch) string {
	t.Helper()
	from, to := filepath.Join(suite.Root, "observability", name), t.TempDir()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed := string(text)
		for _, p := range slices.Concat(all, patches[inside]) {
			changed = p(changed)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, inside)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, inside), []byte(changed), 0o600)
	}))
	return to
}

// prometheus is a running one.
type prometheus struct{ address string }

// startPrometheus runs it as its pod does: with the account's token, and the environment's names.
func startPrometheus(t *testing.T, address string, c *cluster, n *network, names *programs.Names, all ...patch) *prometheus {
	t.Helper()
	through := func(text string) string { // only the test's network has the pods' addresses
		return regexp.MustCompile(`(?m)^  - job_name: .+$`).ReplaceAllString(text, "$0\n    proxy_url: http://"+n.address)
	}
	folder := shipped(t, "prometheus", map[string][]patch{"prometheus.yml": {through}}, all...)
	p := &prometheus{address + ":9090"}
	programs.Start(t, programs.Command{
		Name: "prometheus", Names: names, Run: c.mount(t, n.authority),
		Args: []string{
			programs.Tool(t, "prometheus"), "--config.file=" + filepath.Join(folder, "prometheus.yml"), "--storage.tsdb.path=" + t.TempDir(),
			"--web.listen-address=" + p.address, "--storage.tsdb.retention.time=15d",
		},
		Env: slices.Concat(c.environment, []string{"ENVIRONMENT=local", "REGION=us-east-1"}),
	})
	suite.Eventually(t, "Prometheus is ready", ready("http://"+p.address+"/-/ready"))
	return p
}

// ask asks its API.
func (p *prometheus) ask(path string, into any) error {
	return getJSON("http://"+p.address+"/api/v1/"+path, &struct{ Data any }{into})
}

// value is the one value of an expression; no value is no error.
func (p *prometheus) value(expression string) (float64, bool, error) {
	var result struct{ Result []struct{ Value [2]any } }
	if err := p.ask("query?query="+url.QueryEscape(expression), &result); err != nil || len(result.Result) == 0 {
		return 0, false, err
	}
	text, _ := result.Result[0].Value[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	return value, true, err
}

func getJSON(address string, into any) error {
	response, err := (&http.Client{Timeout: 20 * time.Second}).Get(address)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s: %s", address, response.Status, body)
	}
	return json.Unmarshal(body, into)
}

// alertmanager is a running one, and the PagerDuty and the friend outside that it tells.
type alertmanager struct {
	address string

	lock     sync.Mutex
	events   []event
	watchdog int
}

// event is what PagerDuty is told.
type event struct {
	Key     string `json:"routing_key"`
	Action  string `json:"event_action"`
	Dedup   string `json:"dedup_key"`
	Payload struct {
		Summary, Severity, Class, Component, Group string

		Details map[string]any `json:"custom_details"`
	}
}

func startAlertmanager(t *testing.T, address string, all ...patch) *alertmanager {
	t.Helper()
	a := &alertmanager{address: address + ":9093"}
	outside := http.NewServeMux()
	outside.HandleFunc("POST /v2/enqueue", func(w http.ResponseWriter, r *http.Request) {
		var e event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.lock.Lock()
		a.events = append(a.events, e)
		a.lock.Unlock()
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"status":"success"}`)
	})
	outside.HandleFunc("POST /watchdog", func(http.ResponseWriter, *http.Request) {
		a.lock.Lock()
		a.watchdog++
		a.lock.Unlock()
	})
	serve(t, address+":8080", outside)

	secrets := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(secrets, "routing-key"), []byte("the-key"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(secrets, "dead-mans-switch-url"), []byte("http://"+address+":8080/watchdog"), 0o600))
	folder := shipped(t, "alertmanager", map[string][]patch{"alertmanager.yml": {
		replace(t, "/etc/alertmanager/secrets/", secrets+"/"),
		replace(t, "\nglobal:\n", "\nglobal:\n  pagerduty_url: http://"+address+":8080/v2/enqueue\n"),
	}}, all...)
	programs.Start(t, programs.Command{Name: "alertmanager", Args: []string{
		programs.Tool(t, "alertmanager"), "--config.file=" + filepath.Join(folder, "alertmanager.yml"), "--storage.path=" + t.TempDir(),
		"--web.listen-address=" + a.address, "--cluster.listen-address=",
	}})
	suite.Eventually(t, "Alertmanager is ready", ready("http://"+a.address+"/-/ready"))
	return a
}

// told is what PagerDuty was told of the alerts that a condition holds for, in order.
func (a *alertmanager) told(of func(event) bool) (told []event) {
	a.lock.Lock()
	defer a.lock.Unlock()
	for _, e := range a.events {
		if of(e) {
			told = append(told, e)
		}
	}
	return told
}

func (a *alertmanager) barks() int {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.watchdog
}

// alert is one that Prometheus might send.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	EndsAt      time.Time         `json:"endsAt"`
}

func (a *alertmanager) send(t *testing.T, alerts ...alert) {
	t.Helper()
	body, err := json.Marshal(alerts)
	require.NoError(t, err)
	response, err := http.Post("http://"+a.address+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// quiet names the alerts that are held back, and those that are not.
func (a *alertmanager) quiet(t *testing.T) (held, loud []string) {
	t.Helper()
	var alerts []struct {
		Labels map[string]string
		Status struct{ InhibitedBy []string }
	}
	require.NoError(t, getJSON("http://"+a.address+"/api/v2/alerts", &alerts))
	for _, one := range alerts {
		if len(one.Status.InhibitedBy) > 0 {
			held = append(held, one.Labels["alertname"])
		} else {
			loud = append(loud, one.Labels["alertname"])
		}
	}
	return held, loud
}
