package redis

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const (
	service  = "redis-cluster"
	password = "FirstPasswordOfTheCluster"
	network  = 61 // of the loopback range, this suite's own
	allSlots = 16384
	// limit is what anything may take on a busy machine that is promised to nobody.
	limit = time.Minute
	// failoverLimit and handoverLimit are what is promised.
	failoverLimit, handoverLimit = 15 * time.Second, time.Second
)

// zones of the pods: neither neighbours nor pod i and i+3 are always apart.
var zones = []string{"us-east-1a", "us-east-1a", "us-east-1b", "us-east-1c", "us-east-1b", "us-east-1c"}

// block is the part of the range that was given out last. No address is used twice: what a node remembers of others is never right by chance.
var block atomic.Int32

// cluster is a StatefulSet of six pods.
type cluster struct {
	pods  []*pod
	names *programs.Names
	files string
}

// pod is one of them: what stays when its process does not.
type pod struct {
	*programs.Process
	name, zone, address string
	data, credentials   string
	run                 string
	env                 []string
}

// newCluster starts six pods that nobody has made a cluster of. Settings are further environment variables.
func newCluster(t *testing.T, settings ...string) *cluster {
	t.Helper()
	files, err := filepath.Abs("../../../workloads/redis")
	require.NoError(t, err)
	c := &cluster{names: programs.NewNames(t), files: files}
	for i, zone := range zones {
		p := &pod{name: fmt.Sprintf("%s-%d", service, i), zone: zone, data: t.TempDir(), credentials: t.TempDir()}
		if p.run, err = os.MkdirTemp("", "pod"); err != nil { // a Unix socket's path is short
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(p.run) })
		p.write(t, password)
		p.env = append([]string{"MAXMEMORY=" + strconv.Itoa(128<<20), "QUIET_SECONDS=2"}, settings...)
		c.pods = append(c.pods, p)
	}
	c.move(t, c.pods...)
	for _, p := range c.pods {
		c.start(t, p)
	}
	return c
}

// write is what the kubelet does when the Secret has changed: the file's content changes in one step.
func (p *pod) write(t *testing.T, password string) {
	t.Helper()
	path := filepath.Join(p.credentials, "password")
	require.NoError(t, os.WriteFile(path+".new", []byte(password), 0o440))
	require.NoError(t, os.Rename(path+".new", path))
}

// move gives pods addresses that nobody has had, and makes them known.
func (c *cluster) move(t *testing.T, pods ...*pod) {
	t.Helper()
	for i, address := range programs.AddressesIn(network, int(block.Add(1)), len(pods)) {
		pods[i].address = address
	}
	c.announce(t)
}

// announce is what the headless Service does.
func (c *cluster) announce(t *testing.T) {
	t.Helper()
	known := map[string][]string{}
	for _, p := range c.pods {
		known[p.name+"."+service] = []string{p.address}
		known[service] = append(known[service], p.address)
	}
	c.names.Set(t, known)
}

// script is what a container of the pod runs one of the files with.
func (c *cluster) script(p *pod, file string) programs.Command {
	return programs.Command{
		Name: p.name + " " + file, Args: []string{"sh", filepath.Join(c.files, file)}, Names: c.names, Dir: p.run,
		Env: append([]string{
			"POD_NAME=" + p.name, "POD_IP=" + p.address, "ZONE=" + p.zone, "SERVICE=" + service, "PODS=" + strconv.Itoa(len(c.pods)),
			"DATA=" + p.data, "RUN=" + p.run, "FILES=" + c.files, "CREDENTIALS=" + p.credentials,
		}, p.env...),
	}
}

func (c *cluster) start(t *testing.T, p *pod) {
	t.Helper()
	for _, name := range []string{"kept", "stopping", "covered"} { // a new pod has nothing in /tmp
		_ = os.Remove(filepath.Join(p.run, name))
	}
	c.restart(t, p)
}

// pair is a zone's master and its replica, once the master has noted that the replica has its data.
func (c *cluster) pair(t *testing.T, zone string) (master, replica *pod) {
	t.Helper()
	master = c.master(t, zone)
	replica = c.replicaOf(t, master)
	soon(t, "the master knows that its replica has its data", limit, master.covered)
	return master, replica
}

// covered tells whether a master has noted that its replica has its data.
func (p *pod) covered() bool {
	_, err := os.Stat(filepath.Join(p.run, "covered"))
	return err == nil
}

// restart is what the kubelet does in a pod that stays.
func (c *cluster) restart(t *testing.T, p *pod) {
	t.Helper()
	p.Process = programs.Start(t, c.script(p, "start.sh"))
}

// probe tells whether the kubelet would find a probe passed.
func (c *cluster) probe(t *testing.T, p *pod, file string) bool {
	t.Helper()
	_, err := programs.Run(t, limit, c.script(p, file))
	return err == nil
}

// stop is what a rollout or a drain does to a pod, up to its end.
func (c *cluster) stop(t *testing.T, p *pod) {
	t.Helper()
	out, err := programs.Run(t, limit, c.script(p, "stop.sh"))
	require.NoError(t, err, out)
	_, killed := p.Terminate(t, limit)
	require.False(t, killed)
}

