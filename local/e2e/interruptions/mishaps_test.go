package interruptions

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// testMishaps begins with nothing and ends with a stack that is complete.
func testMishaps(t *testing.T) {
	t.Run("a creation whose end nobody saw is adopted by hand", testPendingOperation)
	t.Run("a lost reply leaves an orphan with its name and a command", testLostReply)
	t.Run("a power cut while the cluster is made", testPowerCut)
	t.Run("long throttling is an error, short throttling is not", func(t *testing.T) {
		t.Setenv(faults.Variable, "throttle@3+1000")
		long := suite.Try(t, "up")
		require.Error(t, long.Err)
		assert.Contains(t, long.Output, "ThrottlingException: Rate exceeded")
		t.Setenv(faults.Variable, "throttle@3+4")
		short := suite.Do(t, "up")
		assert.Empty(t, short.Figures["orphans"])
		assertNothingTwice(t, inCloud(t))
		assertNothingMissingOrUnknown(t, inCloud(t), inState(t))
	})
}

func testPendingOperation(t *testing.T) {
	suite.Killable(t, true)
	r := suite.Rehearse(t, "pending-operations")
	killed := r.Next(t, faults.Variable+"=kill@")
	require.ErrorContains(t, killed.Err, "exit status")
	require.NoError(t, r.Next(t, "stack export").Err)
	listed := r.Next(t, "jq -r")
	require.NoError(t, listed.Err)
	assert.Regexp(t, `^creating urn:\S+::network-vpc alphapulse-local\n$`, listed.Output)
	require.NoError(t, r.Next(t, "adopt.jq").Err)
	imported := r.Next(t, "stack import")
	require.NoError(t, imported.Err, imported.Output)

	t.Setenv(faults.Variable, "fail@3") // the rest of this life goes on in the tests that follow
	next := r.Next(t, "make up")
	require.Error(t, next.Err)
	assert.NotContains(t, next.Output, "recovered:", "there is nothing left to find out")
	assert.Len(t, ofType(t, "aws:ec2/vpc:Vpc"), 1)
	assertNothingMissingOrUnknown(t, inCloud(t), inState(t))
	r.Over(t)
}

var command = regexp.MustCompile("adopt it with `([^`]+)`")

func testLostReply(t *testing.T) {
	r := suite.Rehearse(t, "lost-reply")
	lost := r.Next(t, faults.Variable+"=lose@")
	require.Error(t, lost.Err)
	gateways := ofType(t, "aws:ec2/natGateway:NatGateway")
	require.Len(t, gateways, 1)
	assert.Contains(t, lost.Output, "orphan: aws:ec2/natGateway:NatGateway network-nat-us-east-1a "+gateways[0]+", made but not in Pulumi's state")
	said := command.FindStringSubmatch(lost.Output)
	require.NotNil(t, said, suite.Tail(lost.Output, 20))
	assert.Equal(t, r.Peek(t), strings.ReplaceAll(said[1], os.Getenv(home.DirVariable)+"/", ".local/"), "the page has the command that the engine says")
	adopted := r.Next(t, "import")
	require.NoError(t, adopted.Err, adopted.Output)

	before := len(inState(t))
	t.Setenv(faults.Variable, "fail@1:aws:eks/cluster:Cluster")
	next := r.Next(t, "make up")
	require.Error(t, next.Err)
	assert.Contains(t, next.Output, "InternalFailure")
	assert.Contains(t, next.Output, "what succeeded is kept")
	assert.NotContains(t, next.Output, "orphan:")
	// How much the others got done until then is the machine's to decide; what the cluster waits for is made in this run in any case.
	assert.Greater(t, len(inState(t)), before, "what succeeded before the failure is kept")
	assert.Equal(t, gateways, ofType(t, "aws:ec2/natGateway:NatGateway"), "no second one")
	assertNothingMissingOrUnknown(t, inCloud(t), inState(t))
	r.Over(t)
}

// testPowerCut ends the engine and its plugins at once, when the cluster is in the inventory and its control plane does not run yet.
func testPowerCut(t *testing.T) {
	suite.Killable(t, true)
	killed := suite.Start(t, "up")
	killed.Until(t, "the cluster is being made", func(context.Context) (bool, error) {
		all, err := inventory.Account(account)
		return slices.ContainsFunc(all, func(r inventory.Record) bool { return r.Outputs["status"] == "CREATING" }), err
	})
	pattern, err := home.Path("plugins", "*[0-9]")
	require.NoError(t, err)
	plugins, err := filepath.Glob(pattern)
	require.NoError(t, err)
	for _, path := range plugins {
		var plugin, engine int
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		_, err = fmt.Sscan(string(data), &plugin, &engine)
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(plugin, syscall.SIGKILL))
		_ = syscall.Kill(engine, syscall.SIGKILL) // the same one for all
	}
	require.Error(t, killed.Wait().Err)

	t.Setenv(faults.Variable, "fail@1") // the rest of this life goes on in the tests that follow
	next := suite.Try(t, "up")
	require.Error(t, next.Err)
	assert.Contains(t, next.Output, "finished cluster alphapulse-local")
	assert.Contains(t, next.Output, "recovered: aws:eks/cluster:Cluster cluster-eksCluster is alphapulse-local")
	assertNothingMissingOrUnknown(t, inCloud(t), inState(t))
}

// ofType are the IDs of what the account holds of a type.
func ofType(t *testing.T, typ string) (ids []string) {
	t.Helper()
	for _, r := range inCloud(t) {
		if r.Type == typ {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
