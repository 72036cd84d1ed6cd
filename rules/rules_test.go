package rules

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// breakage is arguments that break one rule, in JSON, what the message has to say, and a twin that keeps it; none where the type
// itself is refused.
type breakage struct {
	rule, typ, bad, says, good string
}

// judgeAlone gives all that one resource breaks in a stack that protects what it holds, in the account of the cases.
func judgeAlone(typ, name string, props map[string]any) []Violation {
	return (&Book{Protect: true, Account: "222222222222"}).Check(NewResource(typ, name, props))
}

func args(t *testing.T, text string) map[string]any {
	t.Helper()
	var made map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &made), text)
	return made
}

// of leaves those that are about one rule.
func of(rule string, all []Violation) []Violation {
	return slices.DeleteFunc(all, func(v Violation) bool { return v.Rule != rule })
}

func breakEach(t *testing.T, list []breakage) {
	t.Helper()
	for _, c := range list {
		t.Run(c.rule+"/"+c.bad, func(t *testing.T) {
			found := of(c.rule, judgeAlone(c.typ, "it", args(t, c.bad)))
			require.NotEmpty(t, found)
			text := found[0].String()
			assert.Contains(t, text, c.typ+" it: ")
			assert.Contains(t, text, c.says)
			assert.Contains(t, text, "; ", "the remedy")
			assert.True(t, strings.HasSuffix(text, " ["+c.rule+"]"), text)
			if c.good != "" {
				assert.Empty(t, of(c.rule, judgeAlone(c.typ, "it", args(t, c.good))))
			}
		})
	}
}

func TestEveryRuleIsBrokenByACase(t *testing.T) {
	// Tests of their own break these, since it takes several resources, or more than arguments.
	broken := map[string]bool{"autoscaled-replicas": true, "bucket-encrypted": true, "bucket-public": true, "unprotected": true}
	for _, list := range everyCase {
		for _, c := range list {
			broken[c.rule] = true
		}
	}
	names := map[string]bool{}
	for _, rule := range table {
		assert.True(t, broken[rule.Name], "no case breaks %s", rule.Name)
		assert.False(t, names[rule.Name], "two rules are named %s", rule.Name)
		names[rule.Name] = true
		assert.NotEmpty(t, rule.Source, rule.Name)
		assert.NotEmpty(t, rule.Types, rule.Name)
	}
	assert.Len(t, broken, len(table), "a case breaks a rule that does not exist")
}

// blank replaces every value that is no list or map, so that only the shape is known.
func blank(value any) any {
	switch v := value.(type) {
	case map[string]any:
		made := map[string]any{}
		for key, inner := range v {
			made[key] = blank(inner)
		}
		return made
	case []any:
		made := []any{}
		for _, inner := range v {
			made = append(made, blank(inner))
		}
		return made
	}
	return Unknown{}
}

// What was given but is not known yet has no value that could be judged, but it is there, and lists have their length. Only rules about
// these may name it.
func TestNothingIsJudgedThatIsNotKnownYet(t *testing.T) {
	presence := []string{"rds-replica-inherits", "rds-subnets", "s3-companions", "s3-object-lock", "sg-inline-rules", "sg-default", "sg-rule-peer",
		"eip-domain", "eks-cluster-subnets", "eks-addon-conflicts", "eks-node-template", "eks-node-update", "eks-node-labels", "node-template-settings",
		"eks-component-storage", "eks-component-template", "eks-component-addon", "cloudflare-record-content", "ingress-annotations",
		"traefik-rate-limit-client", "traefik-rate-limit-redis", "removed-pod-security-policy", "pod-host"}
	for _, list := range everyCase {
		for _, c := range list {
			unknown := blank(args(t, c.bad)).(map[string]any)
			for _, v := range of(c.rule, judgeAlone(c.typ, "it", unknown)) {
				assert.True(t, slices.Contains(presence, c.rule) || !strings.Contains(v.Text, "not known yet"), "%s", v)
			}
			for argument := range unknown {
				unknown[argument] = Unknown{}
			}
			for _, v := range of(c.rule, judgeAlone(c.typ, "it", unknown)) {
				assert.True(t, slices.Contains(presence, c.rule) || !strings.Contains(v.Text, "not known yet"), "%s", v)
			}
		}
	}
}

