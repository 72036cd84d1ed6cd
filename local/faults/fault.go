// Package faults stands between the Pulumi engine and the stand-in clouds. It makes calls fail on demand, so that what happens when
// things go wrong can be rehearsed; and a call that was begun comes to its end even if the engine is gone, as it does in a cloud.
package faults

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// Variable names the fault of a run: `ALPHAPULSE_FAULT=kill@37 make up`.
const Variable = "ALPHAPULSE_FAULT"

// Help says what can be asked for. Calls are those that change something (create, update, delete), counted from 1 in every operation.
const Help = `  kill@N         the N-th call has its effect, then pulumi is killed before it hears of it
  kill-before@N  pulumi is killed before the N-th call has any effect
  lose@N         the N-th call has its effect, but the answer is lost: pulumi sees a broken connection
  fail@N         the N-th call fails without effect
  throttle@N+K   K calls from the N-th are refused for their rate; the provider tries again, as the AWS SDK does
  unreachable    the cluster's API server does not answer
With :TYPE at the end only calls for that resource type are counted: fail@1:aws:eks/nodeGroup:NodeGroup`

// kind is what goes wrong.
type kind string

const (
	kill        kind = "kill"
	killBefore  kind = "kill-before"
	lose        kind = "lose"
	fail        kind = "fail"
	throttle    kind = "throttle"
	unreachable kind = "unreachable"
)

// Fault is what goes wrong in one operation; the zero value is none.
type Fault struct {
	kind  kind
	first int    // the first call that is hit
	calls int    // how many are
	typ   string // of the resources whose calls are counted; all for ""
}

var (
	one     = regexp.MustCompile(`^(kill|kill-before|lose|fail)@([1-9]\d*)(?::(\S+))?$`)
	several = regexp.MustCompile(`^(throttle)@([1-9]\d*)\+([1-9]\d*)(?::(\S+))?$`)
)

// Parse reads a fault; "" is none.
func Parse(text string) (Fault, error) {
	switch kind(text) {
	case "":
		return Fault{}, nil
	case unreachable:
		return Fault{kind: unreachable}, nil
	}
	if m := one.FindStringSubmatch(text); m != nil {
		first, err := strconv.Atoi(m[2])
		return Fault{kind: kind(m[1]), first: first, calls: 1, typ: m[3]}, err
	}
	if m := several.FindStringSubmatch(text); m != nil {
		first, err := strconv.Atoi(m[2])
		if err != nil {
			return Fault{}, err
		}
		calls, err := strconv.Atoi(m[3])
		return Fault{kind: throttle, first: first, calls: calls, typ: m[4]}, err
	}
	return Fault{}, fmt.Errorf("%s=%q is no fault; legal:\n%s", Variable, text, Help)
}

// fromEnvironment is the fault that this process was started with.
func fromEnvironment() (Fault, error) { return Parse(os.Getenv(Variable)) }

// hits tells whether a call is one of those that go wrong.
func (f Fault) hits(n number, typ string) bool {
	count := n.all
	if f.typ != "" {
		if f.typ != typ {
			return false
		}
		count = n.ofType
	}
	return f.calls > 0 && count >= f.first && count < f.first+f.calls
}
