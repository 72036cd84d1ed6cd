package traefik

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// visitor is somebody who calls from an address, with Cloudflare's client certificate.
type visitor struct {
	stand  *stand
	client *http.Client
}

func (s *stand) visitor(t *testing.T, from string) *visitor {
	t.Helper()
	return s.visitorWith(t, from, &tls.Config{RootCAs: s.public.pool(), ServerName: host, Certificates: []tls.Certificate{s.cloudflare.load(t)}})
}

func (s *stand) visitorWith(t *testing.T, from string, secured *tls.Config) *visitor {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: secured, MaxIdleConnsPerHost: 200}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{s, &http.Client{
		Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answered is what came of one request, and when it was under way.
type answered struct {
	status     int
	header     http.Header
	said       map[string]string
	sent, came time.Time
}

func (v *visitor) ask(r *replica, path string, header http.Header) (answered, error) {
	return v.askURL("https://"+r.address+":8443"+path, host, header)
}

func (v *visitor) askURL(url, host string, header http.Header) (answered, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return answered{}, err
	}
	request.Host, request.Header = host, header.Clone()
	a := answered{sent: time.Now()}
	response, err := v.client.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	a.came, a.status, a.header = time.Now(), response.StatusCode, response.Header
	if response.StatusCode == http.StatusOK {
		_ = json.Unmarshal(body, &a.said)
	}
	return a, err
}

// tally collects what came of many requests, from several at once.
type tally struct {
	lock    sync.Mutex
	answers []answered
	errors  []error
}

// many sends n requests as fast as it can, ten at a time, in turn to the replicas, on behalf of somebody.
func (y *tally) many(v *visitor, n int, path string, header func(int) http.Header) {
	var wait sync.WaitGroup
	for worker := range 10 {
		wait.Go(func() {
			for i := worker; i < n; i += 10 {
				y.one(v, i, path, header(i))
			}
		})
	}
	wait.Wait()
}

func (y *tally) one(v *visitor, i int, path string, header http.Header) {
	a, err := v.ask(v.stand.replicas[i%len(v.stand.replicas)], path, header)
	y.lock.Lock()
	defer y.lock.Unlock()
	if err != nil {
		y.errors = append(y.errors, err)
		return
	}
	y.answers = append(y.answers, a)
}

// passed counts those that arrived. All others must have been told to come again later.
func (y *tally) passed(t *testing.T) (passed int) {
	t.Helper()
	require.Empty(t, y.errors)
	for _, a := range y.answers {
		if a.status == http.StatusOK {
			passed++
			continue
		}
		require.Equal(t, http.StatusTooManyRequests, a.status)
		require.NotEmpty(t, a.header.Get("Retry-After"))
	}
	return passed
}

// most is the largest number of requests that passed within any period: of those that were both sent and answered in it, since nobody outside
// knows when exactly in between they were counted.
func (y *tally) most(period time.Duration) (most int) {
	var passed []answered
	for _, a := range y.answers {
		if a.status == http.StatusOK {
			passed = append(passed, a)
		}
	}
	for _, first := range passed {
		inside := 0
		for _, a := range passed {
			if !a.sent.Before(first.sent) && !a.came.After(first.sent.Add(period)) {
				inside++
			}
		}
		most = max(most, inside)
	}
	return most
}

// spent is how long an answer took: half of them, and all but one in a hundred.
func (y *tally) spent() string {
	var took []time.Duration
	for _, a := range y.answers {
		took = append(took, a.came.Sub(a.sent))
	}
	if len(took) == 0 {
		return "no answers"
	}
	slices.Sort(took)
	return fmt.Sprintf("answers in %s (median), %s (99 %%)", took[len(took)/2].Round(10*time.Microsecond), took[len(took)*99/100].Round(10*time.Microsecond))
}

// behalf is Cloudflare's header for a client.
func behalf(client string) func(int) http.Header {
	return func(int) http.Header { return http.Header{"X-Forwarded-For": {client}} }
}
