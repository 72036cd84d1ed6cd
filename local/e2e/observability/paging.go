package observability

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

// exporter stands for the API: it answers requests in each pod, quickly or slowly.
type exporter struct {
	slow        atomic.Bool
	turned      atomic.Int64 // when it last became slow, or quick
	quick, lame atomic.Int64 // requests until then
}

const perSecond = 100 // in each pod

func (e *exporter) turn(slow bool) {
	quick, lame := e.counts()
	e.quick.Store(quick)
	e.lame.Store(lame)
	e.turned.Store(time.Now().UnixNano())
	e.slow.Store(slow)
}

func (e *exporter) counts() (quick, lame int64) {
	quick, lame = e.quick.Load(), e.lame.Load()
	now := int64(time.Since(time.Unix(0, e.turned.Load())).Seconds() * perSecond)
	if e.slow.Load() { // a quarter of them: more would have the windows of hours fire for minutes, too
		return quick + now*3/4, lame + now/4
	}
	return quick + now, lame
}

// metrics are what a pod of the API exposes, as docs/objectives.md says.
func (e *exporter) metrics(r *http.Request) string {
	if !strings.HasSuffix(r.URL.Host, ":8000") {
		return ""
	}
	quick, lame := e.counts()
	var text strings.Builder
	text.WriteString("# TYPE http_request_duration_seconds histogram\n")
	labels := `method="GET",route="/signals",status="200"`
	for _, bucket := range []float64{0.1, 0.25, 0.5, 1, 2.5, 5, math.Inf(1)} {
		n := quick
		if bucket > 1 {
			n += lame
		}
		fmt.Fprintf(&text, "http_request_duration_seconds_bucket{%s,le=\"%s\"} %d\n", labels, fmt.Sprint(bucket), n)
	}
	fmt.Fprintf(&text, "http_request_duration_seconds_sum{%s} %f\n", labels, 0.05*float64(quick)+2*float64(lame))
	fmt.Fprintf(&text, "http_request_duration_seconds_count{%s} %d\n", labels, quick+lame)
	text.WriteString("# TYPE http_requests_total counter\n")
	fmt.Fprintf(&text, "http_requests_total{%s} %d\n", labels, quick+lame)
	return text.String()
}

const alertmanagers = "alertmanager-names.monitoring.svc.cluster.local."

func latency(e event) bool { return e.Payload.Class == "api-latency" }

// PagesOnceAndIsOver makes the API of stack local, which is up, slow and quick again, and has a person called by it.
func PagesOnceAndIsOver(t *testing.T) {
	c := connect(t)
	own := programs.AddressesIn(loopback, 2, 4)
	api := &exporter{}
	api.turn(false)
	n := newNetwork(t, own[0], api.metrics)
	a := startAlertmanager(t, own[1], faster(quicker))
	startNames(t, own[3], alertmanagers, own[1])
	names := programs.NewNames(t)
	names.Ask(t, own[3])
	p := startPrometheus(t, own[2], c, n, names, faster(quicker))

	suite.Eventually(t, "the API's latency is known, and good", func(context.Context) (bool, error) {
		value, there, err := p.value("api:latency:p95_5m")
		return there && value < 0.5, err
	})
	suite.Eventually(t, "the dead man's switch is heard outside", func(context.Context) (bool, error) { return a.barks() > 1, nil })
	require.Empty(t, a.told(latency), "nobody is called for an API that is quick")

	api.turn(true)
	began := time.Now()
	within := 3 * time.Minute
	suite.Within(t, within, "PagerDuty is told", func(context.Context) (bool, error) { return len(a.told(latency)) > 0, nil })
	t.Logf("a latency spike reached PagerDuty after %.0f s of a clock that is %d times as fast: %.1f min", time.Since(began).Seconds(), quicker, time.Since(began).Minutes()*quicker)

	page := a.told(latency)[0]
	assert.Equal(t, "trigger", page.Action)
	assert.Equal(t, "the-key", page.Key)
	assert.Equal(t, "critical", page.Payload.Severity)
	assert.Equal(t, "api", page.Payload.Component)
	assert.Equal(t, "[local] The API is slow", page.Payload.Summary)
	assert.Equal(t, "docs/runbooks/api.md#apilatencyhigh", page.Payload.Details["runbook"])
	assert.Equal(t, "local, us-east-1", page.Payload.Details["environment"])
	assert.Regexp(t, `one request in twenty has taken longer than \d`, fmt.Sprint(page.Payload.Details["alerts"]), "the numbers are in it")

	rounds := func(n int) {
		t.Helper()
		heard := a.barks()
		suite.Within(t, within, "some rounds of notifications have gone by", func(context.Context) (bool, error) { return a.barks() >= heard+n, nil })
	}
	rounds(3)
	assert.Len(t, a.told(latency), 1, "PagerDuty is told once, though it goes on")

	api.turn(false)
	began = time.Now()
	over := func(e event) bool { return latency(e) && e.Action == "resolve" }
	suite.Within(t, 2*within, "PagerDuty is told that it is over", func(context.Context) (bool, error) { return len(a.told(over)) > 0, nil })
	t.Logf("it was over %.1f min after the API was quick again", time.Since(began).Minutes()*quicker)
	rounds(3)
	told := a.told(latency)
	assert.Len(t, a.told(over), 1)
	assert.Equal(t, "resolve", told[len(told)-1].Action, "and nothing afterwards")
	for _, e := range told {
		assert.Equal(t, page.Dedup, e.Dedup, "there is one incident: PagerDuty knows it by this key, and calls nobody twice")
	}
}
