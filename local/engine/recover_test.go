package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

const interrupted = `{"version":3,"features":["f"],"checkpoint":{"stack":"s","latest":{
	"manifest":{"time":"2026-11-22T00:00:00Z","magic":"m"},
	"resources":[
		{"urn":"urn::vpc","custom":true,"id":"vpc-1","outputs":{"big":12345678901234567890}},
		{"urn":"urn::replaced","custom":true,"id":"old-1"},
		{"urn":"urn::replaced-after","custom":true,"id":"old-2","pendingReplacement":true}],
	"pending_operations":[
		{"type":"creating","resource":{"urn":"urn::made","custom":true,"type":"t","inputs":{"secret":{"ciphertext":"v1:x"}},"dependencies":["urn::vpc"]}},
		{"type":"creating","resource":{"urn":"urn::not-made","custom":true,"type":"t"}},
		{"type":"creating","resource":{"urn":"urn::replaced","custom":true,"type":"t"}},
		{"type":"creating","resource":{"urn":"urn::replaced-after","custom":true,"type":"t"}},
		{"type":"deleting","resource":{"urn":"urn::vpc","custom":true,"id":"vpc-1"}}]}}}`

func TestPendingCreationsMoveAmongTheResources(t *testing.T) {
	out, err := adopted([]byte(interrupted), map[string]string{"urn::made": "m-1", "urn::replaced": "new-1", "urn::replaced-after": "new-2"})
	require.NoError(t, err)
	var after struct {
		Version    int
		Features   []string
		Deployment struct {
			Manifest  map[string]string
			Resources []map[string]json.RawMessage
			Pending   any `json:"pending_operations"`
		}
	}
	require.NoError(t, json.Unmarshal(out, &after))
	assert.Equal(t, 3, after.Version)
	assert.Equal(t, []string{"f"}, after.Features)
	assert.Equal(t, "m", after.Deployment.Manifest["magic"])
	assert.Nil(t, after.Deployment.Pending)
	var seen []string
	for _, r := range after.Deployment.Resources {
		seen = append(seen, strings.TrimSpace(text(r["urn"])+" "+text(r["id"])+" "+string(r["delete"])))
	}
	assert.Equal(t, []string{"urn::vpc vpc-1", "urn::replaced old-1 true", "urn::made m-1", "urn::replaced new-1", "urn::replaced-after new-2"}, seen)
	assert.JSONEq(t, `{"secret":{"ciphertext":"v1:x"}}`, string(after.Deployment.Resources[2]["inputs"]), "secrets stay as they are")
	assert.Contains(t, string(out), "12345678901234567890", "no number loses digits")
}

func TestARecordAnswersForTheInputsItWasMadeFrom(t *testing.T) {
	record := inventory.Record{Inputs: map[string]any{"name": "db", "size": 20.0, "zones": []any{"a", "b"}, "password": "hush",
		"tags": map[string]any{"Name": "db"}}}
	inputs := func(change func(map[string]any)) map[string]any {
		m := map[string]any{"name": "db", "size": 20.0, "zones": []any{"a", "b"}, "__defaults": []any{"name"},
			"password": map[string]any{secretMark: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}, "tags": map[string]any{"Name": "db"}}
		change(m)
		return m
	}
	assert.True(t, answers(record, inputs(func(map[string]any) {})))
	assert.True(t, answers(record, inputs(func(m map[string]any) { m["password"] = "[secret]" })), "as in the log of events")
	assert.True(t, answers(record, inputs(func(m map[string]any) { m["none"], m["empty"] = nil, []any{} })))
	for what, change := range map[string]func(map[string]any){
		"another value":        func(m map[string]any) { m["size"] = 21.0 },
		"another item":         func(m map[string]any) { m["zones"] = []any{"a", "c"} },
		"one item less":        func(m map[string]any) { m["zones"] = []any{"a"} },
		"another tag":          func(m map[string]any) { m["tags"] = map[string]any{"Name": "other"} },
		"a property more":      func(m map[string]any) { m["kms"] = "k" },
		"a property less":      func(m map[string]any) { delete(m, "size") },
		"an object for a text": func(m map[string]any) { m["name"] = map[string]any{"a": "b"} },
	} {
		assert.False(t, answers(record, inputs(change)), what)
	}
}

