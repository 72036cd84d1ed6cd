package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Guardrails are what the environment is let off of the rules that we set ourselves (S4).
type Guardrails struct {
	Exceptions []Exception `json:"exceptions"`
}

// Exception lets resources break a rule, for a reason and for a time.
type Exception struct {
	// Rule is the name that the refusal gives in brackets.
	Rule string `json:"rule"`
	// Resource is Pulumi's type and name, as the refusal gives them; with an asterisk at its end, whatever begins so.
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
	// Expires is the last day on which the exception holds: 2027-06-30.
	Expires string `json:"expires"`
}

// excepted is a type and the beginning of a name at least: an asterisk alone would switch the rule off.
var excepted = regexp.MustCompile(`^[a-z][a-z0-9-]*:[^\s:*]*:[A-Za-z0-9]+ [^\s*][^*]*\*?$`)

// dayWithoutQuotes is what Pulumi hands over for a day without quotes, which YAML takes for a point in time.
const dayWithoutQuotes = "2006-01-02 15:04:05 -0700 MST"

// readDays makes one form of the two that a day comes in.
func (g Guardrails) readDays() {
	for i := range g.Exceptions {
		if day, err := time.Parse(dayWithoutQuotes, g.Exceptions[i].Expires); err == nil {
			g.Exceptions[i].Expires = day.Format(time.DateOnly)
		}
	}
}

func (g Guardrails) validate() (problems Problems) {
	for i, e := range g.Exceptions {
		at := fmt.Sprintf("exceptions[%d].", i)
		if e.Rule == "" {
			problems.missing(at+"rule", "the name that the refusal gives in brackets")
		}
		if !excepted.MatchString(e.Resource) {
			problems.add(at+"resource", e.Resource, `must be a type and a name as the refusal gives them, such as "kubernetes:apps/v1:Deployment keda*"`)
		}
		if strings.TrimSpace(e.Reason) == "" {
			problems.missing(at+"reason", "why the rule may be broken, for whoever reads it next year")
		}
		if _, err := time.Parse(time.DateOnly, e.Expires); err != nil {
			problems.add(at+"expires", e.Expires, "must be a day such as 2027-06-30, at most a year away")
		}
	}
	return problems
}

// ProblemsOn are what is wrong with the exceptions on a day: those that have expired, or would last too long, and those from rules that
// nobody may be excepted from.
func (g Guardrails) ProblemsOn(today time.Time, rules []string) (problems Problems) {
	for i, e := range g.Exceptions {
		at := fmt.Sprintf("%s:guardrails.exceptions[%d].", Namespace, i)
		if !slices.Contains(rules, e.Rule) {
			problems.add(at+"rule", e.Rule, "is no rule that has exceptions; legal: %s", strings.Join(rules, ", "))
		}
		last, err := time.Parse(time.DateOnly, e.Expires)
		switch {
		case err != nil: // validate says so
		case e.ExpiredOn(today):
			problems.add(at+"expires", e.Expires, "is over: mend %s, or set another day and say why", e.Resource)
		case last.After(today.AddDate(1, 0, 0)):
			problems.add(at+"expires", e.Expires, "must be at most a year away: %s", today.AddDate(1, 0, 0).Format(time.DateOnly))
		}
	}
	return problems
}

// ExpiredOn says that a day, by UTC, is after the last; an exception without a readable day has always expired.
func (e Exception) ExpiredOn(today time.Time) bool {
	last, err := time.Parse(time.DateOnly, e.Expires)
	return err != nil || !today.Before(last.AddDate(0, 0, 1))
}

// Concerns says whether it is about a resource, given as its type and name.
func (e Exception) Concerns(resource string) bool {
	prefix, open := strings.CutSuffix(e.Resource, "*")
	return resource == e.Resource || open && strings.HasPrefix(resource, prefix)
}
