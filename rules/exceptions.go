package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alphapulse/infrastructure/config"
)

// excuses are the exceptions from guardrails that config makes, and which of them were used.
type excuses struct {
	list []config.Exception
	used map[int]bool
}

// newExcuses leaves out what has expired: preflight reports it, and whoever goes past preflight is stopped by the rule.
func newExcuses(list []config.Exception, today time.Time) *excuses {
	valid := slices.DeleteFunc(slices.Clone(list), func(e config.Exception) bool { return e.ExpiredOn(today) })
	return &excuses{list: valid, used: map[int]bool{}}
}

// sort takes what is excepted out of what was found. Only guardrails are ours to make exceptions from: what a cloud refuses it refuses.
func (e *excuses) sort(found []Violation) (broken []Violation, excepted []string) {
	for _, v := range found {
		i := slices.IndexFunc(e.list, func(x config.Exception) bool {
			return v.Guardrail && x.Rule == v.Rule && x.Concerns(v.Type+" "+v.Name)
		})
		if i < 0 {
			broken = append(broken, v)
			continue
		}
		e.used[i] = true
		excepted = append(excepted, fmt.Sprintf("excepted until %s because %s: %s", e.list[i].Expires, strings.TrimSuffix(e.list[i].Reason, "."), v))
	}
	return broken, excepted
}

// unused are the exceptions that no resource needed.
func (e *excuses) unused() (list []string) {
	for i, x := range e.list {
		if !e.used[i] {
			list = append(list, fmt.Sprintf("%s:guardrails.exceptions: nothing that was looked at breaks %s in %s: take the exception out, unless a chart is not shown yet",
				config.Namespace, x.Rule, x.Resource))
		}
	}
	return list
}
