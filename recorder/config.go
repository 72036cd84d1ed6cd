package recorder

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// Change gives a stack's config, as the engine hands it over, with one value changed: `alphapulse:cluster.nodePools[0].max`, 7.
// A nil value takes the key away.
func Change(t testing.TB, config map[string]string, key string, value any) map[string]string {
	t.Helper()
	changed := maps.Clone(config)
	top, rest, nested := strings.Cut(key, ".")
	if !nested && value == nil {
		delete(changed, top)
		return changed
	}
	if !nested {
		text, ok := value.(string)
		if !ok {
			text = encode(t, value)
		}
		changed[top] = text
		return changed
	}
	var whole any
	require.NoError(t, json.Unmarshal([]byte(config[top]), &whole), "%s is no object", top)
	path, err := resource.ParsePropertyPath(rest)
	require.NoError(t, err)
	object := resource.NewPropertyValue(whole)
	if value == nil {
		require.True(t, path.Delete(object), "there is no %s", key)
	} else {
		var ok bool
		object, ok = path.Add(object, resource.NewPropertyValue(value))
		require.True(t, ok, "there is no place for %s", key)
	}
	changed[top] = encode(t, object.Mappable())
	return changed
}

func encode(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
