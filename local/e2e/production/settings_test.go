package production

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// alike are workloads of one shape: what a change of the API's setting leads to, a change of theirs does, too.
var alike = strings.NewReplacer("workloads.agents.worker.", "workloads.api.", "workloads.risk.", "workloads.api.", "workloads.billing.", "workloads.api.",
	"workloads.ingress.", "workloads.api.", "workloads.pooler.", "workloads.api.",
	"workloads.broker.", "workloads.redis.", "workloads.vault.", "workloads.redis.",
	"observability.prometheus.", "workloads.redis.", "observability.alertmanager.", "workloads.redis.", "observability.loki.", "workloads.redis.",
	"observability.grafana.", "workloads.api.", "observability.postgresExporter.", "workloads.api.")

// Every setting that a stack file may have is changed by some row of the table.
func TestEverySettingHasARow(t *testing.T) {
	settings, changed := map[string]bool{}, map[string]bool{}
	for _, path := range leaves(reflect.TypeFor[config.Platform](), "") {
		settings[alike.Replace(path)] = true
	}
	require.Greater(t, len(settings), 50)
	before := values(reflect.ValueOf(suite.Platform(t, "prod")), "")
	for _, c := range changes {
		raw, err := config.FromFile(group{c}.file(t))
		require.NoError(t, err, c.setting)
		platform, _ := config.Load(raw) // some are refused, which their rows say
		after, differs := values(reflect.ValueOf(platform), ""), false
		for path := range settings {
			for own := range maps.Keys(before) {
				if alike.Replace(own) == path && !slices.Equal(before[own], after[own]) {
					changed[path], differs = true, true
				}
			}
		}
		for own := range after {
			if before[own] == nil {
				changed[alike.Replace(own)], differs = true, true
			}
		}
		assert.True(t, differs || c.renewed != "", "%s changes nothing", c.setting)
	}
	for path := range settings {
		assert.True(t, changed[path], "no row changes %s", path)
	}
}

// leaves are the settings of a type, by the names that the stack file has for them.
func leaves(of reflect.Type, path string) (paths []string) {
	switch {
	case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
		return leaves(of.Elem(), path)
	case of.Kind() == reflect.Struct:
		for i := range of.NumField() {
			if name := of.Field(i).Tag.Get("json"); name != "" {
				paths = append(paths, leaves(of.Field(i).Type, strings.TrimPrefix(path+"."+name, "."))...)
			}
		}
		return paths
	}
	return []string{path}
}

// values are all that a platform says under each of these names.
func values(of reflect.Value, path string) map[string][]string {
	found := map[string][]string{}
	join := func(more map[string][]string) {
		for key, list := range more {
			found[key] = append(found[key], list...)
		}
	}
	switch {
	case of.Kind() == reflect.Slice && of.Type().Elem().Kind() == reflect.Struct:
		for i := range of.Len() {
			join(values(of.Index(i), path))
		}
	case of.Kind() == reflect.Struct:
		for i := range of.NumField() {
			if name := of.Type().Field(i).Tag.Get("json"); name != "" {
				join(values(of.Field(i), strings.TrimPrefix(path+"."+name, ".")))
			}
		}
	default:
		found[path] = []string{fmt.Sprint(of.Interface())}
	}
	return found
}
