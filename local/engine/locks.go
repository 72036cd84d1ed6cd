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
// else works on this state.
func (e *Engine) releaseLocks() error {
	folder, err := home.Path("state", ".pulumi", "locks", "organization", "alphapulse", e.stack)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // given back meanwhile
			continue
		}
		if err != nil {
			return err
		}
		var lock struct {
			PID int `json:"pid"`
		}
		if err := json.Unmarshal(data, &lock); err != nil {
			return fmt.Errorf("reading the lock %s: %w", path, err)
		}
		if syscall.Kill(lock.PID, 0) == nil {
			continue // it lives; pulumi will say so
		}
		fmt.Printf("an earlier pulumi (process %d) was killed; its lock on stack %s is removed\n", lock.PID, e.stack)
		if err := os.Remove(path); err != nil {
			return err
		}
		_ = os.Remove(path + ".attrs") // its attributes; without it they mean nothing
	}
	return nil
}
