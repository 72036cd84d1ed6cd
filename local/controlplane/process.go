package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/alphapulse/infrastructure/local/home"
)

// A control plane gets startTimeout to answer. One that is there already, and whose processes end, is started again as often as starts says.
const (
	startTimeout = "120s"
	starts       = 4
)

// controllers is the process of ours that plays the parts of AWS which live inside or beside a cluster: volumes, load balancers.
const controllers = "cloud-controllers"

// components are kwokctl's names of the processes of one control plane.
var components = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"}

// portOptions are kwokctl's names for the ports of a control plane.
var portOptions = []string{"kubeApiserverPort", "etcdPort", "etcdPeerPort", "kubeControllerManagerPort", "kubeSchedulerPort", "kwokControllerPort"}

// create makes and starts a cluster. Everything listens on the loopback address only: the administrator's key is on the disk.
func create(ctx context.Context, name, release string) error {
	config, err := home.Path("kwok", name+".yaml")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
		return err
	}
	folder, err := file(name)
	if err != nil {
		return err
	}
	ports, err := reservePorts(folder, len(portOptions))
	if err != nil {
		return err
	}
	content := "apiVersion: config.kwok.x-k8s.io/v1alpha1\nkind: KwokctlConfiguration\noptions:\n  bindAddress: 127.0.0.1\n"
	for i, option := range portOptions {
		content += fmt.Sprintf("  %s: %d\n", option, ports[i])
	}
	if err := os.WriteFile(config, []byte(content), 0o644); err != nil {
		return err
	}
	args := []string{"create", "cluster", "--config", config, "--name", name, "--runtime", "binary",
		"--kube-authorization", "--kube-admission", "--kubeconfig", "", "--wait", startTimeout,
		// Every 15 seconds in EKS. Nobody wants to wait that long here for an autoscaler's first look at its minimum.
		"--extra-args", "kube-controller-manager=horizontal-pod-autoscaler-sync-period=5s",
		// The garbage collector asks several times for each object that is deleted with what it owns: with the 20 requests a second that are the
		// default, a stack of 450 objects takes more than a minute to go.
		"--extra-args", "kube-controller-manager=kube-api-qps=500", "--extra-args", "kube-controller-manager=kube-api-burst=1000",
		// Nodes are held by leases of 80 s (EKS: 40): long enough for a machine with two cores under load, and after a power cut kwok has
		// its nodes back in a quarter of that.
		"--heartbeat-factor", "2"}
	for _, component := range components {
		tool := strings.TrimSuffix(component, "-controller")
		path, err := home.Tool(tool)
		if err != nil {
			return err
		}
		args = append(args, "--"+component+"-binary", path)
	}
	return kwokctl(ctx, release, args...)
}

func kwokctl(ctx context.Context, release string, args ...string) error {
	tool, err := home.Tool("kwokctl")
	if err != nil {
		return err
	}
	work, err := home.Path("kwok")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = append(os.Environ(), "KWOK_WORKDIR="+work, "KWOK_KUBE_VERSION="+release)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kwokctl %s %s: %w\n%s", args[0], args[1], err, bytes.TrimSpace(out))
	}
	return nil
}

// startControllers starts our cloud controllers for a cluster unless they run. The program is this one, under the name that
// Pulumi knows it by; the first argument decides what it does.
func startControllers(spec Spec) error {
	if live, err := lives(spec.Name, controllers); err != nil || live {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	kubeconfig, err := Kubeconfig(spec.Name)
	if err != nil {
		return err
	}
	dir := filepath.Dir(kubeconfig)
	log, err := os.Create(filepath.Join(dir, "logs", controllers+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self, controllers, "--cluster", spec.Name, "--kubeconfig", kubeconfig,
		"--account", spec.Account, "--region", spec.Region, "--subnets", strings.Join(spec.Subnets, ","))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the cloud controllers of %s: %w", spec.Name, err)
	}
	if err := os.WriteFile(pidFile(dir, controllers), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaped while this process lives; whoever adopts it reaps it after
	return nil
}

func stopControllers(name string) { stop(name, controllers) }

func stopAll(name string) {
	for _, component := range components {
		stop(name, component)
	}
}

func stop(name, component string) {
	if live, err := lives(name, component); err == nil && live {
		_ = syscall.Kill(readPID(name, component), syscall.SIGKILL)
	}
}

// dropStalePIDs removes pid files of processes that are gone: after a reboot their numbers belong to somebody else, whom kwokctl
// would take for its own, and kill.
func dropStalePIDs(name string) error {
	dir, err := file(name)
	if err != nil {
		return err
	}
	for _, component := range append([]string{controllers}, components...) {
		live, err := lives(name, component)
		if err != nil {
			return err
		}
		if live {
			continue
		}
		if err := os.Remove(pidFile(dir, component)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lives tells whether a process of a control plane runs: one of the number that was written down, which was started with a path in the
// cluster's folder. A dead one that nobody reaped has no arguments. That nobody could look is an error: whoever took it for dead would
// start a second one.
func lives(name, component string) (bool, error) {
	pid := readPID(name, component)
	if pid == 0 {
		return false, nil
	}
	dir, err := file(name)
	if err != nil {
		return false, err
	}
	out, err := exec.Command("ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	var none *exec.ExitError
	if err != nil && !errors.As(err, &none) {
		return false, fmt.Errorf("looking at process %d (%s of %s): %w", pid, component, name, err)
	}
	return strings.Contains(string(out), dir+"/"), nil
}

// Processes are the numbers of a control plane's processes by their names, the cloud controllers' too; 0 of one that was not started.
func Processes(name string) map[string]int {
	all := map[string]int{controllers: readPID(name, controllers)}
	for _, component := range components {
		all[component] = readPID(name, component)
	}
	return all
}

// readPID is 0 when there is no pid file.
func readPID(name, component string) int {
	dir, err := file(name)
	if err != nil {
		return 0
	}
	data, err := os.ReadFile(pidFile(dir, component))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return pid
}

func pidFile(dir, component string) string { return filepath.Join(dir, "pids", component+".pid") }
