package limit

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// patience is how long a request may wait for Redis, all in all; rest is how long nobody asks a node again that did not answer. One that
	// is gone refuses at once, one that hangs holds up what is under way, and then one request at a time. Less patience would count apart
	// whenever Redis is slow.
	patience = time.Second
	rest     = 5 * time.Second
	// shards are the parts in which buckets are spread over the nodes. Each is in one slot, whose node is learned when it says MOVED.
	shards = 64
	// mostIdle is how many connections to a node are kept.
	mostIdle = 32
)

// script takes a token. A bucket is one number, when it will be full again, and is forgotten then. The clock is Redis's own, so that replicas
// need not agree about the time. After a failover the clock may have gone back: nobody waits for longer than an empty bucket takes.
const script = `local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
full = math.min(math.max(full, now), now + burst * interval)
local wait = full + interval - burst * interval - now
if wait > 0 then return wait end
full = full + interval
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0`

// cluster is a Redis Cluster, or a single Redis, as one process sees it.
type cluster struct {
	seed, passwordFile string

	lock   sync.Mutex
	owners map[string]string        // the node of each shard, as far as it is known
	idle   map[string][]*connection // by node
	silent map[string]time.Time     // until when a node that did not answer is left alone
}

var (
	clustersLock sync.Mutex
	clusters     = map[string]*cluster{}
)

// clusterAt gives the same cluster for the same place.
func clusterAt(seed, passwordFile string) *cluster {
	clustersLock.Lock()
	defer clustersLock.Unlock()
	key := seed + " " + passwordFile
	if clusters[key] == nil {
		clusters[key] = &cluster{
			seed: seed, passwordFile: passwordFile, owners: map[string]string{}, idle: map[string][]*connection{}, silent: map[string]time.Time{},
		}
	}
	return clusters[key]
}

// take takes a token, or says how many microseconds it takes until there is one.
func (c *cluster) take(name, who string, interval, burst int64) (int64, error) {
	hash := fnv.New32a()
	hash.Write([]byte(who))
	shard := strconv.Itoa(int(hash.Sum32() % shards))
	key := "limit:{" + shard + "}:" + name + ":" + who
	command := []string{"EVAL", script, "1", key, strconv.FormatInt(interval, 10), strconv.FormatInt(burst, 10)}
	deadline := time.Now().Add(patience)
	node := c.owner(shard)
	// To the owner, to the seed when it does not answer, and where that points to. (Traefik's interpreter knows no `range 4`.)
	for tries := 0; tries < 4; tries++ {
		answer, err := c.ask(node, deadline, command)
		if err != nil {
			c.setOwner(shard, "")
			if node == c.seed || !time.Now().Before(deadline) { // the seed, asked too late, would look silent
				return 0, err
			}
			node = c.seed
			continue
		}
		if answer.kind == ':' {
			return answer.number, nil
		}
		moved := strings.Fields(answer.text)
		if len(moved) != 3 {
			return 0, fmt.Errorf("%s answers %s", node, answer.text)
		}
		if strings.HasPrefix(moved[2], ":") { // the host that was asked
			moved[2] = node[:strings.LastIndex(node, ":")] + moved[2]
		}
		node = moved[2]
		c.setOwner(shard, node)
	}
	return 0, errors.New("the nodes do not agree on who has the bucket")
}

func (c *cluster) owner(shard string) string {
	c.lock.Lock()
	defer c.lock.Unlock()
	if node := c.owners[shard]; node != "" {
		return node
	}
	return c.seed
}

func (c *cluster) setOwner(shard, node string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.owners[shard] = node
}

// ask sends a command to a node. A connection that was kept may have been closed meanwhile, or be one with an
// old password: then a new one is tried.
func (c *cluster) ask(node string, deadline time.Time, command []string) (reply, error) {
	if !c.mayAsk(node) {
		return reply{}, errors.New(node + " did not answer a moment ago")
	}
	if kept := c.kept(node); kept != nil {
		if answer, err := kept.ask(deadline, command); err == nil && answer.useful() {
			c.keep(node, kept)
			return answer, nil
		}
		kept.close()
		c.drop(node)
	}
	fresh, err := connect(node, c.passwordFile, deadline)
	if err != nil {
		c.isSilent(node, err)
		return reply{}, err
	}
	answer, err := fresh.ask(deadline, command)
	if err == nil && !answer.useful() { // it has lost its cluster, or is still loading
		err = errors.New(answer.text)
	}
	if err != nil {
		fresh.close()
		c.isSilent(node, err)
		return reply{}, err
	}
	c.keep(node, fresh)
	return answer, nil
}

// mayAsk lets one request try again when a silent node has rested, and the others when that one got an answer.
func (c *cluster) mayAsk(node string) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	until, silent := c.silent[node]
	if silent && time.Now().Before(until) {
		return false
	}
	if silent {
		c.silent[node] = time.Now().Add(rest)
	}
	return true
}

func (c *cluster) isSilent(node string, why error) {
	c.drop(node)
	c.lock.Lock()
	defer c.lock.Unlock()
	if _, known := c.silent[node]; !known {
		fmt.Fprintf(os.Stderr, "limit: Redis at %s is not there, this replica counts for itself: %v\n", node, why)
	}
	c.silent[node] = time.Now().Add(rest)
}

func (c *cluster) kept(node string) *connection {
	c.lock.Lock()
	defer c.lock.Unlock()
	idle := c.idle[node]
	if len(idle) == 0 {
		return nil
	}
	c.idle[node] = idle[:len(idle)-1]
	return idle[len(idle)-1]
}

// keep keeps a connection that has just answered.
func (c *cluster) keep(node string, one *connection) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if _, was := c.silent[node]; was {
		delete(c.silent, node)
		fmt.Fprintf(os.Stderr, "limit: Redis at %s is back\n", node)
	}
	if len(c.idle[node]) >= mostIdle {
		one.close()
		return
	}
	c.idle[node] = append(c.idle[node], one)
}

// drop closes what is kept of a node.
func (c *cluster) drop(node string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, one := range c.idle[node] {
		one.close()
	}
	delete(c.idle, node)
}
