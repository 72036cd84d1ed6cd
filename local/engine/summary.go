package engine

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// changes counts what an operation did, or would do, to resources.
type changes map[apitype.OpType]int

// of sums some kinds of change.
func (c changes) of(kinds ...apitype.OpType) (n int) {
	for _, kind := range kinds {
		n += c[kind]
	}
	return n
}

// replaced counts replacements once, however many steps they take.
func (c changes) replaced() int { return c[apitype.OpReplace] }

// total counts all that is not left as it is.
func (c changes) total() (n int) {
	for kind, count := range c {
		if kind != apitype.OpSame && kind != apitype.OpRead && kind != apitype.OpRefresh {
			n += count
		}
	}
	return n
}

// readChanges takes the summary from the log of engine events that pulumi wrote; an operation that failed early has none.
func readChanges(path string) (changes, error) {
	found := changes{}
	err := readEvents(path, func(event apitype.EngineEvent) {
		if event.SummaryEvent != nil {
			found = changes(event.SummaryEvent.ResourceChanges)
		}
	})
	return found, err
}

// readEvents goes through a log of engine events, which may be missing, or end within a line if pulumi was killed.
func readEvents(path string, see func(apitype.EngineEvent)) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20) // one event holds one resource's whole state
	for lines.Scan() {
		var event apitype.EngineEvent
		if json.Unmarshal(lines.Bytes(), &event) == nil {
			see(event)
		}
	}
	return lines.Err()
}

// account is the account that the stack file names.
func (e *Engine) account() (string, error) {
	settings, err := read(e.configFile)
	if err != nil {
		return "", err
	}
	config, _ := settings["config"].(map[string]any)
	aws, _ := config["alphapulse:aws"].(map[string]any)
	switch account := aws["account"].(type) {
	case string:
		return account, nil
	case nil:
		return "", fmt.Errorf("%s names no account: alphapulse:aws.account is required", e.configFile)
	default: // YAML takes digits without quotes for a number, and a leading zero for an octal one
		return "", fmt.Errorf("%s: alphapulse:aws.account: %v: must be 12 digits in quotes", e.configFile, account)
	}
}

// clusters are the names of the EKS clusters in the stack's account that serve.
func (e *Engine) clusters() ([]string, error) {
	account, err := e.account()
	if err != nil {
		return nil, err
	}
	return clustersOf(account)
}

// clustersOf are the names of an account's EKS clusters that serve, or of all accounts' for "".
func clustersOf(account string) ([]string, error) {
	records, err := inventory.Account(account)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, record := range records {
		if record.Type == "aws:eks/cluster:Cluster" && record.Outputs["status"] == "ACTIVE" {
			names = append(names, record.ID)
		}
	}
	slices.Sort(names)
	return names, nil
}

// eventLog is where pulumi writes its events: where the caller wants them, who then has them, or a file for this command.
func eventLog(args []string) (path string, remove func(), err error) {
	for i, arg := range args {
		if given, ok := strings.CutPrefix(arg, eventLogFlag+"="); ok {
			return given, func() {}, nil
		}
		if arg == eventLogFlag && i+1 < len(args) {
			return args[i+1], func() {}, nil
		}
	}
	return temporary("events.json")
}

const eventLogFlag = "--event-log"

// temporary is a path for a file that lives as long as one command.
func temporary(name string) (path string, remove func(), err error) {
	folder, err := os.MkdirTemp("", "alphapulse-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(folder, name), func() { os.RemoveAll(folder) }, nil
}
