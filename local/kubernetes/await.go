package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
)

const pollInterval = 200 * time.Millisecond

var (
	errCancelled = errors.New("the wait was cancelled")
	errTimedOut  = errors.New("the wait timed out")
)

// timeout is how long to wait for an object: customTimeouts, else its annotation, else the default.
func timeout(obj *unstructured.Unstructured, custom float64) time.Duration {
	if custom > 0 {
		return time.Duration(custom * float64(time.Second))
	}
	if seconds, err := strconv.Atoi(obj.GetAnnotations()[timeoutSeconds]); err == nil {
		return time.Duration(seconds) * time.Second
	}
	return 10 * time.Minute
}

// until polls a condition; it ends with the time limit or when the engine cancels.
func (p *Provider) until(ctx context.Context, limit time.Duration, condition wait.ConditionWithContextFunc) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w after %s", errTimedOut, limit))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(p.running, func() { stop(errCancelled) })()
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, condition)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// await waits until an object does its work. It gives the object's last state and, if it does not get ready, the reasons.
func (p *Provider) await(
	ctx context.Context, urn resource.URN, obj *unstructured.Unstructured, custom float64,
) (last *unstructured.Unstructured, reasons []string) {
	last = obj
	if _, waits := rules[obj.GroupVersionKind().GroupKind()]; !waits || obj.GetAnnotations()[skipAwait] == "true" {
		return last, nil
	}
	client, err := p.cluster.at(obj.GroupVersionKind(), obj.GetNamespace())
	if err != nil {
		return last, []string{err.Error()}
	}
	start, missing := time.Now(), ""
	err = p.until(ctx, timeout(obj, custom), func(ctx context.Context) (bool, error) {
		current, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, errors.New("somebody deleted it while it was waited for")
		}
		if err != nil {
			return false, nil // an API server that does not answer for a moment is waited for too
		}
		last = current
		ready, message, err := p.ready(ctx, last)
		if !ready && err == nil && message != missing {
			missing = message
			_ = p.engine.LogStatus(ctx, diag.Info, urn, message) // only decorates the progress display
		}
		return ready, err
	})
	if err == nil {
		_ = p.engine.LogStatus(ctx, diag.Info, urn, "")
		return last, nil
	}
	if missing != "" && (errors.Is(err, errTimedOut) || errors.Is(err, errCancelled)) {
		err = fmt.Errorf("%w: %s", err, missing)
	}
	details, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return last, append([]string{err.Error()}, p.cluster.reasons(details, last, start)...)
}

// ready asks the kind's rule; a kind that has none is ready when it exists.
func (p *Provider) ready(ctx context.Context, obj *unstructured.Unstructured) (ready bool, message string, err error) {
	rule, found := rules[obj.GroupVersionKind().GroupKind()]
	if !found || obj.GetAnnotations()[skipAwait] == "true" {
		return true, "", nil
	}
	return rule(ctx, p.cluster, obj)
}

func (p *Provider) get(ctx context.Context, req plugin.ReadRequest, kind schema.GroupVersionKind) (*unstructured.Unstructured, error) {
	if p.cluster == nil {
		return nil, errNoCluster
	}
	namespace, name := splitID(req.ID)
	client, err := p.cluster.at(kind, namespace)
	if err != nil {
		return nil, err
	}
	live, err := client.Get(ctx, name, metav1.GetOptions{})
	return unsilence(live), err
}

// delete waits until the object and what it owns are gone; what is gone already is a success.
func (p *Provider) delete(ctx context.Context, req plugin.DeleteRequest, kind schema.GroupVersionKind) error {
	if p.cluster == nil {
		return errNoCluster
	}
	namespace, name := splitID(req.ID)
	client, err := p.cluster.at(kind, namespace)
	if meta.IsNoMatchError(err) { // its definition went first, and took it along
		return nil
	}
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	err = client.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &foreground})
	if apierrors.IsNotFound(err) {
		return nil
	}
	old := object(req.Outputs)
	if err != nil || old.GetAnnotations()[skipAwait] == "true" {
		return err
	}
	last := old
	err = p.until(ctx, timeout(old, req.Timeout), func(ctx context.Context) (bool, error) {
		current, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		if err != nil {
			return false, nil
		}
		last = current
		return old.GetUID() != "" && current.GetUID() != old.GetUID(), nil // its namesake is somebody else's
	})
	if err != nil && len(last.GetFinalizers()) > 0 {
		err = fmt.Errorf("%w: what its finalizers stand for is not cleaned up yet: %s", err, strings.Join(last.GetFinalizers(), ", "))
	}
	for _, condition := range conditions(last) {
		if err != nil && condition.Status == metav1.ConditionTrue && last.GetKind() == "Namespace" {
			err = fmt.Errorf("%w; %s", err, condition.Message)
		}
	}
	if kind.Kind == "CustomResourceDefinition" { // its kind may come back with another scope
		p.cluster.mapper.Reset()
	}
	return err
}
