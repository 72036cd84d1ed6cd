package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/lookup"
)

// Inspect asks AWS, in previews too, for the cluster that is there, and refuses a version that it cannot be brought to: the provider
// would plan another cluster in its place. Of a cluster that is still to be made it asks who makes it. An AWS that does not answer is an error.
func Inspect(ctx *pulumi.Context, name string, spec config.Cluster, opts ...pulumi.InvokeOption) (config.Problems, error) {
	running, err := eks.LookupCluster(ctx, &eks.LookupClusterArgs{Name: name}, opts...)
	switch {
	case lookup.Missing(err):
		return inspectMaker(ctx, spec, opts)
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

// inspectMaker refuses to let a cluster be made by somebody who may not enter it, as its maker has to. A preview may be anybody's.
func inspectMaker(ctx *pulumi.Context, spec config.Cluster, opts []pulumi.InvokeOption) (config.Problems, error) {
	if ctx.DryRun() {
		return nil, nil
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, opts...)
	if err != nil {
		return nil, fmt.Errorf("asking AWS whose credentials these are: %w", err)
	}
	for _, role := range append(slices.Clip(spec.AdministratorRoles), spec.BreakGlassRole) {
		if isRole(caller.Arn, role) {
			return nil, nil
		}
	}
	return config.Problems{{
		Key: config.Namespace + ":cluster.administratorRoles", Value: fmt.Sprintf("%q", spec.AdministratorRoles),
		Want: fmt.Sprintf("lack whoever makes the cluster, %s, who then could not put anything into it; add the role, or use the credentials of one that is listed", caller.Arn),
	}}, nil
}

// isRole tells whether a caller has a role: a session of it has its account and its name, which is the account's only one, without the path.
func isRole(caller, role string) bool {
	account, name, isSession := strings.Cut(strings.Replace(caller, ":sts:", ":iam:", 1), ":assumed-role/")
	name, _, _ = strings.Cut(name, "/")
	owner, path, _ := strings.Cut(role, ":role/")
	return isSession && account == owner && name == path[strings.LastIndex(path, "/")+1:]
}

// minor is the number after the dot, of a version that config has checked or AWS has given.
func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text)
	return n
}
