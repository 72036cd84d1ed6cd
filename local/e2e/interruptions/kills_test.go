package interruptions

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/faults"
)

// points is at how many places of one `make up` the engine is killed.
const points = 20

var (
	foundMade = regexp.MustCompile(`(?m)^recovered: \S+ \S+ is `)
	foundNot  = regexp.MustCompile(`(?m)^recovered: \S+ \S+ was not made$`)
)

// An engine that is killed at any step of `make up` leaves what the next one completes (E1). Each run is killed some calls after the
// one before, in turn after a call and before it, so that one life of the stack meets every point. One call makes one resource.
func testKills(t *testing.T, complete []string) {
	began := time.Now()
	suite.Killable(t, true)
	done, isMade, isNot := 0, 0, 0
	count := func(r suite.Result) {
		isMade += len(foundMade.FindAllString(r.Output, -1))
		isNot += len(foundNot.FindAllString(r.Output, -1))
	}
	for i := range points {
		// Two steps are kept for the last run: calls that are under way together may run past a point.
		fault := fmt.Sprintf("kill@%d", max(1, (len(complete)-done)/(points-i+2)))
		if i%2 == 1 {
			fault = strings.Replace(fault, "kill", "kill-before", 1)
		}
		t.Setenv(faults.Variable, fault)
		killed := suite.Try(t, "up")
		require.ErrorContains(t, killed.Err, "exit status", "point %d, %s: nothing was left to do", i, fault)
		require.Contains(t, killed.Output, "signal: killed", "point %d, %s", i, fault)
		require.NotContains(t, killed.Output, "orphan:", "what is pending is no orphan")
		count(killed)
		assertNothingTwice(t, inCloud(t))
		done = len(inState(t))
	}
	t.Setenv(faults.Variable, "")
	suite.Killable(t, false)
	last := suite.Do(t, "up")
	count(last)
	state, cloud := inState(t), inCloud(t)
	t.Logf("kill points: points=%d resources=%d made=%d not-made=%d left-for-the-last-run=%d seconds=%.0f",
		points, len(complete), isMade, isNot, last.Figure(t, "changes"), time.Since(began).Seconds())

	assert.Empty(t, last.Figures["orphans"])
	assert.Positive(t, isMade)
	assert.Positive(t, isNot)
	assert.ElementsMatch(t, complete, names(state), "as before")
	assertNothingTwice(t, cloud)
	assertNothingMissingOrUnknown(t, cloud, state)
	again := suite.Do(t, "up")
	assert.Zero(t, again.Figure(t, "changes"), suite.Tail(again.Output, 40))
	assert.Equal(t, last.Figures["pods"], again.Figures["pods"])
}

// testStuckDeletion destroys the stack while something in a cluster and something in the VPC hold it, as the runbook says.
func testStuckDeletion(t *testing.T) {
	r := suite.Rehearse(t, "stuck-deletion")
	for _, step := range []string{"mkdir", "printf", "create configmap", "patch configmap"} {
		done := r.Next(t, step)
		require.NoError(t, done.Err, done.Output)
	}
	stuck := r.Start(t, r.Take(t, "make down"))
	namespaces := suite.Client(t, "local").CoreV1().Namespaces()
	stuck.Until(t, "the namespace cannot end", func(ctx context.Context) (bool, error) {
		now, err := namespaces.Get(ctx, "monitoring", meta.GetOptions{})
		return err == nil && strings.Contains(fmt.Sprint(now.Status.Conditions), "example.com/held"), err
	})
	why := r.Next(t, "get namespace")
	assert.Contains(t, why.Output, "example.com/held in 1 resource instances")
	require.NoError(t, r.Next(t, "patch configmap").Err)
	stopped := stuck.Wait()
	require.Error(t, stopped.Err)
	assert.Contains(t, stopped.Output, "DependencyViolation")
	assert.Contains(t, stopped.Output, "is in use by aws:ec2/networkInterface:NetworkInterface eni-1")
	require.NoError(t, r.Next(t, "rm ").Err)
	ended := r.Next(t, "make down")
	require.NoError(t, ended.Err, suite.Tail(ended.Output, 40))
	assert.Zero(t, ended.Figure(t, "left"))
	r.Over(t)
}
