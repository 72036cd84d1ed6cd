// Package cost estimates what a stack costs a month, line by line, from its config and a dated price table, and sets the source
// document's own estimate beside it (E4).
//
// At minimum means: the nodes that the minimum replicas need, all month. At maximum: every pool at its max, all month, which is an upper
// bound and no forecast. What depends on use follows from stated assumptions, never from figures inside the code.
package cost

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
)

// Range is an amount at minimum and at maximum.
type Range struct{ Min, Max float64 }

// Line is one thing that is paid for.
type Line struct {
	// Component is the row of the source's table that it belongs to, or one of ours where the source has none.
	Component, What string
	// Count is how many there are at a time for what is paid by the hour or month, else how much is used in a month.
	Count Range
	Unit  string
	// USD is the price of one unit.
	USD float64
	// From is the first day it is charged; zero: it already is.
	From time.Time
}

// Estimate is a stack's month.
type Estimate struct {
	Environment, Region string
	At                  time.Time
	Lines               []Line
	// Assumptions are those that the lines were made with.
	Assumptions []Assumption
}

// Monthly is the line's cost in USD.
func (l Line) Monthly() Range {
	monthly := l.Count.times(l.USD)
	if l.Unit == hour {
		monthly = monthly.times(HoursPerMonth)
	}
	return monthly
}

// Charged says whether the line is paid on the day of the estimate.
func (e Estimate) Charged(l Line) bool { return !e.At.Before(l.From) }

// Total is the month in USD, without what is charged later only.
func (e Estimate) Total() Range { return e.sum(func(Line) bool { return true }) }

// Of is one component's part of the total.
func (e Estimate) Of(component string) Range {
	return e.sum(func(l Line) bool { return l.Component == component })
}

func (e Estimate) sum(counts func(Line) bool) (sum Range) {
	for _, line := range e.Lines {
		if counts(line) && e.Charged(line) {
			sum = sum.plus(line.Monthly())
		}
	}
	return sum
}

// For estimates a platform as of a day. Whatever has no price is an error that names it, all at once.
func For(p config.Platform, at time.Time) (Estimate, error) {
	column, ok := regionColumn(p.AWS.Region)
	if !ok {
		return Estimate{}, fmt.Errorf("there are no prices of region %q, only of %s: add a column to the tables in cost/prices.go",
			p.AWS.Region, strings.Join(regions, ", "))
	}
	b := &builder{
		platform: p, region: column, plan: capacity.PlanFor(p).Check(),
		estimate: Estimate{Environment: p.Environment, Region: p.AWS.Region, At: at},
	}
	for _, pool := range p.Cluster.NodePools {
		b.nodes = b.nodes.plus(b.size(pool))
	}
	b.addCluster()
	b.addPostgres()
	b.addLoadBalancer()
	b.addStorage()
	b.addEdge()
	b.addLogs()
	b.addNetwork()
	b.addSecrets()
	return b.estimate, errors.Join(b.unknown...)
}

// builder collects an estimate's lines.
type builder struct {
	platform config.Platform
	region   int
	plan     capacity.Report
	nodes    Range // of all pools
	estimate Estimate
	unknown  []error
}

// add makes a line, unless there is nothing to pay for.
func (b *builder) add(component, what string, count Range, of price) {
	b.addFrom(time.Time{}, component, what, count, of)
}

func (b *builder) addFrom(from time.Time, component, what string, count Range, of price) {
	if count.Max == 0 {
		return
	}
	usd := of.usd[b.region]
	if usd == 0 {
		b.unknown = append(b.unknown, fmt.Errorf("the price of %s in %s is not known: add it in cost/prices.go", what, b.estimate.Region))
		return
	}
	b.estimate.Lines = append(b.estimate.Lines, Line{Component: component, What: what, Count: count, Unit: of.unit, USD: usd, From: from})
}

// assume hands out an assumption's value and notes that it was used.
func (b *builder) assume(a Assumption) float64 {
	if !slices.Contains(b.estimate.Assumptions, a) {
		b.estimate.Assumptions = append(b.estimate.Assumptions, a)
	}
	return a.Value
}

// size is how many nodes a pool has at minimum replicas, and how many it may have.
func (b *builder) size(pool config.NodePool) Range {
	return Range{float64(b.plan.NodesAtMinimum(pool.Name)), float64(pool.Max)}
}

func exactly(n float64) Range { return Range{n, n} }

func (r Range) plus(s Range) Range      { return Range{r.Min + s.Min, r.Max + s.Max} }
func (r Range) times(n float64) Range   { return Range{r.Min * n, r.Max * n} }
func (r Range) without(n float64) Range { return Range{max(r.Min-n, 0), max(r.Max-n, 0)} }
