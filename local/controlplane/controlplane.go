// Package controlplane runs a real Kubernetes control plane for each EKS cluster of the stand-in cloud: etcd, API server, controller
// manager and scheduler as plain processes, and kwok in place of the kubelets. kwokctl starts and stops them. They outlive the
// plugin that starts them, as a cluster outlives the program that asked for it.
package controlplane

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/alphapulse/infrastructure/local/home"
)

// Spec is a cluster that is asked for. Account, Region and Subnets are for the cloud controllers that run beside it.
type Spec struct {
	Name    string
	Version string // Kubernetes minor, "1.36"
	Account string
	Region  string
	Subnets []string
}

// Endpoint is where a control plane answers.
type Endpoint struct {
	URL string // https://127.0.0.1:<port>
	CA  string // base64, as EKS gives it
}

// specFile is written last: a folder without it is the remains of a killed run.
const specFile = "alphapulse.json"

// Create makes a control plane and waits until it serves. What a killed run left under the name is thrown away first.
func Create(ctx context.Context, spec Spec) (Endpoint, error) {
	release, err := release(ctx)
	if err != nil {
		return Endpoint{}, err
	}
	if minor := minorOf(release); spec.Version != minor {
		return Endpoint{}, fmt.Errorf("cluster %s asks for Kubernetes %s, but the local control plane is built as %s", spec.Name, spec.Version, minor)
	}
	if err := Delete(ctx, spec.Name); err != nil {
		return Endpoint{}, err
	}
	if err := create(ctx, spec.Name, release); err != nil {
		return Endpoint{}, fmt.Errorf("creating control plane %s: %w", spec.Name, err)
	}
	data, err := json.Marshal(spec)
	if err != nil {
		return Endpoint{}, err
	}
	path, err := file(spec.Name, specFile)
	if err != nil {
		return Endpoint{}, err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return Endpoint{}, err
	}
	if err := startControllers(spec); err != nil {
		return Endpoint{}, err
	}
	return EndpointOf(spec.Name)
}

// Delete stops a control plane and removes its data; one that does not exist is no error.
func Delete(ctx context.Context, name string) error {
	dir, err := file(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := dropStalePIDs(name); err != nil {
		return err
	}
	stopControllers(name)
	// A half made cluster can lack the configuration that kwokctl reads; its processes are stopped by their pid files then.
	if err := kwokctl(ctx, "", "delete", "cluster", "--name", name, "--kubeconfig", ""); err != nil {
		stopAll(name)
	}
	return os.RemoveAll(dir)
}

// EnsureRunning starts what does not run any more of a control plane whose data is there, as after a reboot.
func EnsureRunning(ctx context.Context, name string) error {
	spec, err := load(name)
	if err != nil {
		return err
	}
	running, err := runs(name, components...)
	if err != nil {
		return err
	}
	if !running {
		if err := restart(ctx, name); err != nil {
			return fmt.Errorf("starting control plane %s: %w", name, err)
		}
	}
	return startControllers(spec)
}

// restart starts what does not run of a control plane, until it answers. An API server gives up when its etcd takes longer to read its log anew
// than it waits, as on a busy machine; then another one is started.
func restart(ctx context.Context, name string) error {
	release, err := release(ctx)
	if err != nil {
		return err
	}
	for range starts {
		if err := dropStalePIDs(name); err != nil {
			return err
		}
		if err = start(ctx, name, release); err == nil {
			err = releaseNodes(ctx, name)
		}
		if ctx.Err() != nil { // somebody has had enough
			return context.Cause(ctx)
		}
		if err != nil {
			continue
		}
		running, looked := runs(name, components...)
		if looked != nil || running {
			return looked
		}
		err = errors.New("its processes end")
	}
	return err
}

// start has kwokctl start what does not run, and stops it when something has ended: it starts each process once, and then waits for minutes for
// what never comes.
func start(ctx context.Context, name, release string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		look := time.NewTicker(time.Second)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			for _, component := range components {
				if live, err := lives(name, component); err == nil && !live && readPID(name, component) != 0 {
					stop(fmt.Errorf("%s has ended", component))
				}
			}
		}
	}()
	err := kwokctl(ctx, release, "start", "cluster", "--name", name, "--wait", startTimeout)
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}

// Running tells whether every process of the control plane lives, and the cloud controllers beside it.
func Running(name string) (bool, error) {
	return runs(name, append([]string{controllers}, components...)...)
}

func runs(name string, processes ...string) (bool, error) {
	for _, component := range processes {
		if live, err := lives(name, component); err != nil || !live {
			return false, err
		}
	}
	return true, nil
}

// EndpointOf gives the address of an existing control plane.
func EndpointOf(name string) (Endpoint, error) {
	config, err := Config(name)
	if err != nil {
		return Endpoint{}, err
	}
	ca, err := os.ReadFile(config.CAFile)
	if err != nil {
		return Endpoint{}, err
	}
	return Endpoint{URL: config.Host, CA: base64.StdEncoding.EncodeToString(ca)}, nil
}

// AdminCredential is the client certificate and key (PEM) of the cluster's creator, which stands in for an EKS token.
func AdminCredential(name string) (certificate, key string, err error) {
	config, err := Config(name)
	if err != nil {
		return "", "", err
	}
	cert, err := os.ReadFile(config.CertFile)
	if err != nil {
		return "", "", err
	}
	private, err := os.ReadFile(config.KeyFile)
	return string(cert), string(private), err
}

// Kubeconfig is the path of the administrator's kubeconfig.
func Kubeconfig(name string) (string, error) { return file(name, "kubeconfig.yaml") }

// Config is the administrator's client configuration.
func Config(name string) (*rest.Config, error) {
	if _, err := load(name); err != nil {
		return nil, err
	}
	path, err := Kubeconfig(name)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of %s: %w", name, err)
	}
	config.QPS, config.Burst = 100, 200 // a whole add-on is applied at once
	return config, nil
}

// Version is the Kubernetes minor of the built programs, "1.36".
func Version(ctx context.Context) (string, error) {
	release, err := release(ctx)
	return minorOf(release), err
}

// release is the full version of the built API server, "v1.36.3". It is asked for once: every node has it.
func release(ctx context.Context) (string, error) {
	if known := builtRelease.Load(); known != nil {
		return *known, nil
	}
	apiserver, err := home.Tool("kube-apiserver")
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, apiserver, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", apiserver, err)
	}
	answer := strings.TrimSpace(strings.TrimPrefix(string(out), "Kubernetes "))
	builtRelease.Store(&answer)
	return answer, nil
}

var builtRelease atomic.Pointer[string]

func minorOf(release string) string {
	parts := strings.SplitN(strings.TrimPrefix(release, "v"), ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func load(name string) (Spec, error) {
	var spec Spec
	path, err := file(name, specFile)
	if err != nil {
		return spec, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return spec, fmt.Errorf("there is no control plane %s: %w", name, err)
	}
	return spec, json.Unmarshal(data, &spec)
}

// file is a path in the folder that kwokctl keeps for a cluster.
func file(name string, elem ...string) (string, error) {
	return home.Path(append([]string{"kwok", "clusters", filepath.Base(name)}, elem...)...)
}

// List names the control planes that are there, half made ones too, whether they run or not.
func List() ([]string, error) {
	dir, err := home.Path("kwok", "clusters")
	if err != nil {
		return nil, err
	}
	folders, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(folders))
	for i, f := range folders {
		names[i] = f.Name()
	}
	return names, err
}
