package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/alphapulse/infrastructure/local/home"
)

// number is the place of a call among all of the operation, and among those for its resource type.
type number struct{ all, ofType int }

// total is the counter's key for the calls of every type.
const total = ""

// Reset begins a new count: the first call of the operation that follows is number 1.
func Reset() error {
	_, err := count(func(calls map[string]int) { clear(calls) })
	return err
}

// next counts one call, over all plugin processes of the operation.
func next(typ string) (number, error) {
	calls, err := count(func(calls map[string]int) {
		calls[total]++
		calls[typ]++
	})
	return number{all: calls[total], ofType: calls[typ]}, err
}

// count changes the counter, a file that one process at a time may hold.
func count(change func(calls map[string]int)) (map[string]int, error) {
	path, err := home.Path("calls.json")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	calls := map[string]int{}
	// Unreadable are the remains of a plugin that was killed while it wrote.
	if json.Unmarshal(data, &calls) != nil {
		calls = map[string]int{}
	}
	change(calls)
	if data, err = json.Marshal(calls); err != nil {
		return nil, err
	}
	if err := file.Truncate(0); err != nil {
		return nil, err
	}
	_, err = file.WriteAt(data, 0)
	return calls, err
}
