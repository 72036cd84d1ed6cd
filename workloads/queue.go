package workloads

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// Queue is a list in the broker from which Celery workers take their tasks.
type Queue struct {
	Name string
	// TasksPerPod are the waiting tasks for which there is to be one pod.
	TasksPerPod int
}

const (
	// brokerMaster is how Sentinel knows the broker, sentinelPort where Sentinel listens.
	brokerMaster = "broker"
	sentinelPort = 26379
	// An empty queue says nothing about the tasks that still run: pods go only when there were too many for so long, and a few at a time.
	shrinkAfterSeconds, shrinkPercentAMinute = 300, 20
)

// newScaledObject lets KEDA make the autoscaler, which then sees how many tasks wait, besides the CPU. A new number of pods is what either
// of them asks for, whichever is higher: waiting tasks make it grow, and running ones keep it from shrinking.
func (b *objects) newScaledObject() error {
	if len(b.place.Scaler) == 0 {
		return errors.New("nothing in the cluster can read the queue")
	}
	replicas := b.args.Spec.Replicas
	_, err := apiextensions.NewCustomResource(b.ctx, b.name, &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("keda.sh/v1alpha1"), Kind: pulumi.String("ScaledObject"),
		Metadata: b.metadata(b.name),
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"scaleTargetRef":  pulumi.Map{"apiVersion": pulumi.String("apps/v1"), "kind": pulumi.String("Deployment"), "name": pulumi.String(b.name)},
			"minReplicaCount": pulumi.Int(replicas.Min),
			"maxReplicaCount": pulumi.Int(replicas.Max),
			// While the broker does not answer nobody knows how much waits: nothing is taken away.
			"fallback": pulumi.Map{
				"failureThreshold": pulumi.Int(3), "replicas": pulumi.Int(replicas.Min), "behavior": pulumi.String("currentReplicasIfHigher"),
			},
			"triggers": pulumi.Array{b.queueTrigger(), pulumi.Map{
				"type": pulumi.String("cpu"), "metricType": pulumi.String("Utilization"),
				"metadata": pulumi.Map{"value": pulumi.Sprintf("%d", b.args.TargetCPU)},
			}},
			"advanced": pulumi.Map{"horizontalPodAutoscalerConfig": pulumi.Map{
				"name": pulumi.String(b.args.Autoscaler),
				"behavior": pulumi.Map{"scaleDown": pulumi.Map{
					"stabilizationWindowSeconds": pulumi.Int(shrinkAfterSeconds),
					"policies": pulumi.Array{pulumi.Map{
						"type": pulumi.String("Percent"), "value": pulumi.Int(shrinkPercentAMinute), "periodSeconds": pulumi.Int(60),
					}},
				}},
			}},
		}},
	}, pulumi.Parent(b.parent), pulumi.DependsOn(append(slices.Clip(b.place.Scaler), b.parent.Runs))) // its kind, whoever removes its finalizer, and what it scales: KEDA refuses one of nothing
	return err
}

// sentinels are the Sentinels of all of the broker's pods, under their whole names, for who is in another namespace.
func sentinels(namespace pulumi.StringInput) pulumi.StringOutput {
	return namespace.ToStringOutput().ApplyT(func(namespace string) string {
		var all []string
		for i := range config.BrokerPods {
			all = append(all, fmt.Sprintf("%s-%d.%s.%s.svc.cluster.local:%d", config.BrokerName, i, config.BrokerName, namespace, sentinelPort))
		}
		return strings.Join(all, ",")
	}).(pulumi.StringOutput)
}

// queueTrigger is the length of the queue's list. KEDA asks from a namespace of its own.
func (b *objects) queueTrigger() pulumi.Map {
	return pulumi.Map{
		"type":              pulumi.String("redis-sentinel"),
		"authenticationRef": pulumi.Map{"name": pulumi.String(config.BrokerAuthentication)},
		"metadata": pulumi.Map{
			"addresses":      sentinels(b.place.Namespace),
			"sentinelMaster": pulumi.String(brokerMaster),
			"listName":       pulumi.String(b.args.Queue.Name),
			"listLength":     pulumi.String(fmt.Sprint(b.args.Queue.TasksPerPod)), // text, as all of a trigger's metadata
		},
	}
}
