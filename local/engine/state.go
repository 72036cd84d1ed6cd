package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/alphapulse/infrastructure/local/home"
)

// resource is what we read of one resource in the state.
type resource struct {
	URN      string         `json:"urn"`
	Type     string         `json:"type"`
	ID       string         `json:"id"`
	Custom   bool           `json:"custom"` // unlike a component, it is something of its own
	Protect  bool           `json:"protect"`
	Delete   bool           `json:"delete"`
	Parent   string         `json:"parent"`
	Provider string         `json:"provider"`
	Inputs   map[string]any `json:"inputs"`
	Outputs  map[string]any `json:"outputs"`
}

func (r resource) name() string { return nameOf(r.URN) }

func nameOf(urn string) string { return urn[strings.LastIndex(urn, "::")+2:] }

// operation is a step that pulumi had begun when the state was written.
type operation struct {
	Resource resource              `json:"resource"`
	Type     apitype.OperationType `json:"type"`
}

func (o operation) isCreate() bool { return o.Type == apitype.OperationTypeCreating }

// state is what we read of a stack's checkpoint.
type state struct {
	Resources []resource  `json:"resources"`
	Pending   []operation `json:"pending_operations"`
}

// checkpoint is the path of a stack's state in the local backend.
func checkpoint(stack string) (string, error) {
	return home.Path("state", ".pulumi", "stacks", "alphapulse", stack+".json")
}

func readState(path string) (state, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return state{}, err
	}
	var file struct {
		Checkpoint struct {
			Latest state `json:"latest"`
		} `json:"checkpoint"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return state{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return file.Checkpoint.Latest, nil
}

func (e *Engine) state() (state, error) {
	path, err := checkpoint(e.stack)
	if err != nil {
		return state{}, err
	}
	return readState(path)
}

// resources reads the stack's state, as it stands in the local backend.
func (e *Engine) resources() ([]resource, error) {
	s, err := e.state()
	return s.Resources, err
}

// mendCheckpoint repairs what was written by half, as in a power cut: a state that cannot be read is replaced by its backup. What was made
// since then shows as an orphan.
func (e *Engine) mendCheckpoint() error {
	path, err := checkpoint(e.stack)
	if err != nil {
		return err
	}
	backup := path + ".bak"
	_, broken := readState(path)
	if broken == nil || errors.Is(broken, fs.ErrNotExist) {
		return nil
	}
	if _, err := readState(backup); err != nil {
		return fmt.Errorf("%w; its backup is no better: %w", broken, err)
	}
	fmt.Fprintf(os.Stderr, "the state of stack %s cannot be read (%v); its backup takes its place\n", e.stack, broken)
	data, err := os.ReadFile(backup)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// thing is what tells one record from every other.
type thing struct{ typ, id string }

// known are the things in the state of any stack of this engine: stacks may share an account, and all share Cloudflare's.
func known() (map[thing]bool, error) {
	pattern, err := checkpoint("*")
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	things := map[thing]bool{}
	for _, path := range paths {
		s, err := readState(path)
		if err != nil {
			return nil, err
		}
		for _, r := range s.Resources {
			things[thing{r.Type, r.ID}] = true
		}
	}
	return things, nil
}
