package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"k8s.io/apimachinery/pkg/util/wait"
)

// The answers of a cloud that has trouble, in the words of the AWS SDK.
var (
	errLost      = errors.New("RequestError: send request failed: connection reset by peer")
	errFailed    = errors.New("api error InternalFailure: The request processing has failed because of an unknown error, exception or failure")
	errThrottled = errors.New("exceeded maximum number of attempts, 6, api error ThrottlingException: Rate exceeded")
	errKilled    = errors.New("the engine was killed")
)

// attempts are how often a provider asks again after ThrottlingException, each time twice as late.
var attempts = wait.Backoff{Steps: 6, Duration: 20 * time.Millisecond, Factor: 2, Jitter: 0.5}

// server passes every call on to a stand-in; those that change something meet the fault.
type server struct {
	rpc.ResourceProviderServer
	fault Fault
	calls *sync.WaitGroup // under way
}

// wrap gives a stand-in the fault.
func wrap(inner rpc.ResourceProviderServer, fault Fault, calls *sync.WaitGroup) rpc.ResourceProviderServer {
	return &server{inner, fault, calls}
}

func (s *server) Create(ctx context.Context, req *rpc.CreateRequest) (*rpc.CreateResponse, error) {
	if req.GetPreview() {
		return s.ResourceProviderServer.Create(ctx, req)
	}
	return change(ctx, s, req.GetUrn(), func(ctx context.Context) (*rpc.CreateResponse, error) {
		return s.ResourceProviderServer.Create(ctx, req)
	})
}

func (s *server) Update(ctx context.Context, req *rpc.UpdateRequest) (*rpc.UpdateResponse, error) {
	if req.GetPreview() {
		return s.ResourceProviderServer.Update(ctx, req)
	}
	return change(ctx, s, req.GetUrn(), func(ctx context.Context) (*rpc.UpdateResponse, error) {
		return s.ResourceProviderServer.Update(ctx, req)
	})
}

func (s *server) Delete(ctx context.Context, req *rpc.DeleteRequest) (*emptypb.Empty, error) {
	return change(ctx, s, req.GetUrn(), func(ctx context.Context) (*emptypb.Empty, error) {
		return s.ResourceProviderServer.Delete(ctx, req)
	})
}

// change counts a call that changes something, and does it unless the fault hits it. Once begun it is not given up when the engine
// goes: a cloud does what it was asked for, whoever waits for the answer.
func change[R any](ctx context.Context, s *server, urn string, do func(context.Context) (*R, error)) (*R, error) {
	s.calls.Add(1)
	defer s.calls.Done()
	ctx = context.WithoutCancel(ctx)
	hit, err := s.count(ctx, string(resource.URN(urn).Type()))
	if err != nil {
		return nil, err
	}
	if !hit {
		return do(ctx)
	}
	switch s.fault.kind {
	case fail:
		return nil, errFailed
	case killBefore:
		return nil, errors.Join(errKilled, killEngine())
	case lose:
		if _, err := do(ctx); err != nil {
			return nil, err
		}
		return nil, errLost
	default: // kill
		if _, err := do(ctx); err != nil {
			return nil, err
		}
		return nil, errors.Join(errKilled, killEngine())
	}
}

// count gives a call its number and tells whether the fault hits it. A throttled call is made again, under a new number, until it is
// let through or the provider gives up.
func (s *server) count(ctx context.Context, typ string) (hit bool, err error) {
	err = wait.ExponentialBackoffWithContext(ctx, attempts, func(context.Context) (bool, error) {
		n, err := next(typ)
		hit = s.fault.hits(n, typ)
		return !hit || s.fault.kind != throttle, err
	})
	if wait.Interrupted(err) {
		return false, errThrottled
	}
	return hit, err
}

// killEngine ends the Pulumi engine on the spot. Plugins are its children; who has another parent was not started by it.
func killEngine() error {
	engine := os.Getppid()
	is, err := IsEngine(engine)
	if err != nil {
		return err
	}
	if !is {
		return fmt.Errorf("process %d is not the engine: not killed", engine)
	}
	return syscall.Kill(engine, syscall.SIGKILL)
}

// IsEngine tells whether a process is there and a pulumi, not one that has got its number since.
func IsEngine(pid int) (bool, error) {
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	var none *exec.ExitError
	if err != nil && !errors.As(err, &none) {
		return false, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	return filepath.Base(strings.TrimSpace(string(out))) == "pulumi", nil
}
