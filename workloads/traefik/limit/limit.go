// Package limit is a plugin of Traefik: a token bucket for each client that all replicas share (W1). Traefik reads this source and
// interprets it, so it uses the standard library only, and plain Go. Its own limiter forgets a bucket after two silent seconds, which lets a
// client that pauses pass without a bound; here a bucket is forgotten when it is full.
package limit

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Config is what stands under `plugin: limit:` in Traefik's configuration.
type Config struct {
	// Requests are let through in each Period, and Burst at once. In no period do more pass than both together.
	Requests int
	Period   string
	Burst    int
	// By is whose requests are counted together: those of a "client", or of "everybody".
	By string
	// Redis is where to ask first, host and port; the other nodes of a cluster are learned. PasswordFile has its password.
	Redis        string
	PasswordFile string
}

// CreateConfig is called by Traefik, which then fills in what its configuration says.
func CreateConfig() *Config { return &Config{} }

// limiter is one middleware of one router.
type limiter struct {
	next     http.Handler
	name     string
	by       string
	interval int64 // microseconds in which one token comes
	burst    int64
	redis    *cluster
}

// New is called by Traefik for each router that has the middleware; all of them share connections and, without Redis, what they count.
func New(_ context.Context, next http.Handler, config *Config, name string) (http.Handler, error) {
	period, err := time.ParseDuration(config.Period)
	if err != nil || config.Requests < 1 || config.Burst < 1 || period < time.Duration(config.Requests)*time.Microsecond {
		return nil, fmt.Errorf("%s: wants requests, a period and a burst, has %d, %q and %d", name, config.Requests, config.Period, config.Burst)
	}
	if config.By != "client" && config.By != "everybody" {
		return nil, fmt.Errorf("%s: by must be client or everybody, not %q", name, config.By)
	}
	interval := (period.Microseconds() + int64(config.Requests) - 1) / int64(config.Requests)
	return &limiter{
		next: next, name: name, by: config.By, interval: interval, burst: int64(config.Burst), redis: clusterAt(config.Redis, config.PasswordFile),
	}, nil
}

func (l *limiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := "everybody"
	if l.by == "client" {
		who = clientOf(r)
	}
	bucket := l.name + " " + who
	wait, err := l.redis.take(l.name, who, l.interval, l.burst)
	switch {
	case err != nil: // better counted by each replica for itself than not at all, and better than answering nobody
		wait = ownBuckets.take(bucket, time.Now().UnixMicro(), l.interval, l.burst)
	case wait == 0: // so that nobody begins anew when Redis goes
		ownBuckets.note(bucket, time.Now().UnixMicro(), l.interval)
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt((wait+999999)/1000000, 10))
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return
	}
	l.next.ServeHTTP(w, r)
}