// create runs the job, and says how it ended.
func (c *cluster) create(t *testing.T, settings ...string) (string, error) {
	t.Helper()
	job := c.script(&pod{credentials: c.pods[0].credentials, run: c.pods[0].run}, "create.sh")
	job.Env = []string{"SERVICE=" + service, "PODS=6", "FILES=" + c.files, "CREDENTIALS=" + c.pods[0].credentials}
	job.Env = append(job.Env, settings...)
	return programs.Run(t, 5*time.Minute, job)
}

// created is a cluster that serves.
func created(t *testing.T, settings ...string) *cluster {
	t.Helper()
	c := newCluster(t, settings...)
	out, err := c.create(t)
	require.NoError(t, err, out)
	return c
}

// connect is a connection to one node. It waits as long as the machine takes.
func (p *pod) connect(t *testing.T, password string) *client.Client {
	t.Helper()
	connection := client.NewClient(&client.Options{
		Addr: p.address + ":6379", Password: password, Protocol: 2, MaxRetries: -1, DisableIdentity: true,
		DialTimeout: limit, ReadTimeout: limit, WriteTimeout: limit, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// ask is a command for one node; it gives nothing where the node does not answer.
func (p *pod) ask(t *testing.T, args ...any) string {
	t.Helper()
	connection := p.connect(t, password)
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	answer, err := connection.Do(ctx, args...).Result()
	if err != nil {
		return ""
	}
	return fmt.Sprint(answer)
}

// node is one of the cluster's, as another sees it.
type node struct {
	id, address, pod, zone string
	flags, master          string
	ranges                 []string
	connected              bool
}

func (n node) is(flag string) bool { return strings.Contains(n.flags, flag) }

// nodes are all that a pod knows.
func (p *pod) nodes(t *testing.T) (all []node) {
	t.Helper()
	for line := range strings.Lines(p.ask(t, "CLUSTER", "NODES")) {
		words := strings.Fields(line)
		if len(words) < 8 {
			continue
		}
		place, name, _ := strings.Cut(words[1], ",")
		address, _, _ := strings.Cut(place, ":")
		host, zone, _ := strings.Cut(name, ".")
		all = append(all, node{
			id: words[0], address: address, pod: host, zone: zone, flags: words[2], master: words[3], ranges: words[8:], connected: words[7] == "connected",
		})
	}
	return all
}

// masters are the pods that own slots, by zone, as a pod sees it.
func (c *cluster) masters(t *testing.T, seenBy *pod) map[string][]*pod {
	t.Helper()
	found := map[string][]*pod{}
	for _, n := range seenBy.nodes(t) {
		if n.is("master") && !n.is("fail") && len(n.ranges) > 0 {
			for _, p := range c.pods {
				if p.name == n.pod {
					found[p.zone] = append(found[p.zone], p)
				}
			}
		}
	}
	return found
}

// master is a zone's, as soon as it has one.
func (c *cluster) master(t *testing.T, zone string) (master *pod) {
	t.Helper()
	soon(t, "a master in "+zone, limit, func() bool {
		there := c.masters(t, c.alive()[0])[zone]
		if len(there) > 0 {
			master = there[0]
		}
		return master != nil
	})
	return master
}

// replicaOf is the pod that has a master's data.
func (c *cluster) replicaOf(t *testing.T, master *pod) *pod {
	t.Helper()
	all := master.nodes(t)
	for _, me := range all {
		for _, n := range all {
			if me.is("myself") && n.master == me.id {
				for _, p := range c.pods {
					if p.name == n.pod {
						return p
					}
				}
			}
		}
	}
	t.Fatal(master.name + " has no replica")
	return nil
}

// balanced tells whether each zone has one master.
func (c *cluster) balanced(t *testing.T) bool {
	t.Helper()
	masters := c.masters(t, c.alive()[0])
	for _, zone := range zones {
		if len(masters[zone]) != 1 {
			return false
		}
	}
	return true
}

// alive are the pods whose processes run.
func (c *cluster) alive() (pods []*pod) {
	for _, p := range c.pods {
		if !p.Ended() {
			pods = append(pods, p)
		}
	}
	return pods
}

// served tells whether all slots are, by what every living node says.
func (c *cluster) served(t *testing.T) bool {
	t.Helper()
	for _, p := range c.alive() {
		if !programs.Has(p.ask(t, "CLUSTER", "INFO"), "cluster_state:ok", fmt.Sprintf("cluster_slots_ok:%d", allSlots)) {
			return false
		}
	}
	return true
}

// whole tells whether all six serve, know each other, and have their masters' data.
func (c *cluster) whole(t *testing.T) bool {
	t.Helper()
	if len(c.alive()) < len(c.pods) || !c.served(t) {
		return false
	}
	for _, p := range c.pods {
		up := 0
		for _, n := range p.nodes(t) {
			if !n.is("fail") && !n.is("handshake") && !n.is("noaddr") && (n.connected || n.is("myself")) {
				up++
			}
		}
		if info := p.ask(t, "INFO", "replication"); up != len(c.pods) || !strings.Contains(info, "role:master") && !strings.Contains(info, "master_link_status:up") {
			return false
		}
	}
	return true
}

// soon waits for a condition, and gives how long it took.
func soon(t *testing.T, what string, within time.Duration, condition func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, within, true, func(context.Context) (bool, error) {
		return condition(), nil
	}), what)
	return time.Since(began)
}

// quiet keeps the client's own log, which tells of every connection that ends, out of the test's.
type quiet struct{ io.Writer }

func (quiet) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // clusters wait for timeouts most of the time
		panic(err)
	}
	client.SetLogger(quiet{})
	os.Exit(m.Run())
}
