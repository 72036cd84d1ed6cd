package checks

import (
	"context"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// healthy is a platform that is well, 75 minutes of it, a sample each 15 seconds. Counters grow by what comes in that time.
var healthy = map[string]string{
	`http_requests_total{workload="api", pod="a", route="/signals", method="GET", status="200"}`:    "0+3000x300",
	`http_request_duration_seconds_bucket{workload="api", pod="a", route="/signals", le="0.1"}`:     "0+2700x300",
	`http_request_duration_seconds_bucket{workload="api", pod="a", route="/signals", le="0.5"}`:     "0+2990x300",
	`http_request_duration_seconds_bucket{workload="api", pod="a", route="/signals", le="2.5"}`:     "0+3000x300",
	`http_request_duration_seconds_bucket{workload="api", pod="a", route="/signals", le="+Inf"}`:    "0+3000x300",
	`http_request_duration_seconds_count{workload="api", pod="a", route="/signals"}`:                "0+3000x300",
	`cache_hit_rate{workload="api", pod="a"}`:                                                       "0.93x300",
	`traefik_entrypoint_requests_total{entrypoint="websecure", code="200"}`:                         "0+3000x300",
	`keda_scaler_metrics_value{metric="s0-redis-technical_agent"}`:                                  "10x300",
	`celery_task_duration_seconds_count{queue="technical_agent", task="signal", outcome="success"}`: "0+150x300",
	`keda_scaler_metrics_value{metric="s0-redis-risk"}`:                                             "0x300", // nothing to do, nothing done
	`kube_deployment_spec_replicas{deployment="api"}`:                                               "10x300",
	`kube_deployment_status_replicas_available{deployment="api"}`:                                   "10x300",
	`kube_deployment_spec_replicas{deployment="ingress"}`:                                           "2x300",
	`kube_deployment_status_replicas_available{deployment="ingress"}`:                               "2x300",
	`kube_deployment_spec_replicas{deployment="billing"}`:                                           "2x300",
	`kube_deployment_status_replicas_available{deployment="billing"}`:                               "2x300",
	`kube_deployment_spec_replicas{deployment="agent-worker-technical"}`:                            "5x300",
	`kube_deployment_status_replicas_available{deployment="agent-worker-technical"}`:                "5x300",
	`kube_deployment_spec_replicas{deployment="risk-worker"}`:                                       "5x300",
	`kube_deployment_status_replicas_available{deployment="risk-worker"}`:                           "5x300",
	`kube_deployment_spec_replicas{deployment="pgbouncer"}`:                                         "2x300",
	`kube_deployment_status_replicas_available{deployment="pgbouncer"}`:                             "2x300",
	`up{job="kubernetes-pods", workload="api"}`:                                                     "1x300",
	`pg_up`: "1x300",
	`pg_database_size_bytes{datname="alphapulse"}`:                              "100x300",
	`platform:postgres_storage:bytes`:                                           "500x300",
	`platform:certificate_end:timestamp_seconds{certificate="origin-pull"}`:     "31536000x300",
	`redis_cluster_state{workload="redis", pod="redis-cluster-0"}`:              "1x300",
	`redis_cluster_slots_ok{workload="redis", pod="redis-cluster-0"}`:           "16384x300",
	`redis_instance_info{workload="broker", pod="broker-0", role="master"}`:     "1x300",
	`redis_instance_info{workload="broker", pod="broker-1", role="slave"}`:      "1x300",
	`vault_core_unsealed{pod="vault-0", cluster=""}`:                            "0x300",
	`vault_core_unsealed{pod="vault-0", cluster="alphapulse"}`:                  "1x300",
	`vault_core_unsealed{pod="vault-1", cluster="alphapulse"}`:                  "1x300",
	`vault_core_unsealed{pod="vault-2", cluster="alphapulse"}`:                  "1x300",
	`kube_node_status_condition{node="n", condition="Ready", status="true"}`:    "1x300",
	`kube_node_status_condition{node="n", condition="Ready", status="false"}`:   "0x300",
	`kube_node_status_condition{node="n", condition="Ready", status="unknown"}`: "0x300",
	`kube_pod_info{pod="a"}`: "1x300",
	`certmanager_certificate_expiration_timestamp_seconds{name="alphapulse-tls"}`:                     "5000000x300",
	`certmanager_certificate_expiration_timestamp_seconds{name="never-issued"}`:                       "0x300",
	`backup_last_success_timestamp_seconds{backup="vault"}`:                                           "0+15x300",
	`backup_last_success_timestamp_seconds{backup="redis"}`:                                           "0+15x300",
	`backup_last_success_timestamp_seconds{backup="postgres"}`:                                        "0+15x300",
	`backup_last_success_timestamp_seconds{backup="postgres-restore-point"}`:                          "0+15x300",
	`karpenter_nodepools_usage{nodepool="services", resource_type="cpu"}`:                             "32x300",
	`karpenter_nodepools_limit{nodepool="services", resource_type="cpu"}`:                             "144x300",
	`kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="api-hpa"}`:         "10x300",
	`kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="api-hpa"}`:               "50x300",
	`kubelet_volume_stats_available_bytes{namespace="alphapulse-prod", persistentvolumeclaim="data"}`: "7x300",
	`kubelet_volume_stats_capacity_bytes{namespace="alphapulse-prod", persistentvolumeclaim="data"}`:  "10x300",
}

// platform is the healthy one with some of it otherwise. What has no values is not there at all.
func platform(changes map[string]string) string {
	all := maps.Clone(healthy)
	maps.Copy(all, changes)
	script := "load 15s\n"
	for _, series := range slices.Sorted(maps.Keys(all)) {
		if all[series] != "" {
			script += "  " + series + " " + all[series] + "\n"
		}
	}
	return script
}

// watched is Prometheus after it has watched a platform, with all its rules.
type watched struct {
	engine  *promql.Engine
	storage storage.Queryable
	now     time.Time
}

func watch(t *testing.T, script string) watched {
	t.Helper()
	w := watched{engine: promqltest.NewTestEngine(t, false, 0, 50_000_000), now: time.Unix(300*15, 0)}
	kept := promqltest.LoadedStorage(t, script)
	w.storage = kept
	manager := promrules.NewManager(&promrules.ManagerOptions{
		Context: t.Context(), AppendableV2: kept, Queryable: kept, QueryFunc: promrules.EngineQueryFunc(w.engine, kept),
		NotifyFunc: func(context.Context, string, ...*promrules.Alert) {}, Logger: promslog.NewNopLogger(), Parser: parser.NewParser(parser.Options{}),
	})
	files, err := filepath.Glob(filepath.Join(prometheusFiles, "*", "*.yml"))
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { // facts are for the program to fill in
		return strings.HasSuffix(file, "_test.yml") || filepath.Base(filepath.Dir(file)) == "facts"
	})
	groups, problems := manager.LoadGroups(15*time.Second, labels.EmptyLabels(), "", nil, false, files...)
	require.Empty(t, problems)
	order := slices.SortedFunc(maps.Values(groups), func(a, b *promrules.Group) int { // recorded first, as in rule_files
		return strings.Compare(filepath.Base(filepath.Dir(b.File()))+b.Name(), filepath.Base(filepath.Dir(a.File()))+a.Name())
	})
	for _, group := range order {
		for _, one := range group.AlertingRules() {
			one.SetRestored(true) // there was no Prometheus before this one
		}
	}
	for at := time.Unix(5*60, 0); !at.After(w.now); at = at.Add(time.Minute) { // each 15 seconds would take four times as long
		for _, group := range order {
			group.Eval(t.Context(), at)
		}
	}
	return w
}

