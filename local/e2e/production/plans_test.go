package production

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testPlans holds the plan for every setting that a user may change against a table.
func testPlans(t *testing.T) {
	for _, rows := range together(t, changes) {
		if len(rows) > 1 {
			rows.try(t)
			continue
		}
		t.Run(rows[0].setting, func(t *testing.T) { rows[0].holds(t, rows.preview(t)) })
	}
	t.Run("C1 a minor of Kubernetes up", testMinorUpgrade)
	t.Run("what only the clouds know", testRefusals)
	t.Run("one row more", testRows)
}

var (
	planLine = regexp.MustCompile(`(?m)^ +(\+-|\+|-|~) +([a-z]\S+) (\S+) (?:create|delete|update|replace)\b`)
	stopLine = regexp.MustCompile(`(?:unable to replace resource "|state unprotect ')[^'"]*::([^'":]+)['"]`)
)

// planned reads what a preview shows, without the components and the outputs.
func planned(output string) []string {
	var lines []string
	for _, m := range planLine.FindAllStringSubmatch(output, -1) {
		if !strings.HasPrefix(m[2], "pulumi:") && m[2] != "eks:index:Cluster" {
			lines = append(lines, m[1]+" "+m[2]+" "+m[3])
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// stopped reads which protected resources a preview names.
func stopped(output string) []string {
	var names []string
	for _, m := range stopLine.FindAllStringSubmatch(output, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
