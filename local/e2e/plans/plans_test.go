// Package plans holds the plan for every setting that a user may change against a table: replacement is never an accident.
package plans

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// text is what is replaced in a stack file, and by what.
type text map[string]string

// change is a row: a change of production's stack file, and what it must lead to.
type change struct {
	setting string
	with    text
	// plan are all resources that the plan touches, as pulumi shows them: "~ aws:rds:Instance postgres" is updated where it is, "+" made,
	// "-" deleted, "+-" replaced. A change that is refused has none.
	plan []string
	// protected are the resources that stop the plan, because replacing or deleting them would lose data, or what others rely on.
	protected []string
	// says is what a refusal before any plan says.
	says string
}

// file is production's stack file with the change.
func (c change) file(t *testing.T) string {
	t.Helper()
	var replacements []string
	for from, to := range c.with {
		replacements = append(replacements, from, strings.ReplaceAll(to, "EXPIRES", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)))
	}
	return suite.Changed(t, "prod", replacements...)
}

func TestReplacementIsNeverAnAccident(t *testing.T) {
	suite.Fresh(t)
	suite.Do(t, "--stack", "prod", "up")
	for _, c := range changes {
		t.Run(c.setting, func(t *testing.T) {
			file := c.file(t)
			seen := suite.Try(t, "--stack", "prod", "--config", file, "preview", "--refresh=false")
			if c.says == "" && c.protected == nil {
				require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
				assert.ElementsMatch(t, c.plan, planned(seen.Output))
				return
			}
			require.Error(t, seen.Err)
			assert.Contains(t, seen.Output, c.says)
			assert.Subset(t, stopped(seen.Output), c.protected, "the engine stops at the first, and names what else it was about to touch")
		})
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