// ask gives the values of an expression now.
func (w watched) ask(t *testing.T, expr string) (values []float64) {
	t.Helper()
	query, err := w.engine.NewInstantQuery(t.Context(), w.storage, nil, variables.Replace(expr), w.now)
	require.NoError(t, err, expr)
	result := query.Exec(t.Context())
	require.NoError(t, result.Err, expr)
	switch result := result.Value.(type) {
	case promql.Vector:
		for _, sample := range result {
			values = append(values, sample.F)
		}
	case promql.Scalar:
		values = append(values, result.V)
	}
	return values
}

// lights are the colours of the overview's, by their titles: of several values the worst.
func lights(t *testing.T, w watched) map[string]string {
	t.Helper()
	colours := map[string]string{}
	for _, p := range pages(t) {
		for _, panel := range p.Panels {
			if p.UID != "overview" || panel.Type != "stat" {
				continue
			}
			worst := 0
			for _, target := range panel.Targets {
				values := w.ask(t, target.Expr)
				if len(values) == 0 {
					values = []float64{math.NaN()}
				}
				for _, value := range values {
					worst = max(worst, slices.Index(severity, colour(panel.FieldConfig.Defaults.Thresholds.Steps, value)))
				}
			}
			colours[panel.Title] = severity[worst]
		}
	}
	return colours
}

var severity = []string{"green", "purple", "orange", "red"}

// colour is what Grafana shows a value in.
func colour(steps []step, value float64) string {
	if math.IsNaN(value) {
		return "purple" // "no data"
	}
	shown := ""
	for _, one := range steps {
		if one.Value == nil || value >= *one.Value {
			shown = one.Color
		}
	}
	return shown
}

func TestO3OverviewOfAHealthyPlatformIsGreen(t *testing.T) {
	t.Parallel()
	for title, colour := range lights(t, watch(t, platform(nil))) {
		if title == "Alerts that page" || title == "Alerts for the morning" || title == "Who watches" {
			continue // of a platform that is only half there: below
		}
		assert.Equal(t, "green", colour, title)
	}
}