func TestS2SecretsAreJudgedAndNotShown(t *testing.T) {
	for name, iops := range map[string]any{"alone": Secret{3000.}, "twice": Secret{Secret{3000.}}} {
		found := judgeAlone(database, "db", map[string]any{"engine": Secret{"postgres"}, "storageType": "gp3", "allocatedStorage": 500., "iops": iops})
		found = of("rds-gp3-performance", found)
		require.Len(t, found, 1, name)
		assert.Contains(t, found[0].Text, "iops [secret]: gp3")
		assert.NotContains(t, found[0].Text, "iops 3000")
	}
	within := Value{path: "settings", raw: map[string]any{"a": Secret{"hidden"}, "b": []any{Secret{1.}, Unknown{}}}}
	assert.Equal(t, `settings {"a":"[secret]","b":["[secret]","(not known yet)"]}`, within.String())
	assert.Equal(t, "settings.a [secret]", within.At("a").String())
	around := Value{path: "settings", raw: Secret{map[string]any{"a": []any{"hidden"}}}}.open()
	assert.Equal(t, "settings.a[0] [secret]", around.At("a").Items()[0].String())
}

func TestLongValuesDoNotHideTheMessage(t *testing.T) {
	assert.Equal(t, "policy "+strings.Repeat("x", 80)+"...", Value{path: "policy", raw: strings.Repeat("x", 3000)}.String())
}

func TestD1MessageNamesResourceValueReasonAndRemedy(t *testing.T) {
	found := Check(NewResource(database, "data-postgres", args(t, `{"engine":"postgres","storageType":"gp3","allocatedStorage":500,"iops":3000,
		"backupRetentionPeriod":7,"finalSnapshotIdentifier":"last","storageEncrypted":true}`)))
	require.Len(t, found, 1)
	assert.Equal(t, "aws:rds/instance:Instance data-postgres: iops 3000: gp3 with PostgreSQL from 400 GiB starts at 12000 IOPS (AWS docs); "+
		"leave iops unset or set at least 12000 [rds-gp3-performance]", found[0].String())
}

func TestW2AutoscaledWorkloadSetsNoReplicas(t *testing.T) {
	const deployment, hpa, keda = "kubernetes:apps/v1:Deployment", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "kubernetes:keda.sh/v1alpha1:ScaledObject"
	workload := `{"metadata":{"name":"api","namespace":"ours"},"spec":{"replicas":10}}`
	scaler := `{"metadata":{"name":"api-hpa","namespace":"ours"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"api"}}}`
	type registered struct{ typ, props string }
	for name, c := range map[string]struct {
		run  []registered
		want int
	}{
		"the workload first":   {[]registered{{deployment, workload}, {hpa, scaler}}, 1},
		"the autoscaler first": {[]registered{{hpa, scaler}, {deployment, workload}}, 1},
		"KEDA, whose kind is a Deployment by default": {[]registered{{deployment, workload},
			{keda, `{"metadata":{"name":"api","namespace":"ours"},"spec":{"scaleTargetRef":{"name":"api"}}}`}}, 1},
		"no number":         {[]registered{{hpa, scaler}, {deployment, `{"metadata":{"name":"api","namespace":"ours"},"spec":{}}`}}, 0},
		"another namespace": {[]registered{{hpa, scaler}, {deployment, `{"metadata":{"name":"api","namespace":"theirs"},"spec":{"replicas":10}}`}}, 0},
		"another name":      {[]registered{{hpa, scaler}, {deployment, `{"metadata":{"name":"billing","namespace":"ours"},"spec":{"replicas":10}}`}}, 0},
		"another kind":      {[]registered{{hpa, scaler}, {"kubernetes:apps/v1:StatefulSet", workload}}, 0},
		"no autoscaler":     {[]registered{{deployment, workload}, {deployment, workload}}, 0},
		"only autoscalers":  {[]registered{{hpa, scaler}, {hpa, scaler}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			book := &Book{}
			var found []Violation
			for i, r := range c.run {
				found = append(found, book.Check(NewResource(r.typ, string(rune('a'+i)), args(t, r.props)))...)
			}
			require.Len(t, of("autoscaled-replicas", found), c.want)
			if c.want > 0 {
				assert.Contains(t, found[0].Text, "spec.replicas 10: ")
				assert.Contains(t, found[0].Text, "leave replicas unset")
			}
		})
	}
}
