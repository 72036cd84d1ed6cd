package observability

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// WatchesWhatThereIs holds what Prometheus finds in stack local, which is up, against the list of what has to be watched.
func WatchesWhatThereIs(t *testing.T) {
	c := connect(t)
	rows := list(t)
	own := programs.AddressesIn(loopback, 1, 2)
	n := newNetwork(t, own[0], nil)
	p := startPrometheus(t, own[1], c, n, programs.NewNames(t))
	agrees := func(what string, wanted func(wrong []string) bool) {
		t.Helper()
		suite.Within(t, 3*time.Minute, what, func(ctx context.Context) (bool, error) {
			wrong, err := c.differences(ctx, p, rows)
			if err != nil {
				return false, err
			}
			return wanted(wrong), errors.New(strings.Join(wrong, "\n"))
		})
	}
	nothing := func(wrong []string) bool { return len(wrong) == 0 }
	agrees("Prometheus watches what it has to, and nothing else", nothing)

	suite.Within(t, 2*time.Minute, "all of them have answered", func(context.Context) (bool, error) {
		found, err := p.targets()
		if err != nil {
			return false, err
		}
		var silent []string
		for _, one := range found {
			if one.Health != "up" {
				silent = append(silent, one.ScrapePool+" "+one.ScrapeURL+" is "+one.Health+": "+one.LastError)
			}
		}
		return len(silent) == 0, errors.New(strings.Join(silent, "\n"))
	})
	found, err := p.targets()
	require.NoError(t, err)
	t.Logf("%d targets of %d rows", len(found), len(rows))

	pods, err := c.client.CoreV1().Pods("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	nodes, err := c.client.CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	zones := map[string]string{}
	for _, node := range nodes.Items {
		zones[node.Name] = node.Labels[core.LabelTopologyZone]
	}
	for _, one := range found {
		assert.Equal(t, one.ScrapePool, one.Labels["job"])
		switch one.ScrapePool {
		case "kubernetes-pods":
			i := slices.IndexFunc(pods.Items, func(pod core.Pod) bool {
				return pod.Status.PodIP == host(t, one.ScrapeURL) && pod.Status.Phase == core.PodRunning
			})
			require.GreaterOrEqual(t, i, 0, one.ScrapeURL)
			pod := pods.Items[i]
			workload := pod.Labels["app"]
			if workload == "" {
				workload = pod.Labels["app.kubernetes.io/name"]
			}
			assert.Equal(t, map[string]string{
				"job": "kubernetes-pods", "instance": one.Labels["instance"], "namespace": pod.Namespace, "pod": pod.Name, "node": pod.Spec.NodeName,
				"zone": zones[pod.Spec.NodeName], "workload": workload,
			}, one.Labels)
		case "kubelet", "cadvisor", "node-exporter":
			assert.Equal(t, zones[one.Labels["node"]], one.Labels["zone"], "%v", one.Labels)
			assert.NotEmpty(t, one.Labels["zone"])
		}
	}
	for target, with := range n.questions(t) {
		if target.Port() == "10250" {
			assert.Equal(t, "Bearer "+c.token, with.authorization, target)
		} else {
			assert.Empty(t, with.authorization, "%s is shown the token", target)
		}
	}

	t.Run("RulesAreComputed", func(t *testing.T) { rulesAreComputed(t, p) })

	// A pod that does not say so is not watched; the list knows of it all the same.
	all, err := c.client.CoreV1().Pods("alphapulse-"+stack).List(t.Context(), meta.ListOptions{LabelSelector: "app=broker"})
	require.NoError(t, err)
	require.NotEmpty(t, all.Items)
	mute := all.Items[0]
	_, err = c.client.CoreV1().Pods(mute.Namespace).Patch(t.Context(), mute.Name, types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"prometheus.io/scrape":null}}}`), meta.PatchOptions{})
	require.NoError(t, err)
	missing := "not watched: kubernetes-pods http://" + mute.Status.PodIP + ":9121/metrics"
	agrees("without its annotation a pod is missed", func(wrong []string) bool { return slices.Equal(wrong, []string{missing}) })
	_, err = c.client.CoreV1().Pods(mute.Namespace).Patch(t.Context(), mute.Name, types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"prometheus.io/scrape":"true"}}}`), meta.PatchOptions{})
	require.NoError(t, err)
	agrees("with it, it is watched again", nothing)
}

// rulesAreComputed says that every rule that ships was read and evaluated.
func rulesAreComputed(t *testing.T, p *prometheus) {
	type group struct {
		Name  string
		Rules []struct{ Name, Type, Health, LastError string }
	}
	var loaded struct{ Groups []group }
	suite.Within(t, 2*time.Minute, "every rule has been evaluated", func(context.Context) (bool, error) {
		if err := p.ask("rules", &loaded); err != nil {
			return false, err
		}
		var wrong []string
		for _, g := range loaded.Groups {
			for _, r := range g.Rules {
				if r.Health != "ok" {
					wrong = append(wrong, g.Name+" "+r.Name+" is "+r.Health+": "+r.LastError)
				}
			}
		}
		return len(loaded.Groups) > 0 && len(wrong) == 0, errors.New(strings.Join(wrong, "\n"))
	})
	alerts, recordings := 0, 0
	for _, g := range loaded.Groups {
		for _, r := range g.Rules {
			assert.Empty(t, r.LastError, r.Name)
			if r.Type == "alerting" {
				alerts++
			} else {
				recordings++
			}
		}
	}
	t.Logf("%d alerts and %d recordings in %d groups are computed", alerts, recordings, len(loaded.Groups))
	assert.Greater(t, alerts, 60)
	assert.Greater(t, recordings, 15)
	suite.Eventually(t, "the dead man's switch is on", func(context.Context) (bool, error) {
		value, there, err := p.value(`ALERTS{alertname="Watchdog",alertstate="firing"}`)
		return there && value == 1, err
	})
}
