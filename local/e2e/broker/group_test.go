// Package broker runs the broker's pods, Redis and Sentinel with the files that they are given, and real Celery workers on them.
package broker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const (
	domain   = "broker.alphapulse-test.svc.cluster.local"
	password = "of-the-broker"
	// files are what the pods have as /etc/broker.
	files = "../../../workloads/broker"
	// limit is what anything may take on a busy machine.
	limit = 2 * time.Minute
)

// pod is one of the three: two processes with an address and a volume.
type pod struct {
	*group
	name, address, folder string
	redis, sentinel       *programs.Process
}

// group are the pods, and what they and the workers get from DNS. They run until its test ends.
type group struct {
	t     *testing.T
	pods  []*pod
	names *programs.Names
	// more is put into the pods' environment.
	more []string
}

// newGroup starts the pods together for the first time, as Kubernetes does, and waits until all are ready.
func newGroup(t *testing.T, block int, more ...string) *group {
	t.Helper()
	programs.Tool(t, "redis-server")
	g := &group{t: t, names: programs.NewNames(t), more: more}
	for i := range 3 {
		p := &pod{group: g, name: fmt.Sprintf("broker-%d", i)}
		p.empty()
		g.pods = append(g.pods, p)
	}
	g.move(t, block)
	for _, p := range g.pods {
		p.start()
	}
	g.whole(t)
	return g
}

// empty gives the pod a new volume.
func (p *pod) empty() {
	p.t.Helper()
	p.folder = p.t.TempDir()
	for _, folder := range []string{"data", "run", "credentials"} {
		require.NoError(p.t, os.Mkdir(filepath.Join(p.folder, folder), 0o700))
	}
	p.tell(p.t, password)
}

// tell mounts a password.
func (p *pod) tell(t *testing.T, password string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.folder, "credentials", "password"), []byte(password), 0o600))
}

// move gives the pods addresses that they did not have before.
func (g *group) move(t *testing.T, block int) {
	t.Helper()
	for i, address := range programs.AddressesIn(62, block, 3) {
		g.pods[i].address = address
	}
	g.announce(t)
}

// announce is what the headless Service does: whoever has an address is in DNS, ready or not.
func (g *group) announce(t *testing.T, without ...*pod) {
	t.Helper()
	addresses := map[string][]string{}
next:
	for _, p := range g.pods {
		for _, gone := range without {
			if p == gone {
				continue next
			}
		}
		for _, name := range []string{p.name + "." + domain, p.name + ".broker"} {
			addresses[name] = []string{p.address}
		}
		addresses["broker"] = append(addresses["broker"], p.address)
	}
	g.names.Set(t, addresses)
}

// env is what the pod spec sets.
func (p *pod) env() []string {
	absolute, err := filepath.Abs(files)
	if err != nil {
		panic(err)
	}
	return append([]string{
		"BROKER_POD=" + p.name, "BROKER_DOMAIN=" + domain, "BROKER_PODS=3", "POD_IP=" + p.address, "BROKER_FILES=" + absolute,
		"BROKER_CREDENTIALS=" + filepath.Join(p.folder, "credentials"), "BROKER_DATA=" + filepath.Join(p.folder, "data"),
		"BROKER_RUN=" + filepath.Join(p.folder, "run"), "BROKER_MAXMEMORY=67108864", "BROKER_OTHERS_WITHIN=20", "BROKER_PRIMARY_WITHIN=600",
	}, p.more...)
}

// script is a container's command, or what is run in one.
func (p *pod) script(name string) programs.Command {
	return programs.Command{Name: p.name + "'s " + name, Args: []string{"sh", files + "/" + name}, Env: p.env(), Names: p.names}
}

func (p *pod) start() {
	p.t.Helper()
	p.redis = programs.Start(p.t, p.script("redis.sh"))
	p.sentinel = programs.Start(p.t, p.script("sentinel.sh"))
}

// kill is the loss of a node.
func (p *pod) kill() {
	p.redis.Kill()
	p.sentinel.Kill()
}

// run runs a script that the kubelet runs in the pod.
func (p *pod) run(t *testing.T, script string) (string, error) {
	t.Helper()
	return programs.Run(t, limit, p.script(script))
}

// stop is what the kubelet does: the hook and then SIGTERM to Redis, and SIGTERM to Sentinel at once.
func (p *pod) stop(t *testing.T) (hook string) {
	t.Helper()
	p.sentinel.Terminate(t, 10*time.Second)
	hook, err := p.run(t, "stop.sh")
	require.NoError(t, err, hook)
	_, killed := p.redis.Terminate(t, 30*time.Second)
	require.False(t, killed, "%s had to be killed", p.name)
	return hook
}

// asks is what a server of the pod answers to a command.
func (p *pod) asks(t *testing.T, port int, password string, command ...string) string {
	t.Helper()
	out, err := programs.Run(t, 10*time.Second, programs.Command{
		Args: append([]string{"redis-cli", "-t", "2", "-h", p.address, "-p", strconv.Itoa(port)}, command...), Env: []string{"REDISCLI_AUTH=" + password}, Names: p.names,
	})
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

func (p *pod) ask(t *testing.T, command ...string) string {
	t.Helper()
	return p.asks(t, 6379, password, command...)
}

func (p *pod) leads(t *testing.T) bool { return strings.HasPrefix(p.ask(t, "ROLE"), "master") }

// primary is the pod that all Sentinels of these pods name that answer, two at least, and that says so itself; nil while they do not agree.
func (g *group) primary(t *testing.T, of ...*pod) *pod {
	t.Helper()
	named, heard := "", 0
	for _, p := range of {
		said := p.asks(t, 26379, password, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "broker")
		if said == "" {
			continue
		}
		if heard++; named != "" && said != named {
			return nil
		}
		named = said
	}
	if heard < 2 {
		return nil
	}
	for _, p := range of {
		if strings.HasPrefix(named, p.name+"."+domain+"\n") && p.leads(t) {
			return p
		}
	}
	return nil
}

// agreed waits until these pods agree on a primary among them.
func (g *group) agreed(t *testing.T, of ...*pod) (primary *pod, took time.Duration) {
	t.Helper()
	took = until(t, "a primary that all agree on", func() bool {
		primary = g.primary(t, of...)
		return primary != nil
	})
	return primary, took
}

// whole waits until all pods are ready and agree, and each Sentinel knows both replicas and both others.
func (g *group) whole(t *testing.T) *pod {
	t.Helper()
	until(t, "all pods ready", func() bool {
		for _, p := range g.pods {
			if _, err := p.run(t, "ready.sh"); err != nil {
				return false
			}
			if !programs.Has(p.asks(t, 26379, password, "SENTINEL", "DEBUG"), "TILT-TRIGGER\n5000") { // it does not give up over a slow name
				return false
			}
			said := p.asks(t, 26379, password, "SENTINEL", "MASTER", "broker")
			if !programs.Has(said, "num-slaves\n2", "num-other-sentinels\n2", "flags\nmaster\n") {
				return false
			}
		}
		return true
	})
	primary, _ := g.agreed(t, g.pods...)
	return primary
}

// others are the pods but one.
func (g *group) others(but *pod) (others []*pod) {
	for _, p := range g.pods {
		if p != but {
			others = append(others, p)
		}
	}
	return others
}

// until waits for a condition, and gives how long that took.
func until(t *testing.T, what string, condition func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		return condition(), nil
	}), "%s, within %s", what, limit)
	return time.Since(began)
}
