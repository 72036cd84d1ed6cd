package observability_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/observability"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
	"github.com/alphapulse/infrastructure/workloads"
)

const (
	statefulSet = "kubernetes:apps/v1:StatefulSet"
	daemonSet   = "kubernetes:apps/v1:DaemonSet"
	deployment  = "kubernetes:apps/v1:Deployment"
	service     = "kubernetes:core/v1:Service"
	account     = "kubernetes:core/v1:ServiceAccount"
	configMap   = "kubernetes:core/v1:ConfigMap"
	budget      = "kubernetes:policy/v1:PodDisruptionBudget"
	clusterRole = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
	rolePolicy  = "aws:iam/rolePolicy:RolePolicy"
	iamRole     = "aws:iam/role:Role"

	pod       = "spec.template.spec."
	container = pod + "containers[0]."
)

func platform(t *testing.T, stack string) config.Platform {
	t.Helper()
	raw, err := config.FromFile("../Pulumi." + stack + ".yaml")
	require.NoError(t, err)
	p, problems := config.Load(raw)
	require.NoError(t, problems.Err())
	return p
}

var facts = observability.Facts{
	observability.PostgresStorage: pulumi.Int(500 << 30), observability.OriginPullEnds: pulumi.Int(1826000000), observability.BalancerWebhookEnds: pulumi.Int(1827000000),
}

// all runs everything that watches a stack.
func all(t *testing.T, stack string) *recorder.Run {
	t.Helper()
	p := platform(t, stack)
	run, err := recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		cluster, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		inAWS, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{})
		if err != nil {
			return err
		}
		in := func(namespace string) workloads.Place {
			return workloads.Place{
				Namespace: pulumi.String(namespace), Provider: cluster, Pools: p.Cluster.Pool, Protect: p.Protect,
				Image: func(name string) (pulumi.StringInput, error) { return pulumi.String("registry.example/" + name), nil },
			}
		}
		o, where := p.Observability, observability.Stack{Environment: p.Environment, Region: p.AWS.Region, Name: p.Name()}
		_, prometheus := observability.NewPrometheus(ctx, in("monitoring"), &observability.PrometheusArgs{Spec: o.Prometheus, Stack: where, Facts: facts})
		_, alertmanager := observability.NewAlertmanager(ctx, in("monitoring"), &observability.AlertmanagerArgs{Spec: o.Alertmanager, Stack: where})
		_, loki := observability.NewLoki(ctx, in("monitoring"), &observability.LokiArgs{
			Spec: o.Loki, Stack: where, Issuer: security.Issuer{ProviderARN: pulumi.String("arn-of-issuer"), Host: pulumi.String("issuer.example").ToStringOutput()},
			Bucket:  &data.Bucket{Name: pulumi.String("logs-of-it").ToStringOutput(), ARN: pulumi.String("arn:aws:s3:::logs-of-it").ToStringOutput()},
			DataKey: pulumi.String("key-of-data"), Days: p.Data.Retention.ApplicationLogs,
		}, pulumi.Provider(inAWS))
		_, alloy := observability.NewAlloy(ctx, in("alloy"), &observability.AlloyArgs{Spec: o.Alloy, Stack: where})
		_, grafana := observability.NewGrafana(ctx, in("monitoring"), &observability.GrafanaArgs{Spec: o.Grafana, Stack: where})
		_, exporter := observability.NewPostgresExporter(ctx, in("monitoring"), &observability.PostgresExporterArgs{
			Spec: o.PostgresExporter, Stack: where,
			Host: pulumi.String("db.example"), Port: pulumi.Int(5432), Database: pulumi.String("alphapulse"),
		})
		for _, err := range []error{prometheus, alertmanager, loki, alloy, grafana, exporter} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	return run
}

func arguments(made recorder.Resource) (list []string) {
	for _, one := range made.At(container + "args").([]any) {
		list = append(list, fmt.Sprint(one))
	}
	return list
}

// variables are a container's environment: values, and where those come from that are none.
func variables(made recorder.Resource) map[string]any {
	got := map[string]any{}
	list, _ := made.At(container + "env").([]any)
	for i := range list {
		at := fmt.Sprintf("%senv[%d].", container, i)
		value := made.At(at + "value")
		if value == nil {
			value = made.At(at + "valueFrom.fieldRef.fieldPath")
		}
		if value == nil {
			value = made.At(at + "valueFrom.secretKeyRef")
		}
		got[fmt.Sprint(made.At(at+"name"))] = value
	}
	return got
}

// mounts are a container's, by path: the volume, and whether it can be written to.
func mounts(made recorder.Resource) map[string]string {
	got := map[string]string{}
	for i := range made.At(container + "volumeMounts").([]any) {
		at := func(part string) any { return made.At(fmt.Sprintf("%svolumeMounts[%d].%s", container, i, part)) }
		how := "written"
		if at("readOnly") == true {
			how = "read"
		}
		got[fmt.Sprint(at("mountPath"))] = fmt.Sprint(at("name"), " ", how)
	}
	return got
}

