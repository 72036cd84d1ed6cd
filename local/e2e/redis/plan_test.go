package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// Lines as node.sh writes them: id, address, pod, zone, role, its master, number of slots, the slots, state, me.
const (
	first, second, third    = "5461 0-5460 up -", "5462 5461-10922 up -", "5461 10923-16383 up -"
	none                    = "0 - up -"
	a0, b0, c0              = "A0 10.0.0.1 redis-cluster-0 a ", "B0 10.0.0.3 redis-cluster-2 b ", "C0 10.0.0.4 redis-cluster-3 c "
	a1, b1, c1              = "A1 10.0.0.2 redis-cluster-1 a ", "B1 10.0.0.5 redis-cluster-4 b ", "C1 10.0.0.6 redis-cluster-5 c "
	master, ofA, ofB, ofC   = "master - ", "replica A0 ", "replica B0 ", "replica C0 "
	toA, toB, toC           = "replicate 10.0.0.5 A0", "replicate 10.0.0.6 B0", "replicate 10.0.0.2 C0"
	giveA, giveB, giveC     = "slots 10.0.0.1 0 5460", "slots 10.0.0.3 5461 10922", "slots 10.0.0.4 10923 16383"
	handMade, lostWithSlots = "100 0-99 up -", "5461 0-5460 down -"
)

func TestD7PlanCompletesWhateverItFinds(t *testing.T) {
	for name, test := range map[string]struct{ nodes, steps []string }{
		"nothing is there": {
			[]string{a0 + master + none, a1 + master + none, b0 + master + none, b1 + master + none, c0 + master + none, c1 + master + none},
			[]string{giveA, giveB, giveC},
		},
		"the slots of one were given out": {
			[]string{a0 + master + none, a1 + master + none, b0 + master + second, b1 + master + none, c0 + master + none, c1 + master + none},
			[]string{giveA, giveC},
		},
		"all slots, and no replica": {
			[]string{a0 + master + first, a1 + master + none, b0 + master + second, b1 + master + none, c0 + master + third, c1 + master + none},
			[]string{toA, toB, toC},
		},
		"one replica, where a careless choice would leave the last two in one zone": {
			[]string{a0 + master + first, a1 + master + none, b0 + master + second, b1 + ofA + none, c0 + master + third, c1 + master + none},
			[]string{toB, toC},
		},
		"complete": {
			[]string{a0 + master + first, a1 + ofC + none, b0 + master + second, b1 + ofA + none, c0 + master + third, c1 + ofB + none}, nil,
		},
		"complete, after a failover": {
			[]string{a0 + "replica B1 " + none, a1 + ofC + none, b0 + master + second, b1 + master + first, c0 + master + third, c1 + ofB + none}, nil,
		},
		"a volume was lost, and is forgotten": {
			[]string{
				a0 + master + first, a1 + ofC + none, b0 + master + second, b1 + master + none, c0 + master + third, c1 + ofB + none,
				"OLD 10.0.0.9 redis-cluster-4 b " + ofA + "0 - down -",
			},
			[]string{"forget OLD", toA},
		},
		"no zone is known": {
			[]string{"A 10.0.0.1 - - " + master + none, "B 10.0.0.2 - - " + master + none},
			[]string{"error the pods must be in three zones, two in each, and know it; - has 2"},
		},
		"three pods in a zone": {
			[]string{a0 + master + none, a1 + master + none, "X 10.0.0.7 redis-cluster-5 a " + master + none, b0 + master + none, b1 + master + none, c0 + master + none},
			[]string{"error the pods must be in three zones, two in each, and know it; a has 3"},
		},
		"slots were given out by hand": {
			[]string{a0 + master + handMade, a1 + master + none, b0 + master + none, b1 + master + none, c0 + master + none, c1 + master + none},
			[]string{"error redis-cluster-0 is to be a master without slots, and is not"},
		},
		"both nodes of a shard are lost": {
			[]string{
				a0 + master + none, a1 + ofC + none, b0 + master + second, b1 + master + none, c0 + master + third, c1 + ofB + none,
				"OLD 10.0.0.9 redis-cluster-0 a " + master + lostWithSlots,
			},
			[]string{"error slots 0-5460 belong to redis-cluster-0 (OLD), which no pod has any more"},
		},
		"a pair in one zone": {
			[]string{a0 + master + first, a1 + ofA + none, b0 + master + second, b1 + ofC + none, c0 + master + third, c1 + ofB + none},
			[]string{"error redis-cluster-1 and its master are both in a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := programs.Run(t, 10*time.Second, programs.Command{Args: []string{
				"sh", "-c", `printf '%s\n' "$0" | sort -k4,4 -k3,3 | awk -f ../../../workloads/redis/plan.awk`, strings.Join(test.nodes, "\n"),
			}})
			require.NoError(t, err, out)
			var steps []string
			for line := range strings.Lines(out) {
				steps = append(steps, strings.TrimSpace(line))
			}
			assert.ElementsMatch(t, test.steps, steps)
		})
	}
}
