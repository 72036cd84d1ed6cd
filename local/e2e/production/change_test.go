package production

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// text is what is replaced in a stack file, and by what.
type text map[string]string

// change is a row: a change of production's stack file, and what it must lead to.
type change struct {
	setting string
	with    text
	// renewed are certificates whose last months have come, as pulumi's --replace names them.
	renewed string
	// plan are all resources that the plan touches, as pulumi shows them: "~ aws:rds:Instance postgres" is updated where it is, "+" made,
	// "-" deleted, "+-" replaced. A change that is refused has none.
	plan []string
	// protected are the resources that stop the plan, because replacing or deleting them would lose data, or what others rely on.
	protected []string
	// says is what a refusal before any plan says.
	says string
	// alone keeps other rows out of its preview, in which they might mean something else.
	alone bool
}

// refused rows stop at an error; what they share a preview with would not be seen.
func (c change) refused() bool { return c.says != "" || c.protected != nil }

// holds: the preview of this change alone shows its plan and nothing else, or is refused as the row says.
func (c change) holds(t *testing.T) {
	t.Helper()
	seen, shown := group{c}.preview(t)
	if !c.refused() {
		require.NoError(t, seen.Err, suite.Tail(seen.Output, 40))
		assert.ElementsMatch(t, c.plan, shown)
		return
	}
	require.Error(t, seen.Err)
	assert.Contains(t, seen.Output, c.says)
	assert.Subset(t, stopped(seen.Output), c.protected, "the engine stops at the first, and names what else it was about to touch")
}

// group is rows that share a preview, which takes longer than all else here: they touch different resources, and different text.
type group []change

// file is production's stack file with these changes.
func (g group) file(t *testing.T) string {
	t.Helper()
	var replacements []string
	for _, c := range g {
		for from, to := range c.with {
			replacements = append(replacements, from, strings.ReplaceAll(to, "EXPIRES", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)))
		}
	}
	return suite.Changed(t, "prod", replacements...)
}

func (g group) preview(t *testing.T) (suite.Result, []string) {
	t.Helper()
	args := []string{"--config", g.file(t), "preview", "--refresh=false"}
	for _, c := range g {
		if c.renewed != "" {
			args = append(args, "--replace", c.renewed)
		}
	}
	return plan(t, args...)
}

// try previews the rows together. If that shows anything but their plans, each row has to answer for itself.
func (g group) try(t *testing.T) {
	t.Helper()
	var names, want []string
	for _, c := range g {
		names, want = append(names, c.setting), append(want, c.plan...)
	}
	slices.Sort(want)
	seen, shown := g.preview(t)
	whole := seen.Err == nil && slices.Equal(want, shown)
	for _, c := range g {
		t.Run(c.setting, func(t *testing.T) {
			if !whole {
				c.holds(t)
			}
		})
	}
	assert.True(t, whole, "%s, together:\nplan %s\nshown %s\n%v %s", strings.Join(names, "; "), strings.Join(want, "\n"), strings.Join(shown, "\n"), seen.Err, suite.Tail(seen.Output, 20))
}

// most is how many rows share a preview at most, since one that is wrong has all of them looked at.
const most = 16

// together shares previews out: the first that fits.
func together(t *testing.T, rows []change) []group {
	t.Helper()
	var groups []group
	for _, c := range rows {
		fits := func(g group) bool {
			return len(g) < most && !slices.ContainsFunc(g, func(other change) bool { return !c.beside(t, other) })
		}
		if i := slices.IndexFunc(groups, fits); i >= 0 {
			groups[i] = append(groups[i], c)
			continue
		}
		groups = append(groups, group{c})
	}
	return groups
}

// beside: two rows can share a preview.
func (c change) beside(t *testing.T, other change) bool {
	t.Helper()
	if c.refused() || other.refused() || c.alone || other.alone {
		return false
	}
	for _, line := range c.plan {
		if slices.ContainsFunc(other.plan, func(theirs string) bool { return resource(theirs) == resource(line) }) {
			return false
		}
	}
	for _, mine := range c.spans(t) {
		if slices.ContainsFunc(other.spans(t), func(theirs [2]int) bool { return mine[0] <= theirs[1] && theirs[0] <= mine[1] }) {
			return false
		}
	}
	return true
}

// resource is a line of a plan without what happens to it.
func resource(line string) string { return line[strings.Index(line, " ")+1:] }

// spans are where production's stack file has the text that the change replaces.
func (c change) spans(t *testing.T) (found [][2]int) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(suite.Root, "Pulumi.prod.yaml"))
	require.NoError(t, err)
	for from := range c.with {
		for at := 0; ; {
			next := strings.Index(string(file)[at:], from)
			if next < 0 {
				break
			}
			found = append(found, [2]int{at + next, at + next + len(from)})
			at += next + len(from)
		}
	}
	return found
}
