package cluster

import (
	"encoding/json"
	"fmt"
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	eks "github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// accessEntries say who may use the cluster's API: the administrators by day, the break-glass role when they cannot (C1).
func accessEntries(spec config.Cluster) map[string]eks.AccessEntryArgs {
	entries := map[string]eks.AccessEntryArgs{"break-glass": administrator(spec.BreakGlassRole)}
	for _, role := range spec.AdministratorRoles {
		entries[config.EntryName(role)] = administrator(role)
	}
	return entries
}

func administrator(role string) eks.AccessEntryArgs {
	return eks.AccessEntryArgs{
		PrincipalArn: pulumi.String(role),
		AccessPolicies: map[string]eks.AccessPolicyAssociationInput{"admin": eks.AccessPolicyAssociationArgs{
			PolicyArn:   pulumi.String("arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"),
			AccessScope: awseks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
		}},
	}
}

// withRegion completes the component's kubeconfig: it asks for a token without naming a region, and fails wherever the machine has no
// default one, or another.
func withRegion(region string) func(string) (string, error) {
	return func(kubeconfig string) (string, error) {
		var config map[string]any
		if err := json.Unmarshal([]byte(kubeconfig), &config); err != nil {
			return "", fmt.Errorf("reading the cluster's kubeconfig: %w", err)
		}
		users, _ := config["users"].([]any)
		for _, user := range users {
			entry, _ := user.(map[string]any)
			settings, _ := entry["user"].(map[string]any)
			if exec, ok := settings["exec"].(map[string]any); ok {
				args, _ := exec["args"].([]any)
				exec["args"] = append(args, "--region", region)
			}
		}
		text, err := json.Marshal(config)
		return string(text), err
	}
}

// trimScheme makes the issuer's URL the name that trust conditions use.
func trimScheme(url string) (string, error) {
	host, ok := strings.CutPrefix(url, "https://")
	if !ok {
		return "", fmt.Errorf("the cluster's issuer %q is not an https URL", url)
	}
	return host, nil
}
