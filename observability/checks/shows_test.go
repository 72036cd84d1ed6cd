package checks

import (
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// matching is a text that a regular expression matches.
func matching(re *syntax.Regexp) (text string) {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(re.Rune[0])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpConcat:
		for _, part := range re.Sub {
			text += matching(part)
		}
		return text
	case syntax.OpAlternate, syntax.OpCapture, syntax.OpPlus, syntax.OpRepeat:
		return matching(re.Sub[0])
	}
	return ""
}

// invent makes the series that an expression asks for, with every label that they can have: one that is asked for has what is asked, all others of
// a name are the same. So what does not fit together is not the series' fault.
func invent(known map[string]metric, expr parser.Expr) string {
	series := set{}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		chosen := map[string]string{}
		for name := range known[selector.Name].labels {
			chosen[name] = "any-" + name
		}
		for _, m := range selector.LabelMatchers {
			switch m.Type {
			case labels.MatchEqual:
				chosen[m.Name] = m.Value
			case labels.MatchRegexp:
				re, err := syntax.Parse(m.Value, syntax.Perl)
				if err == nil {
					chosen[m.Name] = matching(re.Simplify())
				}
			}
		}
		delete(chosen, model.MetricNameLabel)
		for _, le := range []string{"0.5", "+Inf"} {
			if chosen["le"] != "" {
				chosen["le"] = le
			}
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(chosen)) {
				pairs = append(pairs, name+"=\""+chosen[name]+"\"")
			}
			series[selector.Name+"{"+strings.Join(pairs, ",")+"} 1+7x300"] = true
		}
		return nil
	})
	return "load 15s\n  " + strings.Join(slices.Sorted(maps.Keys(series)), "\n  ") + "\n"
}

// answers are how many series an expression gives, where all that it asks for is there.
func answers(t *testing.T, engine *promql.Engine, known map[string]metric, expr parser.Expr) (int, error) {
	t.Helper()
	kept := promqltest.LoadedStorage(t, invent(known, expr))
	defer func() { require.NoError(t, kept.Close()) }()
	query, err := engine.NewInstantQuery(t.Context(), kept, nil, expr.String(), time.Unix(300*15, 0))
	require.NoError(t, err)
	result := query.Exec(t.Context())
	if vector, is := result.Value.(promql.Vector); is {
		return len(vector), result.Err
	}
	return 1, result.Err
}

// compares tells whether an expression has no answer when all is in order.
func compares(expr parser.Expr) (yes bool) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.BinaryExpr:
			yes = yes || node.Op.IsComparisonOperator() && !node.ReturnBool || node.Op == parser.LUNLESS
		case *parser.Call:
			yes = yes || strings.HasPrefix(node.Func.Name, "absent")
		}
		return nil
	})
	return yes
}

// A question whose sides do not match has no error, but no answer either, whatever there is.
func TestO3EveryQuestionHasAnAnswer(t *testing.T) {
	t.Parallel()
	known := world(t)
	engine := promqltest.NewTestEngine(t, false, 0, 50_000_000)
	for _, q := range questions(t) {
		expr, err := parse(q.expr)
		require.NoError(t, err, q.where)
		got, err := answers(t, engine, known, expr)
		assert.NoError(t, err, "%s\n%s", q.where, q.expr)
		assert.True(t, got > 0 || compares(expr), "%s\n%s\n%s", q.where, q.expr, invent(known, expr))
	}

	// The check itself.
	expr, err := parse(`kube_deployment_status_replicas_available{deployment="api"} / kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="api-hpa"}`)
	require.NoError(t, err)
	got, err := answers(t, engine, known, expr)
	require.NoError(t, err)
	assert.Zero(t, got)
}
