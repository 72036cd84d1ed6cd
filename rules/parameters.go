package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// parameterRules are RDS's for PostgreSQL's parameter groups (D2): plain numbers in each parameter's own unit, and for parameters that
// PostgreSQL reads only at its start no application before a restart.
var parameterRules = []Rule{
	{Name: "rds-parameter-value", Types: []string{parameterGroup}, Source: "PostgreSQL docs", Check: eachParameter(parameterValue)},
	{Name: "rds-parameter-apply-method", Types: []string{parameterGroup}, Source: "AWS docs", Check: eachParameter(applyMethod)},
}

const parameterGroup = "aws:rds/parameterGroup:ParameterGroup"

// parameter is what PostgreSQL 14 says of one of its settings. A unit is that of a plain number.
type parameter struct {
	static         bool // read at the start only
	unit           string
	least, most    float64
	fraction, text bool
}

const maxInt = 2147483647

var parameters = map[string]parameter{
	"max_connections":                     {static: true, least: 6, most: 262143},
	"shared_buffers":                      {static: true, unit: "8kB", least: 16, most: maxInt / 2},
	"wal_buffers":                         {static: true, unit: "8kB", least: -1, most: 262143},
	"effective_cache_size":                {unit: "8kB", least: 1, most: maxInt},
	"work_mem":                            {unit: "kB", least: 64, most: maxInt},
	"maintenance_work_mem":                {unit: "kB", least: 1024, most: maxInt},
	"checkpoint_completion_target":        {least: 0, most: 1, fraction: true},
	"default_statistics_target":           {least: 1, most: 10000},
	"random_page_cost":                    {least: 0, most: 1e9, fraction: true},
	"effective_io_concurrency":            {least: 0, most: 1000},
	"rds.force_ssl":                       {least: 0, most: 1},
	"rds.logical_replication":             {static: true, least: 0, most: 1},
	"idle_in_transaction_session_timeout": {unit: "ms", least: 0, most: maxInt},
	"statement_timeout":                   {unit: "ms", least: 0, most: maxInt},
	"log_min_duration_statement":          {unit: "ms", least: -1, most: maxInt},
	"shared_preload_libraries":            {static: true, text: true},
}

// eachParameter checks those parameters that are in the table.
func eachParameter(one func(p parameter, in Resource) []Finding) check {
	return each("parameters", func(in Resource) []Finding {
		name, _ := in.At("name").Text()
		p, ok := parameters[name]
		if !ok {
			return nil
		}
		return one(p, in)
	})
}

// formula is RDS's own: "{DBInstanceClassMemory/32768}", "GREATEST({...},...)".
var formula = regexp.MustCompile(`^(\{.*\}|(GREATEST|LEAST|SUM)\(.*\))$`)

func parameterValue(p parameter, in Resource) []Finding {
	v := in.At("value")
	text, ok := v.Text()
	if !ok || p.text || formula.MatchString(text) {
		return nil
	}
	remedy := fmt.Sprintf("write a whole number from %.0f to %.0f", p.least, p.most)
	if p.fraction {
		remedy = fmt.Sprintf("write a number from %g to %g", p.least, p.most)
	}
	if p.unit != "" {
		remedy += ", in units of " + p.unit
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && p.unit != "" && strings.TrimLeft(text, "0123456789") != text:
		return v.Breaks("RDS takes no units", remedy)
	case err != nil:
		return v.Breaks("is not a number", remedy)
	case !p.fraction && n != float64(int(n)), n < p.least, n > p.most:
		return v.Breaks("is out of PostgreSQL's range", remedy)
	}
	return nil
}

func applyMethod(p parameter, in Resource) []Finding {
	if !p.static {
		return nil // waiting is no mistake: a dynamic parameter at RDS's own default is reported as waiting anyway
	}
	return must("applyMethod", "pending-reboot", "PostgreSQL reads it at its start, and RDS refuses to apply it at once",
		"set pending-reboot")(in)
}
