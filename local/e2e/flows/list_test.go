package flows

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestN7ListNamesTwentyFlowsThatAreForbiddenAndWhy(t *testing.T) {
	l, err := read("testdata/prod.txt")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(l.forbidden), 20)
	for _, f := range l.forbidden {
		assert.NotEmpty(t, f.why, "%v -> %v", f.from, f.to)
	}
}

func TestN7ListThatCannotBeReadIsAnError(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"somebody unknown":  {"pods api prod app=api\napi -> nobody 443", `:2: nobody is called "nobody"`},
		"no port":           {"pods api prod app=api\napi -> api", "is no flow"},
		"no arrow":          {"pods api prod app=api\napi api 443 80", "is no flow"},
		"half a group":      {"pods api prod", "has a name, a namespace and labels"},
		"an unknown member": {"set all api\napi -> all 443", `nobody is called "api"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "list.txt")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			_, err := read(path)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestN7ListKnowsSetsPortsAndServices(t *testing.T) {
	l := &list{outside: map[string][]string{"internet": {"1.1.1.1"}}, sets: map[string][]string{"all": {"api", "internet"}}, groups: []group{{name: "api"}}}
	require.NoError(t, l.add("api -> all 443 53/UDP via api-service"))
	assert.Equal(t, []flow{{from: []string{"api"}, to: []string{"api", "internet"}, ports: []port{"443/TCP", "53/UDP"}, service: "api-service"}}, l.flows)
}
