package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A Go program that takes a name from metadata must find it there: one unknown in it would make all of it unknown.
func TestAPreviewKnowsMetadataAndNotWhatIsMadeUp(t *testing.T) {
	inputs := props(t, `{kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`)
	live := `{kind: Service, metadata: {name: a, uid: u, resourceVersion: "1", creationTimestamp: now, generation: 1, labels: {a: b}},
		spec: {ports: [{port: 80}], clusterIP: 10.0.0.1}, status: {}}`
	state := unsettled(object(props(t, live)), inputs)
	require.Equal(t, props(t, `{name: a, labels: {a: b}}`), state["metadata"].ObjectValue())
	require.True(t, state["status"].IsComputed())
	require.True(t, state["spec"].ObjectValue()["clusterIP"].IsComputed())
	require.False(t, state["spec"].ObjectValue()["ports"].ContainsUnknowns())
}
