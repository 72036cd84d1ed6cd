package checks

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// world is what there is to be asked for: what exporters expose, what rules record, and Prometheus' own account of alerts.
func world(t *testing.T) map[string]metric {
	t.Helper()
	jobs, err := readJobs(filepath.Join(prometheusFiles, "prometheus.yml"))
	require.NoError(t, err)
	known, err := readLists(lists, jobs)
	require.NoError(t, err)
	alerts := setOf("alertname", "alertstate")
	for _, one := range rules(t) {
		labels := set{}
		for name := range one.Labels {
			labels[name] = true
		}
		if expr, err := parse(one.Expr); err == nil {
			labels = labels.with((&reader{known: known}).read(expr))
		}
		if one.Record != "" {
			known[one.Record] = metric{"gauge", labels}
		} else {
			alerts = alerts.with(labels)
		}
	}
	known["ALERTS"], known["ALERTS_FOR_STATE"] = metric{"gauge", alerts}, metric{"gauge", alerts}
	return known
}

// question is an expression, with what of its result is made use of.
type question struct {
	where, expr string
	uses        []string
}

var (
	legend   = regexp.MustCompile(`{{ *(\w+) *}}`)
	template = regexp.MustCompile(`\$labels\.(\w+)`)
)

func names(pattern *regexp.Regexp, text string) (all []string) {
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		all = append(all, found[1])
	}
	return all
}

// questions are all that is asked of Prometheus.
func questions(t *testing.T) (all []question) {
	t.Helper()
	for _, p := range pages(t) {
		for _, panel := range p.Panels {
			for _, target := range panel.Targets {
				if target.Datasource.Type != "prometheus" {
					continue
				}
				q := question{p.UID + ": " + panel.Title, target.Expr, names(legend, target.LegendFormat)}
				for _, one := range panel.Transformations {
					for column := range one.Options.IndexByName {
						if column != "Value" {
							q.uses = append(q.uses, column)
						}
					}
				}
				all = append(all, q)
			}
		}
		for _, one := range p.Annotations.List {
			all = append(all, question{where: p.UID + ": annotation", expr: one.Expr})
		}
		for _, one := range p.Templating.List {
			found := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(one.Query.Query)
			require.NotNil(t, found, "%s: $%s", p.UID, one.Name)
			all = append(all, question{p.UID + ": $" + one.Name, found[1], []string{found[2]}})
		}
	}
	for _, one := range rules(t) {
		q := question{where: one.Record + one.Alert, expr: one.Expr}
		for _, text := range one.Annotations {
			q.uses = append(q.uses, names(template, text)...)
		}
		all = append(all, q)
	}
	return all
}

func TestO3EveryExpressionIsOneAndEveryMetricIsExposed(t *testing.T) {
	known, asked := world(t), questions(t)
	for _, q := range asked {
		expr, err := parse(q.expr)
		if !assert.NoError(t, err, "%s\n%s", q.where, q.expr) {
			continue
		}
		r := &reader{known: known}
		r.within(q.uses, r.read(expr), "the result")
		assert.Empty(t, r.problems, "%s\n%s", q.where, q.expr)
	}
	t.Logf("%d expressions, %d series known", len(asked), len(known))
}

// The check itself: what a typing error makes of a good expression.
func TestO3WrongNamesAreFound(t *testing.T) {
	known := world(t)
	for expr, want := range map[string]string{
		`http_request_total`:                                        `no exporter has "http_request_total"`,
		`http_requests_total{code="500"}`:                           `http_requests_total has no label "code"`,
		`sum by (path) (http_requests_total)`:                       `no label "path" in http_requests_total`,
		`keda_scaler_metrics_value{namespace="a", exported_ns="b"}`: `keda_scaler_metrics_value has no label "exported_ns"`,
		`up * on (pod, route) up`:                                   `no label "route" in up`,
		`http_request_duration_seconds`:                             `no exporter has "http_request_duration_seconds"`,
		`sum by (le) (vault_core_handle_request)`:                   `no label "le" in vault_core_handle_request`,
		`label_replace(up, "a", "$1", "nowhere", "(.*)")`:           `no label "nowhere" in label_replace(up, "a", "$1", "nowhere", "(.*)")`,
	} {
		e, err := parse(expr)
		require.NoError(t, err, expr)
		r := &reader{known: known}
		r.read(e)
		assert.Contains(t, r.problems, want, expr)
	}
	_, err := parse(`sum(rate(up))`)
	assert.Error(t, err, "the parser checks types")
}

// A query of a counter without rate, or of a rate that is longer than what is kept, is a mistake that no parser finds.
func TestO3CountersAreAskedForTheirPace(t *testing.T) {
	known := world(t)
	for _, q := range questions(t) {
		if strings.Contains(q.where, "$") {
			continue // a choice is of labels
		}
		expr, err := parse(q.expr)
		require.NoError(t, err, q.where)
		parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
			selector, is := node.(*parser.VectorSelector)
			if !is || known[selector.Name].kind != "counter" {
				return nil
			}
			for _, above := range path {
				switch above := above.(type) {
				case *parser.MatrixSelector:
					return nil
				case *parser.Call:
					if above.Func.Name == "absent" {
						return nil
					}
				case *parser.AggregateExpr:
					if above.Op == parser.COUNT || above.Op == parser.GROUP {
						return nil
					}
				case *parser.BinaryExpr: // 0 * something, which is there or not
					if left, is := above.LHS.(*parser.NumberLiteral); is && left.Val == 0 {
						return nil
					}
				}
			}
			assert.Fail(t, "a counter as it is", "%s\n%s", q.where, q.expr)
			return nil
		})
	}
}

// Alerts name the page that shows what they are about.
func TestO5AlertsNameDashboardsThatAre(t *testing.T) {
	uids := set{}
	for _, p := range pages(t) {
		uids[p.UID] = true
	}
	for _, one := range rules(t) {
		if name, named := one.Annotations["dashboard"]; named {
			assert.True(t, uids[name], "%s: %q", one.Alert, name)
		}
	}
}
