package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Edge is what stands before the ingress at Cloudflare (N5).
type Edge struct {
	// Zone is the domain, Host the name under it that customers use.
	Zone string `json:"zone"`
	Host string `json:"host"`
	// Plan is the zone's plan at Cloudflare: free, pro, business or enterprise. What it lacks is refused.
	Plan string `json:"plan"`
	// OwnsZone says that this stack keeps the settings of the whole zone. Of all stacks on a zone exactly one may.
	OwnsZone bool `json:"ownsZone"`
	// WAF turns Cloudflare's managed rules on; RateLimit is the edge's own, per client and data centre. Both are the zone's.
	WAF       bool          `json:"waf"`
	RateLimit EdgeRateLimit `json:"rateLimit"`
}

// EdgeRateLimit lets so many requests in a period pass, per client address and Cloudflare data centre.
type EdgeRateLimit struct {
	Requests      int `json:"requests"`
	PeriodSeconds int `json:"periodSeconds"`
}

// EdgePlan is what a plan of Cloudflare's has (Cloudflare docs, "WAF: availability", read 2026-11-22).
type EdgePlan struct {
	Name string
	// ManagedRules are the WAF's. RateLimitPeriods are the lengths in seconds that a rate limit may count over.
	ManagedRules     bool
	RateLimitPeriods []int
}

// EdgePlans are Cloudflare's plans, the smallest first.
var EdgePlans = []EdgePlan{
	{"free", false, []int{10}},
	{"pro", true, []int{10, 60}},
	{"business", true, []int{10, 60, 120, 300, 600}},
	{"enterprise", true, []int{10, 60, 120, 300, 600, 3600}},
}

var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$`)

func (e Edge) validate() (ps Problems) {
	if !domainName.MatchString(e.Zone) {
		ps.add("zone", e.Zone, "must be a domain such as alphapulse.com")
	} else if label, below := strings.CutSuffix(e.Host, "."+e.Zone); e.Host != e.Zone && (!below || strings.Contains(label, ".") || !domainName.MatchString(e.Host)) {
		ps.add("host", e.Host, "must be %s or one name under it, such as api.%s: Cloudflare's certificate covers nothing deeper", e.Zone, e.Zone)
	}
	i := slices.IndexFunc(EdgePlans, func(p EdgePlan) bool { return p.Name == e.Plan })
	if i < 0 {
		ps.add("plan", e.Plan, "must be a plan of Cloudflare's: free, pro, business or enterprise")
		return ps
	}
	return append(ps, e.validateZoneWide(EdgePlans[i])...)
}

// validateZoneWide looks at what concerns the whole zone.
func (e Edge) validateZoneWide(plan EdgePlan) (ps Problems) {
	if !e.OwnsZone {
		if e.WAF {
			ps.add("waf", e.WAF, "is a setting of the whole zone: leave it to the stack with ownsZone: true")
		}
		if e.RateLimit != (EdgeRateLimit{}) {
			ps.add("rateLimit", fmt.Sprintf("%+v", e.RateLimit), "is a setting of the whole zone: leave it to the stack with ownsZone: true")
		}
		return ps
	}
	if e.WAF && !plan.ManagedRules {
		ps.add("waf", e.WAF, "the plan %s has no managed rules; set waf: false, or a plan of pro or more", e.Plan)
	}
	if e.RateLimit.Requests < 1 {
		ps.add("rateLimit.requests", e.RateLimit.Requests, "must be at least 1 request in periodSeconds")
	}
	if !slices.Contains(plan.RateLimitPeriods, e.RateLimit.PeriodSeconds) {
		ps.add("rateLimit.periodSeconds", e.RateLimit.PeriodSeconds, "the plan %s counts over %s seconds only", e.Plan, listed(plan.RateLimitPeriods))
	}
	return ps
}

// OtherOwners finds the stack files in a folder that own the same zone: a zone holds one ruleset for each phase, and two owners would
// overwrite each other for ever. A file that cannot be read is that stack's own trouble.
func (p Platform) OtherOwners(folder string) (ps Problems) {
	files, err := filepath.Glob(filepath.Join(folder, "Pulumi.*.yaml"))
	if err != nil || !p.Edge.OwnsZone {
		return nil
	}
	for _, file := range files {
		raw, err := FromFile(file)
		if err != nil {
			continue
		}
		other, _ := Load(raw)
		if other.Environment != p.Environment && other.Edge.OwnsZone && other.Edge.Zone == p.Edge.Zone {
			ps.add("edge.ownsZone", p.Edge.OwnsZone, "%s owns the zone %s already, and a zone has one owner; set ownsZone: false in one of the two",
				filepath.Base(file), p.Edge.Zone)
		}
	}
	return ps.under(Namespace + ":")
}

func listed(numbers []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", ", ")
}
