package observability

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// fire is an alert with labels as Prometheus sends them.
func fire(name, severity string, labels ...string) alert {
	all := map[string]string{"alertname": name, "severity": severity, "owner": "platform", "environment": "local", "region": "us-east-1"}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		all[key] = value
	}
	return alert{Labels: all, Annotations: map[string]string{"summary": name, "description": "For 5 minutes"}, EndsAt: time.Now().Add(time.Hour)}
}

// lost are what a lost node has fire: itself, and all that ran on it.
func lost(node, zone string) (alerts []alert) {
	for i := range 40 {
		alerts = append(alerts, fire("TargetDown", "ticket", "follows=nodes", "node="+node, "zone="+zone, fmt.Sprintf("pod=%s-%d", node, i)))
	}
	return append(alerts, fire("NodeNotReady", "ticket", "node="+node, "zone="+zone))
}

func all(event) bool { return true }

// settled waits until Alertmanager has had time to say more than it should.
func settled(t *testing.T, a *alertmanager, first func(event) bool) []event {
	t.Helper()
	suite.Eventually(t, "PagerDuty is told", func(context.Context) (bool, error) { return len(a.told(first)) > 0, nil })
	a.send(t, fire("Watchdog", "none"))
	barks := a.barks()
	suite.Eventually(t, "some rounds have gone by", func(context.Context) (bool, error) { return a.barks() >= barks+4, nil })
	return a.told(all)
}

func TestO2ALostNodeIsOneTicket(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, programs.AddressesIn(loopback, 3, 1)[0], faster(quickest))
	alerts := append(lost("node-1", "us-east-1a"), fire("ReplicasMissing", "ticket", "follows=nodes", "name=vault", "namespace=alphapulse-local"))
	a.send(t, alerts...)
	told := settled(t, a, func(e event) bool { return e.Payload.Class == "NodeNotReady" })
	held, loud := a.quiet(t)
	assert.Len(t, held, 40, "what ran on it is held back")
	assert.ElementsMatch(t, []string{"NodeNotReady", "ReplicasMissing", "Watchdog"}, loud, "the node, what is short of pods for another reason, and the dead man's switch")
	require.Len(t, told, 2)
	for _, e := range told {
		assert.Equal(t, "warning", e.Payload.Severity)
		assert.Contains(t, []string{"NodeNotReady", "ReplicasMissing"}, e.Payload.Class)
	}
}

// When PagerDuty takes nothing, the one call that is left comes from outside.
func TestO2WithoutPagerDutyTheDeadMansSwitchIsLetGo(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, programs.AddressesIn(loopback, 8, 1)[0], faster(quickest))
	a.send(t, fire("Watchdog", "none"))
	suite.Eventually(t, "it beats", func(context.Context) (bool, error) { return a.barks() > 0, nil })
	unreachable := fire("PagerDutyUnreachable", "page")
	a.send(t, unreachable)
	suite.Eventually(t, "it is held back", func(context.Context) (bool, error) {
		held, loud := a.quiet(t)
		return slices.Equal(held, []string{"Watchdog"}) && slices.Equal(loud, []string{"PagerDutyUnreachable"}), nil
	})
	tells := func(name string) {
		t.Helper()
		a.send(t, fire(name, "page"))
		suite.Eventually(t, "Alertmanager tells "+name, func(context.Context) (bool, error) {
			return len(a.told(func(e event) bool { return e.Payload.Class == name })) > 0, nil
		})
	}
	tells("PostgresDown") // a beat that was under way has arrived
	beats := a.barks()
	assert.Never(t, func() bool { return a.barks() > beats }, 5*time.Minute/quickest, 50*time.Millisecond, "a beat is heard")
	tells("VaultSealed")
	assert.Equal(t, beats, a.barks(), "five beats are not heard, while all else is told")
	unreachable.EndsAt = time.Now()
	a.send(t, unreachable)
	suite.Eventually(t, "it beats again", func(context.Context) (bool, error) { return a.barks() > beats, nil })
}

func TestO2ALostZoneIsOnePage(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, programs.AddressesIn(loopback, 4, 1)[0], faster(quickest))
	alerts := []alert{fire("ZoneLost", "page", "zone=us-east-1a"), fire("NodesNotReady", "page"), fire("ReplicasMissing", "ticket", "follows=nodes", "name=vault")}
	for i := range 12 {
		alerts = append(alerts, lost(fmt.Sprintf("node-%d", i), "us-east-1a")...)
	}
	a.send(t, alerts...)
	told := settled(t, a, func(e event) bool { return e.Payload.Class == "ZoneLost" })
	require.Len(t, told, 1, "%v", told)
	assert.Equal(t, "critical", told[0].Payload.Severity)

	// Another zone's node is another matter.
	a.send(t, fire("NodePoolAtMaximum", "ticket", "nodepool=services"), fire("RedisClusterBroken", "page"))
	told = settled(t, a, func(e event) bool { return e.Payload.Class == "NodePoolAtMaximum" })
	classes := map[string]bool{}
	for _, e := range told {
		classes[e.Payload.Class] = true
	}
	assert.Equal(t, map[string]bool{"ZoneLost": true, "NodePoolAtMaximum": true, "RedisClusterBroken": true}, classes, "what is no consequence is told")
}

