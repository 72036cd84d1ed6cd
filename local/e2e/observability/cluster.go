package observability

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// cluster is the stack's API server, as Prometheus' pod sees it.
type cluster struct {
	client      kubernetes.Interface
	token       string
	authority   []byte
	environment []string
}

// connect gets the token of the account that the stack gives Prometheus: what it may not list, it does not find.
func connect(t *testing.T) *cluster {
	t.Helper()
	config, err := controlplane.Config("alphapulse-" + stack)
	require.NoError(t, err)
	authority, err := os.ReadFile(config.CAFile)
	require.NoError(t, err)
	address, err := url.Parse(config.Host)
	require.NoError(t, err)
	c := &cluster{
		client: suite.Client(t, stack), authority: authority,
		environment: []string{"KUBERNETES_SERVICE_HOST=" + address.Hostname(), "KUBERNETES_SERVICE_PORT=" + address.Port()},
	}
	runs, err := c.client.AppsV1().StatefulSets("monitoring").Get(t.Context(), "prometheus", meta.GetOptions{})
	require.NoError(t, err)
	hours := int64(3600)
	made, err := c.client.CoreV1().ServiceAccounts("monitoring").CreateToken(t.Context(), runs.Spec.Template.Spec.ServiceAccountName,
		&authentication.TokenRequest{Spec: authentication.TokenRequestSpec{ExpirationSeconds: &hours}}, meta.CreateOptions{})
	require.NoError(t, err)
	c.token = made.Status.Token
	return c
}

// mount is what the pod has under /var/run. The kubelets' certificates are the test's.
func (c *cluster) mount(t *testing.T, kubelets []byte) string {
	t.Helper()
	run := t.TempDir()
	account := filepath.Join(run, "secrets/kubernetes.io/serviceaccount")
	require.NoError(t, os.MkdirAll(account, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(account, "token"), []byte(c.token), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(account, "ca.crt"), append(slices.Clone(c.authority), kubelets...), 0o600))
	return run
}

// row is one of the list of what has to be watched.
type row struct {
	job, namespace, label string // label is empty for nodes
	url                   string // without the address
}

// list reads testdata/targets.txt.
func list(t *testing.T) (rows []row) {
	t.Helper()
	file, err := os.Open(filepath.Join(suite.Root, "local", "e2e", "observability", "testdata", "targets.txt"))
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case len(words) == 3 && words[1] == "nodes":
			rows = append(rows, row{job: words[0], url: words[2]})
		case len(words) == 4:
			rows = append(rows, row{words[0], words[1], words[2], words[3]})
		default:
			require.Fail(t, "a row has a job, a namespace and a label (or `nodes`), and a URL", lines.Text())
		}
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, rows)
	return rows
}

func (r row) at(address string) string {
	return r.job + " " + strings.Replace(r.url, "ADDRESS", address, 1)
}

// due are the targets that there have to be, by the list and the pods and nodes that run: whatever they are annotated with.
func (c *cluster) due(ctx context.Context, rows []row) (targets []string, err error) {
	nodes, err := c.client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.label == "" {
			for _, node := range nodes.Items {
				i := slices.IndexFunc(node.Status.Addresses, func(a core.NodeAddress) bool { return a.Type == core.NodeInternalIP })
				if i < 0 {
					return nil, fmt.Errorf("%s has no address", node.Name)
				}
				targets = append(targets, r.at(node.Status.Addresses[i].Address))
			}
			continue
		}
		pods, err := c.client.CoreV1().Pods(r.namespace).List(ctx, meta.ListOptions{LabelSelector: r.label})
		if err != nil {
			return nil, err
		}
		if len(pods.Items) == 0 {
			return nil, fmt.Errorf("no pod of %s has the label %s", r.namespace, r.label)
		}
		for _, pod := range pods.Items {
			if pod.Status.PodIP != "" && pod.Status.Phase == core.PodRunning {
				targets = append(targets, r.at(pod.Status.PodIP))
			}
		}
	}
	slices.Sort(targets)
	return targets, nil
}

// target is one that Prometheus has found.
type target struct {
	ScrapeURL, ScrapePool, Health, LastError string

	Labels map[string]string
}

func (p *prometheus) targets() (targets []target, err error) {
	var found struct{ ActiveTargets []target }
	err = p.ask("targets?state=active", &found)
	return found.ActiveTargets, err
}

// differences are what should be watched and is not, and what is watched and should not be.
func (c *cluster) differences(ctx context.Context, p *prometheus, rows []row) ([]string, error) {
	due, err := c.due(ctx, rows)
	if err != nil {
		return nil, err
	}
	found, err := p.targets()
	if err != nil {
		return nil, err
	}
	var are, wrong []string
	for _, one := range found {
		if one.ScrapePool != "prometheus" {
			are = append(are, one.ScrapePool+" "+one.ScrapeURL)
		}
	}
	for _, name := range due {
		if !slices.Contains(are, name) {
			wrong = append(wrong, "not watched: "+name)
		}
	}
	for i, name := range are {
		if !slices.Contains(due, name) {
			wrong = append(wrong, "nobody asked for: "+name)
		}
		if slices.Contains(are[:i], name) {
			wrong = append(wrong, "watched twice: "+name)
		}
	}
	return wrong, nil
}

// ready waits for a program's own word.
func ready(address string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode == http.StatusOK, fmt.Errorf("%s says %s", address, response.Status)
	}
}

// host is the address in a target's URL.
func host(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	name, _, err := net.SplitHostPort(parsed.Host)
	require.NoError(t, err)
	return name
}
