package traefik

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// One stand for all that needs no long time; the parts follow each other, and the last ones take its Redis away.
func TestW1IngressAsItIsShipped(t *testing.T) {
	t.Parallel()
	s := newStand(t, 3)
	t.Run("N5 forged headers change nothing", func(t *testing.T) { forged(t, s) })
	t.Run("W1 routes", func(t *testing.T) { routes(t, s) })
	t.Run("O5 a service without pods is a failure, and counted", func(t *testing.T) { withoutPods(t, s) })
	t.Run("N5 who is turned away", func(t *testing.T) { turnedAway(t, s) })
	t.Run("C6 rights", func(t *testing.T) { rights(t, s) })
	t.Run("W1 D7 limits without Redis", func(t *testing.T) { withoutRedis(t, s) })
}

func routes(t *testing.T, s *stand) {
	s.redis.forget(t)
	v := s.visitor(t, s.address(64))
	for path, service := range map[string]string{
		"/": "api-service", "/v1/signals": "api-service", "/billings": "api-service", "/health": "api-service", "/healthy": "api-service",
		"/billing": "billing-service", "/billing/invoices": "billing-service", "/webhooks/stripe": "billing-service", "/webhooks": "api-service",
		"/metricsfull": "api-service",
	} {
		for _, r := range s.replicas {
			a, err := v.ask(r, path, behalf("203.0.113.1")(0))
			require.NoError(t, err, path)
			assert.Equal(t, http.StatusOK, a.status, path)
			assert.Equal(t, service, a.said["service"], path)
			assert.Equal(t, path, a.said["path"])
			assert.Equal(t, "203.0.113.1, "+s.address(64), a.said["for"], "the program behind learns who asks")
		}
	}
	// What the API tells Prometheus, however it is spelled, is nobody's outside (O1).
	for _, path := range []string{"/metrics", "/metrics/", "/metrics?x=1", "/%6detrics", "/v1/../metrics"} {
		for _, r := range s.replicas {
			a, err := v.ask(r, path, behalf("203.0.113.1")(0))
			require.NoError(t, err, path)
			assert.Equal(t, http.StatusNotFound, a.status, path)
			assert.Empty(t, a.said, path)
		}
	}
	for _, r := range s.replicas {
		a, err := v.askURL("http://"+r.address+":8000/v1/signals?of=today", host, nil)
		require.NoError(t, err)
		assert.Contains(t, []int{http.StatusMovedPermanently, http.StatusPermanentRedirect}, a.status)
		assert.Equal(t, "https://"+host+"/v1/signals?of=today", a.header.Get("Location"))
	}
}

// withoutPods: billing's only pod is not ready for a while. Nobody else is asked in its place, and what IngressErrors counts has it.
func withoutPods(t *testing.T, s *stand) {
	s.kubernetes.lock.Lock()
	service := find(t, s.kubernetes.objects, "Service", "billing-service")
	s.kubernetes.lock.Unlock()
	v := s.visitor(t, s.address(64))
	answers := func(ready bool, status int) {
		s.kubernetes.put(t, endpoints(service, s.address(32), ready))
		for _, r := range s.replicas {
			last, tries := 0, 0
			err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, limit, true, func(context.Context) (bool, error) {
				tries++ // a new client each time
				a, err := v.ask(r, "/billing", behalf(fmt.Sprintf("10.7.%d.%d", tries/256, tries%256))(0))
				last = a.status
				return err == nil && a.status == status, nil
			})
			require.NoError(t, err, "with ready=%v billing has to answer %d, and answers %d", ready, status, last)
		}
	}
	answers(false, http.StatusServiceUnavailable)
	for _, r := range s.replicas {
		response, err := http.Get("http://" + r.address + ":8080/metrics")
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, response.Body.Close())
		require.NoError(t, err)
		assert.Regexp(t, `(?m)^traefik_router_requests_total\{code="503",.*service="alphapulse-prod-billing-service-\w+@kubernetes"\} [1-9]`, string(text))
	}
	answers(true, http.StatusOK)
}

