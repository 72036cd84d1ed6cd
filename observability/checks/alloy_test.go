package checks

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/vm"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the collector's components take, as far as ours use it: names and types are those of Alloy 1.18's reference. Alloy itself cannot be had
// here, but its language can: it takes no argument that is not in these types, and nothing that a component does not give.
type (
	targets  = []map[string]string
	receiver = string // stands for a component that takes lines

	loggingBlock struct {
		Level  string `alloy:"level,attr,optional"`
		Format string `alloy:"format,attr,optional"`
	}
	discoveryKubernetes struct {
		Role      string `alloy:"role,attr"`
		Selectors []struct {
			Role  string `alloy:"role,attr"`
			Field string `alloy:"field,attr,optional"`
			Label string `alloy:"label,attr,optional"`
		} `alloy:"selectors,block,optional"`
	}
	discoveryRelabel struct {
		Targets targets       `alloy:"targets,attr"`
		Rules   []relabelRule `alloy:"rule,block,optional"`
	}
	relabelRule struct {
		SourceLabels []string `alloy:"source_labels,attr,optional"`
		Separator    string   `alloy:"separator,attr,optional"`
		Regex        string   `alloy:"regex,attr,optional"`
		TargetLabel  string   `alloy:"target_label,attr,optional"`
		Replacement  string   `alloy:"replacement,attr,optional"`
		Action       string   `alloy:"action,attr,optional"`
	}
	localFileMatch struct {
		PathTargets targets       `alloy:"path_targets,attr"`
		SyncPeriod  time.Duration `alloy:"sync_period,attr,optional"`
	}
	lokiSourceFile struct {
		Targets     targets    `alloy:"targets,attr"`
		ForwardTo   []receiver `alloy:"forward_to,attr"`
		TailFromEnd bool       `alloy:"tail_from_end,attr,optional"`
	}
	lokiProcess struct {
		ForwardTo []receiver `alloy:"forward_to,attr"`
		Stages    []stage    `alloy:"stage,enum,optional"`
	}
	stage struct {
		CRI *struct {
			MaxPartialLines            int    `alloy:"max_partial_lines,attr,optional"`
			MaxPartialLineSize         uint64 `alloy:"max_partial_line_size,attr,optional"`
			MaxPartialLineSizeTruncate bool   `alloy:"max_partial_line_size_truncate,attr,optional"`
		} `alloy:"cri,block,optional"`
		LabelDrop *struct {
			Values []string `alloy:"values,attr,optional"`
		} `alloy:"label_drop,block,optional"`
		Replace *struct {
			Expression string `alloy:"expression,attr"`
			Source     string `alloy:"source,attr,optional"`
			Replace    string `alloy:"replace,attr,optional"`
		} `alloy:"replace,block,optional"`
	}
	lokiWrite struct {
		Endpoints []struct {
			URL               string        `alloy:"url,attr"`
			MinBackoffPeriod  time.Duration `alloy:"min_backoff_period,attr,optional"`
			MaxBackoffPeriod  time.Duration `alloy:"max_backoff_period,attr,optional"`
			MaxBackoffRetries int           `alloy:"max_backoff_retries,attr,optional"`
		} `alloy:"endpoint,block,optional"`
		ExternalLabels map[string]string `alloy:"external_labels,attr,optional"`
	}
)

// collector is the file, read.
type collector struct {
	logging  loggingBlock
	pods     discoveryKubernetes
	relabel  discoveryRelabel
	match    localFileMatch
	source   lokiSourceFile
	process  lokiProcess
	write    lokiWrite
	asked    set // of its environment
	problems []string
}

type values = map[string]any

