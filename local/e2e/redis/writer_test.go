package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// application is a client as the API has one: it asks whom it believes to have a slot, follows redirections, and turns to another node when one
// does not answer. (go-redis' own cluster client looks at the cluster anew after ten seconds only, which would be measured with it.)
type application struct {
	nodes map[string]*client.Client
	order []string
	at    string
}

func (c *cluster) application(t *testing.T) *application {
	t.Helper()
	app := &application{nodes: map[string]*client.Client{}}
	for _, p := range c.pods {
		app.order = append(app.order, p.address+":6379")
		app.nodes[p.address+":6379"] = client.NewClient(&client.Options{
			Addr: p.address + ":6379", Password: password, Protocol: 2, DisableIdentity: true, MaxRetries: -1,
			DialTimeout: 2 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second,
		})
	}
	t.Cleanup(func() {
		for _, one := range app.nodes {
			_ = one.Close()
		}
	})
	app.at = app.order[0]
	return app
}

// do is one command, and its answer. Redirections are no errors.
func (a *application) do(ctx context.Context, args ...any) (answer any, err error) {
	for range len(a.order) {
		node, known := a.nodes[a.at]
		if !known {
			return nil, fmt.Errorf("redirected to %s, which is no pod's", a.at)
		}
		answer, err = node.Do(ctx, args...).Result()
		if err == nil || errors.Is(err, client.Nil) {
			return answer, nil
		}
		address, moved := strings.CutPrefix(err.Error(), "MOVED ")
		if !moved {
			a.at = a.order[(slices.Index(a.order, a.at)+1)%len(a.order)]
			return nil, err
		}
		a.at = address[strings.Index(address, " ")+1:]
	}
	return nil, err
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
	refused      []error
}

// newWriter writes to the slots of a master, and of whoever has them after it.
func newWriter(t *testing.T, app *application, master *pod) *writer {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &writer{tag: tagOf(t, master), stop: stop, done: make(chan struct{}), acknowledged: map[string]time.Time{}}
	go func() {
		defer close(w.done)
		for i := 0; ctx.Err() == nil; i++ {
			key := fmt.Sprintf("{%s}:%d", w.tag, i)
			_, err := app.do(ctx, "SET", key, i)
			w.mutex.Lock()
			if err == nil {
				w.acknowledged[key] = time.Now()
				w.times = append(w.times, w.acknowledged[key])
			} else {
				w.refused = append(w.refused, err)
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
func (w *writer) lost(t *testing.T, app *application, at time.Time) (count int, before time.Duration) {
	t.Helper()
	require.NotEmpty(t, w.acknowledged)
	for some := range slices.Chunk(slices.Collect(maps.Keys(w.acknowledged)), 500) {
		command := []any{"MGET"} // they are in one slot
		for _, key := range some {
			command = append(command, key)
		}
		values, err := app.do(t.Context(), command...)
		require.NoError(t, err)
		for i, value := range values.([]any) {
			if value == nil {
				count, before = count+1, max(before, at.Sub(w.acknowledged[some[i]]))
			}
		}
	}
	return count, before
}
