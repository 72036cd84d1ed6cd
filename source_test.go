package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

// sourceFile is the customer's document, unchanged. What it names is kept, under its kind and its name; what is not stands here.
const sourceFile = "docs/source/c4-level4-deployment.md"

// notYet are objects of the source that the program does not make, and why. None of them may be there: a row goes when its object comes.
var notYet = map[string]string{
	"PodSecurityPolicy restricted": "removed in Kubernetes 1.25; namespaces enforce the restricted Pod Security Standard (docs/decisions.md, C5)",
}

// otherwise are names inside objects of the source that are others in ours, and why. Ours may not have the source's.
var otherwise = map[string]string{
	"ExternalSecret database-credentials apiVersion external-secrets.io/v1beta1": "the operator serves v1 only",
	"StatefulSet vault spec.serviceName vault":                                   "it would send clients to pods that are sealed: vault-internal gives pods their names (docs/decisions.md, S1)",
}

func TestEveryNameOfTheSourceIsKept(t *testing.T) {
	text, err := os.ReadFile(sourceFile)
	require.NoError(t, err)
	manifests := sourceManifests(t, string(text))
	made := madeObjects(run(t, recorder.Up, committed(t, "prod")))

	wanted := sourceObjects(string(text), manifests)
	assert.Subset(t, slices.Collect(maps.Keys(wanted)), []string{ // what reading the document must have found
		"Namespace alphapulse-prod", "Deployment api", "HorizontalPodAutoscaler api-hpa", "Service api-service", "Secret database-credentials",
		"SecretStore aws-secrets-manager", "ConfigMap vault-config", "ClusterIssuer letsencrypt-prod", "StorageClass gp3", "Secret alphapulse-tls",
		"Deployment agent-worker-buffett", "Deployment risk-worker", "NetworkPolicy api-network-policy", "Role api-role", "PodSecurityPolicy restricted",
	})
	for object := range wanted {
		_, there := made[object]
		_, excused := notYet[object]
		assert.NotEqual(t, there, excused, "%s: there %t, in the table of what is not %t", object, there, excused)
	}
	for object := range notYet {
		assert.True(t, wanted[object], "the source has no %s", object)
	}

	read := map[string]bool{}
	for object, manifest := range manifests {
		ours, there := made[object]
		has := map[string]bool{}
		for _, name := range namesIn(ours, "") {
			has[name] = true
		}
		for _, name := range namesIn(manifest, "") {
			key := object + " " + name
			read[key] = true
			if _, excused := otherwise[key]; there {
				assert.NotEqual(t, has[name], excused, "%s: there %t, in the table of what is otherwise %t", key, has[name], excused)
			}
		}
	}
	for key := range otherwise {
		assert.True(t, read[key], "the source has no %s", key)
	}
}

// The source's node pools are pools of production, its worker types the types that config lists, each with its queue.
func TestEveryPoolAndWorkerTypeOfTheSourceIsKept(t *testing.T) {
	text, err := os.ReadFile(sourceFile)
	require.NoError(t, err)
	platform, _ := config.Load(committed(t, "prod"))
	pools := regexp.MustCompile(`(?m)^nodePool:\n  name: (\S+)`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, pools, 2)
	for _, pool := range pools {
		assert.True(t, slices.ContainsFunc(platform.Cluster.NodePools, func(p config.NodePool) bool { return p.Name == pool[1] }), pool[1])
	}
	var types []string
	for _, worker := range workerTypes.FindAllStringSubmatch(string(text), -1) {
		types = append(types, worker[2])
	}
	assert.Equal(t, types, platform.Workloads.Agents.Types)
	queue := regexp.MustCompile(`value: (\w+)_agent`).FindStringSubmatch(string(text))
	require.NotNil(t, queue)
	for object, ours := range madeObjects(run(t, recorder.Up, committed(t, "prod"))) {
		if kind, ok := strings.CutPrefix(object, "Deployment agent-worker-"); ok {
			assert.Contains(t, fmt.Sprint(ours), "name:CELERY_QUEUES value:"+kind+"_agent", object)
		}
	}
}

