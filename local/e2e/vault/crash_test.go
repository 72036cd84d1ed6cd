package vault

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// trap stands on PATH before every program that the steps call. At the given call it kills the step and all that it has started, as the loss
// of a node does; asking whether Vault answers yet is no step.
const trap = `#!/bin/sh
name=${0##*/}
case "$name $1 $2" in
"vault status "* | "vault token lookup"*) ;;
*)
	echo "$name $1 $2" >>"$CALLS"
	call=$(/usr/bin/wc -l <"$CALLS")
	if [ "$call" -eq "$CRASH_AT" ]; then
		echo "crash before call $call: $name $1 $2" >&2
		# What is lost in the middle: Vault is initialised, and its answer, which it gives once, reaches nobody.
		if [ "$CRASH" = within ]; then "$REAL/$name" "$@" >/dev/null; fi
		kill -KILL 0
	fi
	;;
esac
exec "$REAL/$name" "$@"
`

// trapped are the programs that the steps call.
var trapped = []string{"vault", "aws", "cat", "sed", "rm", "mv", "mkdir", "touch", "sync"}

type crashes struct {
	bin, real, calls string
}

func newCrashes(t *testing.T, a aws) crashes {
	t.Helper()
	c := crashes{bin: t.TempDir(), real: t.TempDir(), calls: filepath.Join(t.TempDir(), "calls")}
	for _, name := range trapped {
		var path string
		switch name {
		case "vault":
			path = programs.Tool(t, "vault")
		case "aws":
			path = filepath.Join(a.bin, "aws")
		default:
			found, err := exec.LookPath(name)
			require.NoError(t, err)
			path = found
		}
		require.NoError(t, os.Symlink(path, filepath.Join(c.real, name)))
		require.NoError(t, os.WriteFile(filepath.Join(c.bin, name), []byte(trap), 0o755))
	}
	return c
}

// run runs one step of a pod and has it crash at a call; 0 is never. It gives what the step printed, which is no secret, and whether it
// crashed.
func (c crashes) run(t *testing.T, p *pod, step, how string, at int) (string, bool) {
	t.Helper()
	require.NoError(t, os.WriteFile(c.calls, nil, 0o600))
	command := p.command(t, step, "CALLS="+c.calls, "REAL="+c.real, "CRASH="+how, "CRASH_AT="+strconv.Itoa(at), "PATH="+c.bin+":"+os.Getenv("PATH"))
	keys := p.onTheirWay(t)
	out, err := programs.Run(t, limit, command)
	unsaid(t, out, append(keys, p.onTheirWay(t)...))
	if err != nil {
		require.Contains(t, out, "crash before call", "%s failed by itself: %v", step, err)
	}
	return out, err != nil
}

// count is how many calls the last run came to.
func (c crashes) count(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(c.calls)
	require.NoError(t, err)
	return strings.Count(string(text), "\n")
}

// copyOf is a pod as it was at some moment: its volume and what is temporary are copies.
func copyOf(t *testing.T, p *pod, secret string) *pod {
	t.Helper()
	same := *p
	same.secret, same.volume, same.tmp = secret, t.TempDir(), t.TempDir()
	require.NoError(t, os.CopyFS(same.volume, os.DirFS(p.volume)))
	require.NoError(t, os.CopyFS(same.tmp, os.DirFS(p.tmp)))
	return &same
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// longWord is a key in any of Vault's spellings.
var longWord = regexp.MustCompile(`"([\w+/=]{40,})"`)

// onTheirWay are the keys that create.sh leaves for keep-keys.sh, whatever is there of them.
func (p *pod) onTheirWay(t *testing.T) (keys []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.tmp, "keys", "*"))
	require.NoError(t, err)
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, found := range longWord.FindAllStringSubmatch(string(text), -1) {
			keys = append(keys, found[1])
		}
	}
	return keys
}

