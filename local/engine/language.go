package engine

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/alphapulse/infrastructure/local/home"
)

// languageHost is a launcher of Pulumi's Go language host. Today's CLI sends the options of Pulumi.yaml in a message that the pinned
// host does not read, so that it would link the whole program anew in every run; make has built it already.
func (e *Engine) languageHost(tool string) (string, error) {
	settings, err := read(filepath.Join(e.root, "Pulumi.yaml"))
	if err != nil {
		return "", err
	}
	runtime, _ := settings["runtime"].(map[string]any)
	options, _ := runtime["options"].(map[string]any)
	binary, _ := options["buildTarget"].(string)
	if binary == "" {
		return tool, nil
	}
	path, err := home.Path("bin", filepath.Base(tool))
	if err != nil {
		return "", err
	}
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' -binary '%s' \"$@\"\n", tool, filepath.Join(e.root, binary))
	if now, err := os.ReadFile(path); err == nil && string(now) == script {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, []byte(script), 0o755)
}
