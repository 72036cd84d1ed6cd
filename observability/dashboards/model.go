package main

// dashboard is one page; its uid is its address, which alerts name.
type dashboard struct {
	uid, title, about string
	variables         []variable
	rows              []row
}

// dashboards are all of them, in the order in which their links stand.
var dashboards = []dashboard{overview, api, agents, data, nodes, backups}

// variable is a choice at the top of the page: the values of a label of the series of a metric, all of them at first.
type variable struct{ name, title, metric string }

// row is a strip of panels of one height, which wrap when they are wider than the page.
type row struct {
	title  string
	height int
	panels []panel
}

// panel is one picture. About says what is good, what is bad, and what to do then: who is woken at night reads it.
type panel struct {
	title, about string
	kind         kind
	width        int // of 24
	unit         unit
	queries      []query
	// limits colour what is shown, says what its values are called.
	limits []limit
	says   map[string]state
	// stacked graphs show what all together are; floor and ceiling keep a scale in place.
	stacked        bool
	floor, ceiling *float64
	// columns are what a table shows of its labels, by their names, in their order.
	columns []column
	// leads is the uid of the dashboard that knows more.
	leads string
	text  string // of a panel without queries
}

type column struct{ label, title string }

type kind string

const (
	light kind = "stat"       // one number, or several, as large as can be, in the colour of its state
	graph kind = "timeseries" // how it came about
	bars  kind = "bargauge"   // which of many
	table kind = "table"
	lines kind = "logs"
	words kind = "text"
)

// unit is Grafana's name for one.
type unit string

const (
	count     unit = "short"
	share     unit = "percentunit"
	seconds   unit = "s"
	size      unit = "bytes"
	requests  unit = "reqps"
	perSecond unit = "cps"
	times     unit = "suffix: x"
	since     unit = "dateTimeFromNow"
	perMinute unit = "suffix: /min"
)

// limit is from which value on a colour holds; the first holds below all others.
type limit struct {
	from  float64
	color string
}

// state is what a value means.
type state struct{ text, color string }

const (
	green, orange, red, purple = "green", "orange", "red", "purple"
)

// rising is bad when it is high, falling when it is low: orange is when to look, red when somebody is hurt.
func rising(look, hurt float64) []limit  { return []limit{{0, green}, {look, orange}, {hurt, red}} }
func falling(look, hurt float64) []limit { return []limit{{0, red}, {hurt, orange}, {look, green}} }

// none is good, any is bad.
func none(bad string) []limit { return []limit{{0, green}, {1, bad}} }

// atLeastOne is good when it is one or more.
var atLeastOne = []limit{{0, red}, {1, green}}

var upDown = map[string]state{"1": {"up", green}, "0": {"down", red}}

// query is what a panel asks Prometheus or, for lines and counts of them, Loki.
type query struct {
	expr, legend string
	logs         bool
}

func ask(expr, legend string) query { return query{expr: expr, legend: legend} }
func logs(expr, legend string) query {
	return query{expr: expr, legend: legend, logs: true}
}

func number(n float64) *float64 { return &n }