func (p *pod) attempt(t *testing.T) string {
	t.Helper()
	for _, folder := range []string{"store", "new"} {
		if text, err := os.ReadFile(filepath.Join(p.volume, folder, "attempt")); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}

// While create.sh runs there is nothing to lose: wherever it ends, nothing has become the pod's store and nothing has been kept, so the next
// run begins anew. That includes the answer of `operator init`, lost on its way.
func TestS1ACrashWhileVaultIsMadeLeavesNothingBehind(t *testing.T) {
	t.Parallel() // the parts wait more than they work
	a := newAWS(t, 10)
	traps := newCrashes(t, a)
	c := newCluster(t, a, a.newSecret(t, "/alphapulse/prod/vault/made"), 11)
	p := c.pods[0]
	calls := 0
	for at := 1; ; at++ {
		out, crashed := traps.run(t, p, "create", "before", at)
		assert.False(t, exists(p.store()), "no store before its keys are kept")
		if !crashed {
			break
		}
		calls = at
		if at%2 == 0 { // another pod; else the kubelet runs the step again in its place, where its half-written keys are
			p.fresh(t)
		}
		if strings.Contains(out, "vault operator init") {
			_, crashed = traps.run(t, p, "create", "within", at)
			assert.True(t, crashed)
			assert.False(t, exists(p.store()))
		}
	}
	assert.Equal(t, traps.count(t), calls)
	assert.Greater(t, calls, 15)
	t.Logf("create.sh was killed before each of its %d calls", calls)
	require.Empty(t, a.versions(t, p.secret), "keep-keys.sh has not run")
	proveKeys(t, c, traps)
}

// proveKeys lets the pod's beginning end, and makes a root token from what was kept.
func proveKeys(t *testing.T, c *cluster, traps crashes) {
	t.Helper()
	p := c.pods[0]
	if !exists(p.store()) || p.attempt(t) != "" {
		_, crashed := traps.run(t, p, "keep-keys", "before", 0)
		require.False(t, crashed)
	}
	c.processes[0] = programs.Start(t, p.command(t, "entrypoint"))
	c.awaitReady(t, 0)
	root := c.root(t, c.aws.keys(t, p.secret))
	c.write(t, root, "proof", 0)
	c.kill(0)
}

// A crash before each call of keep-keys.sh: the store is there only if its keys are kept, and the next run ends well, whether the pod starts
// again in its place or has lost what was temporary.
func TestS1ACrashWhileKeysAreKeptLosesNone(t *testing.T) {
	t.Parallel() // the parts wait more than they work
	a := newAWS(t, 20)
	traps := newCrashes(t, a)
	c := newCluster(t, a, "", 21)
	made := c.pods[0]
	_, crashed := traps.run(t, made, "create", "before", 0)
	require.False(t, crashed)
	first := made.attempt(t)

	calls := 0
	for at := 1; ; at++ {
		secret := a.newSecret(t, fmt.Sprint("/alphapulse/prod/vault/kept-", at))
		p := copyOf(t, made, secret)
		out, crashed := traps.run(t, p, "keep-keys", "before", at)
		keptSoFar := a.versions(t, secret)
		if exists(p.store()) {
			require.NotEmpty(t, keptSoFar, "a store whose keys are not kept, %s", out)
			assert.Equal(t, first, keptSoFar[0].VersionID)
		}
		if !crashed {
			break
		}
		calls = at

		// On another node, which has the volume and nothing else. Before anything is kept it is as if nothing had been.
		if elsewhere := copyOf(t, p, secret); exists(p.store()) || len(keptSoFar) > 0 {
			elsewhere.secret = a.copySecret(t, secret, fmt.Sprint(secret, "-elsewhere"))
			elsewhere.fresh(t)
			traps.finish(t, elsewhere, "create", "keep-keys")
			if exists(p.store()) {
				assert.Equal(t, []string{first}, labelled(a.versions(t, elsewhere.secret)), "the Vault that was made at first")
			}
		}
		// In its place: the kubelet runs the step again that failed.
		traps.finish(t, p, "keep-keys")
		assert.Equal(t, []string{first}, labelled(a.versions(t, secret)), out)
	}
	assert.Equal(t, traps.count(t), calls)
	assert.Greater(t, calls, 8)
	t.Logf("keep-keys.sh was killed before each of its %d calls", calls)

	// Another Vault's keys are never replaced, and a store is not given other keys.
	secret := a.newSecret(t, "/alphapulse/prod/vault/strange")
	p := copyOf(t, made, secret)
	_, crashed = traps.run(t, p, "keep-keys", "before", 0)
	require.False(t, crashed)
	before := a.versions(t, secret)
	newcomer := copyOf(t, made, secret)
	require.NoError(t, os.WriteFile(filepath.Join(newcomer.volume, "new", "attempt"), []byte("0fa2a6f2-9d53-4a4f-a3b5-6a1b2e7c1d11\n"), 0o600))
	_, crashed = traps.run(t, newcomer, "keep-keys", "before", 0)
	require.False(t, crashed)
	assert.False(t, exists(newcomer.store()), "it joins the others")
	assert.Equal(t, before, a.versions(t, secret))

	c.pods[0] = p
	proveKeys(t, c, traps)
}

func labelled(list []version) (names []string) {
	for _, one := range list {
		for _, stage := range one.VersionStages {
			if stage == inUse {
				names = append(names, one.VersionID)
			}
		}
	}
	return names
}

// finish runs steps to their end, after which the pod has its store and one version has the label.
func (c crashes) finish(t *testing.T, p *pod, steps ...string) {
	t.Helper()
	for _, step := range steps {
		_, crashed := c.run(t, p, step, "before", 0)
		require.False(t, crashed)
	}
	assert.True(t, exists(p.store()))
	assert.Empty(t, p.attempt(t))
	assert.Len(t, labelled(p.aws.versions(t, p.secret)), 1)
}
