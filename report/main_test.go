package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC3E4ReportsOfWhatDoesNotFitSayWhyAndFail(t *testing.T) {
	for name, c := range map[string]struct{ path, why string }{
		"nodes":       {"../config/testdata/source-sizing.yaml", "10 x t3.xlarge offer 36.4 vCPU"},
		"connections": {"../config/testdata/too-many-connections.yaml", "workloads open 5070 connections"},
	} {
		for about := range reports {
			text, err := run(about, c.path)
			assert.ErrorContains(t, err, about+" of "+c.path+": does not fit in ", name)
			assert.Contains(t, text, c.why, "%s, %s", about, name)
			assert.NotContains(t, text, "USD", "no price of what cannot be had: %s, %s", about, name)
		}
	}
}

func TestC3E4ReportsOfWhatFitsSayWhatTheyAreAbout(t *testing.T) {
	for about, says := range map[string]string{
		"capacity": "pool general has 3 nodes at minimum replicas, 3 of them always",
		"cost":     "At minimum: the nodes that the minimum replicas need, all month.",
	} {
		text, err := run(about, "../Pulumi.prod.yaml")
		require.NoError(t, err)
		assert.Contains(t, text, says)
	}
}

func TestE1ReportsOfWhatCannotBeReadFail(t *testing.T) {
	_, err := run("cost", "../config/testdata/invalid-everything.yaml")
	assert.ErrorContains(t, err, "alphapulse:environment")
	_, err = run("cost", "nowhere.yaml")
	assert.ErrorContains(t, err, "nowhere.yaml is not there")
}
