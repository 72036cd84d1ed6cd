package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

const queue = "technical_agent"

// client is one that enqueues tasks, or runs them: what it is told, and where tasks note that they ran.
type client struct {
	env   []string
	names *programs.Names
	notes string
}

// newClient tells it what the Secret broker-credentials has for it, but for some options.
func newClient(t *testing.T, names *programs.Names, password string, but map[string]any) *client {
	t.Helper()
	options := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(secretKey(t, "transport-options.json", password)), &options))
	maps.Copy(options, but)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	return newClientOf(t, names, secretKey(t, "url", password), string(text))
}

func newClientOf(t *testing.T, names *programs.Names, url, options string) *client {
	t.Helper()
	settings, err := filepath.Abs("../../../workloads/worker")
	require.NoError(t, err)
	c := &client{names: names, notes: filepath.Join(t.TempDir(), "notes")}
	c.env = []string{
		"CELERY_BROKER_URL=" + url, "CELERY_BROKER_TRANSPORT_OPTIONS=" + options, "CELERY_QUEUES=" + queue, "NOTES=" + c.notes,
		"PYTHONPATH=" + settings, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", "HOME=" + t.TempDir(),
	}
	return c
}

// secretKey is what External Secrets makes of a key's template.
func secretKey(t *testing.T, file, password string) string {
	t.Helper()
	text, err := os.ReadFile("../../../security/broker/" + file)
	require.NoError(t, err)
	made, err := template.New(file).Option("missingkey=error").Parse(string(text))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, made.Execute(&out, map[string]string{"password": password}))
	return out.String()
}

// worker starts a worker's pod: Celery is its first process, and runs four tasks at once.
func (c *client) worker(t *testing.T, name string) *programs.Process {
	t.Helper()
	return programs.Start(t, programs.Command{
		Name: "worker " + name, Dir: "testdata", Env: c.env, Names: c.names,
		Args: []string{programs.Tool(t, "celery"), "--app=tasks", "worker", "--queues=" + queue, "--concurrency=4", "--hostname=" + name, "--loglevel=INFO"},
	})
}

// enqueue starts somebody who enqueues so many tasks of one name, with ballast of so many bytes each, and a pause after each.
func (c *client) enqueue(t *testing.T, name string, count, ballast, tries int, pause time.Duration) *programs.Process {
	t.Helper()
	return programs.Start(t, programs.Command{
		Name: "enqueuer of " + name, Dir: "testdata", Env: c.env, Names: c.names,
		Args: []string{programs.Tool(t, "python"), "enqueue.py", name, fmt.Sprint(count), fmt.Sprint(ballast), fmt.Sprint(tries), fmt.Sprint(pause.Seconds())},
	})
}

// runs has Python do something with the task `work`.
func (c *client) runs(t *testing.T, statement string) {
	t.Helper()
	out, err := programs.Run(t, limit, programs.Command{
		Dir: "testdata", Env: c.env, Names: c.names, Args: []string{programs.Tool(t, "python"), "-c", "from tasks import work\n" + statement},
	})
	require.NoError(t, err, out)
}

// told are the tasks of which one who enqueues says a word: taken, or refused; each once.
func told(t *testing.T, enqueuer *programs.Process, word string) map[string]bool {
	t.Helper()
	tasks := map[string]bool{}
	for line := range strings.Lines(enqueuer.Log(t)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == word {
			tasks[fields[1]] = true
		}
	}
	return tasks
}

// noted says how often each task began, or ended.
func (c *client) noted(t *testing.T, what string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(c.notes)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	times := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if task, ok := strings.CutPrefix(strings.TrimSpace(line), what+" "); ok {
			times[task]++
		}
	}
	return times
}

// overdue makes all tasks that were taken and not finished as old as if nobody would ever finish them, and says how many there are.
func (p *pod) overdue(t *testing.T) int {
	t.Helper()
	count, err := strconv.Atoi(p.ask(t, "EVAL", `local tags = redis.call("ZRANGE", KEYS[1], 0, -1)
for _, tag in ipairs(tags) do redis.call("ZADD", KEYS[1], 1, tag) end
return #tags`, "1", "unacked_index"))
	require.NoError(t, err)
	return count
}

// missing are those of the tasks that never ended.
func (c *client) missing(t *testing.T, tasks map[string]bool) (missing []string) {
	t.Helper()
	ended := c.noted(t, "ended")
	for task := range tasks {
		if ended[task] == 0 {
			missing = append(missing, task)
		}
	}
	return missing
}
