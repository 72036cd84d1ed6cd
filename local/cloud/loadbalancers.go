package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	loadBalancerType = "aws:lb/loadBalancer:LoadBalancer"
	nlbClass         = "service.k8s.aws/nlb"
	annotationPrefix = "service.beta.kubernetes.io/aws-load-balancer-"
)

// finalizers hold a service until its load balancer is gone, by class: the cluster's own controller, and the AWS one.
var finalizers = map[string]string{"": "service.kubernetes.io/load-balancer-cleanup", nlbClass: "service.k8s.aws/resources"}

// loadBalancers makes one for each Service that wants one.
func loadBalancers(ctx context.Context, c *cloud) error {
	return reconcile(ctx, c.informers.Core().V1().Services().Informer(), func(ctx context.Context, namespace, name string) error {
		service, err := c.client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err = c.balance(ctx, service); err != nil && !apierrors.IsConflict(err) {
			c.events.Event(service, corev1.EventTypeWarning, "SyncLoadBalancerFailed", err.Error())
		}
		return err
	})
}

// balance brings one service and its load balancer into line.
func (c *cloud) balance(ctx context.Context, service *corev1.Service) error {
	class := ""
	if service.Spec.LoadBalancerClass != nil {
		class = *service.Spec.LoadBalancerClass
	}
	finalizer, isOurs := finalizers[class]
	if !isOurs {
		return nil
	}
	hash := digest(string(service.UID))[:16]
	name := fmt.Sprintf("%.15s-%s", service.Name, hash)
	id := fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/net/%s/%s", c.region, c.account, name, hash)

	api := c.client.CoreV1().Services(service.Namespace)
	if service.DeletionTimestamp != nil || service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		before := len(service.Finalizers) // of any class: a service that is no load balancer any more has none
		service.Finalizers = slices.DeleteFunc(service.Finalizers, func(f string) bool { return f == finalizers[""] || f == finalizers[nlbClass] })
		if len(service.Finalizers) == before {
			return nil
		}
		if err := c.store.Delete(loadBalancerType, id); err != nil {
			return err
		}
		_, err := api.Update(ctx, service, metav1.UpdateOptions{})
		return err
	}
	if len(c.subnets) == 0 {
		return errors.New("no subnet for a load balancer: tag the cluster's subnets kubernetes.io/role/elb or kubernetes.io/role/internal-elb")
	}
	if !slices.Contains(service.Finalizers, finalizer) { // before the load balancer exists, so that it cannot be left behind
		service.Finalizers = append(service.Finalizers, finalizer)
		updated, err := api.Update(ctx, service, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		service = updated
	}

	host := fmt.Sprintf("%s.elb.%s.amazonaws.com", name, c.region)
	options := map[string]any{} // kept as they are, so that what was asked for can be seen
	for key, value := range service.Annotations {
		if option, found := strings.CutPrefix(key, annotationPrefix); found {
			options[option] = value
		}
	}
	properties := map[string]any{
		"arn": id, "dnsName": host, "loadBalancerType": "network", "name": name, "options": options, "subnets": c.subnets,
		"tags": map[string]any{"kubernetes.io/service-name": service.Namespace + "/" + service.Name},
	}
	if err := c.store.Put(inventory.Record{Type: loadBalancerType, ID: id, Inputs: properties, Outputs: properties}); err != nil {
		return err
	}
	if ingress := service.Status.LoadBalancer.Ingress; len(ingress) == 1 && ingress[0].Hostname == host {
		return nil
	}
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: host}}
	_, err := api.UpdateStatus(ctx, service, metav1.UpdateOptions{})
	return err
}
