// Package traefik tries the ingress with the real Traefik: two replicas, each in a folder that is laid out as its container, with the files,
// roles and routes that the program ships.
package traefik

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const (
	host = "api.alphapulse.com"
	// limit is what starts and stops may take on a busy machine.
	limit = time.Minute
	// loopback is the second number of all addresses here; a stand has a third of its own.
	loopback = 64
)

// stand is an ingress with all that it talks to.
type stand struct {
	network    string // the first three numbers of its addresses
	replicas   []*replica
	kubernetes *kubernetes
	redis      *redis
	public     *authority // of the host's certificate
	origin     *authority // of Cloudflare's client certificate
	cloudflare pair
}

// replica is one pod.
type replica struct {
	address, root string
	process       *programs.Process
}

// address n of the stand. Those below 64 are inside, 64 to 127 stand for Cloudflare's, and the others are anybody's.
func (s *stand) address(n int) string { return fmt.Sprintf("%s.%d", s.network, n) }

func newStand(t *testing.T, block int) *stand {
	t.Helper()
	s := &stand{network: programs.NetworkIn(loopback, block), public: newAuthority(t), origin: newAuthority(t)}
	s.cloudflare = s.origin.issue(t, "cloudflare", x509.ExtKeyUsageClientAuth)
	s.redis = startRedis(t, []string{s.address(11), s.address(12), s.address(13)}, "FirstPassword")
	objects := shipped(t, s.origin.pem, s.address(64)+"/26")
	for n, name := range map[int]string{31: "api-service", 32: "billing-service"} {
		service := find(t, objects, "Service", name)
		objects = append(objects, endpoints(service, s.address(n), true))
		listener, err := net.Listen("tcp", s.address(n)+":8000")
		require.NoError(t, err)
		serve(t, listener, echo(name))
	}
	door := find(t, objects, "Service", "ingress") // as the load balancer controller leaves it
	door["status"] = map[string]any{"loadBalancer": object{"ingress": []any{object{"hostname": "balancer.example"}}}}
	objects = append(objects, certificate("alphapulse-tls", s.public.issue(t, host, x509.ExtKeyUsageServerAuth)))
	var authority []byte
	s.kubernetes, authority = startKubernetes(t, s.address(21), objects)
	for n := range 2 {
		r := &replica{address: s.address(n + 1), root: t.TempDir()}
		r.layOut(t, s, objects, authority)
		r.start(t, s, objects)
		s.replicas = append(s.replicas, r)
	}
	for _, r := range s.replicas {
		s.isReady(t, r)
	}
	return s
}

// echo says which service it is, and what it was asked by whom.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"service": name, "path": r.URL.Path, "for": r.Header.Get("X-Forwarded-For"), "alias": strings.Join(r.Header["X_forwarded_for"], ",")})
	})
}

// container is the shipped one of Traefik.
func container(t *testing.T, objects []object) object {
	t.Helper()
	containers, _ := find(t, objects, "Deployment", "ingress").at("spec", "template", "spec", "containers").([]any)
	require.Len(t, containers, 1)
	return containers[0].(map[string]any)
}

// layOut writes what the container has in its file system: the mounts of the shipped pod, and what the kubelet adds.
func (r *replica) layOut(t *testing.T, s *stand, objects []object, authority []byte) {
	t.Helper()
	volumes, _ := find(t, objects, "Deployment", "ingress").at("spec", "template", "spec", "volumes").([]any)
	sources := map[string]object{}
	for _, volume := range volumes {
		volume := object(volume.(map[string]any))
		sources[volume["name"].(string)] = volume
	}
	mounts, _ := container(t, objects)["volumeMounts"].([]any)
	for _, mount := range mounts {
		mount := object(mount.(map[string]any))
		source, path := sources[mount["name"].(string)], mount["mountPath"].(string)
		switch {
		case source["configMap"] != nil:
			name, _ := source.at("configMap", "name").(string)
			r.mount(t, path, r.heard(t, find(t, objects, "ConfigMap", name).at("data")))
		case source["secret"] != nil:
			require.Equal(t, "redis-credentials", source.at("secret", "secretName"), "a Secret that this test has to make")
			r.mount(t, path, map[string]string{"password": s.redis.password})
		default:
			require.NoError(t, os.MkdirAll(filepath.Join(r.root, path), 0o755))
		}
	}
	r.mount(t, "/var/run/secrets/kubernetes.io/serviceaccount", map[string]string{"token": token, "ca.crt": string(authority), "namespace": namespace})
	// The Service redis-cluster leads to any of the nodes.
	hosts := "127.0.0.1 localhost\n"
	for _, address := range s.redis.addresses {
		hosts += address + " redis-cluster\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(r.root, "etc", "hosts"), []byte(hosts), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(r.root, "traefik"), nil, 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(r.root, "dev"), 0o755))
}

// heard lets a replica listen at its own address only: pods have a network each, and processes share one.
func (r *replica) heard(t *testing.T, data any) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, text := range data.(map[string]any) {
		text := text.(string)
		if name == "traefik.yml" {
			for _, port := range []string{"8000", "8443", "8080"} {
				require.Equal(t, 1, strings.Count(text, `address: ":`+port+`"`), port)
				text = strings.Replace(text, `address: ":`+port, `address: "`+r.address+":"+port, 1)
			}
		}
		files[name] = text
	}
	return files
}

// mount lays files out as the kubelet does: links into a folder that a link leads to, which changes all of them at once.
func (r *replica) mount(t *testing.T, path string, files map[string]string) {
	t.Helper()
	folder := filepath.Join(r.root, path)
	require.NoError(t, os.MkdirAll(folder, 0o755))
	version, err := os.MkdirTemp(folder, "..2026_")
	require.NoError(t, err)
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(version, name), []byte(text), 0o644))
		if _, err := os.Lstat(filepath.Join(folder, name)); err != nil {
			require.NoError(t, os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)))
		}
	}
	next := filepath.Join(folder, "..data_tmp")
	require.NoError(t, os.Symlink(filepath.Base(version), next))
	require.NoError(t, os.Rename(next, filepath.Join(folder, "..data")))
}

// start runs Traefik with its container's arguments, in its folder as its root. It needs nothing else: the program has no libraries.
func (r *replica) start(t *testing.T, s *stand, objects []object) {
	t.Helper()
	args := []string{"sh", "-c", `program=$1 root=$2; shift 2; mount --bind "$program" "$root/traefik" && exec chroot "$root" /traefik "$@"`, "sh",
		programs.Tool(t, "traefik"), r.root}
	given, _ := container(t, objects)["args"].([]any)
	require.NotEmpty(t, given)
	for _, arg := range given {
		args = append(args, arg.(string))
	}
	r.process = programs.Start(t, programs.Command{
		Name: "traefik " + r.address, Args: args, Names: programs.NewNames(t),
		Env: []string{"KUBERNETES_SERVICE_HOST=" + s.kubernetes.address, "KUBERNETES_SERVICE_PORT=6443"},
	})
}

func (s *stand) isReady(t *testing.T, r *replica) {
	t.Helper()
	v := s.visitor(t, s.address(64))
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		if r.process.Ended() {
			return false, fmt.Errorf("Traefik ended:\n%s", r.process.Log(t))
		}
		pinged, err := http.Get("http://" + r.address + ":8080/ping")
		if err != nil {
			return false, nil
		}
		_ = pinged.Body.Close()
		answered, err := v.ask(r, "/health", nil)
		return err == nil && pinged.StatusCode == http.StatusOK && answered.status == http.StatusOK, nil
	}), "%s is not ready", r.address)
}
