package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/alphapulse/infrastructure/local/home"
)

// alone waits until no other command of this local engine is where only one may be, and keeps others out until done. The lock goes with its
// process, however that ends.
func alone(ctx context.Context) (done func(), err error) {
	path, err := home.Path("begin.lock")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	told := false
	err = wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(context.Context) (bool, error) {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			if !told {
				fmt.Fprintln(os.Stderr, "another command of this local engine is starting; waiting for it ...")
				told = true
			}
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("waiting for another command of this local engine (%s): %w", path, err)
	}
	return func() { lock.Close() }, nil
}
