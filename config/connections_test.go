package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

func TestD4EveryProgramThatUsesTheDatabaseSaysHowManyConnections(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string // empty: legal
	}{
		{"api.connections", 100, ""},
		{"api.connections", 101, "must be 1 to 100"},
		{"agents.worker.connections", 0, "must be 1 to 100"},
		{"risk.connections", -1, "must be 1 to 100"},
		{"billing.connections", 0, "must be 1 to 100"},
		{"ingress.connections", 1, "must be left out"},
		{"pooler.connections", 30, "must be left out"},
	} {
		_, problems := config.Load(recorder.Change(t, prod(t), "alphapulse:workloads."+c.key, c.value))
		if c.want == "" {
			assert.NoError(t, problems.Err(), c.key)
			continue
		}
		require.Len(t, problems, 1, c.key)
		assert.Equal(t, "alphapulse:workloads."+c.key, problems[0].Key)
		assert.Contains(t, problems[0].Want, c.want)
	}
}

func TestD4SmallInstancesTakeFewerConnections(t *testing.T) {
	for name, want := range map[string]int{"db.t4g.micro": 112, "db.t4g.small": 200, "db.t4g.medium": 200, "db.r5.xlarge": 200} {
		class, ok := config.FindDatabaseClass(name)
		require.True(t, ok, name)
		assert.Equal(t, want, class.Connections(), name)
	}
}
