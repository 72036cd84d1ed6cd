package workloads

import (
	autoscalingv2 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/autoscaling/v2"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// scaled tells whether somebody changes the number of its pods: not where each has something of its own, nor where it follows from the nodes.
func (b *objects) scaled() bool {
	return b.args.State == nil && !b.args.EveryNode && b.args.Autoscaler != ""
}

func (b *objects) newAutoscaler() error {
	if !b.scaled() {
		return nil
	}
	if b.args.Queue != nil {
		return b.newScaledObject()
	}
	var metrics autoscalingv2.MetricSpecArray
	for _, target := range []struct {
		resource string
		percent  int
	}{{"cpu", b.args.TargetCPU}, {"memory", b.args.TargetMemory}} {
		if target.percent == 0 {
			continue
		}
		metrics = append(metrics, autoscalingv2.MetricSpecArgs{
			Type: pulumi.String("Resource"),
			Resource: autoscalingv2.ResourceMetricSourceArgs{
				Name:   pulumi.String(target.resource),
				Target: autoscalingv2.MetricTargetArgs{Type: pulumi.String("Utilization"), AverageUtilization: pulumi.Int(target.percent)},
			},
		})
	}
	_, err := autoscalingv2.NewHorizontalPodAutoscaler(b.ctx, b.name, &autoscalingv2.HorizontalPodAutoscalerArgs{
		Metadata: b.metadata(b.args.Autoscaler),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpecArgs{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReferenceArgs{
				ApiVersion: pulumi.String("apps/v1"), Kind: pulumi.String("Deployment"), Name: pulumi.String(b.name),
			},
			MinReplicas: pulumi.Int(b.args.Spec.Replicas.Min),
			MaxReplicas: pulumi.Int(b.args.Spec.Replicas.Max),
			Metrics:     metrics,
		},
	}, pulumi.Parent(b.parent))
	return err
}

// newDisruptionBudget lets a fifth go at a time when nodes are drained, of what keeps something one; a pod that is not healthy anyway never
// holds a drain up.
func (b *objects) newDisruptionBudget() error {
	if b.args.EveryNode {
		return nil // a pod goes with its node, and no drain asks it
	}
	var gone pulumi.Input = pulumi.String("20%")
	if b.args.State != nil {
		gone = pulumi.Int(1)
	}
	_, err := policyv1.NewPodDisruptionBudget(b.ctx, b.name, &policyv1.PodDisruptionBudgetArgs{
		Metadata: b.metadata(b.name),
		Spec: policyv1.PodDisruptionBudgetSpecArgs{
			Selector:                   metav1.LabelSelectorArgs{MatchLabels: b.selector()},
			MaxUnavailable:             gone,
			UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
		},
	}, pulumi.Parent(b.parent))
	return err
}
