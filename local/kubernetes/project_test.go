package kubernetes

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var deployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}

// project gives what a refresh makes of old inputs and a live object.
func project(t *testing.T, kind schema.GroupVersionKind, olds, live string) resource.PropertyMap {
	t.Helper()
	return liveInputs(kind, props(t, olds), object(props(t, live)))
}

func TestRefreshIsQuietAboutWhatNobodyChanged(t *testing.T) {
	for name, c := range map[string][2]string{
		"defaults":       {`{spec: {replicas: 2}}`, `{spec: {replicas: 2, revisionHistoryLimit: 10}, status: {readyReplicas: 2}}`},
		"quantities":     {`{a: 2000m, b: 1024Mi, c: "0.5", d: 2, e: 1.5Gi}`, `{a: "2", b: 1Gi, c: 500m, d: "2", e: 1536Mi}`},
		"left out":       {`{a: {}, b: "", c: false, d: [], e: {f: {}}, g: 0}`, `{}`},
		"added sidecar":  {`{containers: [{name: a, image: x}]}`, `{containers: [{name: mesh, image: m}, {name: a, image: x}]}`},
		"same name":      {`{volumeMounts: [{name: t, mountPath: /a}, {name: t, mountPath: /b}]}`, `{volumeMounts: [{name: t, mountPath: /b}, {name: t, mountPath: /a}]}`},
		"ports":          {`{ports: [{port: 53, protocol: UDP}, {port: 53}]}`, `{ports: [{port: 53, protocol: TCP, nodePort: 3}, {port: 53, protocol: UDP}]}`},
		"others' labels": {`{metadata: {labels: {a: b}}}`, `{metadata: {labels: {a: b, c: d}, uid: x}}`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, props(t, c[0]), project(t, deployment, c[0], c[1]))
		})
	}
}

func TestRefreshSeesWhatSomebodyChanged(t *testing.T) {
	for name, c := range map[string][3]string{
		"value":          {`{spec: {replicas: 2}}`, `{spec: {replicas: 3}}`, `{spec: {replicas: 3}}`},
		"quantity":       {`{cpu: 500m}`, `{cpu: "1"}`, `{cpu: "1"}`},
		"text":           {`{version: "1.0"}`, `{version: "1.1"}`, `{version: "1.1"}`},
		"type":           {`{port: 80}`, `{port: http}`, `{port: http}`},
		"removed field":  {`{a: 1, b: 2}`, `{a: 1}`, `{a: 1}`},
		"removed item":   {`{env: [{name: a, value: x}, {name: b, value: w}]}`, `{env: [{name: b, value: w}]}`, `{env: [{name: b, value: w}]}`},
		"changed item":   {`{env: [{name: a, value: x}]}`, `{env: [{name: z}, {name: a, value: w}]}`, `{env: [{name: a, value: w}]}`},
		"other argument": {`{args: [a]}`, `{args: [b, a]}`, `{args: [b]}`},
		"added subject":  {`{subjects: [{name: a}]}`, `{subjects: [{name: evil}, {name: a}]}`, `{subjects: [{name: evil}]}`},
		"shorter list":   {`{args: [a, b]}`, `{args: [a]}`, `{args: [a]}`},
		"another object": {`{strategy: {a: b}}`, `{strategy: c}`, `{strategy: c}`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, props(t, c[2]), project(t, deployment, c[0], c[1]))
		})
	}
}

// As with the real provider: what is appended to a list is no drift.
func TestAPortAppendedToANetworkPolicyIsNotSeen(t *testing.T) {
	kind := schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}
	program := `{ports: [{port: 80, protocol: TCP}]}`
	require.Equal(t, props(t, program), project(t, kind, program, `{ports: [{port: 80, protocol: TCP}, {port: 22, protocol: TCP}]}`))
}

func TestStringDataIsComparedWithData(t *testing.T) {
	kind := schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
	olds := `{stringData: {a: hunter2, empty: ""}}`
	require.Equal(t, props(t, olds), project(t, kind, olds, `{data: {a: aHVudGVyMg==, b: eA==, empty: ""}}`))
	require.Equal(t, props(t, `{stringData: {a: x, empty: ""}}`), project(t, kind, olds, `{data: {a: eA==}}`))
}

func TestSecretsStaySecret(t *testing.T) {
	olds := props(t, `{env: [{name: a, value: x}], data: {k: v}}`)
	item := olds["env"].ArrayValue()[0].ObjectValue()
	item["value"] = resource.MakeSecret(item["value"])
	live := object(props(t, `{apiVersion: v1, kind: Secret, env: [{name: a, value: z}], data: {k: v}, metadata: {name: a, managedFields: [{}]}}`))

	projected := projectionFor(deployment).object(olds, live.Object)
	require.Equal(t, resource.MakeSecret(resource.NewProperty("z")), projected["env"].ArrayValue()[0].ObjectValue()["value"])
	state := outputs(live, olds)
	require.True(t, state["env"].IsSecret(), "a list with a secret is secret as a whole")
	require.True(t, state["data"].IsSecret())
	require.Equal(t, props(t, `{name: a}`), state["metadata"].ObjectValue())
}

func TestAnImportCountsOnlyWhatTheProgramSays(t *testing.T) {
	live := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "status": map[string]any{"replicas": int64(1)},
		"metadata": map[string]any{"name": "a", "uid": "u", "annotations": map[string]any{"deployment.kubernetes.io/revision": "1"}},
		"spec":     map[string]any{"replicas": int64(1), "revisionHistoryLimit": int64(10)},
	}}
	inputs := liveInputs(deployment, nil, live)
	require.Equal(t, map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", importedKey: true,
		"metadata": map[string]any{"name": "a"}, "spec": map[string]any{"replicas": 1.0, "revisionHistoryLimit": 10.0},
	}, inputs.Mappable())

	news := props(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 2}}`)
	response := diffImported(t, inputs, outputs(live, nil), news)
	require.Len(t, response, 1)
	require.Contains(t, response, "spec.replicas")
}
