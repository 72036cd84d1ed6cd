package main

import (
	"encoding/json"
	"testing"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestX(t *testing.T) {
	for _, mode := range []recorder.Mode{recorder.Preview, recorder.Up} {
		raw, err := config.FromFile("Pulumi.prod.yaml")
		require.NoError(t, err)
		text, _ := json.Marshal(raw)
		t.Setenv(pulumi.EnvConfig, string(text))
		run := recorder.Record(t, mode, deploy)
		for _, r := range run.Resources {
			in, _ := json.Marshal(r)
			t.Log(string(in))
		}
		for _, r := range run.Calls {
			in, _ := json.Marshal(r)
			t.Log(string(in))
		}
	}
}
