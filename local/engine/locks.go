package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/alphapulse/infrastructure/local/faults"
	"github.com/alphapulse/infrastructure/local/home"
)

// releaseLocks removes the stack's locks whose pulumi does not run any more: one that was killed leaves its lock behind, and nobody
// else works on this state. It gives the process that holds one and lives, or 0: what is pending in the state is that one's.
func (e *Engine) releaseLocks() (running int, err error) { return releaseLocksOf(e.stack) }

// refuseBusy is for what would take the ground from under any pulumi that is at work.
func refuseBusy() error {
	folders, err := locks("*")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		stack := filepath.Base(folder)
		running, err := releaseLocksOf(stack)
		if err != nil {
			return err
		}
		if running != 0 {
			return errAtWork(running, stack)
		}
	}
	return nil
}

func errAtWork(process int, stack string) error {
	return fmt.Errorf("another pulumi (process %d) is at work on stack %s, perhaps of a make that was killed: run this again when it has ended, "+
		"or end it with `kill %d`", process, stack, process)
}

// locks are the folders of the locks of stacks.
func locks(stack string) ([]string, error) {
	pattern, err := home.Path("state", ".pulumi", "locks", "organization", "alphapulse", stack)
	if err != nil {
		return nil, err
	}
	return filepath.Glob(pattern)
}

func releaseLocksOf(stack string) (running int, err error) {
	folders, err := locks(stack)
	if err != nil || len(folders) == 0 {
		return 0, err
	}
	files, err := filepath.Glob(filepath.Join(folders[0], "*.json"))
	if err != nil {
		return 0, err
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // given back meanwhile
			continue
		}
		if err != nil {
			return 0, err
		}
		var lock struct {
			PID int `json:"pid"`
		}
		if err := json.Unmarshal(data, &lock); err != nil {
			return 0, fmt.Errorf("reading the lock %s: %w", path, err)
		}
		lives, err := faults.IsEngine(lock.PID)
		if err != nil {
			return 0, err
		}
		if lives {
			running = lock.PID
			continue
		}
		fmt.Fprintf(os.Stderr, "an earlier pulumi (process %d) was killed; its lock on stack %s is removed\n", lock.PID, stack)
		if err := os.Remove(path); err != nil {
			return 0, err
		}
	}
	return running, nil
}