func readCollector(t *testing.T, text string) (c collector) {
	t.Helper()
	file, err := parser.ParseFile("config.alloy", []byte(text))
	require.NoError(t, err)
	c.asked = set{}
	scope := &vm.Scope{Variables: values{
		"sys": values{"env": func(name string) string { c.asked[name] = true; return "the " + name }},
		// What components give, by the names in the file.
		"discovery": values{
			"kubernetes": values{"pods": values{"targets": targets{{"__meta_kubernetes_pod_name": "p"}}}},
			"relabel":    values{"pods": values{"output": targets{}}},
		},
		"local": values{"file_match": values{"pods": values{"targets": targets{}}}},
		"loki":  values{"process": values{"pods": values{"receiver": "loki.process.pods"}}, "write": values{"loki": values{"receiver": "loki.write.loki"}}},
	}}
	known := map[string]any{
		"logging": &c.logging, "discovery.kubernetes.pods": &c.pods, "discovery.relabel.pods": &c.relabel, "local.file_match.pods": &c.match,
		"loki.source.file.pods": &c.source, "loki.process.pods": &c.process, "loki.write.loki": &c.write,
	}
	for _, statement := range file.Body {
		block, is := statement.(*ast.BlockStmt)
		require.True(t, is, "only blocks stand at the top")
		name := strings.TrimSuffix(block.GetBlockName()+"."+block.Label, ".")
		if known[name] == nil {
			c.problems = append(c.problems, "nobody knows "+name)
			continue
		}
		if err := vm.New(block.Body).Evaluate(scope, known[name]); err != nil {
			c.problems = append(c.problems, name+": "+err.Error())
		}
		delete(known, name)
	}
	for name := range known {
		c.problems = append(c.problems, "there is no "+name)
	}
	return c
}

func shippedCollector(t *testing.T) collector {
	t.Helper()
	text, err := os.ReadFile("../alloy/config.alloy")
	require.NoError(t, err)
	return readCollector(t, string(text))
}

func TestO4CollectorIsWiredFromPodsToLoki(t *testing.T) {
	c := shippedCollector(t)
	require.Empty(t, c.problems)
	assert.Equal(t, setOf("NODE_NAME", "ENVIRONMENT"), c.asked, "what the program gives it")
	require.Len(t, c.pods.Selectors, 1)
	assert.Equal(t, "spec.nodeName=the NODE_NAME", c.pods.Selectors[0].Field, "pods of its own node only")
	assert.Equal(t, []receiver{"loki.process.pods"}, c.source.ForwardTo)
	assert.Equal(t, []receiver{"loki.write.loki"}, c.process.ForwardTo)
	assert.Equal(t, "http://loki.monitoring.svc.cluster.local:3100/loki/api/v1/push", c.write.Endpoints[0].URL)
	assert.Zero(t, c.write.Endpoints[0].MaxBackoffRetries, "it never gives up")
	assert.False(t, c.source.TailFromEnd, "a new pod's first lines count")

	// The check itself.
	text, err := os.ReadFile("../alloy/config.alloy")
	require.NoError(t, err)
	for _, typo := range [][2]string{
		{"max_backoff_period ", "max_backof_period "}, {"local.file_match.pods.targets", "local.file_match.pod.targets"}, {`"loki" {`, `"lokl" {`},
		{"stage.label_drop", "stage.drop_label"}, {"= 262144", `= "256KB"`},
	} {
		require.Contains(t, string(text), typo[0])
		assert.NotEmpty(t, readCollector(t, strings.Replace(string(text), typo[0], typo[1], 1)).problems, typo[1])
	}
}

// relabelled is what Prometheus' own code makes of a pod's labels, which is Alloy's too.
func (c collector) relabelled(t *testing.T, pod map[string]string) map[string]string {
	t.Helper()
	builder := labels.NewBuilder(labels.FromMap(pod))
	for _, one := range c.relabel.Rules {
		config := relabel.DefaultRelabelConfig
		config.NameValidationScheme = model.UTF8Validation
		for _, name := range one.SourceLabels {
			config.SourceLabels = append(config.SourceLabels, model.LabelName(name))
		}
		config.TargetLabel = one.TargetLabel
		if one.Separator != "" {
			config.Separator = one.Separator
		}
		if one.Regex != "" {
			config.Regex = relabel.MustNewRegexp(one.Regex)
		}
		if one.Replacement != "" {
			config.Replacement = one.Replacement
		}
		require.NoError(t, config.Validate(model.UTF8Validation))
		require.True(t, relabel.ProcessBuilder(builder, &config), "no pod is left out")
	}
	return builder.Labels().Map()
}

