package outputs

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shape lists the contract's keys with their types, one on a line.
func shape(t reflect.Type, at string) (lines []string) {
	if t.Kind() != reflect.Struct {
		return []string{at + " " + t.String()}
	}
	for i := range t.NumField() {
		lines = append(lines, shape(t.Field(i).Type, strings.TrimPrefix(at+"."+t.Field(i).Tag.Get("json"), "."))...)
	}
	slices.Sort(lines)
	return lines
}

// The file is what other teams were promised. A line that goes or changes needs a new major of Version and a new file; a new line a minor.
func TestE3NothingThatWasPromisedIsTakenBack(t *testing.T) {
	promised, err := os.ReadFile("testdata/contract-" + major(Version) + ".txt")
	require.NoError(t, err)
	now := shape(reflect.TypeFor[Platform](), "")
	lines := strings.Split(strings.TrimSpace(string(promised)), "\n")
	assert.Equal(t, "version "+Version, lines[0], "the version rises with the shape")
	assert.Equal(t, lines[1:], now)
}

func TestE3ContractIsReadStrictly(t *testing.T) {
	want := Platform{ContractVersion: Version, Environment: "prod", Network: Network{EgressIPs: []string{"192.0.2.1"}}, Database: Database{Port: 5432}}
	complete := func() map[string]any { // as a stack exports it
		text, err := json.Marshal(want)
		require.NoError(t, err)
		var exported map[string]any
		require.NoError(t, json.Unmarshal(text, &exported))
		return exported
	}
	got, err := parse(complete())
	require.NoError(t, err)
	assert.Equal(t, want, got)

	later, earlier := complete(), complete()
	later["contractVersion"], later["colour"] = major(Version)+".99", "blue"
	earlier["contractVersion"] = major(Version) + ".0"
	delete(earlier["cluster"].(map[string]any), "certificateAuthority")
	delete(earlier, "buckets")

	for name, c := range map[string]struct {
		exported any
		says     string
	}{
		"nothing":          {nil, `the stack has no output "platform"`},
		"another major":    {map[string]any{"contractVersion": "2.0"}, fmt.Sprintf(`the stack's contract is "2.0", and this program reads %s.x`, major(Version))},
		"its types":        {map[string]any{"contractVersion": "2.0", "database": map[string]any{"port": "5432"}}, `the stack's contract is "2.0"`},
		"no version":       {map[string]any{"database": map[string]any{"port": "5432"}}, `the stack's contract is ""`},
		"a later minor":    {later, ""},
		"an earlier minor": {earlier, "the stack's contract 1.0 lacks cluster.certificateAuthority, buckets, which this program's " + Version + " has"},
		"a wrong type":     {map[string]any{"contractVersion": Version, "account": 7}, `reading the stack output "platform"`},
	} {
		_, err := parse(c.exported)
		if c.says == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, c.says, name)
	}
}

func TestE3ContractHoldsNoSecret(t *testing.T) {
	for _, line := range shape(reflect.TypeFor[Platform](), "") {
		assert.NotRegexp(t, `(?i)password|token|privatekey|masterSecret`, line)
	}
}
