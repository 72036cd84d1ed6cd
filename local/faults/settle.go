package faults

import (
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
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// patience is how long a plugin may go on without its engine. A cluster takes some seconds.
const patience = 2 * time.Minute

// present is a plugin that has left word.
type present struct {
	path        string
	pid, engine int
	address     string // of the engine
}

// Settle waits for the plugins of engines that were killed: what they were asked for is done then, as it would be in a cloud. Whatever
// else such an engine has started and left behind is ended. Plugins whose engine lives are let alone; there are some if busy.
func Settle(ctx context.Context) (busy bool, err error) {
	pattern, err := attendance("*[0-9]") // not the temporary ones
	if err != nil {
		return false, err
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return false, err
	}
	abandoned := map[string]bool{}
	for _, path := range paths {
		p, err := read(path)
		if errors.Is(err, fs.ErrNotExist) { // ended meanwhile
			continue
		}
		if err != nil {
			return false, err
		}
		if syscall.Kill(p.engine, 0) == nil && !p.gone() {
			busy = true
			continue
		}
		if err := p.await(ctx); err != nil {
			return false, err
		}
		abandoned[p.address] = true
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	if len(abandoned) == 0 {
		return busy, nil
	}
	return busy, endAbandoned(ctx, abandoned)
}

func read(path string) (present, error) {
	p := present{path: path}
	data, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	if _, err := fmt.Sscan(string(data), &p.pid, &p.engine, &p.address); err != nil {
		return p, fmt.Errorf("reading %s: %w", path, err)
	}
	return p, nil
}

// gone tells whether the plugin has ended: nobody holds its lock.
func (p present) gone() bool {
	file, err := os.Open(p.path)
	if err != nil {
		return true
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// await waits until the plugin has ended, and ends it when it takes too long.
func (p present) await(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, patience, true, func(context.Context) (bool, error) { return p.gone(), nil })
	if err == nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "a plugin (process %d) still works %s after its engine was killed; it is ended\n", p.pid, patience)
	return syscall.Kill(p.pid, syscall.SIGKILL)
}

// endAbandoned ends what else engines at these addresses have started: language hosts, the EKS component. The address is their last
// argument. Those of an engine that lives have a parent called pulumi.
func endAbandoned(ctx context.Context, addresses map[string]bool) error {
	out, err := exec.CommandContext(ctx, "ps", "-axww", "-o", "pid=,ppid=,args=").Output()
	if err != nil {
		return fmt.Errorf("listing processes: %w", err)
	}
	type process struct {
		pid, parent int
		args        []string
	}
	var all []process
	engines := map[int]bool{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		pid, _ := strconv.Atoi(fields[0])
		parent, _ := strconv.Atoi(fields[1])
		all = append(all, process{pid, parent, fields[2:]})
		engines[pid] = filepath.Base(fields[2]) == "pulumi"
	}
	for _, p := range all {
		if !addresses[p.args[len(p.args)-1]] || engines[p.parent] || p.pid == os.Getpid() {
			continue
		}
		if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("ending process %d (%s), whose engine was killed: %w", p.pid, strings.Join(p.args, " "), err)
		}
	}
	return nil
}
