package production

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// testPlans holds the plan for every setting that a user may change against a table.
func testPlans(t *testing.T) {
	for _, rows := range together(t, changes) {
		if len(rows) > 1 {
			rows.try(t)
			continue
		}
		t.Run(rows[0].setting, func(t *testing.T) { rows[0].holds(t) })
	}
	t.Run("C1 a minor of Kubernetes up", testMinorUpgrade)
	t.Run("what only the clouds know", testRefusals)
	t.Run("one row more", testRows)
}

var stopLine = regexp.MustCompile(`(?:unable to replace resource "|state unprotect ')[^'"]*::([^'":]+)['"]`)

// plan previews production, and gives what the preview printed and what it plans. That is read from pulumi's events: a line on the screen may
// have another in its middle.
func plan(t *testing.T, args ...string) (suite.Result, []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.json")
	seen := suite.Try(t, append([]string{"--stack", stack}, append(args, "--event-log", path)...)...)
	events, err := os.Open(path)
	if os.IsNotExist(err) { // it was refused before
		return seen, nil
	}
	require.NoError(t, err)
	defer events.Close()
	var lines []string
	for decoder := json.NewDecoder(events); ; {
		var event apitype.EngineEvent
		err := decoder.Decode(&event)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if event.ResourcePreEvent == nil {
			continue
		}
		step := event.ResourcePreEvent.Metadata
		sign, changes := signs[step.Op]
		if changes && !strings.HasPrefix(step.Type, "pulumi:") && step.Type != "eks:index:Cluster" {
			lines = append(lines, sign+" "+shortType.ReplaceAllString(step.Type, "$1$2")+" "+urn.URN(step.URN).Name())
		}
	}
	slices.Sort(lines)
	return seen, slices.Compact(lines)
}

// signs are those of a table's row. A replacement is several steps, and all of them one line.
var signs = map[apitype.OpType]string{
	apitype.OpCreate: "+", apitype.OpDelete: "-", apitype.OpUpdate: "~",
	apitype.OpReplace: "+-", apitype.OpCreateReplacement: "+-", apitype.OpDeleteReplaced: "+-",
}

// shortType is what pulumi leaves out of a type when it shows it: "aws:rds/instance:Instance" is "aws:rds:Instance".
var shortType = regexp.MustCompile(`^((?:aws|cloudflare|tls|random):[^/:]+)/[^:]+(:.*)$`)

// stopped reads which protected resources a preview names.
func stopped(output string) []string {
	var names []string
	for _, m := range stopLine.FindAllStringSubmatch(output, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
