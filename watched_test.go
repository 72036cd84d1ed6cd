package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
)

// chosen is a label's values, as rules and dashboards choose them.
var chosen = regexp.MustCompile(`\b(deployment|statefulset|horizontalpodautoscaler|workload|pod) *(=~|=) *"([^"]*)"`)

// questions are the expressions of rules and dashboards, as text.
func questions(t *testing.T) (text string) {
	t.Helper()
	for _, pattern := range []string{"prometheus/rules/*.yml", "prometheus/alerts/*.yml"} {
		files, err := filepath.Glob("observability/" + pattern)
		require.NoError(t, err)
		for _, file := range files {
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			text += string(got)
		}
	}
	files, err := filepath.Glob("observability/grafana/dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		var page struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(got, &page))
		for _, panel := range page.Panels {
			for _, target := range panel.Targets {
				text += target.Expr + "\n"
			}
		}
	}
	return text
}

// names are what objects are called whose names become values of a label, and pods' labels `app`.
func names(made *recorder.Run) map[string][]string {
	all := map[string][]string{}
	add := func(label string, one recorder.Resource, path string) {
		if name, is := one.At(path).(string); is {
			all[label] = append(all[label], name)
		}
	}
	for label, typ := range map[string]string{"deployment": deploymentType, "statefulset": "kubernetes:apps/v1:StatefulSet", "daemonset": "kubernetes:apps/v1:DaemonSet"} {
		for _, one := range made.All(typ) {
			add(label, one, "metadata.name")
			add("owner", one, "metadata.name")
			add("workload", one, "spec.template.metadata.labels.app")
		}
	}
	// Everybody who may talk has a policy, also what charts make.
	for _, one := range made.All("kubernetes:networking.k8s.io/v1:NetworkPolicy") {
		add("workload", one, "spec.podSelector.matchLabels.app")
		add("workload", one, `spec.podSelector.matchLabels["app.kubernetes.io/name"]`)
	}
	for _, one := range made.All(autoscalerType) {
		add("horizontalpodautoscaler", one, "metadata.name")
	}
	for _, one := range made.All(scaledObjectType) {
		add("horizontalpodautoscaler", one, "spec.advanced.horizontalPodAutoscalerConfig.name")
	}
	for _, owner := range all["owner"] { // pods have their owner's name, and something after it
		all["pod"] = append(all["pod"], owner+"-0")
	}
	return all
}

// A name that nothing has gives no error, but an empty graph, and an alert that never fires.
func TestO5RulesAndDashboardsNameWhatThereIs(t *testing.T) {
	// What makes backups comes later, and is to be called so.
	const later = ".*(backup|snapshot|dump).*"
	asked := chosen.FindAllStringSubmatch(questions(t), -1)
	require.NotEmpty(t, asked)
	for _, stack := range []string{"prod", "staging", "local"} {
		there := names(run(t, recorder.Up, committed(t, stack)))
		for _, one := range asked {
			label, operator, value := one[1], one[2], one[3]
			if value == later {
				continue
			}
			parts := []string{value}
			if operator == "=" {
				parts[0] = regexp.QuoteMeta(value)
			} else if !strings.ContainsAny(value, "(") {
				parts = strings.Split(value, "|")
			}
			for _, part := range parts {
				name := regexp.MustCompile("^(?:" + part + ")$")
				assert.True(t, slices.ContainsFunc(there[label], name.MatchString), "%s: no %s is called %q; there are %v", stack, label, part, there[label])
			}
		}
	}
}