// testHome is an engine of its own, with states of stacks and an inventory.
func testHome(t *testing.T, states map[string]string, records map[string][]inventory.Record) *Engine {
	t.Helper()
	t.Setenv(home.DirVariable, t.TempDir())
	for stack, state := range states {
		path, err := checkpoint(stack)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(`{"checkpoint":{"latest":`+state+`}}`), 0o600))
	}
	for account, list := range records {
		store, err := inventory.Open(account, "us-east-1")
		require.NoError(t, err)
		for _, r := range list {
			require.NoError(t, store.Put(r))
		}
	}
	project, err := home.Path("project")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(project, 0o755))
	file := filepath.Join(t.TempDir(), "Pulumi.local.yaml")
	require.NoError(t, os.WriteFile(file, []byte("config:\n  alphapulse:aws: {account: \"000000000000\"}\n"), 0o600))
	return &Engine{root: t.TempDir(), stack: "local", configFile: file}
}

func TestOnlyWhatNoStackKnowsAndNoCloudMadeByItselfIsAnOrphan(t *testing.T) {
	e := testHome(t, map[string]string{
		"local": `{"resources":[{"urn":"u::vpc","type":"aws:ec2/vpc:Vpc","id":"vpc-1"},{"urn":"u::pool","type":"aws:eks/nodeGroup:NodeGroup","id":"c:g"}]}`,
		"prod":  `{"resources":[{"urn":"u::api","type":"cloudflare:index/record:Record","id":"prods"}]}`,
	}, map[string][]inventory.Record{
		"000000000000": {
			{Type: "aws:ec2/vpc:Vpc", ID: "vpc-1"}, {Type: "aws:ec2/vpc:Vpc", ID: "vpc-2"},
			{Type: "aws:eks/nodeGroup:NodeGroup", ID: "c:g"},
			{Type: "aws:ec2/instance:Instance", ID: "i-1", Outputs: map[string]any{"nodeGroup": "c:g"}},
			{Type: "aws:ec2/instance:Instance", ID: "i-2", Outputs: map[string]any{"nodeGroup": "c:gone"}},
			{Type: "aws:ebs/volume:Volume", ID: "vol-1"},
			{Type: "aws:ec2/securityGroup:SecurityGroup", ID: "sg-1", Inputs: map[string]any{"tags": map[string]any{"aws:eks:cluster-name": "c"}}},
			{Type: "aws:eks/accessEntry:AccessEntry", ID: "c:r", Inputs: map[string]any{"type": "EC2_LINUX", "userName": "system:node:{{EC2PrivateDNSName}}"}},
		},
		cloudflare:     {{Type: "cloudflare:index/record:Record", ID: "prods"}, {Type: "cloudflare:index/record:Record", ID: "whose"}, {Type: "cloudflare:index/zone:Zone", ID: "z"}},
		"222222222222": {{Type: "aws:ec2/vpc:Vpc", ID: "vpc-3"}},
	})
	found, err := e.unclaimed()
	require.NoError(t, err)
	var ids []string
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	assert.Equal(t, []string{"i-2", "vpc-2", "whose"}, ids)

	left, err := e.left()
	require.NoError(t, err)
	assert.Contains(t, left, "aws:ebs/volume:Volume vol-1", "nothing of the account may be left, whoever made it")
	assert.Contains(t, left, "cloudflare:index/record:Record whose")
	assert.NotContains(t, left, "cloudflare:index/record:Record prods", "another stack's")
	assert.NotContains(t, left, "cloudflare:index/zone:Zone z", "older than any stack")
}

