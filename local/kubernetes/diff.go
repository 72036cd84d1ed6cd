package kubernetes

import (
	"context"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// replaced lists what cannot change in place, by kind: the real provider's table, without kinds that nobody uses bare.
var replaced = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "DaemonSet"}:  {"spec.selector"},
	{Group: "apps", Kind: "Deployment"}: {"spec.selector"},
	{Group: "apps", Kind: "StatefulSet"}: {
		"spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates",
	},
	{Group: "batch", Kind: "Job"}: {"spec.completions", "spec.parallelism", "spec.selector", "spec.template"},
	{Kind: "PersistentVolume"}:    {"spec.csi", "spec.hostPath", "spec.local", "spec.nfs"},
	{Kind: "PersistentVolumeClaim"}: {
		"spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName",
	},
	{Kind: "Pod"}:           {"spec"},
	{Kind: "ResourceQuota"}: {"spec.scopes"},
	{Kind: "Secret"}:        {"type"},
	{Kind: "Service"}:       {"spec.clusterIP"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {"parameters", "provisioner"},
}

// Diff compares inputs with inputs: a refresh writes what it finds into the old inputs, so that drift is seen here.
func (p *Provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	kind, err := kindOf(req.Type)
	if err != nil {
		return plugin.DiffResponse{}, err
	}
	olds, news := revealAll(req.OldInputs), revealAll(req.NewInputs)
	if _, adopted := olds[importedKey]; adopted {
		// An import's inputs are all that the API server shows, its defaults too; only what the program says counts.
		olds = projectionFor(kind).object(news, object(req.OldOutputs).Object)
	}
	difference := olds.Diff(news, resource.IsInternalPropertyKey)
	if difference == nil {
		return plugin.DiffResponse{Changes: plugin.DiffNone}, nil
	}

	result := plugin.DiffResponse{
		Changes:      plugin.DiffSome,
		ChangedKeys:  difference.ChangedKeys(),
		DetailedDiff: plugin.NewDetailedDiffFromObjectDiff(difference, true),
	}
	keys := p.replaceKeys(kind, news)
	for path, change := range result.DetailedDiff {
		if within(path, keys) {
			result.DetailedDiff[path] = change.ToReplace()
		}
	}
	result.DeleteBeforeReplace = result.Replace() && !isAutonamed(news) && sameName(olds, news)
	return result, nil
}

func (p *Provider) replaceKeys(kind schema.GroupVersionKind, news resource.PropertyMap) []string {
	keys := append([]string{"metadata.name", "metadata.namespace"}, replaced[kind.GroupKind()]...)
	immutable := news["immutable"].DeepEquals(resource.NewProperty(true))
	switch kind.GroupKind() {
	case schema.GroupKind{Kind: "ConfigMap"}:
		if immutable || !p.settings.configMapMutable {
			keys = append(keys, "data", "binaryData")
		}
	case schema.GroupKind{Kind: "Secret"}:
		if immutable || !p.settings.secretMutable {
			keys = append(keys, "data", "stringData")
		}
	}
	return keys
}

// within tells whether a path is one of the keys or below one.
func within(path string, keys []string) bool {
	for _, key := range keys {
		if rest, found := strings.CutPrefix(path, key); found && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// sameName tells whether the old and the new object would collide.
func sameName(olds, news resource.PropertyMap) bool {
	old, _ := child(olds, "metadata")
	new, _ := child(news, "metadata")
	return old["name"].DeepEquals(new["name"]) && old["namespace"].DeepEquals(new["namespace"])
}
