package traefik

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	networking "k8s.io/api/networking/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const (
	namespace = "alphapulse-prod"
	token     = "token-of-the-ingress"
)

// object is one of Kubernetes', as JSON has it.
type object map[string]any

// at follows keys into an object.
func (o object) at(keys ...string) any {
	var value any = map[string]any(o)
	for _, key := range keys {
		inside, _ := value.(map[string]any)
		value = inside[key]
	}
	return value
}

func (o object) kind() string { kind, _ := o["kind"].(string); return kind }
func (o object) name() string { name, _ := o.at("metadata", "name").(string); return name }

// shipped are the objects that the program asks Kubernetes for, around the ingress (`make test` builds what prints them).
func shipped(t *testing.T, originAuthority []byte, cloudflare string) (objects []object) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	program := filepath.Join(root, "bin", "manifests")
	require.FileExists(t, program, "`make test` builds it")
	file := filepath.Join(t.TempDir(), "authority.pem")
	require.NoError(t, os.WriteFile(file, originAuthority, 0o600))
	out, err := programs.Run(t, limit, programs.Command{Name: "manifests", Args: []string{program, filepath.Join(root, "Pulumi.prod.yaml"), file, cloudflare}})
	require.NoError(t, err, out)
	require.NoError(t, json.Unmarshal([]byte(out), &objects), out)
	return objects
}

func find(t *testing.T, objects []object, kind, name string) object {
	t.Helper()
	i := slices.IndexFunc(objects, func(o object) bool { return o.kind() == kind && o.name() == name })
	require.GreaterOrEqual(t, i, 0, "%s %s", kind, name)
	return objects[i]
}

// kubernetes stands for the API server: it lists what there is to whoever has Traefik's token, as far as the shipped roles let it. It keeps
// the status of Ingresses; what else changes has all who watch list anew. The real one would refuse Services with loopback addresses.
type kubernetes struct {
	address string
	rights  map[string]bool // "verb group/resource"

	lock     sync.Mutex
	objects  []object
	changed  chan struct{} // closed when objects are others
	version  int           // of the objects; Traefik looks at none whose version is the same
	statuses map[string][]networking.IngressLoadBalancerIngress
	refused  []string          // what the roles do not allow
	lists    map[string]string // kinds by resource
}

// startKubernetes serves the objects at an address, and gives the authority of its certificate.
func startKubernetes(t *testing.T, address string, objects []object) (*kubernetes, []byte) {
	t.Helper()
	k := &kubernetes{
		address: address, objects: objects, changed: make(chan struct{}), version: 1, rights: map[string]bool{}, statuses: map[string][]networking.IngressLoadBalancerIngress{},
		lists: map[string]string{
			"services": "Service", "secrets": "Secret", "endpointslices": "EndpointSlice", "ingresses": "Ingress", "ingressclasses": "IngressClass", "nodes": "Node",
		},
	}
	for _, role := range []object{find(t, objects, "Role", "ingress-role"), find(t, objects, "ClusterRole", "alphapulse-ingress")} {
		rules, _ := role["rules"].([]any)
		for _, rule := range rules {
			rule, _ := rule.(map[string]any)
			for _, group := range rule["apiGroups"].([]any) {
				for _, resource := range rule["resources"].([]any) {
					for _, verb := range rule["verbs"].([]any) {
						k.rights[verb.(string)+" "+group.(string)+"/"+resource.(string)] = true
					}
				}
			}
		}
	}
	signer := newAuthority(t)
	listener, err := tls.Listen("tcp", net.JoinHostPort(address, "6443"), &tls.Config{Certificates: []tls.Certificate{
		signer.issue(t, address, x509.ExtKeyUsageServerAuth).load(t),
	}})
	require.NoError(t, err)
	serve(t, listener, k)
	return k, signer.pem
}

