package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
)

func TestS4ExceptionsEnd(t *testing.T) {
	today := time.Date(2026, time.November, 23, 23, 59, 0, 0, time.UTC)
	for _, c := range []struct{ expires, says string }{
		{"2026-11-22", "is over: mend aws:kms/key:Key data"},
		{"2026-11-23", ""}, // to its last minute
		{"2027-11-23", ""},
		{"2027-11-24", "must be at most a year away: 2027-11-23"},
	} {
		guardrails := config.Guardrails{Exceptions: []config.Exception{{Rule: "unprotected", Resource: "aws:kms/key:Key data", Reason: "a test", Expires: c.expires}}}
		problems := guardrails.ProblemsOn(today, []string{"unprotected"})
		assert.Equal(t, c.says == "", len(problems) == 0, c.expires)
		if c.says != "" {
			require.NotEmpty(t, problems)
			assert.Contains(t, problems.Error(), `alphapulse:guardrails.exceptions[0].expires: "`+c.expires+`": `+c.says)
		}
	}
}

// Whoever types the day as the refusal shows it is understood, with quotes and without.
func TestS4DaysNeedNoQuotes(t *testing.T) {
	for _, expires := range []string{`2027-06-30`, `"2027-06-30"`} {
		file := filepath.Join(t.TempDir(), "Pulumi.quotes.yaml")
		text := "config:\n  alphapulse:guardrails:\n    exceptions:\n      - {rule: r, resource: \"aws:kms/key:Key data\", reason: a test, expires: " + expires + "}\n"
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		platform, problems := config.Load(stackFile(t, file))
		for _, p := range problems {
			assert.NotContains(t, p.Key, "guardrails", p)
		}
		assert.Equal(t, "2027-06-30", platform.Guardrails.Exceptions[0].Expires, expires)
	}
}

func TestS4ExceptionsNameAResource(t *testing.T) {
	raw := func(resource string) map[string]string {
		return map[string]string{"alphapulse:guardrails": `{"exceptions":[{"rule":"r","reason":"a test","expires":"2027-01-01","resource":"` + resource + `"}]}`}
	}
	for resource, legal := range map[string]bool{
		"kubernetes:apps/v1:Deployment keda*": true, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole keda:keda-operator": true, "aws:kms/key:Key keys-data": true,
		"kubernetes:apps/v1:Deployment *": false, "kubernetes:apps/v1:Deployment": false, "*": false, "keda": false, "aws:* keda": false, "aws:kms/key:Key a*b": false, "": false,
	} {
		_, problems := config.Load(raw(resource))
		found := false
		for _, p := range problems {
			found = found || p.Key == "alphapulse:guardrails.exceptions[0].resource"
		}
		assert.Equal(t, !legal, found, resource)
	}
}
