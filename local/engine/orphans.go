package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

// importFile is what `pulumi import --file` reads: names for URNs, and resources that refer to them.
type importFile struct {
	Names     map[string]string `json:"nameTable"`
	Resources []importEntry     `json:"resources"`
}

type importEntry struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	ID       string `json:"id"`
	Parent   string `json:"parent,omitempty"`
	Provider string `json:"provider,omitempty"`
}

// orphans lists what was made but is in no stack's state, each with a way out, and counts them. Which resource an orphan was to be is
// known of creations that failed in this run: those have an import file written for them, since their parents and providers would make
// a long command.
func (e *Engine) orphans(events string) (int, error) {
	now, err := e.state()
	if errors.Is(err, fs.ErrNotExist) { // it failed before there was one
		return 0, nil
	}
	if err != nil || slices.ContainsFunc(now.Pending, operation.isCreate) {
		return 0, err // a killed run: what it was making is looked for by the next one
	}
	left, err := e.unclaimed()
	if err != nil || len(left) == 0 {
		return 0, err
	}
	failed, err := failedCreates(events)
	if err != nil {
		return 0, err
	}
	command := "make pulumi"
	if e.stack != "local" {
		command += " STACK=" + e.stack
	}
	for _, record := range left {
		name, adopt := "", fmt.Sprintf(`%s ARGS="import %s NAME %s"`, command, record.Type, record.ID)
		i := slices.IndexFunc(failed, func(r resource) bool { return r.Type == record.Type && answers(record, r.Inputs) })
		if i >= 0 {
			file, err := e.writeImport(failed[i], record)
			if err != nil {
				return 0, err
			}
			name = " " + failed[i].name()
			adopt = fmt.Sprintf(`%s ARGS="import --yes --protect=false --generate-code=false --file %s"`, command, file)
			failed = slices.Delete(failed, i, i+1)
		}
		fmt.Printf("orphan: %s%s %s, made but not in Pulumi's state: adopt it with `%s` or delete it\n", record.Type, name, record.ID, adopt)
	}
	return len(left), nil
}

// failedCreates are the resources whose creation failed, as far as pulumi knows.
func failedCreates(events string) ([]resource, error) {
	var failed []resource
	err := readEvents(events, func(event apitype.EngineEvent) {
		if event.ResOpFailedEvent == nil || event.ResOpFailedEvent.Metadata.New == nil {
			return
		}
		if made := event.ResOpFailedEvent.Metadata.New; made.ID == "" {
			failed = append(failed, resource{URN: made.URN, Type: made.Type, Parent: made.Parent, Provider: made.Provider, Inputs: made.Inputs})
		}
	})
	return failed, err
}

// writeImport writes the import file of one orphan and gives its path.
func (e *Engine) writeImport(r resource, record inventory.Record) (string, error) {
	file := importFile{Names: map[string]string{}, Resources: []importEntry{{Type: r.Type, Name: r.name(), ID: record.ID}}}
	if r.Parent != "" && !strings.Contains(r.Parent, "pulumi:pulumi:Stack") {
		file.Names["parent"], file.Resources[0].Parent = r.Parent, "parent"
	}
	if i := strings.LastIndex(r.Provider, "::"); i >= 0 { // a reference: the provider's URN and its ID
		file.Names["provider"], file.Resources[0].Provider = r.Provider[:i], "provider"
	}
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return "", err
	}
	path, err := home.Path("project", "import-"+r.Type[strings.LastIndex(r.Type, ":")+1:]+"-"+r.name()+".json")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", err
	}
	if inside, err := filepath.Rel(e.root, path); err == nil && filepath.IsLocal(inside) {
		path = inside // pulumi runs in the project's folder
	}
	return path, nil
}
