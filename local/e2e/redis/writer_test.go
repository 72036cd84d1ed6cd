package redis

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// application is a client as the API is one: it follows the cluster by itself.
func (c *cluster) application(t *testing.T) *client.ClusterClient {
	t.Helper()
	var addresses []string
	for _, p := range c.pods {
		addresses = append(addresses, p.address+":6379")
	}
	made := client.NewClusterClient(&client.ClusterOptions{
		Addrs: addresses, Password: password, Protocol: 2, DisableIdentity: true,
		DialTimeout: 500 * time.Millisecond, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second,
		MaxRedirects: 8, MinRetryBackoff: 8 * time.Millisecond, MaxRetryBackoff: 64 * time.Millisecond,
	})
	t.Cleanup(func() { _ = made.Close() })
	return made
}

// tagOf is a hash tag whose slot is a master's.
func tagOf(t *testing.T, master *pod) string {
	t.Helper()
	for i := range 10_000 {
		tag := strconv.Itoa(i)
		slot, err := strconv.Atoi(master.ask(t, "CLUSTER", "KEYSLOT", "{"+tag+"}"))
		require.NoError(t, err)
		for _, n := range master.nodes(t) {
			var from, to int
			if n.is("myself") && len(n.ranges) == 1 {
				_, err := fmt.Sscanf(n.ranges[0], "%d-%d", &from, &to)
				require.NoError(t, err)
				if from <= slot && slot <= to {
					return tag
				}
			}
		}
	}
	t.Fatal("no tag for " + master.name)
	return ""
}

// writer writes one key after the other, and keeps when each was acknowledged. A write without an answer counts for nothing.
type writer struct {
	tag          string
	stop         context.CancelFunc
	done         chan struct{}
	mutex        sync.Mutex
	acknowledged map[string]time.Time
	times        []time.Time
	refused      int
}

// newWriter writes to the slots of a master, and of whoever has them after it.
func newWriter(t *testing.T, app *client.ClusterClient, master *pod) *writer {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &writer{tag: tagOf(t, master), stop: stop, done: make(chan struct{}), acknowledged: map[string]time.Time{}}
	go func() {
		defer close(w.done)
		for i := 0; ctx.Err() == nil; i++ {
			key := fmt.Sprintf("{%s}:%d", w.tag, i)
			err := app.Set(ctx, key, i, 0).Err()
			w.mutex.Lock()
			if err == nil {
				w.acknowledged[key] = time.Now()
				w.times = append(w.times, w.acknowledged[key])
			} else {
				w.refused++
			}
			w.mutex.Unlock()
		}
	}()
	t.Cleanup(func() { stop(); <-w.done })
	w.more(t)
	return w
}

// more waits until it has got further.
func (w *writer) more(t *testing.T) {
	t.Helper()
	count := func() int { w.mutex.Lock(); defer w.mutex.Unlock(); return len(w.times) }
	before := count()
	soon(t, "writes are acknowledged", limit, func() bool { return count() > before+100 })
}

// end stops it, and gives the longest time without an acknowledgement.
func (w *writer) end() (gap time.Duration) {
	w.stop()
	<-w.done
	for i := 1; i < len(w.times); i++ {
		gap = max(gap, w.times[i].Sub(w.times[i-1]))
	}
	return gap
}

// lost are the acknowledged writes that are not there: how many, and how long before a moment the earliest of them was acknowledged.
func (w *writer) lost(t *testing.T, app *client.ClusterClient, at time.Time) (count int, before time.Duration) {
	t.Helper()
	var keys []string
	for key := range w.acknowledged {
		keys = append(keys, key)
	}
	require.NotEmpty(t, keys)
	for len(keys) > 0 {
		some := keys[:min(len(keys), 500)]
		keys = keys[len(some):]
		values, err := app.MGet(t.Context(), some...).Result() // one slot
		require.NoError(t, err)
		for i, value := range values {
			if value == nil {
				count, before = count+1, max(before, at.Sub(w.acknowledged[some[i]]))
			}
		}
	}
	return count, before
}
