package redis

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// figure is one of a node's own.
func figure(t *testing.T, p *pod, section, name string) int {
	t.Helper()
	for line := range strings.Lines(p.ask(t, "INFO", section)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			number, err := strconv.Atoi(value)
			require.NoError(t, err)
			return number
		}
	}
	t.Fatalf("%s says nothing of %s", p.name, name)
	return 0
}

func TestD7FullMemoryRefusesWritesAndForgetsOnlyWhatMayExpire(t *testing.T) {
	t.Parallel()
	c := created(t, "MAXMEMORY="+strconv.Itoa(24<<20))
	app := c.application(t)
	master := c.master(t, "us-east-1a")
	tag, value := tagOf(t, master), strings.Repeat("x", 8<<10)
	set := func(name string, options ...any) error {
		_, err := app.do(t.Context(), append([]any{"SET", "{" + tag + "}" + name, value}, options...)...)
		return err
	}
	there := func(name string) bool {
		length, err := app.do(t.Context(), "STRLEN", "{"+tag+"}"+name)
		require.NoError(t, err)
		return length == int64(len(value))
	}

	// A cache may be filled over and over. What is asked for again and again, such as a limit's counter, stays.
	require.NoError(t, set("counter", "EX", 3600))
	for i := range 6000 {
		require.NoError(t, set(fmt.Sprint("cached", i), "EX", 3600))
		if i%20 == 0 {
			require.True(t, there("counter"), "after %d entries of the cache", i)
		}
	}
	evicted := figure(t, master, "stats", "evicted_keys")
	t.Logf("6000 entries of 8 KiB with an expiry in 24 MiB: %d evicted, which the server counts; the one in use stayed", evicted)
	assert.Positive(t, evicted, "it is known")

	// What has no expiry takes the place of the cache, and then there is an error.
	kept := 0
	var refusal error
	for ; refusal == nil; kept++ {
		require.Less(t, kept, 6000)
		refusal = set(fmt.Sprint("kept", kept))
	}
	kept--
	assert.ErrorContains(t, refusal, "OOM command not allowed when used memory > 'maxmemory'")
	for i := range kept {
		require.True(t, there(fmt.Sprint("kept", i)), "write %d was acknowledged", i)
	}
	t.Logf("without an expiry: %d writes acknowledged and all there, then: %v", kept, refusal)
	const deleted = 100
	for i := range deleted {
		_, err := app.do(t.Context(), "DEL", "{"+tag+"}"+fmt.Sprint("kept", i))
		require.NoError(t, err, "what makes room is allowed")
	}
	soon(t, "there is room again", limit, func() bool { return set("again") == nil })

	// Whoever takes its place has all of it, too.
	replica := c.replicaOf(t, master)
	soon(t, "the replica is in step", limit, func() bool {
		return figure(t, replica, "replication", "slave_repl_offset") == figure(t, master, "replication", "master_repl_offset")
	})
	c.stop(t, master)
	soon(t, "somebody has the slots", limit, func() bool {
		_, err := app.do(t.Context(), "GET", "{"+tag+"}again")
		return err == nil
	})
	for i := deleted; i < kept; i++ {
		require.True(t, there(fmt.Sprint("kept", i)), "write %d was acknowledged", i)
	}
}

// A pod of 512 MiB, full to its limit, every page of which changes while the log is written anew.
func TestD7CopyForTheLogFitsInThePod(t *testing.T) {
	t.Parallel()
	limits := config.Amount{CPU: "1", Memory: "512Mi"}
	c := created(t, "MAXMEMORY="+strconv.FormatInt(config.ClusterRedis.MaxMemory(limits), 10))
	master := c.master(t, "us-east-1a")
	connection, most := master.connect(t, password), int(config.ClusterRedis.MaxMemory(limits))
	used := func() int { return figure(t, master, "memory", "used_memory") }
	tag, value := tagOf(t, master), strings.Repeat("x", 4000)
	fill := func(count int) (filled int) {
		for ; filled < count; filled += 500 {
			pipe := connection.Pipeline()
			for i := range 500 {
				pipe.Set(t.Context(), fmt.Sprintf("{%s}%d", tag, filled+i), value+strconv.Itoa(i), 0)
			}
			if _, err := pipe.Exec(t.Context()); err != nil {
				require.ErrorContains(t, err, "OOM")
				return filled
			}
		}
		return filled
	}
	keys := fill(1 << 20)
	for ; used() > most*95/100; keys -= 100 { // at the limit nothing could be changed
		var some []string
		for i := range 100 {
			some = append(some, fmt.Sprintf("{%s}%d", tag, keys-1-i))
		}
		require.NoError(t, connection.Del(t.Context(), some...).Err())
	}
	pid := figure(t, master, "server", "process_id")
	soon(t, "the log is not being written anew already", limit, func() bool {
		return figure(t, master, "persistence", "aof_rewrite_in_progress") == 0 && figure(t, master, "persistence", "aof_rewrite_scheduled") == 0
	})
	require.Equal(t, "OK", master.ask(t, "CONFIG", "SET", "rdb-key-save-delay", "200"), "the copy takes longer than all the writes")
	require.Contains(t, master.ask(t, "BGREWRITEAOF"), "Background append only file rewriting")
	peak, done := 0, make(chan struct{})
	changed := 0
	go func() { defer close(done); changed = fill(keys) }() // the same keys: every page changes
	soon(t, "the log is rewritten", limit, func() bool {
		peak = max(peak, memoryOf(t, pid))
		select {
		case <-done:
			return figure(t, master, "persistence", "aof_rewrite_in_progress") == 0
		default:
			return false
		}
	})
	require.GreaterOrEqual(t, changed, keys)
	t.Logf("pod of %s: %d MiB of keys, every one changed meanwhile; server and copy took %d MiB at most", limits.Memory, used()>>20, peak>>20)
	assert.Positive(t, figure(t, master, "persistence", "aof_last_cow_size"))
	assert.Less(t, peak, int(limits.Less(config.RedisExporter.Limits).MemoryMiB())<<20)
}