func TestAnOrphanOfThisRunComesWithItsImportFile(t *testing.T) {
	e := testHome(t, map[string]string{"local": `{"resources":[]}`}, map[string][]inventory.Record{
		"000000000000": {{Type: "aws:ec2/eip:Eip", ID: "eipalloc-1", Inputs: map[string]any{"domain": "vpc"}}},
	})
	events := filepath.Join(t.TempDir(), "events.json")
	require.NoError(t, os.WriteFile(events, []byte(`{"resOpFailedEvent":{"metadata":{"op":"create","new":{"type":"aws:ec2/eip:Eip",
		"urn":"urn:pulumi:local::alphapulse::net:Network$aws:ec2/eip:Eip::nat","parent":"urn:pulumi:local::alphapulse::net:Network::network",
		"provider":"urn:pulumi:local::alphapulse::pulumi:providers:aws::aws::0-1","inputs":{"domain":"vpc","__defaults":[]}}}}}`), 0o600))
	data, err := os.ReadFile(events)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(events, []byte(strings.ReplaceAll(string(data), "\n", "")+"\n{\"half a li"), 0o600))
	n, err := e.orphans(events)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	path, err := home.Path("project", "import-Eip-nat.json")
	require.NoError(t, err)
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.JSONEq(t, `{"nameTable":{"parent":"urn:pulumi:local::alphapulse::net:Network::network",
		"provider":"urn:pulumi:local::alphapulse::pulumi:providers:aws::aws"},
		"resources":[{"type":"aws:ec2/eip:Eip","name":"nat","id":"eipalloc-1","parent":"parent","provider":"provider"}]}`, string(file))
}

func TestWhatIsPendingIsNoOrphan(t *testing.T) {
	e := testHome(t, map[string]string{"local": `{"pending_operations":[{"type":"creating","resource":{"urn":"u::nat"}}]}`},
		map[string][]inventory.Record{"000000000000": {{Type: "aws:ec2/eip:Eip", ID: "eipalloc-1"}}})
	n, err := e.orphans("")
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestAStateThatWasWrittenByHalfIsMended(t *testing.T) {
	e := testHome(t, map[string]string{"local": `{"resources":[{"urn":"u::now"}]}`}, nil)
	path, err := checkpoint("local")
	require.NoError(t, err)
	write := func(path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	urns := func() string {
		require.NoError(t, e.mendCheckpoint())
		all, err := e.resources()
		require.NoError(t, err)
		return all[0].URN
	}
	assert.Equal(t, "u::now", urns())
	write(path+".bak", `{"checkpoint":{"latest":{"resources":[{"urn":"u::before"}]}}}`)
	write(path, `{"checkpoint":{"latest":{"resour`)
	assert.Equal(t, "u::before", urns())
	write(path, "")
	write(path+".bak", "")
	require.ErrorContains(t, e.mendCheckpoint(), "its backup is no better")

	e.stack = "never-made"
	require.NoError(t, e.mendCheckpoint())
}

func TestTheLanguageHostKeepsTheBinaryThatPulumiYamlNames(t *testing.T) {
	e := testHome(t, nil, nil)
	project := filepath.Join(e.root, "Pulumi.yaml")
	require.NoError(t, os.WriteFile(project, []byte("runtime: go\n"), 0o600))
	path, err := e.languageHost("/tools/pulumi-language-go")
	require.NoError(t, err)
	assert.Equal(t, "/tools/pulumi-language-go", path)
	require.NoError(t, os.WriteFile(project, []byte("runtime: {name: go, options: {buildTarget: bin/program}}\n"), 0o600))
	path, err = e.languageHost("/tools/pulumi-language-go")
	require.NoError(t, err)
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(script), "exec '/tools/pulumi-language-go' -binary '"+filepath.Join(e.root, "bin/program")+`' "$@"`)
}