func TestO1PrometheusKeepsFifteenDaysAndLessThanItsVolume(t *testing.T) {
	for stack, want := range map[string]struct {
		pods float64
		most string
	}{"prod": {2, "71680MB"}, "staging": {1, "14336MB"}, "local": {1, "1433MB"}} {
		made := all(t, stack).Find(t, statefulSet, "prometheus")
		assert.Equal(t, want.pods, made.At("spec.replicas"), stack)
		assert.Subset(t, arguments(made), []string{
			"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
			"--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=" + want.most,
		}, stack)
		assert.Equal(t, "data written", mounts(made)["/prometheus"])
	}
}

func TestO3GraphsComeFromOnePrometheus(t *testing.T) {
	run := all(t, "prod")
	assert.Equal(t, "ClientIP", run.Find(t, service, "prometheus").At("spec.sessionAffinity"), "each has a volume, and a past, of its own")
	assert.Nil(t, run.Find(t, service, "prometheus-names").At("spec.sessionAffinity"))
}

func TestO1PrometheusHasItsFilesAndTheNamesOfItsStack(t *testing.T) {
	run := all(t, "prod")
	made := run.Find(t, statefulSet, "prometheus")
	assert.Equal(t, map[string]string{
		"/etc/prometheus": "prometheus-config read", "/etc/prometheus/rules": "prometheus-rules read", "/etc/prometheus/alerts": "prometheus-alerts read",
		"/etc/prometheus/facts": "prometheus-facts read",
		"/prometheus":           "data written", "/tmp": "tmp written",
	}, mounts(made))
	text, err := os.ReadFile("prometheus/prometheus.yml")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"prometheus.yml": string(text)}, run.Find(t, configMap, "prometheus-config").At("data"), "no rules, and no tests of them")
	got := variables(made)
	assert.Equal(t, []any{"prod", "us-east-1"}, []any{got["ENVIRONMENT"], got["REGION"]})
	assert.Equal(t, []any{"/-/healthy", "/-/ready"}, []any{made.At(container + "livenessProbe.httpGet.path"), made.At(container + "readinessProbe.httpGet.path")})
	assert.Nil(t, made.At(`spec.template.metadata.annotations["prometheus.io/scrape"]`), "it asks itself")
	for _, files := range []string{"config", "rules", "alerts"} {
		assert.NotEmpty(t, made.At(`spec.template.metadata.annotations["alphapulse.com/prometheus-`+files+`"]`), "a change of %s rolls the pods", files)
	}
	assert.Equal(t, []any{"None", true}, []any{run.Find(t, service, "prometheus-names").At("spec.clusterIP"), made.At(pod + "automountServiceAccountToken")})
}

func TestC6WhatWatchesMayLookAndNothingElse(t *testing.T) {
	run := all(t, "prod")
	assert.Len(t, run.All(clusterRole), 2)
	assert.Equal(t, []any{
		map[string]any{"apiGroups": []any{""}, "resources": []any{"pods", "nodes"}, "verbs": []any{"list", "watch"}},
		map[string]any{"apiGroups": []any{""}, "resources": []any{"nodes/metrics"}, "verbs": []any{"get"}},
	}, run.Find(t, clusterRole, "prometheus").At("rules"), "a kubelet's proxy would run commands in pods")
	assert.Equal(t, []any{
		map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"list", "watch"}},
	}, run.Find(t, clusterRole, "alloy").At("rules"))
	for typ, names := range map[string][]string{statefulSet: {"alertmanager", "loki"}, deployment: {"grafana", "postgres-exporter"}} {
		for _, name := range names {
			assert.Equal(t, false, run.Find(t, typ, name).At(pod+"automountServiceAccountToken"), name)
		}
	}
}

func TestO2AlertmanagersFindEachOtherByNamesThatStayTheirs(t *testing.T) {
	made := all(t, "prod").Find(t, statefulSet, "alertmanager")
	assert.Equal(t, 3., made.At("spec.replicas"))
	assert.Subset(t, arguments(made), []string{
		"--cluster.listen-address=$(POD_IP):9094", "--cluster.peer=alertmanager-0.alertmanager-names:9094",
		"--cluster.peer=alertmanager-1.alertmanager-names:9094", "--cluster.peer=alertmanager-2.alertmanager-names:9094",
	})
	assert.Equal(t, "status.podIP", variables(made)["POD_IP"])
	assert.Contains(t, arguments(all(t, "local").Find(t, statefulSet, "alertmanager")), "--cluster.listen-address=", "one alone listens to nobody")
}

func TestO2AlertmanagerReadsWhomToCallFromASecret(t *testing.T) {
	made := all(t, "prod").Find(t, statefulSet, "alertmanager")
	assert.Equal(t, map[string]string{
		"/etc/alertmanager": "alertmanager-config read", "/etc/alertmanager/templates": "alertmanager-templates read",
		"/etc/alertmanager/secrets": "pagerduty-credentials read", "/alertmanager": "data written", "/tmp": "tmp written",
	}, mounts(made))
}

