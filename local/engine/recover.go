package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/alphapulse/infrastructure/local/controlplane"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// recover settles what a killed pulumi was making. Its state says what it had begun; the clouds say what came of it. What is there is
// taken into the state, and refreshed by the operation that follows; what is not is made again. Interrupted updates and deletions need
// nothing: the refresh sees how far they came.
//
// `pulumi refresh --import-pending-creates` is not used: in Pulumi 3.250.0 it drops the operation and imports nothing.
func (e *Engine) recover(ctx context.Context) error {
	before, err := e.state()
	if err != nil {
		return err
	}
	var pending []resource
	for _, operation := range before.Pending {
		if operation.isCreate() {
			pending = append(pending, operation.Resource)
		}
	}
	if len(pending) == 0 {
		return nil
	}
	free, err := e.unclaimed()
	if err != nil {
		return err
	}
	ids := map[string]string{} // by URN
	var lines []string
	for _, r := range pending {
		if !r.Custom || strings.HasPrefix(r.Type, "pulumi:") { // of the state only, as Pulumi's own
			continue
		}
		id, err := e.made(ctx, r, &free)
		if err != nil {
			return fmt.Errorf("looking for %s %s, whose creation was interrupted: %w", r.Type, r.name(), err)
		}
		if id == "" {
			lines = append(lines, fmt.Sprintf("recovered: %s %s was not made", r.Type, r.name()))
			continue
		}
		ids[r.URN] = id
		lines = append(lines, fmt.Sprintf("recovered: %s %s is %s", r.Type, r.name(), id))
	}
	if err := e.adopt(ctx, ids); err != nil {
		return fmt.Errorf("taking what an interrupted run has made into the state: %w", err)
	}
	for _, line := range lines {
		fmt.Println(line)
	}
	return nil
}

// made gives the ID of what an interrupted creation has made, or "". Each record answers for one creation.
func (e *Engine) made(ctx context.Context, r resource, free *[]inventory.Record) (string, error) {
	if strings.HasPrefix(r.Type, "kubernetes:") {
		return e.object(ctx, r)
	}
	i := slices.IndexFunc(*free, func(record inventory.Record) bool { return record.Type == r.Type && answers(record, r.Inputs) })
	if i < 0 {
		return "", nil // or a value that lives in the state only: a password, a key
	}
	id := (*free)[i].ID
	*free = slices.Delete(*free, i, i+1)
	return id, nil
}

// object looks for a Kubernetes object of Pulumi's making.
func (e *Engine) object(ctx context.Context, r resource) (string, error) {
	names, err := e.clusters()
	if err != nil || len(names) == 0 {
		return "", err
	}
	config, err := controlplane.Config(names[0])
	if err != nil {
		return "", err
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return "", err
	}
	groups, err := restmapper.GetAPIGroupResources(kinds)
	if err != nil {
		return "", err
	}
	object := unstructured.Unstructured{Object: r.Inputs}
	kind := object.GroupVersionKind()
	mapping, err := restmapper.NewDiscoveryRESTMapper(groups).RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) { // nor can there be an object
		return "", nil
	}
	if err != nil {
		return "", err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return "", err
	}
	namespace := object.GetNamespace()
	if namespace == "" && mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		namespace = metav1.NamespaceDefault
	}
	live, err := client.Resource(mapping.Resource).Namespace(namespace).Get(ctx, object.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(live.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == "pulumi-kubernetes" }) {
		return "", nil // somebody else's, and the creation would have been refused
	}
	return strings.TrimPrefix(live.GetNamespace()+"/"+live.GetName(), "/"), nil
}

// adopt moves pending creations with an ID among the resources, and forgets the others: an edited copy of the state is imported, which
// Pulumi checks.
func (e *Engine) adopt(ctx context.Context, ids map[string]string) error {
	own, err := checkpoint(e.stack)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(own)
	if err != nil {
		return err
	}
	edited, err := adopted(file, ids)
	if err != nil {
		return err
	}
	path, remove, err := temporary("state.json")
	if err != nil {
		return err
	}
	defer remove()
	if err := os.WriteFile(path, edited, 0o600); err != nil {
		return err
	}
	return e.quietly(ctx, "pulumi", "stack", "import", "--file", path)
}

// export is what `pulumi stack export` would print. A checkpoint has the same inside, and pulumi takes a second less to be asked.
type export struct {
	Version    int                        `json:"version"`
	Features   []string                   `json:"features,omitempty"`
	Deployment map[string]json.RawMessage `json:"deployment"`
}

// adopted makes an export of a checkpoint, edited. A resource that is being replaced is there twice: the new one takes the place of one that
// was deleted before, and one that is to be deleted after is marked so.
func adopted(file []byte, ids map[string]string) ([]byte, error) {
	var now struct {
		Version    int      `json:"version"`
		Features   []string `json:"features"`
		Checkpoint struct {
			Latest map[string]json.RawMessage `json:"latest"`
		} `json:"checkpoint"`
	}
	if err := json.Unmarshal(file, &now); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	latest := now.Checkpoint.Latest
	var resources []map[string]json.RawMessage
	var operations []struct {
		Resource map[string]json.RawMessage `json:"resource"`
		Type     apitype.OperationType      `json:"type"`
	}
	if err := errors.Join(json.Unmarshal(latest["resources"], &resources), json.Unmarshal(latest["pending_operations"], &operations)); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	delete(latest, "pending_operations")
	for _, operation := range operations {
		made := operation.Resource
		id := ids[text(made["urn"])]
		if operation.Type != apitype.OperationTypeCreating || id == "" {
			continue
		}
		resources = slices.DeleteFunc(resources, func(old map[string]json.RawMessage) bool {
			if text(old["urn"]) != text(made["urn"]) {
				return false
			}
			old["delete"] = json.RawMessage("true")
			return string(old["pendingReplacement"]) == "true"
		})
		quoted, err := json.Marshal(id)
		if err != nil {
			return nil, err
		}
		made["id"] = quoted
		resources = append(resources, made)
	}
	all, err := json.Marshal(resources)
	if err != nil {
		return nil, err
	}
	latest["resources"] = all
	return json.Marshal(export{now.Version, now.Features, latest})
}

func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // "" for what is none
	return s
}

// quietly runs a program whose words matter only if it fails.
func (e *Engine) quietly(ctx context.Context, name string, args ...string) error {
	cmd := e.tool(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, nil, nil
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args[:min(2, len(args))], " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// killed tells whether a program was ended by force.
func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() < 0
}