// sourceManifests are the document's manifests, by kind and name. Its other blocks of YAML are no objects: pools, names in DNS, a scrape config.
func sourceManifests(t *testing.T, text string) map[string]any {
	t.Helper()
	found := map[string]any{}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(block[1], "apiVersion:") {
			continue
		}
		var manifest map[string]any
		require.NoError(t, encoding.YAML.Unmarshal([]byte(block[1]), &manifest), block[1])
		found[named(manifest)] = manifest
	}
	require.Len(t, found, 11)
	return found
}

func named(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	return fmt.Sprint(object["kind"], " ", metadata["name"])
}

var (
	workerTypes = regexp.MustCompile("(?m)^- `(agent-worker-([a-z]+))`")
	dnsNames    = regexp.MustCompile(`(?m)^([a-z-]+)\.alphapulse-prod\.svc\.cluster\.local`)
	namespaces  = regexp.MustCompile(`"Namespace: ([a-z-]+)"`)
)

// sourceObjects are all objects that the document names, by kind and name: what it writes out, what that refers to, and what stands in
// its lists.
func sourceObjects(text string, manifests map[string]any) map[string]bool {
	wanted := map[string]bool{}
	for object, manifest := range manifests {
		wanted[object] = true
		for _, reference := range referencesIn(manifest, "") {
			wanted[reference] = true
		}
	}
	for kind, pattern := range map[string]*regexp.Regexp{"Deployment": workerTypes, "Service": dnsNames, "Namespace": namespaces} {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			wanted[kind+" "+match[1]] = true
		}
	}
	return wanted
}

// referencesIn are the objects that an object refers to.
func referencesIn(value any, key string) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		name, _ := value["name"].(string)
		switch key {
		case "secretStoreRef", "scaleTargetRef":
			found = append(found, fmt.Sprint(value["kind"], " ", name))
		case "secretKeyRef":
			found = append(found, "Secret "+name)
		case "configMap":
			found = append(found, "ConfigMap "+name)
		case "service":
			found = append(found, "Service "+name)
		}
		for inner, one := range value {
			found = append(found, referencesIn(one, inner)...)
		}
	case []any:
		for _, one := range value {
			found = append(found, referencesIn(one, key)...)
		}
	case string:
		kinds := map[string]string{"secretName": "Secret", "serviceName": "Service", "storageClassName": "StorageClass", "cert-manager.io/cluster-issuer": "ClusterIssuer"}
		if kind, ok := kinds[key]; ok {
			found = append(found, kind+" "+value)
		}
	}
	return found
}

// namesIn are the names inside an object, each with its path; where in a list one stands does not matter.
func namesIn(value any, path string) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			found = append(found, namesIn(inner, strings.TrimPrefix(path+"."+key, "."))...)
		}
	case []any:
		for _, inner := range value {
			found = append(found, namesIn(inner, path)...)
		}
	case string:
		if nameLike.MatchString(path) {
			found = append(found, path+" "+value)
		}
	}
	return found
}

// nameLike are the places of names: labels among them, amounts and images not.
var nameLike = regexp.MustCompile(`^(apiVersion|kind)$|(\.|^)(name|key|kind|secretKey|secretName|serviceName|storageClassName|host|hosts|path|mountPath|cluster-issuer)$|` +
	`(?i)labels\.\w+$|cert-manager\.io/cluster-issuer$`)

// madeObjects are what the program registers in the cluster, by kind and name. A Secret is also there once something in the cluster is told
// to make it: an ExternalSecret, or a TLS section of an Ingress, for which cert-manager gets a certificate.
func madeObjects(run *recorder.Run) map[string]map[string]any {
	made := map[string]map[string]any{}
	for _, one := range run.Resources {
		if !strings.HasPrefix(one.Type, "kubernetes:") || !one.Custom {
			continue
		}
		kind := one.Type[strings.LastIndex(one.Type, ":")+1:]
		made[fmt.Sprint(kind, " ", one.At("metadata.name"))] = one.Inputs
		switch kind {
		case "ExternalSecret":
			made[fmt.Sprint("Secret ", one.At("spec.target.name"))] = one.Inputs
		case "Ingress":
			made[fmt.Sprint("Secret ", one.At("spec.tls[0].secretName"))] = one.Inputs
		}
	}
	return made
}
