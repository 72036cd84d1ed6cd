package production

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/alphapulse/infrastructure/capacity"
	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

var (
	// scaledObjects are KEDA's, which own their autoscalers: to patch those would be undone.
	scaledObjects = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	hpas          = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	deployments   = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	nodePools     = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodepools"}
	nodeClaims    = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodeclaims"}
)

// autoscaler is one of a Deployment's replicas.
type autoscaler struct {
	namespace, name, target, scaledObject string
	min, max                              int32
}

func autoscalers(t *testing.T) (all []autoscaler) {
	t.Helper()
	list, err := suite.Client(t, stack).AutoscalingV2().HorizontalPodAutoscalers("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, list.Items)
	for _, a := range list.Items {
		found := autoscaler{namespace: a.Namespace, name: a.Name, target: a.Spec.ScaleTargetRef.Name, min: *a.Spec.MinReplicas, max: a.Spec.MaxReplicas}
		if owner := meta.GetControllerOf(&a); owner != nil && owner.Kind == "ScaledObject" {
			found.scaledObject = owner.Name
		}
		all = append(all, found)
	}
	return all
}

func (a autoscaler) setMinimum(t *testing.T, n int32) {
	t.Helper()
	if a.scaledObject == "" {
		patch(t, hpas, a.namespace, a.name, fmt.Sprintf(`{"spec":{"minReplicas":%d}}`, n))
		return
	}
	patch(t, scaledObjects, a.namespace, a.scaledObject, fmt.Sprintf(`{"spec":{"minReplicaCount":%d}}`, n))
	suite.Eventually(t, "KEDA's autoscaler "+a.name+" follows its ScaledObject", func(ctx context.Context) (bool, error) {
		found, err := suite.Client(t, stack).AutoscalingV2().HorizontalPodAutoscalers(a.namespace).Get(ctx, a.name, meta.GetOptions{})
		return err == nil && *found.Spec.MinReplicas == n, err
	})
}

// scaled is what it may take on a busy machine until all pods run, however many.
const scaled = 5 * time.Minute

// holds says that the Deployment has so many replicas, all ready.
func (a autoscaler) holds(t *testing.T, n int32) {
	t.Helper()
	suite.Within(t, scaled, fmt.Sprintf("%s has %d ready replicas", a.target, n), func(ctx context.Context) (bool, error) {
		d, err := suite.Client(t, stack).AppsV1().Deployments(a.namespace).Get(ctx, a.target, meta.GetOptions{})
		if err != nil {
			return false, err
		}
		return d.Status.Replicas == n && d.Status.ReadyReplicas == n, fmt.Errorf("it wants %d, has %d, %d of them ready", *d.Spec.Replicas, d.Status.Replicas, d.Status.ReadyReplicas)
	})
}

// scaleDown takes replicas away by a quarter at a time: simulated pods have no load by which the autoscaler could tell that they are too
// many. All at once would leave what is left on few nodes: which pods of a node go is decided once for each step.
func (a autoscaler) scaleDown(t *testing.T) {
	t.Helper()
	for n := a.max; n > a.min; {
		n = max(a.min, n*3/4)
		patch(t, deployments, a.namespace, a.target, fmt.Sprintf(`{"spec":{"replicas":%d}}`, n), "scale")
		a.holds(t, n)
	}
}

// The pace at which nodes go by choice: as shipped, and as fast as Karpenter can. Nobody learns anything from waiting for the first.
const (
	shippedPace = `{"consolidateAfter":"15m","budgets":[{"nodes":"10%","reasons":["Underutilized","Drifted"]},{"nodes":"100%","reasons":["Empty"]}]}`
	hurriedPace = `{"consolidateAfter":"1s","budgets":[{"nodes":"100%"}]}`
)

// setPace changes it for every pool that Karpenter makes nodes for.
func setPace(t *testing.T, pools []config.NodePool, pace string) {
	t.Helper()
	for _, pool := range pools {
		if pool.Max > pool.Min {
			patch(t, nodePools, "", pool.Name, `{"spec":{"disruption":`+pace+`}}`)
		}
	}
}

// hasPace holds the pools in the cluster to it.
func hasPace(t *testing.T, pools []config.NodePool, pace string) {
	t.Helper()
	for _, pool := range pools {
		if pool.Max > pool.Min {
			found, err := at(t, nodePools, "").Get(t.Context(), pool.Name, meta.GetOptions{})
			require.NoError(t, err)
			disruption, _, err := unstructured.NestedMap(found.Object, "spec", "disruption")
			require.NoError(t, err)
			delete(disruption, "consolidationPolicy")
			live, err := json.Marshal(disruption)
			require.NoError(t, err)
			assert.JSONEq(t, pace, string(live), "pool %s", pool.Name)
		}
	}
}

// nothingMoves waits until Karpenter takes no node away any more, and none that it might: what is lost from here on is the zone's loss.
func nothingMoves(t *testing.T) {
	t.Helper()
	suite.Eventually(t, "Karpenter moves nothing", func(ctx context.Context) (bool, error) {
		claims, err := at(t, nodeClaims, "").List(ctx, meta.ListOptions{})
		if err != nil {
			return false, err
		}
		for _, claim := range claims.Items {
			conditions, _, err := unstructured.NestedSlice(claim.Object, "status", "conditions")
			if err != nil {
				return false, err
			}
			for _, c := range conditions {
				if condition, _ := c.(map[string]any); condition["type"] == "Consolidatable" && condition["status"] == "True" {
					return false, fmt.Errorf("%s may still go", claim.GetName())
				}
			}
		}
		nodes, err := suite.Client(t, stack).CoreV1().Nodes().List(ctx, meta.ListOptions{})
		if err != nil {
			return false, err
		}
		for _, node := range nodes.Items {
			if node.DeletionTimestamp != nil || slices.ContainsFunc(node.Spec.Taints, func(taint core.Taint) bool { return taint.Key == "karpenter.sh/disrupted" }) {
				return false, fmt.Errorf("%s is going", node.Name)
			}
		}
		now, err := look(t)
		return err == nil && len(now.waiting) == 0, errors.Join(err, fmt.Errorf("there wait %v", now.waiting))
	})
}

// exclude does what docs/runbooks/lost-zone.md says, and include what it says for afterwards.
func exclude(t *testing.T, pools []config.NodePool, zone string) {
	t.Helper()
	commandOfLostZone(t, 0, pools, zone)
}

func include(t *testing.T, pools []config.NodePool, zone string) {
	t.Helper()
	commandOfLostZone(t, 1, pools, zone)
}

func commandOfLostZone(t *testing.T, n int, pools []config.NodePool, zone string) {
	t.Helper()
	page, err := os.ReadFile(suite.Root + "/docs/runbooks/lost-zone.md")
	require.NoError(t, err)
	changes := regexp.MustCompile(`--type json -p '(.*)'`).FindAllSubmatch(page, -1)
	require.Len(t, changes, 2, "the runbook has the commands")
	for _, pool := range pools {
		if pool.Max > pool.Min {
			apply(t, nodePools, "", pool.Name, types.JSONPatchType, strings.ReplaceAll(string(changes[n][1]), "us-east-1a", zone))
		}
	}
}

// requirements are what the pools' nodes must be like, as the cluster has it.
func requirements(t *testing.T) map[string]any {
	t.Helper()
	list, err := at(t, nodePools, "").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	found := map[string]any{}
	for _, pool := range list.Items {
		found[pool.GetName()], _, err = unstructured.NestedSlice(pool.Object, "spec", "template", "spec", "requirements")
		require.NoError(t, err)
	}
	return found
}

func patch(t *testing.T, resource schema.GroupVersionResource, namespace, name, change string, subresources ...string) {
	t.Helper()
	apply(t, resource, namespace, name, types.MergePatchType, change, subresources...)
}

func apply(t *testing.T, resource schema.GroupVersionResource, namespace, name string, kind types.PatchType, change string, subresources ...string) {
	t.Helper()
	_, err := at(t, resource, namespace).Patch(t.Context(), name, kind, []byte(change), meta.PatchOptions{}, subresources...)
	require.NoError(t, err)
}

// at gives access to objects of a kind.
func at(t *testing.T, resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	t.Helper()
	config, err := controlplane.Config("alphapulse-" + stack)
	require.NoError(t, err)
	client, err := dynamic.NewForConfig(config)
	require.NoError(t, err)
	return client.Resource(resource).Namespace(namespace)
}

// scene is what the cluster shows at one moment.
type scene struct {
	pods, stateless int
	nodes, zones    map[string]int // by pool, by zone
	hourly          float64        // USD, of all nodes
	waiting         []string       // what is not there yet
	stranded        []string       // pods whose volumes are in a zone that has no node for them
}

func (s scene) total() (n int) {
	for _, count := range s.nodes {
		n += count
	}
	return n
}

func (s scene) summary(pools []config.NodePool) string {
	text := fmt.Sprintf("%d pods, %d nodes", s.pods, s.total())
	for _, pool := range pools {
		text += fmt.Sprintf(", %s %d of %d..%d", pool.Name, s.nodes[pool.Name], pool.Min, pool.Max)
	}
	return text + fmt.Sprintf(", %.2f USD an hour", s.hourly)
}

func look(t *testing.T) (scene, error) {
	s := scene{nodes: map[string]int{}, zones: map[string]int{}}
	client := suite.Client(t, stack)
	nodes, err := client.CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	if err != nil {
		return s, err
	}
	there := map[string]bool{}
	for _, node := range nodes.Items {
		there[node.Name] = true
		kind, known := capacity.Instance(node.Labels[core.LabelInstanceTypeStable])
		if !known || node.Labels[config.PoolLabel] == "" {
			return s, fmt.Errorf("node %s has no price or no pool: %v", node.Name, node.Labels)
		}
		s.nodes[node.Labels[config.PoolLabel]]++
		s.zones[node.Labels[core.LabelTopologyZone]]++
		share := 1.0
		if node.Labels["karpenter.sh/capacity-type"] == "spot" || node.Labels["eks.amazonaws.com/capacityType"] == config.Spot {
			share = capacity.SpotShare
		}
		s.hourly += kind.HourlyUSD * share
	}
	list, err := client.AutoscalingV2().HorizontalPodAutoscalers("").List(t.Context(), meta.ListOptions{})
	if err != nil {
		return s, err
	}
	for _, a := range list.Items {
		if a.Status.CurrentReplicas < *a.Spec.MinReplicas {
			s.waiting = append(s.waiting, fmt.Sprintf("autoscaler %s has %d of %d", a.Name, a.Status.CurrentReplicas, *a.Spec.MinReplicas))
		}
	}
	pods, err := client.CoreV1().Pods("").List(t.Context(), meta.ListOptions{})
	if err != nil {
		return s, err
	}
	sets, err := client.AppsV1().ReplicaSets("").List(t.Context(), meta.ListOptions{})
	if err != nil {
		return s, err
	}
	has := map[types.UID]int{}
	for _, pod := range pods.Items {
		if owner := meta.GetControllerOf(&pod); owner != nil {
			has[owner.UID]++
		}
	}
	for _, set := range sets.Items {
		if wants := int(*set.Spec.Replicas); has[set.UID] < wants { // a pod that is gone has its successor in a moment
			s.waiting = append(s.waiting, fmt.Sprintf("%s has %d pods of %d", set.Name, has[set.UID], wants))
		}
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase == core.PodSucceeded {
			continue // a job's, which is done wherever it was
		}
		volumes := slices.ContainsFunc(pod.Spec.Volumes, func(v core.Volume) bool { return v.PersistentVolumeClaim != nil })
		owner := meta.GetControllerOf(&pod)
		daemon := owner != nil && owner.Kind == "DaemonSet"
		if daemon && !there[pod.Spec.NodeName] {
			continue // Kubernetes takes its time to forget it
		}
		s.pods++
		if !volumes && !daemon {
			s.stateless++
		}
		lost := pod.Spec.NodeName != "" && !there[pod.Spec.NodeName] // it is said to run until Kubernetes notices
		if !lost && pod.DeletionTimestamp == nil && pod.Status.Phase == core.PodRunning {
			continue
		}
		what := fmt.Sprintf("%s is %s: %s", pod.Name, pod.Status.Phase, reason(pod))
		if lost {
			what += ", on a node that is gone"
		}
		if volumes {
			s.stranded = append(s.stranded, what)
		} else {
			s.waiting = append(s.waiting, what)
		}
	}
	return s, nil
}

func reason(pod core.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == core.PodScheduled && c.Status != core.ConditionTrue {
			return strings.TrimSpace(c.Message)
		}
	}
	return "on its way"
}

// ready names an app's ready pods, each with the zone that it is in.
func ready(t *testing.T, app string) map[string]string {
	t.Helper()
	list, err := suite.Client(t, stack).CoreV1().Pods("alphapulse-"+stack).List(t.Context(), meta.ListOptions{LabelSelector: "app=" + app})
	require.NoError(t, err)
	nodes, err := suite.Client(t, stack).CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	zones := map[string]string{}
	for _, node := range nodes.Items {
		zones[node.Name] = node.Labels[core.LabelTopologyZone]
	}
	names := map[string]string{}
	for _, pod := range list.Items {
		for _, c := range pod.Status.Conditions {
			if c.Type == core.PodReady && c.Status == core.ConditionTrue {
				names[pod.Name] = zones[pod.Spec.NodeName]
			}
		}
	}
	return names
}
