package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/e2e/observability"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// One life of the local stack: made, watched, left alone, drifted, repaired, destroyed (E1, E2).
func TestE1LocalStackIsMadeLeftAloneRepairedAndDestroyed(t *testing.T) {
	suite.Fresh(t)
	first := suite.Do(t, "up")
	assert.Positive(t, first.Figure(t, "changes"))
	suite.AllReady(t, first)

	// While somebody waits for a page, which takes minutes, the rest goes on: it changes nothing that is watched.
	t.Run("while it runs", func(t *testing.T) {
		t.Run("O2 a latency spike pages once and is over", func(t *testing.T) {
			t.Parallel()
			observability.PagesOnceAndIsOver(t)
		})
		t.Run("one after the other", func(t *testing.T) {
			t.Parallel()
			t.Run("O1 Prometheus watches what there is", observability.WatchesWhatThereIs)
			t.Run("E1 a second run changes nothing", testSecondRun)
			t.Run("E2 hand-made edits in the account and in the cluster are drift", testDrift)
			t.Run("C4 volumes and load balancers are provisioned", testVolumesAndLoadBalancers)
		})
	})
	assert.Zero(t, suite.Do(t, "down").Figure(t, "left"))
}

func testSecondRun(t *testing.T) {
	again := suite.Do(t, "up")
	assert.Zero(t, again.Figure(t, "changes"))
	suite.AllReady(t, again)
	assert.Zero(t, suite.Do(t, "up", "--refresh=false").Figure(t, "changes"), "nor does one that does not look at the cloud first")
}

func testDrift(t *testing.T) {
	edit(t, "aws:kms/key:Key", func(inputs map[string]any) { inputs["enableKeyRotation"] = false })
	api := suite.Client(t, "local").AutoscalingV2().HorizontalPodAutoscalers("alphapulse-local")
	_, err := api.Patch(t.Context(), "api-hpa", types.MergePatchType, []byte(`{"spec":{"maxReplicas":7}}`), meta.PatchOptions{})
	require.NoError(t, err)

	seen := suite.Do(t, "preview")
	assert.Equal(t, 2, seen.Figure(t, "update"), suite.Tail(seen.Output, 40))
	assert.Contains(t, seen.Output, "~enableKeyRotation")
	assert.Equal(t, 2, suite.Do(t, "up").Figure(t, "changes"), "and the next run repairs them")
	now, err := api.Get(t.Context(), "api-hpa", meta.GetOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 6, now.Spec.MaxReplicas)
}

func TestE1StagingIsMadeSurvivesAPowerCutAndIsDestroyed(t *testing.T) {
	suite.Fresh(t)
	suite.AllReady(t, suite.Do(t, "--stack", "staging", "up"))

	// The machine goes off and on again in between: what was there is there again, and can be destroyed. It is so busy then that the first API
	// server gives up: another one is started.
	died := kill(t, "alphapulse-staging")
	run := suite.Start(t, "--stack", "staging", "up")
	run.Until(t, "an API server is started", func(context.Context) (bool, error) {
		started := controlplane.Processes("alphapulse-staging")["kube-apiserver"]
		if started == 0 || started == died["kube-apiserver"] {
			return false, nil
		}
		return true, syscall.Kill(started, syscall.SIGKILL)
	})
	back := run.Wait()
	require.NoError(t, back.Err, suite.Tail(back.Output, 40))
	assert.Zero(t, back.Figure(t, "changes"))
	suite.AllReady(t, back)
	gone := suite.Do(t, "--stack", "staging", "down")
	assert.Zero(t, gone.Figure(t, "left"))
}

func TestE1PreviewsNeedNothingButTheProgram(t *testing.T) {
	suite.Fresh(t)
	for name, args := range map[string][]string{
		"staging": {"--stack", "staging"},
		"prod in another region, by config alone": {"--stack", "prod", "--config", suite.Changed(t, "prod", "us-east-1", "eu-west-1")},
	} {
		t.Run(name, func(t *testing.T) {
			seen := suite.Do(t, append(args, "preview")...)
			assert.Greater(t, seen.Figure(t, "create"), 100)
			assert.Zero(t, seen.Figure(t, "replace")+seen.Figure(t, "delete"))
		})
	}
}

// Everything wrong is named at once, with key, value and what would be legal, and nothing is made.
func TestE1BadInputIsRefusedInOneRun(t *testing.T) {
	suite.Fresh(t)
	bad := suite.Changed(t, "prod",
		"  alphapulse:protect: true", "  alphapulse:protect: true\n  alphapulse:colour: blue",
		"10.20.0.0/16", "10.20.0.0/33",
		"us-east-1c]", "eu-west-1c]",
		"flowLogDays: 90", "flowLogDays: ninety",
		`version: "1.36"`, `version: "1.27"`,
		"max: 12", "max: 4",
	)
	for _, command := range []string{"preview", "up"} {
		refused := suite.Try(t, "--stack", "prod", "--config", bad, command)
		require.Error(t, refused.Err)
		for _, line := range []string{
			`alphapulse:colour: is not a key of this program; legal: aws, cluster, data, edge, environment, guardrails, ingress, network, observability, protect, workloads`,
			`alphapulse:network.cidr: "10.20.0.0/33": must be an IPv4 range`,
			`alphapulse:network.zones[2]: "eu-west-1c": is not a zone of us-east-1`,
			`alphapulse:network.flowLogDays: "ninety": expected an integer`,
			`alphapulse:cluster.version: "1.27": is not a Kubernetes minor that EKS has under standard support; legal: 1.35, 1.36`,
			`alphapulse:cluster.nodePools[2].max: 4: pool services: at maximum replicas 63 pods ask 123.0 vCPU`,
		} {
			assert.Contains(t, refused.Output, line)
		}
	}
	records, err := inventory.Account("222222222222")
	require.NoError(t, err)
	assert.Empty(t, records, "nothing is created")
}

// edit changes one record of the local stack's account by hand, as somebody would in a console.
func edit(t *testing.T, typ string, change func(inputs map[string]any)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv(home.DirVariable), "cloud", "000000000000", "*", "*", "*.json"))
	require.NoError(t, err)
	for _, path := range files {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var record inventory.Record
		require.NoError(t, json.Unmarshal(data, &record))
		if record.Type != typ {
			continue
		}
		change(record.Inputs)
		data, err = json.Marshal(record)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return
	}
	t.Fatalf("the inventory has no %s", typ)
}

// kill ends every process of a control plane at once, as a power cut does, and gives their numbers.
func kill(t *testing.T, cluster string) map[string]int {
	t.Helper()
	processes := controlplane.Processes(cluster)
	require.Len(t, processes, 6, "etcd, API server, controller manager, scheduler, kwok and the cloud's controllers")
	for name, pid := range processes {
		require.NotZero(t, pid, name)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	return processes
}

// The source's own sizing is refused with its numbers, before anything is made (C3).
func TestC3SourceSizingIsRefused(t *testing.T) {
	suite.Fresh(t)
	source := filepath.Join(suite.Root, "config", "testdata", "source-sizing.yaml")
	refused := suite.Try(t, "--stack", "prod", "--config", source, "preview")
	require.Error(t, refused.Err)
	assert.Contains(t, refused.Output, "10 x t3.xlarge offer 36.4 vCPU")
	assert.Contains(t, refused.Output, "would fit: instance type t3.2xlarge and max: ")
}
