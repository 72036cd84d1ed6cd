package checks

import (
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// reader follows an expression and tells which labels its result can have. It collects what is asked for and cannot be there.
type reader struct {
	known    map[string]metric
	problems []string
}

func (r *reader) add(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// read gives the labels that an expression's series can have.
func (r *reader) read(e parser.Expr) set {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return r.selector(e)
	case *parser.MatrixSelector:
		return r.read(e.VectorSelector)
	case *parser.SubqueryExpr:
		return r.read(e.Expr)
	case *parser.ParenExpr:
		return r.read(e.Expr)
	case *parser.UnaryExpr:
		return r.read(e.Expr)
	case *parser.StepInvariantExpr:
		return r.read(e.Expr)
	case *parser.AggregateExpr:
		return r.aggregate(e)
	case *parser.BinaryExpr:
		return r.binary(e)
	case *parser.Call:
		return r.call(e)
	}
	return set{}
}

func (r *reader) selector(e *parser.VectorSelector) set {
	name := e.Name
	for _, m := range e.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			name = m.Value
		}
	}
	one, found := r.known[name]
	if !found {
		r.add("no exporter has %q", name)
		return set{}
	}
	for _, m := range e.LabelMatchers {
		if m.Name != model.MetricNameLabel && !one.labels[m.Name] {
			r.add("%s has no label %q", name, m.Name)
		}
	}
	return one.labels
}

// within complains about labels that are not there.
func (r *reader) within(names []string, there set, where string) {
	for _, name := range names {
		if !there[name] {
			r.add("no label %q in %s", name, where)
		}
	}
}

func (r *reader) aggregate(e *parser.AggregateExpr) set {
	inner := r.read(e.Expr)
	r.within(e.Grouping, inner, e.Expr.String())
	switch {
	case e.Op == parser.TOPK || e.Op == parser.BOTTOMK || e.Op == parser.LIMITK || e.Op == parser.LIMIT_RATIO:
		return inner
	case e.Without:
		return inner.without(e.Grouping...)
	}
	return setOf(e.Grouping...)
}

func (r *reader) binary(e *parser.BinaryExpr) set {
	left, right := r.read(e.LHS), r.read(e.RHS)
	switch {
	case e.LHS.Type() == parser.ValueTypeScalar:
		return right
	case e.RHS.Type() == parser.ValueTypeScalar || e.VectorMatching == nil:
		return left
	}
	matching := e.VectorMatching
	if matching.On {
		r.within(matching.MatchingLabels, left, e.LHS.String())
		r.within(matching.MatchingLabels, right, e.RHS.String())
	}
	switch {
	case e.Op == parser.LOR:
		return left.with(right)
	case e.Op == parser.LAND || e.Op == parser.LUNLESS:
		return left
	case matching.Card == parser.CardManyToOne:
		r.within(matching.Include, right, e.RHS.String())
		return left.with(setOf(matching.Include...))
	case matching.Card == parser.CardOneToMany:
		r.within(matching.Include, left, e.LHS.String())
		return right.with(setOf(matching.Include...))
	case matching.On:
		return setOf(matching.MatchingLabels...)
	}
	return left.without(matching.MatchingLabels...)
}

func (r *reader) call(e *parser.Call) set {
	all := set{}
	for _, argument := range e.Args {
		all = all.with(r.read(argument))
	}
	text := func(i int) string {
		if literal, is := e.Args[i].(*parser.StringLiteral); is {
			return literal.Val
		}
		return ""
	}
	switch e.Func.Name {
	case "label_replace":
		r.within([]string{text(3)}, all, e.String())
		return all.with(setOf(text(1)))
	case "label_join":
		return all.with(setOf(text(1)))
	case "histogram_quantile", "histogram_fraction":
		return all.without("le")
	case "scalar", "vector", "time":
		return set{}
	case "absent", "absent_over_time":
		return r.absent(e)
	}
	return all
}

// absent has the labels that are asked for with `=`.
func (r *reader) absent(e *parser.Call) set {
	given := set{}
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is {
			for _, m := range selector.LabelMatchers {
				if m.Type == labels.MatchEqual && m.Name != model.MetricNameLabel {
					given[m.Name] = true
				}
			}
		}
		return nil
	})
	return given
}

// variables are what Grafana puts in before it asks.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "3h", "$__interval", "1m", "$route", ".*", "$queue", ".*")

// parse reads an expression as Prometheus does.
func parse(expr string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(expr))
}
