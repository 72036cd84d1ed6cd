// Package production brings production up once and looks at it from all sides: where everything stands, what a preview says of every setting
// that a user may change, how it grows, shrinks and outlives a zone.
package production

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/inventory"
)

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

const stack = "prod"

// What looks comes before what changes: the plans are those of a stack that nobody has touched, and scaling touches it.
func TestProduction(t *testing.T) {
	suite.Fresh(t)
	suite.AllReady(t, suite.Do(t, "--stack", stack, "up"))
	for _, part := range []struct {
		name string
		test func(*testing.T)
	}{
		{"C3 it is placed as planned", testPlacement},
		{"E1 replacement is never an accident", testPlans},
		{"D6 what is protected stops its destruction", testProtection},
		{"C4 nodes come with the pods and go with them, and a zone may be lost", testScaling},
	} {
		t.Run(part.name, part.test)
	}
}

// testProtection: a refused destruction has destroyed nothing.
func testProtection(t *testing.T) {
	before := inCloud(t)
	refused := suite.Try(t, "--stack", stack, "down")
	require.Error(t, refused.Err)
	for _, kept := range []string{"aws:kms/key:Key keys-disks", "aws:eks/cluster:Cluster", "aws:ec2/vpc:Vpc", "aws:ec2/eip:Eip"} {
		assert.Contains(t, refused.Output, "protected: "+kept)
	}
	assert.NotContains(t, refused.Output, "AccessEntry", "an administrator can be removed")
	assert.ElementsMatch(t, before, inCloud(t))
}

// inCloud names all that production's account holds.
func inCloud(t *testing.T) (names []string) {
	t.Helper()
	records, err := inventory.Account(suite.Platform(t, stack).AWS.Account)
	require.NoError(t, err)
	require.NotEmpty(t, records)
	for _, r := range records {
		names = append(names, r.Type+" "+r.ID)
	}
	return names
}
