package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/lookup"
)

// Inspect asks AWS, in previews too, for the cluster that is there, and refuses a version that it cannot be brought to: the provider
// would plan another cluster in its place. No cluster is no problem; an AWS that does not answer is an error.
func Inspect(ctx *pulumi.Context, name string, spec config.Cluster, opts ...pulumi.InvokeOption) (config.Problems, error) {
	running, err := eks.LookupCluster(ctx, &eks.LookupClusterArgs{Name: name}, opts...)
	switch {
	case lookup.Missing(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("asking for the EKS cluster %s: %w", name, err)
	}
	wanted, now := minor(spec.Version), minor(running.Version)
	problem := config.Problem{Key: config.Namespace + ":cluster.version", Value: strconv.Quote(spec.Version)}
	switch {
	case wanted < now:
		problem.Want = fmt.Sprintf("the cluster %s runs %s, and EKS does not go back; set %q", name, running.Version, running.Version)
	case wanted > now+1:
		problem.Want = fmt.Sprintf("the cluster %s runs %s, and EKS goes up one minor at a time; set \"1.%d\" first", name, running.Version, now+1)
	default:
		return nil, nil
	}
	return config.Problems{problem}, nil
}

// minor is the number after the dot, of a version that config has checked or AWS has given.
func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text)
	return n
}