func TestO4ALineSaysWhereItIsFrom(t *testing.T) {
	c := shippedCollector(t)
	pod := map[string]string{
		"__meta_kubernetes_namespace": "alphapulse-prod", "__meta_kubernetes_pod_name": "api-1", "__meta_kubernetes_pod_uid": "u-1",
		"__meta_kubernetes_pod_container_name": "api",
	}
	for _, one := range []struct {
		labels map[string]string
		want   string
	}{
		{map[string]string{"app": "api"}, "api"},
		{map[string]string{"app_kubernetes_io_name": "karpenter"}, "karpenter"},
		{map[string]string{"app": "reloader", "app_kubernetes_io_name": "another"}, "reloader"},
		{map[string]string{"k8s_app": "kube-dns"}, "kube-dns"},
		{map[string]string{"k8s_app": "kube-dns", "app": "coredns"}, "coredns"},
		{nil, ""},
	} {
		labels := map[string]string{}
		for name, value := range pod {
			labels[name] = value
		}
		for name, value := range one.labels {
			labels["__meta_kubernetes_pod_label_"+name] = value
		}
		got := c.relabelled(t, labels)
		assert.Equal(t, one.want, got["workload"], "%v", one.labels)
		assert.Equal(t, "/var/log/pods/alphapulse-prod_api-1_u-1/api/*.log", got["__path__"], "where the kubelet keeps it")
		kept := set{}
		for name := range got {
			if !strings.HasPrefix(name, "__") {
				kept[name] = true
			}
		}
		want := setOf("namespace", "workload", "pod", "container")
		if one.want == "" {
			want = want.without("workload")
		}
		assert.Equal(t, want, kept, "few labels: each set of values is a stream")
	}
}

// redacted is what the stages make of a line, as Alloy's stage.replace does it: what is in a group is replaced.
func (c collector) redacted(line string) string {
	for _, one := range c.process.Stages {
		if one.Replace == nil {
			continue
		}
		made, end := "", 0
		for _, match := range regexp.MustCompile(one.Replace.Expression).FindAllStringSubmatchIndex(line, -1) {
			for i := 2; i < len(match); i += 2 {
				if match[i] >= end {
					made, end = made+line[end:match[i]]+one.Replace.Replace, match[i+1]
				}
			}
		}
		line = made + line[end:]
	}
	return line
}

func TestO4SecretsAreTakenOutOfLines(t *testing.T) {
	c := shippedCollector(t)
	require.NotNil(t, c.process.Stages[0].CRI, "first the runtime's frame")
	// Written in pieces: nothing here is to look like a secret to whoever searches for some.
	for _, secret := range []string{
		"hv" + "s.CAESIJq3vFn2wSx9mQkE8bYt", "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc", "whs" + "ec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH",
		"AKI" + "AIOSFODNN7EXAMPLE", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.c2lnbmF0dXJl",
	} {
		for _, line := range []string{`{"level":"error","msg":"refused %s","n":1}`, `{"key":"%s"}`, `key=%s done`, `{"a":"%s","b":"%s"}`} {
			got := c.redacted(strings.ReplaceAll(line, "%s", secret))
			assert.NotContains(t, got, secret)
			if strings.HasPrefix(line, "{") {
				assert.True(t, json.Valid([]byte(got)), got)
			}
		}
	}
	for line, want := range map[string]string{
		`{"dsn":"postgresql://alphapulse:s3cr=t!@pgbouncer:5432/db?sslmode=require"}`: `{"dsn":"postgresql://alphapulse:<password>@pgbouncer:5432/db?sslmode=require"}`,
		`redis://:hunter2@redis-cluster:6379/0 refused`:                               `redis://:<password>@redis-cluster:6379/0 refused`,
		`{"headers":{"Authorization":["Basic YWxhZGRpbjpvcGVu"]}}`:                    `{"headers":{"Authorization":["Basic <token>"]}}`,
		`authorization: Bearer abc.def`:                                               `authorization: Bearer <token>`,
		`{"msg":"{\"authorization\":\"Bearer abc\"}"}`:                                `{"msg":"{\"authorization\":\"Bearer <token>\"}"}`,
		`-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----`:      `-----BEGIN RSA PRIVATE KEY-----<private-key>-----END RSA PRIVATE KEY-----`,
	} {
		assert.Equal(t, want, c.redacted(line))
	}
	// What is none stays as it is, to the letter.
	for _, line := range []string{
		`{"level":"info","msg":"basic authentication is required","url":"http://api-service:8000/a@b","n":1.50,"b":null}`,
		`10.0.0.1 - - "GET /signals?at=12:00:00 HTTP/1.1" 200`, `the bearer of this message`, `{"msg":"see https://vault.vault-internal:8200/v1/sys/health"}`,
		`not JSON {`, ``,
	} {
		assert.Equal(t, line, c.redacted(line))
	}
}