func serve(t *testing.T, listener net.Listener, handler http.Handler) {
	t.Helper()
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

func (k *kubernetes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+token {
		answer(w, http.StatusUnauthorized, object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": http.StatusUnauthorized})
		return
	}
	// /api/v1/... is the group without a name, /apis/GROUP/v1/... any other.
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group, version := "", "v1"
	if parts[0] == "apis" {
		group, version, parts = parts[1], parts[1]+"/"+parts[2], parts[1:]
	}
	parts = parts[2:]
	if len(parts) > 2 && parts[0] == "namespaces" && parts[1] == namespace {
		parts = parts[2:]
	}
	resource, verb := parts[0], "list"
	switch {
	case r.Method == http.MethodPut && len(parts) == 3:
		resource, verb = parts[0]+"/"+parts[2], "update"
	case r.URL.Query().Get("watch") != "":
		verb = "watch"
	}
	if !k.rights[verb+" "+group+"/"+resource] {
		k.lock.Lock()
		k.refused = append(k.refused, verb+" "+r.URL.Path)
		k.lock.Unlock()
		answer(w, http.StatusForbidden, object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": http.StatusForbidden})
		return
	}
	switch verb {
	case "update":
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		changed, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil) // clients send Protobuf
		ingress, ok := changed.(*networking.Ingress)
		if err != nil || !ok {
			http.Error(w, "no Ingress", http.StatusBadRequest)
			return
		}
		k.lock.Lock()
		k.statuses[ingress.Name] = ingress.Status.LoadBalancer.Ingress
		k.lock.Unlock()
		answer(w, http.StatusOK, object{"kind": "Ingress", "apiVersion": version, "metadata": object{"name": ingress.Name, "namespace": ingress.Namespace}})
	case "watch":
		if r.URL.Query().Get("sendInitialEvents") != "" { // clients list then, as from servers that are older
			answer(w, http.StatusUnprocessableEntity, object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": http.StatusUnprocessableEntity})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		k.lock.Lock()
		changed, version := k.changed, strconv.Itoa(k.version)
		k.lock.Unlock()
		if r.URL.Query().Get("resourceVersion") == version { // else they have changed since the caller's list
			select {
			case <-r.Context().Done():
			case <-changed:
			}
		}
		if r.Context().Err() == nil {
			_ = json.NewEncoder(w).Encode(object{"type": "ERROR", "object": object{
				"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": http.StatusGone,
			}})
		}
	default:
		k.lock.Lock()
		defer k.lock.Unlock()
		items := []object{}
		for _, o := range k.objects {
			if o.kind() == k.lists[resource] {
				items = append(items, o)
			}
		}
		answer(w, http.StatusOK, object{"kind": k.lists[resource] + "List", "apiVersion": version, "metadata": object{"resourceVersion": strconv.Itoa(k.version)}, "items": items})
	}
}

func answer(w http.ResponseWriter, status int, body object) {
	var text bytes.Buffer
	_ = json.NewEncoder(&text).Encode(body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}

// seen are the statuses that Traefik has written, and what it was refused.
func (k *kubernetes) seen() (map[string][]networking.IngressLoadBalancerIngress, []string) {
	k.lock.Lock()
	defer k.lock.Unlock()
	return maps.Clone(k.statuses), slices.Clone(k.refused)
}

// put replaces the object of the same kind and name.
func (k *kubernetes) put(t *testing.T, changed object) {
	t.Helper()
	k.lock.Lock()
	defer k.lock.Unlock()
	find(t, k.objects, changed.kind(), changed.name())
	k.version++
	changed["metadata"].(map[string]any)["resourceVersion"] = strconv.Itoa(k.version)
	k.objects = slices.Clone(k.objects)
	for i, o := range k.objects {
		if o.kind() == changed.kind() && o.name() == changed.name() {
			k.objects[i] = changed
		}
	}
	close(k.changed)
	k.changed = make(chan struct{})
}

// endpoints is what Kubernetes makes of a Service and a pod behind it.
func endpoints(service object, address string, ready bool) object {
	var ports []any
	offered, _ := service.at("spec", "ports").([]any)
	for _, port := range offered {
		port, _ := port.(map[string]any)
		ports = append(ports, object{"name": port["name"], "port": port["targetPort"], "protocol": "TCP"})
	}
	return object{
		"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "addressType": "IPv4", "ports": ports,
		"metadata":  map[string]any{"name": service.name() + "-1", "namespace": namespace, "labels": object{"kubernetes.io/service-name": service.name()}},
		"endpoints": []any{object{"addresses": []string{address}, "conditions": object{"ready": ready, "serving": ready}}},
	}
}

// certificate is what cert-manager makes.
func certificate(name string, of pair) object {
	return object{
		"kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/tls", "metadata": map[string]any{"name": name, "namespace": namespace},
		"data": object{"tls.crt": base64.StdEncoding.EncodeToString(of.certificate), "tls.key": base64.StdEncoding.EncodeToString(of.key)},
	}
}