func turnedAway(t *testing.T, s *stand) {
	r := s.replicas[0]
	unknown, err := s.visitor(t, s.address(64)).askURL("https://"+r.address+":8443/health", "other.example", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, unknown.status, "an unknown host")
	ours := []tls.Certificate{s.cloudflare.load(t)}
	for what, secured := range map[string]*tls.Config{
		"an unknown host in the handshake":        {ServerName: "other.example", Certificates: ours, InsecureSkipVerify: true},
		"no client certificate":                   {ServerName: host, RootCAs: s.public.pool()},
		"a client certificate of somebody else's": {ServerName: host, RootCAs: s.public.pool(), Certificates: []tls.Certificate{newAuthority(t).issue(t, "cloudflare", x509.ExtKeyUsageClientAuth).load(t)}},
		"a server's certificate of our authority": {ServerName: host, RootCAs: s.public.pool(), Certificates: []tls.Certificate{s.origin.issue(t, host, x509.ExtKeyUsageServerAuth).load(t)}},
		"TLS 1.1": {ServerName: host, RootCAs: s.public.pool(), Certificates: ours, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
	} {
		_, err := s.visitorWith(t, s.address(64), secured).ask(r, "/health", nil)
		assert.ErrorContains(t, err, "tls: ", what)
	}
}

// forged lets clients say that they are others. Each has to be counted as who it is: of 80 requests at once no more pass than its burst, and
// what comes meanwhile.
func forged(t *testing.T, s *stand) {
	number := func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }
	for _, c := range []struct {
		what, from string
		header     func(int) http.Header
	}{
		{"an entry of its own in X-Forwarded-For, which Cloudflare adds to", s.address(65), func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {number(i) + ", 203.0.113.20"}}
		}},
		{"a line of its own", s.address(66), func(i int) http.Header { return http.Header{"X-Forwarded-For": {number(i), "203.0.113.21"}} }},
		{"headers that others believe", s.address(67), func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {"203.0.113.22"}, "Cf-Connecting-Ip": {number(i)}, "X-Real-Ip": {number(i)}, "True-Client-Ip": {number(i)}, "Forwarded": {"for=" + number(i)}}
		}},
		{"many addresses of one IPv6 network", s.address(68), func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {fmt.Sprintf("2001:db8:0:1::%x", i+1)}}
		}},
		{"not through Cloudflare, with all of its headers", s.address(200), func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {number(i)}, "X_forwarded_for": {number(i)}, "Cf-Connecting-Ip": {number(i)}, "X-Real-Ip": {number(i)}}
		}},
	} {
		var y tally
		s.redis.forget(t)
		began := time.Now()
		y.many(s.visitor(t, c.from), 80, "/", c.header)
		passed := y.passed(t)
		t.Logf("N5: %s: %d of 80 passed; %s", c.what, passed, y.spent())
		assert.LessOrEqual(t, passed, mayPass(clientBurst, time.Since(began)), c.what)
		assert.GreaterOrEqual(t, passed, clientBurst, c.what)
	}
	a, err := s.visitor(t, s.address(200)).askURL("https://"+s.replicas[0].address+":8443/health", host, http.Header{"X_forwarded_for": {"192.0.2.1"}, "X-Forwarded-For": {"192.0.2.1"}})
	require.NoError(t, err)
	assert.Equal(t, s.address(200), a.said["for"], "nor does the program behind believe it")
	assert.Empty(t, a.said["alias"])
	var y tally
	y.many(s.visitor(t, s.address(65)), 30, "/", behalf("192.0.2.3")) // whom all of them named
	assert.Equal(t, 30, y.passed(t), "whoever was named has lost nothing")
}

// mayPass is what a bucket lets through in a time, to the next token.
func mayPass(burst int, in time.Duration) int { return burst + int(in*perClient/time.Minute) + 1 }

func rights(t *testing.T, s *stand) {
	want := map[string][]networking.IngressLoadBalancerIngress{}
	for _, name := range []string{"alphapulse-ingress", "alphapulse-ingress-unlimited"} {
		want[name] = []networking.IngressLoadBalancerIngress{{Hostname: "balancer.example"}}
	}
	var statuses map[string][]networking.IngressLoadBalancerIngress
	assert.NoError(t, wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		statuses, _ = s.kubernetes.seen()
		return assert.ObjectsAreEqual(want, statuses), nil
	}), "Traefik says where its routes are reached: %v", statuses)
	_, refused := s.kubernetes.seen()
	assert.Empty(t, refused, "its role has all that it asks for")
}

