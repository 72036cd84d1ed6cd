package suite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/alphapulse/infrastructure/local/home"
)

const (
	folders  = "alphapulse-e2e-" // and what tells them apart
	lockName = "suite.lock"
)

// folder is where the local engine of one suite keeps its things. Its control planes outlive a suite that is killed, or whose time is up: the
// lock, which goes with its process, tells the next suite that nobody needs them any more.
type folder struct {
	path string
	lock *os.File
}

func newFolder() (folder, error) {
	path, err := os.MkdirTemp("", folders)
	if err != nil {
		return folder{}, err
	}
	// It has its name only when it is held: nobody takes this suite for an abandoned one.
	draft := filepath.Join(path, lockName+".new")
	lock, err := os.Create(draft)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err == nil {
		err = os.Rename(draft, filepath.Join(path, lockName))
	}
	return folder{path, lock}, err
}

// remove ends what runs for the folder, and removes it.
func (f folder) remove() error {
	defer f.lock.Close()
	reset := exec.Command(engine, "--root", Root, "reset")
	reset.Env = append(os.Environ(), home.DirVariable+"="+f.path)
	if out, err := reset.CombinedOutput(); err != nil {
		return fmt.Errorf("resetting the suite's engine: %w\n%s", err, out)
	}
	return os.RemoveAll(f.path)
}

// removeAbandoned removes what suites have left behind that did not come to their end.
func removeAbandoned() error {
	locks, err := filepath.Glob(filepath.Join(os.TempDir(), folders+"*", lockName))
	if err != nil {
		return err
	}
	for _, path := range locks {
		lock, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // gone meanwhile, or another user's
			continue
		}
		if err != nil {
			return err
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			lock.Close() // it is at work
			continue
		}
		if err := (folder{filepath.Dir(path), lock}).remove(); err != nil {
			return err
		}
	}
	return nil
}
