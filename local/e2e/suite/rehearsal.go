package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

// Rehearsal is the section "Rehearse it" of a runbook: commands for the local engine, as a reader would type them.
type Rehearsal struct {
	page     string
	commands []string
	folder   string // of the rehearsal's own files, and of the make that runs this suite's engine
}

// makeScript does what the Makefile does with a command of a runbook, for this suite's engine.
const makeScript = `#!/bin/sh
target=$1
shift
for argument in "$@"; do
	case $argument in
	STACK=*) stack=${argument#STACK=} ;;
	ARGS=*) args=${argument#ARGS=} ;;
	esac
done
eval exec '"$ALPHAPULSE_ENGINE"' --root '"$PROJECT"' --stack "${stack:-local}" "$target" $args
`

// Rehearse reads a page's rehearsal; every line of its block is a command.
func Rehearse(t *testing.T, page string) *Rehearsal {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root, "docs", "runbooks", page+".md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Rehearse it\n")
	require.True(t, found, "%s has no section Rehearse it", page)
	_, block, found := strings.Cut(section, "\n```\n")
	require.True(t, found, "the rehearsal of %s has no commands", page)
	block, _, _ = strings.Cut(block, "\n```")
	r := &Rehearsal{page: page, folder: t.TempDir()}
	for _, line := range strings.Split(strings.ReplaceAll(block, "\\\n", ""), "\n") {
		r.commands = append(r.commands, strings.TrimSpace(line))
	}
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, "make"), []byte(makeScript), 0o755))
	return r
}

// Peek is the next command.
func (r *Rehearsal) Peek(t *testing.T) string {
	t.Helper()
	require.NotEmpty(t, r.commands, "the rehearsal of %s is over", r.page)
	return r.commands[0]
}

// Take is the next command, which must contain the text; it is on the caller to run it.
func (r *Rehearsal) Take(t *testing.T, text string) string {
	t.Helper()
	next := r.Peek(t)
	require.Contains(t, next, text, "the next command of %s", r.page)
	r.commands = r.commands[1:]
	return next
}

// Next runs the next command, which must contain the text; it may fail.
func (r *Rehearsal) Next(t *testing.T, text string) Result {
	t.Helper()
	return r.Run(t, r.Take(t, text))
}

// Run runs a command in the rehearsal's folder, as a reader would type it.
func (r *Rehearsal) Run(t *testing.T, command string) Result {
	t.Helper()
	return r.shell(t, command).run(t)
}

func (r *Rehearsal) shell(t *testing.T, line string) *command {
	t.Helper()
	folder := os.Getenv(home.DirVariable)
	// The shell gives way to the command, which so hears of the test's end.
	cmd := newCommand(t, line, "sh", "-c", strings.ReplaceAll(line, ".local/", folder+"/"))
	cmd.Dir = Root
	cmd.Env = append(os.Environ(), "PATH="+strings.Join([]string{r.folder, os.Getenv(home.ToolsVariable), os.Getenv("PATH")}, ":"), "PROJECT="+Root)
	return cmd
}

// Over tells whether every command has been run.
func (r *Rehearsal) Over(t *testing.T) {
	t.Helper()
	require.Empty(t, r.commands, "commands of %s that nobody has tried", r.page)
}
