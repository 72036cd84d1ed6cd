package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/alphapulse/infrastructure/local/home"
)

// releaseLocks removes the stack's locks whose pulumi does not run any more: one that was killed leaves its lock behind, and nobody
// else works on this state. It gives the process that holds one and lives, or 0: what is pending in the state is that one's.
func (e *Engine) releaseLocks() (running int, err error) {
	folder, err := home.Path("state", ".pulumi", "locks", "organization", "alphapulse", e.stack)
	if err != nil {
		return 0, err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
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
		if syscall.Kill(lock.PID, 0) == nil {
			running = lock.PID
			continue
		}
		fmt.Printf("an earlier pulumi (process %d) was killed; its lock on stack %s is removed\n", lock.PID, e.stack)
		if err := os.Remove(path); err != nil {
			return 0, err
		}
	}
	return running, nil
}