// memoryOf is what a process and its children have, each page shared between them counted once.
func memoryOf(t *testing.T, pid int) (bytes int) {
	t.Helper()
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, process := range append(strings.Fields(string(children)), strconv.Itoa(pid)) {
		text, _ := os.ReadFile("/proc/" + process + "/smaps_rollup") // a child may have ended
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); words[0] == "Pss:" {
				kilobytes, err := strconv.Atoi(words[1])
				require.NoError(t, err)
				bytes += kilobytes << 10
			}
		}
	}
	return bytes
}

func TestS2OnlyThePasswordOpensAndNobodySeesIt(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "GRACE_SECONDS=3")
	wrong := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(wrong, "password"), []byte("another"), 0o440))
	out, err := c.create(t, "CREDENTIALS="+wrong, "WITHIN_SECONDS=2")
	require.Error(t, err)
	assert.Contains(t, out, "does not answer")
	out, err = c.create(t)
	require.NoError(t, err, out)

	refused := func(p *pod, given, want string) {
		t.Helper()
		assert.ErrorContains(t, p.connect(t, given).Ping(t.Context()).Err(), want)
	}
	for _, p := range c.pods {
		refused(p, "another", "WRONGPASS")
		refused(p, "", "NOAUTH")
		assert.Contains(t, p.ask(t, "CONFIG", "GET", "masterauth"), password)
	}

	// A new one, pod after pod, as kubelets see it: the old one is good until everybody has had the time to be rolled.
	const second = "SecondPasswordOfTheCluster"
	began := time.Now()
	for _, p := range c.pods {
		p.write(t, second)
		soon(t, "the new one is taken", limit, func() bool { return p.connect(t, second).Ping(t.Context()).Err() == nil })
	}
	t.Logf("six pods took a new password up within %.1f s of its coming", time.Since(began).Seconds())
	for _, p := range c.pods {
		soon(t, "the old one is no longer taken", limit, func() bool { return p.connect(t, password).Ping(t.Context()).Err() != nil })
		refused(p, password, "WRONGPASS")
	}
	replica := c.pods[0]
	info, err := replica.connect(t, second).Info(t.Context(), "replication").Result()
	require.NoError(t, err)
	assert.True(t, strings.Contains(info, "role:master") || strings.Contains(info, "master_link_status:up"), info)
	// Connections that are made anew use it.
	for _, p := range c.pods {
		require.NoError(t, p.connect(t, second).Do(t.Context(), "CLIENT", "KILL", "TYPE", "MASTER").Err())
	}
	for _, p := range c.pods {
		soon(t, "replicas are in step again", limit, func() bool { return c.probe(t, p, "ready.sh") })
	}

	for _, p := range c.pods {
		assert.NotContains(t, p.Log(t), second)
		assert.NotContains(t, p.Log(t), password)
	}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range processes {
		line, _ := os.ReadFile(path) // it may have ended
		assert.NotContains(t, string(line), second)
		assert.NotContains(t, string(line), password)
	}
}

func TestD7ProbesTellLoadingFromHanging(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := c.pods[0]
	soon(t, "ready before there is a cluster", limit, func() bool { return c.probe(t, p, "ready.sh") })
	require.True(t, c.probe(t, p, "live.sh"))

	beside := p.Children(t)
	require.Len(t, beside, 1, "keep.sh")
	require.NoError(t, syscall.Kill(beside[0], syscall.SIGSTOP))
	long := time.Now().Add(-3 * time.Minute)
	require.NoError(t, os.Chtimes(filepath.Join(p.run, "kept"), long, long))
	assert.False(t, c.probe(t, p, "live.sh"), "nobody keeps it in its cluster any more")
	require.NoError(t, syscall.Kill(beside[0], syscall.SIGCONT))
	soon(t, "kept again", limit, func() bool { return c.probe(t, p, "live.sh") })

	p.Signal(t, syscall.SIGSTOP)
	assert.False(t, c.probe(t, p, "live.sh"), "it hangs")
	assert.False(t, c.probe(t, p, "ready.sh"))
	p.Signal(t, syscall.SIGCONT)
	soon(t, "alive again", limit, func() bool { return c.probe(t, p, "live.sh") })

	// A log that takes some seconds to read: one key, written over and over.
	p.Kill()
	require.NoError(t, os.RemoveAll(filepath.Join(p.data, "appendonlydir")))
	require.NoError(t, os.Mkdir(filepath.Join(p.data, "appendonlydir"), 0o755))
	log := "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" + strings.Repeat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n", 4_000_000)
	require.NoError(t, os.WriteFile(filepath.Join(p.data, "appendonlydir", "appendonly.aof.1.incr.aof"), []byte(log), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(p.data, "appendonlydir", "appendonly.aof.manifest"),
		[]byte("file appendonly.aof.1.incr.aof seq 1 type i\n"), 0o644))
	c.start(t, p)
	loading := func() bool {
		return programs.Has(fmt.Sprint(p.connect(t, password).Ping(t.Context()).Err()), "LOADING")
	}
	soon(t, "it loads", limit, loading)
	live, ready := c.probe(t, p, "live.sh"), c.probe(t, p, "ready.sh")
	require.True(t, loading(), "it still did while it was asked")
	assert.True(t, live, "a restart would have it begin again")
	assert.False(t, ready)
	soon(t, "it has loaded", limit, func() bool { return c.probe(t, p, "ready.sh") })
}
