package cloud

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"
)

// KarpenterCommand is the argument by which this program runs Karpenter; kubeconfig, account, region and cluster follow.
const KarpenterCommand = "karpenter"

// NodeClaims are the machines that Karpenter has asked for.
var NodeClaims = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodeclaims"}

// karpenter runs the real one while its Deployment has an available pod, with that pod's settings, as a process of its own: it can be
// started only once in a process. Simulated pods run nothing.
func karpenter(ctx context.Context, c *cloud) error {
	var running *exec.Cmd
	var ended chan struct{}
	var settings []string
	stop := func() {
		if running != nil {
			_ = running.Process.Kill() // which it survives as any controller must
			<-ended
			running = nil
		}
	}
	defer stop()
	return every(ctx, "Running Karpenter failed, trying again", func(ctx context.Context) error {
		asked, err := c.karpenterSettings(ctx)
		if err != nil {
			return err
		}
		if running != nil {
			select {
			case <-ended:
				klog.FromContext(ctx).Info("Karpenter has ended, see its log", "state", running.ProcessState)
				running = nil
			default:
			}
		}
		if asked == nil || !reflect.DeepEqual(asked, settings) {
			stop()
		}
		if asked == nil || running != nil {
			return nil
		}
		settings = asked
		running, err = c.startKarpenter(asked)
		if err != nil {
			return fmt.Errorf("starting Karpenter: %w", err)
		}
		ended = make(chan struct{})
		go func(cmd *exec.Cmd, ended chan struct{}) {
			_ = cmd.Wait()
			close(ended)
		}(running, ended)
		return nil
	})
}

// karpenterSettings are the environment that the chart gives to Karpenter, or nil while no pod of it is available.
func (c *cloud) karpenterSettings(ctx context.Context) ([]string, error) {
	deployment, err := c.client.AppsV1().Deployments("karpenter").Get(ctx, "karpenter", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || deployment.Status.AvailableReplicas == 0 || deployment.DeletionTimestamp != nil {
		return nil, err
	}
	return environment(deployment), nil
}

// environment is what the first container of a Deployment is given, but for what only a pod knows.
func environment(d *appsv1.Deployment) []string {
	container := d.Spec.Template.Spec.Containers[0]
	all := []string{}
	for _, v := range container.Env {
		if v.ValueFrom == nil {
			all = append(all, v.Name+"="+v.Value)
			continue
		}
		if ref := v.ValueFrom.ResourceFieldRef; ref != nil {
			switch ref.Resource {
			case "requests.cpu":
				all = append(all, fmt.Sprintf("%s=%d", v.Name, container.Resources.Requests.Cpu().MilliValue())) // its divisor is 1m
			case "limits.memory":
				all = append(all, fmt.Sprintf("%s=%d", v.Name, container.Resources.Limits.Memory().Value()))
			}
		}
	}
	return all
}

// startKarpenter starts a process that ends with this one: its input is a pipe that nobody writes to.
func (c *cloud) startKarpenter(settings []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(filepath.Dir(c.kubeconfig), "logs", "karpenter.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(self, KarpenterCommand, c.kubeconfig, c.account, c.region, c.cluster)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(append(os.Environ(), settings...),
		"KUBECONFIG="+c.kubeconfig,
		// Two clusters on one machine cannot have the same port, and there is one process, not a leader among two.
		"METRICS_PORT=0", "HEALTH_PROBE_PORT=0", "DISABLE_LEADER_ELECTION=true")
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd, nil
}
