package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/client-go/util/retry"
)

// fieldManager is the name under which the API server records which fields are ours.
const fieldManager = "pulumi-kubernetes"

// cluster is a connection to an API server.
type cluster struct {
	dynamic   dynamic.Interface
	typed     kubernetes.Interface
	config    *rest.Config
	mapper    meta.ResettableRESTMapper
	namespace string // of objects that name none
}

func connect(s settings, warnings rest.WarningHandlerWithContext) (*cluster, error) {
	loaded, err := s.load()
	if err != nil {
		return nil, err
	}
	overrides := &clientcmd.ConfigOverrides{}
	overrides.Context.Namespace = s.namespace
	client := clientcmd.NewDefaultClientConfig(*loaded, overrides)
	config, err := client.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("using the provider's kubeconfig: %w", err)
	}
	config.QPS = -1 // every resource polls on its own; the API server's own flow control is enough
	config.WarningHandlerWithContext = warnings
	c := &cluster{config: config}
	if c.namespace, _, err = client.Namespace(); err != nil {
		return nil, err
	}
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	if c.typed, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.typed.Discovery()))
	return c, nil
}

// mapping finds a kind's resource. A kind that is not found is looked up afresh: its definition may be as young as this run.
func (c *cluster) mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		c.mapper.Reset()
		mapping, err = c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	return mapping, err
}

// at gives access to the objects of a kind in a namespace.
func (c *cluster) at(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapping(kind)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		if namespace != "" {
			return nil, fmt.Errorf("%s belongs to no namespace; its kind was not known yet when it was checked: "+
				"make it depend on its CustomResourceDefinition", kind.Kind)
		}
		return c.dynamic.Resource(mapping.Resource), nil
	}
	if namespace == "" {
		namespace = c.namespace
	}
	return c.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

// create makes an object with a POST, as the real provider does: only that is refused when the object exists, even if two resources
// of one program race for a name, where an apply would merge them. Its price is paid in update.
func create(ctx context.Context, client dynamic.ResourceInterface, obj *unstructured.Unstructured, dryRun []string) (*unstructured.Unstructured, error) {
	live, err := client.Create(ctx, silence(obj), metav1.CreateOptions{
		FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun,
	})
	return unsilence(live), err
}

// apply is a server-side apply. Strict: an unknown field is an error. With force, fields that others have changed are ours again.
func apply(ctx context.Context, client dynamic.ResourceInterface, obj *unstructured.Unstructured, dryRun []string, force bool) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(silence(obj))
	if err != nil {
		return nil, err
	}
	live, err := client.Patch(ctx, obj.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict, Force: &force, DryRun: dryRun,
	})
	return unsilence(live), err
}

// update applies to an object that exists. What a POST wrote is recorded as "Update", which an apply does not regard as its own, so
// that fields which the program dropped would stay for ever: hence the record is moved to "Apply" first. A dry run cannot do that
// and shows such fields still there. Nor can the real provider's, unless it is told to use force, take back what somebody has changed with
// kubectl: once the POST's record is gone the preview fails, and the update does not (forcePatch in its await.go).
func update(ctx context.Context, client dynamic.ResourceInterface, obj *unstructured.Unstructured, dryRun []string, force bool) (live *unstructured.Unstructured, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(dryRun) > 0 {
			force = force || slices.ContainsFunc(current.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
				return entry.Manager == fieldManager && entry.Operation == metav1.ManagedFieldsOperationUpdate
			})
			return nil
		}
		force = true
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(current, sets.New(fieldManager), fieldManager)
		if err != nil || patch == nil {
			return err
		}
		_, err = client.Patch(ctx, obj.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
		return err
	})
	if err != nil {
		return nil, err
	}
	return apply(ctx, client, obj, dryRun, force)
}

// ours tells whether this provider made an object.
func ours(live *unstructured.Unstructured) bool {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == fieldManager {
			return true
		}
	}
	return false
}

// unreachable tells a cluster that does not answer from one that answers no.
func unreachable(err error) bool {
	var failed *url.Error
	return errors.As(err, &failed) && !errors.Is(err, context.Canceled)
}

// missingNamespace tells that an object cannot be made because its namespace is not there.
func missingNamespace(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierrors.IsNotFound(err) &&
		status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}

// failure names the deed and the object, and the remedy where there is a usual one.
func failure(deed string, kind schema.GroupVersionKind, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case unreachable(err):
		err = fmt.Errorf("the cluster cannot be reached: start it again; if it is gone for good, "+
			"set deleteUnreachable on the Kubernetes provider and run `pulumi refresh`: %w", err)
	case meta.IsNoMatchError(err):
		err = fmt.Errorf("the cluster does not know this kind; make it depend on its CustomResourceDefinition: %w", err)
	case missingNamespace(err):
		err = fmt.Errorf("%w; take the name from the Namespace resource, so that it is made first", err)
	case apierrors.IsAlreadyExists(err):
		err = fmt.Errorf("%w; import it, rename one of the two, or set upsertExistingObjects on the Kubernetes provider", err)
	}
	return fmt.Errorf("%s %s %q: %w", deed, kind.Kind, id, err)
}
