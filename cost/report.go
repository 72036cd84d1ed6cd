package cost

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Table is the estimate for people: the lines by component, the source's figures beside ours, and what it all rests on.
func (e Estimate) Table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s in %s, a month of %d hours, on %s\n%s, dated %s\n\n",
		e.Environment, e.Region, HoursPerMonth, e.At.Format("2006-01-02"), PricesAre, PricesDated)
	e.writeLines(&out)
	e.writeComparison(&out)
	fmt.Fprintln(&out, "\nAt minimum: the nodes that the minimum replicas need, all month. At maximum: every pool at its max, all month.")
	fmt.Fprintln(&out, "\nAssumed:")
	for _, a := range e.Assumptions {
		fmt.Fprintf(&out, "  %s: %g %s (%s)\n", a.What, a.Value, a.Unit, a.Why)
	}
	fmt.Fprintln(&out, "\nNot counted:")
	for _, what := range NotCounted {
		fmt.Fprintf(&out, "  %s\n", what)
	}
	return out.String()
}

func (e Estimate) writeLines(out *strings.Builder) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "component\twhat\tquantity\tunit\tUSD each\tat minimum\tat maximum\t")
	for _, row := range Source {
		for _, l := range e.Lines {
			if l.Component == row.Component {
				monthly := l.Monthly()
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.4g\t%.2f\t%.2f\t%s\n", l.Component, l.What, l.Count, l.Unit, l.USD, monthly.Min, monthly.Max, e.remark(l))
			}
		}
	}
	total := e.Total()
	fmt.Fprintf(w, "total\t\t\t\t\t%.2f\t%.2f\t\n", total.Min, total.Max)
	w.Flush()
}

func (e Estimate) remark(l Line) string {
	if e.Charged(l) {
		return ""
	}
	return "not in the total: charged from " + l.From.Format("2006-01-02")
}

func (e Estimate) writeComparison(out *strings.Builder) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ncomponent\tthe source\tUSD\tours\t")
	for _, row := range Source {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", row.Component, row.Specification, row.Monthly.Dollars(), e.Of(row.Component).Dollars(), row.Ours)
	}
	fmt.Fprintf(w, "total\t\t%s\t%s\t\n", SourceTotal.Dollars(), e.Total().Dollars())
	fmt.Fprintf(w, "per tenant\tat %d tenants\t%s\t%s\t\n", Tenants, SourceTotal.times(1.0/Tenants).Dollars(), e.Total().times(1.0/Tenants).Dollars())
	w.Flush()
}

// String is the range with as many digits as it needs: 3, or 3..12.
func (r Range) String() string {
	if r.Min == r.Max {
		return digits(r.Min)
	}
	return digits(r.Min) + ".." + digits(r.Max)
}

// Dollars is the range in whole dollars.
func (r Range) Dollars() string {
	low, high := fmt.Sprintf("%.0f", r.Min), fmt.Sprintf("%.0f", r.Max)
	if low == high {
		return low
	}
	return low + ".." + high
}

func digits(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") }