func TestO3GrafanaKeepsNothingAndShowsWhatIsInFiles(t *testing.T) {
	run := all(t, "prod")
	made := run.Find(t, deployment, "grafana")
	assert.Equal(t, 1., made.At("spec.replicas"), "nobody scales it")
	assert.Equal(t, map[string]string{
		"/etc/grafana": "grafana-config read", "/etc/grafana/secrets": "grafana-credentials read", "/etc/grafana/dashboards": "grafana-dashboards read",
		"/etc/grafana/provisioning/datasources": "grafana-datasources read", "/etc/grafana/provisioning/dashboards": "grafana-providers read",
		"/var/lib/grafana": "data written", "/tmp": "tmp written",
	}, mounts(made))
	assert.Contains(t, made.At(pod+"volumes"), map[string]any{"name": "data", "emptyDir": map[string]any{"sizeLimit": "1Gi"}})
	assert.Empty(t, run.All("kubernetes:networking.k8s.io/v1:Ingress"), "no way to it from outside")
}

func TestO4LokiHasItsPartOfTheBucketAndNoMore(t *testing.T) {
	run := all(t, "prod")
	made := run.Find(t, statefulSet, "loki")
	got := variables(made)
	assert.Equal(t, []any{"logs-of-it", "us-east-1", "2160h", "1024MB"}, []any{got["BUCKET"], got["AWS_REGION"], got["RETENTION"], got["REPLAY_MEMORY"]})
	assert.Equal(t, "2Gi", made.At(pod+"containers[0].resources.limits.memory"), "twice that")
	assert.NotNil(t, run.Find(t, account, "loki").At(`metadata.annotations["eks.amazonaws.com/role-arn"]`))
	statements := recorder.Statements(t, run.Find(t, rolePolicy, "loki").At("policy"))
	require.Len(t, statements, 3)
	assert.Equal(t, recorder.Strings{"arn:aws:s3:::logs-of-it"}, statements[0].Resource)
	assert.Equal(t, recorder.Strings{"application/*"}, statements[0].Condition["StringLike"]["s3:prefix"])
	assert.Equal(t, recorder.Strings{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, statements[1].Action)
	assert.Equal(t, recorder.Strings{"arn:aws:s3:::logs-of-it/application/*"}, statements[1].Resource)
	assert.Equal(t, recorder.Strings{"key-of-data"}, statements[2].Resource)
	assert.Equal(t, recorder.Strings{"s3.us-east-1.amazonaws.com"}, statements[2].Condition["StringEquals"]["kms:ViaService"])
	trust := recorder.Statements(t, run.Find(t, iamRole, "loki").At("assumeRolePolicy"))
	assert.Equal(t, recorder.Strings{"system:serviceaccount:monitoring:loki"}, trust[0].Condition["StringEquals"]["issuer.example:sub"])
}

func TestO4TheCollectorIsOnEveryNodeAndReadsItsLogsOnly(t *testing.T) {
	run := all(t, "prod")
	made := run.Find(t, daemonSet, "alloy")
	assert.Equal(t, []any{map[string]any{"operator": "Exists"}}, made.At(pod+"tolerations"), "whatever taints a node has")
	assert.Nil(t, made.At(pod+"nodeSelector"))
	assert.Equal(t, "every-node", made.At(pod+"priorityClassName"), "a full node makes room: its pod can be nowhere else")
	assert.Contains(t, made.At(pod+"volumes"), map[string]any{"name": "pod-logs", "hostPath": map[string]any{"path": "/var/log/pods", "type": "Directory"}})
	assert.Equal(t, map[string]string{"/etc/alloy": "alloy-config read", "/var/log/pods": "pod-logs read", "/tmp": "tmp written"}, mounts(made))
	assert.Equal(t, []any{true, 10001., []any{0.}}, []any{
		made.At(pod + "securityContext.runAsNonRoot"), made.At(pod + "securityContext.runAsUser"), made.At(pod + "securityContext.supplementalGroups"),
	}, "root's group may read them, root is nobody here")
	assert.Equal(t, "spec.nodeName", variables(made)["NODE_NAME"])
	assert.Empty(t, len(run.All(budget))-5, "a budget for each of the others, none for what goes with its node")
}

func TestO5TheExporterAsksTheDatabaseItselfOverTLS(t *testing.T) {
	made := all(t, "prod").Find(t, deployment, "postgres-exporter")
	got := variables(made)
	assert.Equal(t, "db.example:5432/alphapulse?sslmode=verify-full&sslrootcert=/etc/postgres-exporter/rds-roots.pem&connect_timeout=5", got["DATA_SOURCE_URI"])
	assert.Equal(t, map[string]any{"name": "postgres-exporter-credentials", "key": "password"}, got["DATA_SOURCE_PASS"])
	assert.Equal(t, "9187", made.At(`spec.template.metadata.annotations["prometheus.io/port"]`))
}

// Each ConfigMap holds a mebibyte at most, keys and all.
func TestO3FilesFitIntoTheirConfigMaps(t *testing.T) {
	maps := all(t, "prod").All(configMap)
	require.Len(t, maps, 13)
	for _, one := range maps {
		size := 0
		for name, text := range one.At("data").(map[string]any) {
			size += len(name) + len(fmt.Sprint(text))
		}
		assert.Positive(t, size, one.Name)
		assert.Less(t, size, 900<<10, one.Name)
	}
}
