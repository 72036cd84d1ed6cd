package limit

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the script does in Redis is tried with the real one in local/e2e/traefik.

const minute = int64(60_000_000)

// passes lets a client ask at certain moments, and gives the moments at which it passed.
func passes(b *buckets, interval, burst int64, moments []int64) (passed []int64) {
	for _, now := range moments {
		if b.take("client", now, interval, burst) == 0 {
			passed = append(passed, now)
		}
	}
	return passed
}

func TestW1BucketPassesNoMoreThanItsRateAndBurstInAnyMinute(t *testing.T) {
	patterns := map[string][]int64{}
	for at := int64(0); at < 5*minute; at += 100_000 {
		patterns["steady"] = append(patterns["steady"], at)
	}
	for _, pause := range []int64{2_100_000, 7_000_000, 29_000_000, 31_000_000, 59_000_000} {
		name := fmt.Sprintf("60 at once, then %d ms of silence", pause/1000)
		for at := int64(0); at < 5*minute; at += pause {
			for range 60 {
				patterns[name] = append(patterns[name], at)
			}
		}
	}
	for name, moments := range patterns {
		passed := passes(&buckets{full: map[string]int64{}}, minute/100, 50, moments)
		most := 0
		for i, first := range passed {
			inside := 0
			for _, at := range passed[i:] {
				if at < first+minute {
					inside++
				}
			}
			most = max(most, inside)
		}
		assert.LessOrEqual(t, most, 150, name)
		assert.Greater(t, len(passed), 240, name)
	}
}

func TestW1BucketSaysWhenToComeAgain(t *testing.T) {
	b := &buckets{full: map[string]int64{}}
	for range 2 {
		assert.Zero(t, b.take("client", 1000, 600_000, 2))
	}
	assert.EqualValues(t, 600_000, b.take("client", 1000, 600_000, 2))
	assert.EqualValues(t, 1, b.take("client", 600_999, 600_000, 2))
	assert.Zero(t, b.take("client", 601_000, 600_000, 2))
}

func TestW1WhatRedisGaveCountsWhenRedisIsGone(t *testing.T) {
	b := &buckets{full: map[string]int64{}}
	for range 50 {
		b.note("client", 0, 600_000)
	}
	assert.EqualValues(t, 600_000, b.take("client", 0, 600_000, 50))
	assert.Zero(t, b.take("another", 0, 600_000, 50))
}

func TestW1BucketsAreForgottenWhenFullAndNeverMoreThanMemoryAllows(t *testing.T) {
	b := &buckets{full: map[string]int64{}}
	for i := range mostBuckets {
		b.take(fmt.Sprint(i), 0, 10, 5)
	}
	b.take("busy", 5, 10, 5) // all others are not full yet: everything goes
	assert.LessOrEqual(t, len(b.full), mostBuckets)
	for i := range mostBuckets - 1 {
		b.take(fmt.Sprint(i), 6, 10, 5)
	}
	b.take("late", 1000, 10, 5)
	assert.Len(t, b.full, 1)
}

func TestW1ClientIsTheLastEntryThatCloudflareWrote(t *testing.T) {
	for want, entries := range map[string][]string{
		"203.0.113.7":       {"203.0.113.7"},
		"203.0.113.8":       {"192.0.2.1, 203.0.113.8"},
		"203.0.113.9":       {"192.0.2.1", "203.0.113.9"},
		"203.0.113.10":      {"::ffff:203.0.113.10"},
		"2001:db8:0:1::":    {"2001:db8:0:1:2:3:4:5"},
		"198.51.100.1":      nil, // the caller itself
		"2001:db8:ffff:2::": {"x, 2001:db8:ffff:2::1 "},
		"unknown":           {"192.0.2.1, nonsense"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "198.51.100.1:4711"
		if entries != nil {
			r.Header["X-Forwarded-For"] = entries
		}
		assert.Equal(t, want, clientOf(r), "%v", entries)
	}
}

func TestW1LimiterThatIsHalfConfiguredIsRefused(t *testing.T) {
	good := Config{Requests: 100, Period: "1m", Burst: 50, By: "client", Redis: "redis-cluster:6379"}
	for what, spoil := range map[string]func(*Config){
		"no rate": func(c *Config) { c.Requests = 0 }, "no period": func(c *Config) { c.Period = "" }, "no burst": func(c *Config) { c.Burst = 0 },
		"whoever": func(c *Config) { c.By = "host" }, "a period that is too short to count": func(c *Config) { c.Period = "1us" },
	} {
		config := good
		spoil(&config)
		_, err := New(t.Context(), http.NotFoundHandler(), &config, "client-limit@file")
		assert.ErrorContains(t, err, "client-limit@file", what)
	}
	config := CreateConfig()
	*config = good
	_, err := New(t.Context(), http.NotFoundHandler(), config, "client-limit@file")
	require.NoError(t, err)
}

func TestW1WithoutRedisRequestsPassAndAreCounted(t *testing.T) {
	config := Config{Requests: 1, Period: "1h", Burst: 2, By: "client", Redis: "127.0.0.1:1"} // nobody listens there
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	handler, err := New(t.Context(), next, &config, t.Name())
	require.NoError(t, err)
	for _, want := range []int{http.StatusNoContent, http.StatusNoContent, http.StatusTooManyRequests} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		assert.Equal(t, want, w.Code)
		if want == http.StatusTooManyRequests {
			assert.Equal(t, "3600", w.Header().Get("Retry-After"))
		}
	}
}

// One node that hangs is no reason to leave the others alone: the place where they are found has not been asked.
func TestW1NodeThatHangsLeavesTheSeedAlone(t *testing.T) {
	listen := func(answer string) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = connection.Write([]byte(answer))
				t.Cleanup(func() { _ = connection.Close() }) // or it is closed when nobody knows it any more
			}
		}()
		return listener.Addr().String()
	}
	hangs := listen("")
	seed := listen("-MOVED 1 " + hangs + "\r\n")
	c := clusterAt(seed, "")
	_, err := c.take(t.Name(), "somebody", 1000, 1)
	require.Error(t, err)
	assert.Contains(t, c.silent, hangs)
	assert.NotContains(t, c.silent, seed)
}