// withoutRedis: each replica counts for itself, and nobody is turned away for want of Redis, whether its nodes are gone, hang, or know
// another password.
func withoutRedis(t *testing.T, s *stand) {
	v := s.visitor(t, s.address(64))
	asked := time.Now() // for the last time
	// A replica says once of each outage that a node is not there.
	said := func(r *replica) int { return strings.Count(r.process.Log(t), "this replica counts for itself") }
	apart := func(what, block string, anew bool) {
		// What a replica lets through in all has been used up by what was asked before, and what Redis gave counts, too. Time gives it back.
		time.Sleep(time.Until(asked.Add(time.Minute * (allBurst + 2*clientBurst) / inAll)))
		for n, r := range s.replicas {
			before, client := said(r), fmt.Sprintf("%s.%d.1", block, n)
			began := time.Now()
			var learns, knows tally // that Redis is away
			learns.manyAt(v, r, 40, client)
			knows.manyAt(v, r, 40, client)
			passed := learns.passed(t) + knows.passed(t)
			t.Logf("W1: %s: %d of 80 passed through replica %d; %s, then %s", what, passed, n+1, learns.spent(), knows.spent())
			assert.GreaterOrEqual(t, passed, clientBurst, "%s: nobody is turned away for want of Redis", what)
			assert.LessOrEqual(t, passed, mayPass(clientBurst, time.Since(began)), "%s: each replica counts for itself", what)
			assert.True(t, said(r) > before || !anew, "%s: replica %d does not say it", what, n+1)
		}
		asked = time.Now()
	}
	// Together: what a client took from one replica, the other does not give it again, whichever is asked first. One order alone would not
	// tell: a replica that still counts for itself, and has let through nearly all that it may in all, refuses too.
	together := func(what, block string) {
		began, tries := time.Now(), 0
		require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 500*time.Millisecond, limit, true, func(context.Context) (bool, error) {
			tries++ // a new client each time
			for n, first := range s.replicas {
				client := fmt.Sprintf("%s.%d.%d", block, n, tries)
				var here, there tally
				s.redis.forget(t)
				began := time.Now()
				here.manyAt(v, first, 80, client)
				there.manyAt(v, s.replicas[1-n], 40, client)
				passed := here.passed(t)
				if passed < clientBurst || passed+there.passed(t) > mayPass(clientBurst, time.Since(began)) {
					return false, nil
				}
			}
			return true, nil
		}), "%s: replicas count together again", what)
		asked = time.Now()
		t.Logf("W1: %s: replicas count together again after %s", what, time.Since(began).Round(10*time.Millisecond))
	}
	together("Redis is there", "10.1")

	s.redis.signal(t, syscall.SIGSTOP)
	apart("Redis hangs", "10.2", true)
	s.redis.signal(t, syscall.SIGCONT)
	s.redis.isWhole(t)
	together("Redis goes on", "10.3")

	s.redis.kill()
	apart("Redis is gone", "10.4", true)
	s.redis.password = "SecondPassword"
	s.redis.start(t)
	s.redis.isWhole(t)
	apart("Redis has another password", "10.5", false) // it was not back in between
	for _, r := range s.replicas {
		r.mount(t, "/etc/redis-credentials", map[string]string{"password": s.redis.password})
	}
	together("the kubelet has brought the new password", "10.6")
	for _, r := range s.replicas {
		assert.NotContains(t, r.process.Log(t), "FirstPassword")
		assert.NotContains(t, r.process.Log(t), "SecondPassword")
		assert.Contains(t, r.process.Log(t), "is back")
	}
}

func (y *tally) manyAt(v *visitor, r *replica, n int, client string) {
	one := &visitor{&stand{replicas: []*replica{r}}, v.client}
	y.many(one, n, "/", behalf(client))
}
