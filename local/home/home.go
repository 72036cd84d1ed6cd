// Package home knows where the local engine keeps its things. The command line sets the folders unless its
// caller has; the plugins that the Pulumi engine starts inherit all of them.
package home

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	// DirVariable names the folder that holds everything the local engine makes: Pulumi's home and state, the inventory, the
	// control planes.
	DirVariable = "ALPHAPULSE_HOME"
	// ToolsVariable names the folder with the pinned programs.
	ToolsVariable = "ALPHAPULSE_TOOLS"
	// StateVariable says StateAtEnd for runs that nobody will have to recover: Pulumi writes its state once, and not after every step.
	StateVariable = "ALPHAPULSE_STATE"
	// StateAtEnd is its one value.
	StateAtEnd = "at-end"
	// EngineVariable names the engine's program for the suites that run it.
	EngineVariable = "ALPHAPULSE_ENGINE"
)

// Path is a path inside the local engine's folder.
func Path(elem ...string) (string, error) { return under(DirVariable, elem...) }

// Tool is the path of a pinned program.
func Tool(name string) (string, error) { return under(ToolsVariable, name) }

func under(variable string, elem ...string) (string, error) {
	dir := os.Getenv(variable)
	if dir == "" {
		return "", fmt.Errorf("%s is not set: this program is started by the local engine, see `make help`", variable)
	}
	return filepath.Join(append([]string{dir}, elem...)...), nil
}
