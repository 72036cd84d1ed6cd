// Package interruptions shows that what goes wrong in the middle of a run leaves something that the next run completes, or that names
// what to do; it runs the rehearsals of the runbooks.
package interruptions

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// One life of the stack in which everything goes wrong once, and is put right by what the runbooks say (E1).
func TestE1WhateverGoesWrongIsMadeGood(t *testing.T) {
	suite.Fresh(t)
	require.True(t, t.Run("mishaps", testMishaps))
	complete := names(inState(t))
	require.True(t, t.Run("an unreachable cluster is waited for, or forgotten", testUnreachableCluster))
	require.True(t, t.Run("killed at twenty points, up is completed", func(t *testing.T) { testKills(t, complete) }))
	t.Run("a stuck deletion names what holds it", testStuckDeletion)
}

// account is that of stack local.
const account = "000000000000"

// resource is what these tests read of one in a state.
type resource struct {
	URN    string `json:"urn"`
	Type   string `json:"type"`
	ID     string `json:"id"`
	Custom bool   `json:"custom"`
}

// name tells one resource of a program from another, in every run.
func (r resource) name() string { return r.Type + " " + r.URN[strings.LastIndex(r.URN, "::")+2:] }

// something tells what is made in a cloud or a cluster from components and providers.
func (r resource) something() bool { return r.Custom && !strings.HasPrefix(r.Type, "pulumi:") }

// inState is what stack local's state knows of what was made.
func inState(t *testing.T) []resource {
	t.Helper()
	path, err := home.Path("state", ".pulumi", "stacks", "alphapulse", "local.json")
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct {
		Checkpoint struct {
			Latest struct {
				Resources []resource `json:"resources"`
			} `json:"latest"`
		} `json:"checkpoint"`
	}
	require.NoError(t, json.Unmarshal(data, &file))
	return slices.DeleteFunc(file.Checkpoint.Latest.Resources, func(r resource) bool { return !r.something() })
}

func names(all []resource) []string {
	list := make([]string, len(all))
	for i, r := range all {
		list[i] = r.name()
	}
	return list
}

// inCloud is what the account of stack local and Cloudflare hold, once plugins that were left behind have done their work.
func inCloud(t *testing.T) []inventory.Record {
	t.Helper()
	_, err := faults.Settle(t.Context())
	require.NoError(t, err)
	aws, err := inventory.Account(account)
	require.NoError(t, err)
	edge, err := inventory.Account("cloudflare")
	require.NoError(t, err)
	return append(aws, edge...)
}

// assertNothingTwice fails when two records are the same thing: of one type with equal inputs, or with one Name tag. Machines of a
// group are alike.
func assertNothingTwice(t *testing.T, records []inventory.Record) {
	t.Helper()
	seen := map[string]string{}
	for _, r := range records {
		if r.Type == "aws:ec2/instance:Instance" {
			continue
		}
		inputs, err := json.Marshal(r.Inputs)
		require.NoError(t, err)
		keys := []string{r.Type + string(inputs)}
		if tags, ok := r.Inputs["tags"].(map[string]any); ok && tags["Name"] != nil {
			keys = append(keys, fmt.Sprint(r.Type, " ", tags["Name"]))
		}
		for _, key := range keys {
			assert.Empty(t, seen[key], "%s is there twice: %s and %s", key, seen[key], r.ID)
			seen[key] = r.ID
		}
	}
}

// assertNothingMissingOrUnknown holds the inventory against the state: all that one has of the types that a program declares, the other
// has too, but for what EKS makes by itself.
func assertNothingMissingOrUnknown(t *testing.T, records []inventory.Record, state []resource) {
	t.Helper()
	there, declared, known := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range records {
		there[r.Type+" "+r.ID] = true
	}
	for _, r := range state {
		if !strings.HasPrefix(r.Type, "aws:") && !strings.HasPrefix(r.Type, "cloudflare:") {
			continue // the API server is asked by the refresh
		}
		known[r.Type+" "+r.ID], declared[r.Type] = true, true
		assert.True(t, there[r.Type+" "+r.ID], "%s %s is in the state only", r.name(), r.ID)
	}
	for _, r := range records {
		tags, _ := r.Inputs["tags"].(map[string]any)
		byEKS := tags["aws:eks:cluster-name"] != nil || r.Inputs["type"] == "EC2_LINUX"
		assert.True(t, !declared[r.Type] || byEKS || known[r.Type+" "+r.ID], "%s %s is in the inventory only", r.Type, r.ID)
	}
}
