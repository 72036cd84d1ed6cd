package roles

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
	"github.com/alphapulse/infrastructure/local/home"
)

const (
	administrator = "rdsadmin"
	adminPassword = "of-the-administrator"
	// limit is what a start and a stop may take on a busy machine.
	limit = time.Minute
	// network is this suite's own of the loopback range.
	network = 65
)

// server is a PostgreSQL of the test's own. It logs every statement.
type server struct {
	address string
	log     string
}

// made is the data folder of a server that has just been made. That takes seconds: each test has a copy.
var made string

func TestMain(m *testing.M) { os.Exit(withMade(m)) }

func withMade(m *testing.M) int {
	if os.Getenv(home.ToolsVariable) == "" {
		fmt.Fprintln(os.Stderr, "this suite is run by `make test`, which installs PostgreSQL first")
		return 1
	}
	folder, err := os.MkdirTemp("", "alphapulse-roles-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	password := filepath.Join(folder, "password")
	made = filepath.Join(folder, "data")
	if err := os.WriteFile(password, []byte(adminPassword), 0o600); err != nil {
		panic(err)
	}
	if out, err := program("initdb", "--pgdata="+made, "--username="+administrator, "--pwfile="+password, "--auth=scram-sha-256",
		"--encoding=UTF8", "--no-locale", "--no-sync").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program is one of PostgreSQL's. It ends with the test whatever happens.
func program(name string, args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(os.Getenv(home.ToolsVariable), "postgresql", "bin", name), args...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// PostgreSQL refuses to be root: it is somebody else in a user namespace of its own.
	if os.Getuid() == 0 {
		id := []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}}
		command.SysProcAttr.Cloneflags, command.SysProcAttr.UidMappings, command.SysProcAttr.GidMappings = syscall.CLONE_NEWUSER, id, id
	}
	return command
}

// startPostgres runs a server that asks for SCRAM over TCP, as RDS does. It has no TLS: RDS's own is not ours to test.
func startPostgres(t *testing.T) server {
	t.Helper()
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	require.NoError(t, os.CopyFS(data, os.DirFS(made)))
	require.NoError(t, os.Chmod(data, 0o700), "PostgreSQL wants it for itself")

	s := server{address: programs.AddressesIn(network, 1, 1)[0], log: filepath.Join(folder, "log")}
	log, err := os.Create(s.log)
	require.NoError(t, err)
	postgres := program("postgres", "-D", data, "-c", "listen_addresses="+s.address, "-c", "unix_socket_directories=",
		"-c", "log_statement=all", "-c", "log_connections=on", "-c", "fsync=off")
	postgres.Stdout, postgres.Stderr = log, log
	require.NoError(t, postgres.Start())
	ended := make(chan error, 1)
	go func() { ended <- postgres.Wait() }()
	t.Cleanup(func() {
		assert.NoError(t, postgres.Process.Signal(syscall.SIGINT)) // at once, whoever is connected
		assert.NoError(t, <-ended)
		assert.NoError(t, log.Close())
	})
	admin := s.as(t, administrator, adminPassword, "postgres")
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, limit, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-ended:
			ended <- err
			return false, fmt.Errorf("PostgreSQL ended: %w\n%s", err, s.logged(t))
		default:
			return admin.PingContext(ctx) == nil, nil
		}
	}))
	return s
}

// as gives connections of a role to a database, with settings from the start, as psql takes them from PGOPTIONS.
func (s server) as(t *testing.T, role, password, database string, settings ...string) *sql.DB {
	t.Helper()
	where := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password), Host: s.address + ":5432", Path: "/" + database,
		RawQuery: url.Values{"sslmode": {"disable"}, "options": {strings.Join(settings, " ")}}.Encode(),
	}
	db, err := sql.Open("postgres", where.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s server) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.log)
	require.NoError(t, err)
	return string(text)
}
