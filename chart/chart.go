// Package chart installs operators from their vendors' Helm charts, each at the version that config pins (C4).
package chart

import (
	"fmt"
	"path"
	"slices"
	"strings"

	helmv4 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v4"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Install makes the objects of an operator's chart, each of them a resource of its own.
func Install(ctx *pulumi.Context, name string, operator config.Operator, namespace pulumi.StringInput, values pulumi.Map, opts ...pulumi.ResourceOption) (*helmv4.Chart, error) {
	args := &helmv4.ChartArgs{
		Name:      pulumi.String(path.Base(operator.Chart)),
		Namespace: namespace.ToStringOutput().ToStringPtrOutput(),
		Chart:     pulumi.String(operator.Chart),
		Version:   pulumi.String(operator.Version),
		Values:    values,
		SkipCrds:  pulumi.Bool(operator.OwnDefinitions),
	}
	if operator.Repository != "" { // a chart in an OCI registry is named whole
		args.RepositoryOpts = helmv4.RepositoryOptsArgs{Repo: pulumi.String(operator.Repository)}
	}
	made, err := helmv4.NewChart(ctx, name, args, append(slices.Clip(opts), pulumi.Transforms([]pulumi.ResourceTransform{withoutProse}))...)
	if err != nil {
		return nil, fmt.Errorf("installing the chart %s %s: %w", operator.Chart, operator.Version, err)
	}
	return made, nil
}

// Images gives the name under which nodes pull an image, by its publisher's.
type Images func(name string) (pulumi.StringInput, error)

// Image is a program's image in the two parts that charts want.
func (images Images) Image(program config.Program) (pulumi.Map, error) {
	name, err := images(program.Reference())
	if err != nil {
		return nil, fmt.Errorf("the image %s: %w", program.Reference(), err)
	}
	return pulumi.Map{
		"repository": name.ToStringOutput().ApplyT(func(name string) string { return strings.TrimSuffix(name, ":"+program.Tag) }).(pulumi.StringOutput),
		"tag":        pulumi.String(program.Tag),
	}, nil
}

// Resources are a program's requests, with memory limited to twice of them, so that a leak ends in its own restart. CPU is not limited:
// whoever makes nodes, or answers the API server, is slow just when all need it.
func Resources(program config.Program) pulumi.Map {
	return pulumi.Map{
		"requests": pulumi.StringMap{"cpu": pulumi.String(program.Requests.CPU), "memory": pulumi.String(program.Requests.Memory)},
		"limits":   pulumi.Map{"memory": pulumi.Sprintf("%dMi", 2*program.Requests.MemoryMiB())},
	}
}

// Spread prefers a zone of its own for each of the pods with these labels.
func Spread(labels pulumi.StringMap) pulumi.Array {
	return pulumi.Array{pulumi.Map{
		"topologyKey": pulumi.String("topology.kubernetes.io/zone"), "maxSkew": pulumi.Int(1), "whenUnsatisfiable": pulumi.String("ScheduleAnyway"),
		"labelSelector": pulumi.Map{"matchLabels": labels},
	}}
}

// What every operator's pods have: the pool of the platform's own parts, and what the restricted Pod Security Standard wants (C5).
var (
	OnPlatformPool = pulumi.StringMap{config.PoolLabel: pulumi.String(config.PlatformPool)}

	PodSecurity = pulumi.Map{
		"fsGroup": pulumi.Int(65534), "runAsNonRoot": pulumi.Bool(true), "seccompProfile": pulumi.Map{"type": pulumi.String("RuntimeDefault")},
	}
	ContainerSecurity = pulumi.Map{
		"readOnlyRootFilesystem": pulumi.Bool(true), "runAsNonRoot": pulumi.Bool(true), "allowPrivilegeEscalation": pulumi.Bool(false),
		"capabilities": pulumi.Map{"drop": pulumi.StringArray{pulumi.String("ALL")}},
	}
)
