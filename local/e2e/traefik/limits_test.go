package traefik

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What is promised (W1): so many in each minute, and so many at once.
const (
	perClient, clientBurst = 100, 50
	inAll, allBurst        = 1000, 250
)

// every calls at each beat, n times, without waiting for what came of the last call.
func every(beat time.Duration, n int, call func(int)) {
	var calls sync.WaitGroup
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for i := range n {
		<-ticker.C
		calls.Go(func() { call(i) })
	}
	calls.Wait()
}

// Real time: one minute can be seen in no other way than by letting it pass.
func TestW1OneClientPassesHundredAndABurstOfFiftyInAnyMinuteThroughTwoReplicas(t *testing.T) {
	t.Parallel()
	s := newStand(t, 1)
	v := s.visitor(t, s.address(64))
	var busy, pausing, other tally
	var all sync.WaitGroup
	all.Go(func() { // a burst, then 300 over two minutes
		busy.many(v, 60, "/v1/signals", behalf("203.0.113.7"))
		every(400*time.Millisecond, 300, func(i int) { busy.one(v, i, "/v1/signals", behalf("203.0.113.7")(i)) })
	})
	all.Go(func() { // a client whose pauses make Traefik's own limiter forget it
		every(3*time.Second, 40, func(int) { pausing.many(v, 30, "/v1/signals", behalf("203.0.113.8")) })
	})
	all.Go(func() { every(time.Second, 120, func(i int) { other.one(v, i, "/billing", behalf("203.0.113.9")(i)) }) })
	all.Wait()
	for name, y := range map[string]*tally{"a client with a burst of 60, then 300 in two minutes": &busy, "a client with 30 every 3 s": &pausing} {
		passed, most := y.passed(t), y.most(time.Minute)
		t.Logf("W1: %s: %d of %d passed, at most %d in a minute; %s", name, passed, len(y.answers), most, y.spent())
		assert.LessOrEqual(t, most, perClient+clientBurst)
		assert.Greater(t, passed, 2*perClient, "and no less than it may have")
	}
	assert.Equal(t, 120, other.passed(t), "another client is untouched")
	t.Logf("W1: another client, once a second: 120 of 120 passed; %s", other.spent())
}

func TestW1ThousandAndABurstOf250InAllInAnyMinuteAndWebhooksAreExempt(t *testing.T) {
	t.Parallel()
	s := newStand(t, 2)
	v := s.visitor(t, s.address(64))
	var everybody, stripe, health tally
	var all sync.WaitGroup
	client := func(i int) http.Header { return http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.100.%d", i%100)}} }
	all.Go(func() { // a hundred clients, of whom none asks for too much
		everybody.many(v, 400, "/v1/signals", client)
		every(25*time.Millisecond, 2640, func(i int) { everybody.one(v, i, "/v1/signals", client(i)) })
	})
	all.Go(func() {
		every(500*time.Millisecond, 130, func(i int) { stripe.one(v, i, "/webhooks/stripe", behalf("192.0.2.1")(i)) })
	})
	all.Go(func() {
		every(500*time.Millisecond, 130, func(i int) { health.one(v, i, "/health", behalf("192.0.2.2")(i)) })
	})
	all.Wait()
	passed, most := everybody.passed(t), everybody.most(time.Minute)
	t.Logf("W1: a hundred clients: %d of %d passed, at most %d in a minute; %s", passed, len(everybody.answers), most, everybody.spent())
	assert.LessOrEqual(t, most, inAll+allBurst)
	assert.Greater(t, passed, inAll)
	stripe.many(v, 200, "/webhooks/stripe", behalf("192.0.2.1")) // at once, too
	assert.Equal(t, 330, stripe.passed(t), "Stripe's webhooks are exempt")
	health.many(v, 200, "/health", behalf("192.0.2.2"))
	assert.Equal(t, 330, health.passed(t), "and so are health checks")
	t.Logf("W1: webhooks beside them, without a limiter: all passed; %s", stripe.spent())
}
