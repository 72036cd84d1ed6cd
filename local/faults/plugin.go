package faults

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/home"
)

// Serve runs a stand-in as a plugin of the Pulumi engine, with the fault that the environment names. If the engine is killed, the
// plugin ends after the calls that are under way; Settle waits for that.
func Serve(name string, start func(*provider.HostClient) (rpc.ResourceProviderServer, error)) error {
	fault, err := fromEnvironment()
	if err != nil {
		return err
	}
	engine := os.Getppid()
	leave, err := attend(engine)
	if err != nil {
		return err
	}
	defer leave()
	signal.Ignore(syscall.SIGPIPE) // a word to an engine that is gone must not end a call that is under way
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	calls := &sync.WaitGroup{}
	err = provider.MainContext(ctx, name, func(host *provider.HostClient) (rpc.ResourceProviderServer, error) {
		inner, err := start(host)
		if err != nil {
			return nil, err
		}
		go func() {
			outlive(ctx, engine)
			// What only waits for something is given up.
			_, _ = inner.Cancel(context.Background(), &emptypb.Empty{})
			stop()
		}()
		if fault.kind == unreachable && name == "kubernetes" {
			inner = &cutOff{ResourceProviderServer: inner, engine: host}
		}
		return wrap(inner, fault, calls), nil
	})
	calls.Wait()
	return err
}

// outlive returns when the engine is gone: its plugins are given to another parent then.
func outlive(ctx context.Context, engine int) {
	_ = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(context.Context) (bool, error) {
		return os.Getppid() != engine, nil
	})
}

// attend leaves word of this plugin, under a lock that ends with the process, however that ends: which process it is, which its engine,
// and the address at which plugins find that.
func attend(engine int) (leave func(), err error) {
	path, err := attendance(strconv.Itoa(os.Getpid()))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(path + temporary)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
	}
	if _, err := fmt.Fprintln(file, os.Getpid(), engine, os.Args[len(os.Args)-1]); err != nil {
		return nil, err
	}
	return func() {
		if os.Getppid() == engine { // otherwise Settle has to know what else the engine has left
			_ = os.Remove(path)
		}
		file.Close()
	}, os.Rename(file.Name(), path)
}

// temporary ends the name of word that is not written yet.
const temporary = ".tmp"

func attendance(name string) (string, error) { return home.Path("plugins", name) }