func TestO2FortyPodsAreOneIncident(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, programs.AddressesIn(loopback, 5, 1)[0], faster(quickest))
	var alerts []alert
	for i := range 40 {
		alerts = append(alerts, fire("VolumeFull", "page", "topic=volume", "namespace=x", fmt.Sprintf("persistentvolumeclaim=data-%d", i)),
			fire("VolumeFilling", "ticket", "topic=volume", "namespace=x", fmt.Sprintf("persistentvolumeclaim=data-%d", i)))
	}
	a.send(t, alerts...)
	told := settled(t, a, all)
	require.Len(t, told, 1, "one incident, and the graver one speaks")
	assert.Equal(t, "volume", told[0].Payload.Class)
	assert.Equal(t, "[local] VolumeFull (and 39 more)", told[0].Payload.Summary)
	assert.Equal(t, 40, strings.Count(fmt.Sprint(told[0].Payload.Details["alerts"]), "For 5 minutes"), "with all forty in it")

	// Whoever has taken that one hears of what comes later, and elsewhere.
	a.send(t, fire("VolumeFull", "page", "topic=volume", "namespace=y", "persistentvolumeclaim=data-0"),
		fire("JobFailed", "ticket", "namespace=x", "job_name=a"), fire("JobFailed", "ticket", "namespace=x", "job_name=b"))
	suite.Eventually(t, "PagerDuty is told of the other volume, and of each job", func(context.Context) (bool, error) { return len(a.told(all)) >= 4, nil })
	incidents := map[string]bool{}
	for _, e := range a.told(all) {
		incidents[e.Dedup] = true
	}
	assert.Len(t, incidents, 4)
}

// The API is slow for a moment, then for hours, then for a moment no longer: whoever has been called knows already.
func TestO2ATopicIsOneIncident(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, programs.AddressesIn(loopback, 7, 1)[0], faster(quickest))
	high := fire("ApiLatencyHigh", "page", "topic=api-latency", "slo=latency", "window="+faster(quickest)("5m"))
	burn := fire("ApiLatencyBurn", "page", "topic=api-latency", "slo=latency", "window="+faster(quickest)("6h"))
	a.send(t, high)
	told := settled(t, a, all)
	require.Len(t, told, 1)
	a.send(t, burn)
	assert.Len(t, settled(t, a, all), 1, "the one that noticed first speaks")

	high.EndsAt = time.Now()
	a.send(t, high)
	suite.Eventually(t, "PagerDuty learns what is left of it", func(context.Context) (bool, error) { return len(a.told(all)) > 1, nil })
	burn.EndsAt = time.Now()
	a.send(t, burn)
	over := func(e event) bool { return e.Action == "resolve" }
	suite.Within(t, 2*time.Minute, "it is over", func(context.Context) (bool, error) { return len(a.told(over)) > 0, nil })
	for _, e := range a.told(all) {
		assert.Equal(t, told[0].Dedup, e.Dedup)
	}
	assert.Len(t, a.told(over), 1)
}

// The commands of docs/runbooks/watching.md.
func TestO2ASilenceHoldsDuringMaintenance(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, programs.AddressesIn(loopback, 6, 1)[0], faster(quickest))
	am := func(args ...string) string {
		out, err := programs.Run(t, time.Minute, programs.Command{
			Name: "amtool", Args: append([]string{programs.Tool(t, "amtool"), "--alertmanager.url=http://" + a.address}, args...), Env: []string{"HOME=" + t.TempDir()},
		})
		require.NoError(t, err, out)
		return strings.TrimSpace(out)
	}
	id := am("silence", "add", "--author=me", "--comment=Vault gets a new version", "--duration=1h", `alertname=~"Vault.+"`)
	assert.Contains(t, am("silence", "query"), "Vault gets a new version")
	a.send(t, fire("VaultSealed", "page", "pod=vault-0"), fire("PostgresDown", "page"))
	told := settled(t, a, func(e event) bool { return e.Payload.Class == "PostgresDown" })
	require.Len(t, told, 1, "%v", told)

	am("silence", "expire", id)
	a.send(t, fire("VaultSealed", "page", "pod=vault-0"))
	suite.Eventually(t, "what is still so is told when the silence ends", func(context.Context) (bool, error) {
		return len(a.told(func(e event) bool { return e.Payload.Class == "VaultSealed" })) == 1, nil
	})
}
