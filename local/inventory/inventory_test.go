package inventory

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

// A value that somebody changes by hand stands in one place of the file, and what is read shows the change everywhere.
func TestWhatIsEditedByHandIsReadEverywhere(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(home.DirVariable, folder)
	store, err := Open("000000000000", "us-east-1")
	require.NoError(t, err)
	made := Record{
		Type: "aws:ec2/vpc:Vpc", ID: "vpc-1",
		Inputs:  map[string]any{"cidrBlock": "10.0.0.0/16", "enableDnsSupport": true},
		Outputs: map[string]any{"cidrBlock": "10.0.0.0/16", "enableDnsSupport": true, "arn": "arn:aws:ec2:vpc-1"},
	}
	require.NoError(t, store.Put(made))
	read, ok, err := store.Get(made.Type, made.ID)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, made, read)

	path := filepath.Join(folder, "cloud", "000000000000", "us-east-1", "aws.ec2.vpc.Vpc", "vpc-1.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"type": "aws:ec2/vpc:Vpc", "id": "vpc-1", "inputs": {"enableDnsSupport": false}}`), 0o600))
	read, _, err = store.Get(made.Type, made.ID)
	require.NoError(t, err)
	assert.Equal(t, false, read.Outputs["enableDnsSupport"])

	require.NoError(t, store.Delete(made.Type, made.ID))
	_, ok, err = store.Get(made.Type, made.ID)
	require.NoError(t, err)
	assert.False(t, ok)
	require.NoError(t, store.Delete(made.Type, made.ID), "what is gone is gone")
}