// What goes wrong shows where it should, in its own light.
func TestO3OverviewShowsWhatHurts(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		changes map[string]string
		want    map[string]string
	}{
		"one request in twenty fails": {
			map[string]string{
				`http_requests_total{workload="api", pod="a", route="/signals", method="GET", status="500"}`: "0+150x300",
				`traefik_entrypoint_requests_total{entrypoint="websecure", code="500"}`:                      "0+150x300",
			},
			map[string]string{"Requests that fail": "red", "Error budget burns at": "red", "Fail at the door": "red", "Alerts that page": "red", "Tasks wait for": "green"},
		},
		"one in a hundred and fifty": {
			map[string]string{`http_requests_total{workload="api", pod="a", route="/signals", method="GET", status="503"}`: "0+20x300"},
			map[string]string{"Requests that fail": "orange", "Error budget burns at": "orange", "Fail at the door": "green"},
		},
		"slow": {
			map[string]string{
				`http_request_duration_seconds_bucket{workload="api", pod="a", route="/signals", le="0.1"}`: "0+100x300",
				`http_request_duration_seconds_bucket{workload="api", pod="a", route="/signals", le="0.5"}`: "0+1500x300",
			},
			map[string]string{"One in twenty takes longer than": "red", "Requests that fail": "green", "Alerts that page": "red"},
		},
		"the API is gone": {
			map[string]string{
				`http_requests_total{workload="api", pod="a", route="/signals", method="GET", status="200"}`: "0+3000x100",
				`kube_deployment_status_replicas_available{deployment="api"}`:                                "10x100 0x200",
				`traefik_entrypoint_requests_total{entrypoint="websecure", code="200"}`:                      "0+3000x100 300000x200",
				`traefik_entrypoint_requests_total{entrypoint="websecure", code="503"}`:                      "0x100 0+3000x200",
				`up{job="kubernetes-pods", workload="api"}`:                                                  "1x100 0x200",
			},
			map[string]string{"Requests that fail": "purple", "Fail at the door": "red", "API": "red", "Alerts that page": "red"},
		},
		"a queue stands still": {
			map[string]string{`keda_scaler_metrics_value{metric="s0-redis-risk"}`: "0x200 40x100"},
			map[string]string{"Tasks wait for": "red", "Requests that fail": "green", "Alerts that page": "red"},
		},
		"a queue is slow": {
			map[string]string{`keda_scaler_metrics_value{metric="s0-redis-technical_agent"}`: "4000x300"},
			map[string]string{"Tasks wait for": "orange", "Alerts for the morning": "orange"},
		},
		"nobody counts": {
			map[string]string{`keda_scaler_metrics_value{metric="s0-redis-technical_agent"}`: "", `keda_scaler_metrics_value{metric="s0-redis-risk"}`: ""},
			map[string]string{"Tasks wait for": "purple"},
		},
		"stateful ones": {
			map[string]string{
				`redis_cluster_state{workload="redis", pod="redis-cluster-0"}`:          "0x300",
				`redis_instance_info{workload="broker", pod="broker-0", role="master"}`: "",
				`vault_core_unsealed{pod="vault-0", cluster="alphapulse"}`:              "0x300",
				`pg_up`: "0x300",
			},
			map[string]string{"Redis Cluster": "red", "Broker's primaries": "purple", "Vaults unsealed": "orange", "PostgreSQL": "red", "Requests that fail": "green"},
		},
		"one Vault is left": {
			map[string]string{`vault_core_unsealed{pod="vault-0", cluster="alphapulse"}`: "0x300", `vault_core_unsealed{pod="vault-1", cluster="alphapulse"}`: "0x300"},
			map[string]string{"Vaults unsealed": "red"},
		},
		"a shard is away": {
			map[string]string{`redis_cluster_slots_ok{workload="redis", pod="redis-cluster-0"}`: "10923x300"},
			map[string]string{"Redis Cluster": "red"},
		},
		"backups": {
			map[string]string{`backup_last_success_timestamp_seconds{backup="vault"}`: "0x300"},
			map[string]string{"Backups overdue": "red"},
		},
		"no backups, ever": {
			map[string]string{
				`backup_last_success_timestamp_seconds{backup="vault"}`: "", `backup_last_success_timestamp_seconds{backup="redis"}`: "",
				`backup_last_success_timestamp_seconds{backup="postgres"}`: "", `backup_last_success_timestamp_seconds{backup="postgres-restore-point"}`: "",
			},
			map[string]string{"Backups overdue": "purple"},
		},
		"no room": {
			map[string]string{
				`karpenter_nodepools_usage{nodepool="services", resource_type="cpu"}`:                             "140x300",
				`kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="api-hpa"}`:         "50x300",
				`kubelet_volume_stats_available_bytes{namespace="alphapulse-prod", persistentvolumeclaim="data"}`: "0.5x300",
				`kube_pod_status_unschedulable{pod="a"}`:                                                          "1x300",
				`kube_node_status_condition{node="n", condition="Ready", status="unknown"}`:                       "1x300",
				`certmanager_certificate_expiration_timestamp_seconds{name="alphapulse-tls"}`:                     "100000x300",
			},
			map[string]string{
				"Pools at their maximum": "orange", "Autoscalers at their maximum": "orange", "Fullest volume": "red", "Pods without a node": "orange",
				"Nodes not ready": "orange", "Certificates last": "red",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := lights(t, watch(t, platform(one.changes)))
			for title, want := range one.want {
				assert.Equal(t, want, got[title], title)
			}
		})
	}
}
