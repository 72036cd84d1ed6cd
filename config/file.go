package config

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	pulumiconfig "github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"io"
)

// FromFile reads a stack file as the Pulumi engine does, for what runs without the engine: the capacity report and tests.
func FromFile(path string) (map[string]string, error) {
	sink := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	stack, err := workspace.LoadProjectStack(sink, &workspace.Project{Name: tokens.PackageName(Namespace)}, path)
	if err != nil {
		return nil, fmt.Errorf("reading the stack file %s: %w", path, err)
	}
	values, err := stack.Config.Decrypt(pulumiconfig.NopDecrypter) // there are no secrets in stack config (S2)
	if err != nil {
		return nil, fmt.Errorf("reading the stack file %s: %w", path, err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("the stack file %s is not there, or has no config", path)
	}
	raw := map[string]string{}
	for key, value := range values {
		raw[key.String()] = value
	}
	return raw, nil
}
