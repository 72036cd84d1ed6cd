// Package inventory is what the stand-in cloud holds, apart from Pulumi's state: one readable file for each thing that exists,
// so that orphans, drift and lost resources can be seen, and made, by hand.
package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"github.com/alphapulse/infrastructure/local/home"
)

// Record is one thing that exists in the cloud. Type is Pulumi's token ("aws:ec2/vpc:Vpc"). Inputs are what was asked for,
// Outputs all that the cloud answers when it is read: the inputs, and what it adds.
type Record struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Inputs  map[string]any `json:"inputs"`
	Outputs map[string]any `json:"outputs"`
}

// Store holds the records of one account in one region. Global things (IAM) are kept under the region "global".
type Store struct{ dir string }

// Open gives the store of an account and region; nothing is made until the first Put.
func Open(account, region string) (*Store, error) {
	dir, err := home.Path("cloud", account, region)
	if err != nil {
		return nil, err
	}
	return &Store{dir: dir}, nil
}

// Put writes a record, whole or not at all. In the file an output that only repeats its input is left out: whoever edits a value by
// hand finds it in one place.
func (s *Store) Put(r Record) error {
	outputs := map[string]any{}
	for key, value := range r.Outputs {
		if input, ok := r.Inputs[key]; !ok || !sameJSON(input, value) {
			outputs[key] = value
		}
	}
	r.Outputs = outputs
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s %s: %w", r.Type, r.ID, err)
	}
	path := s.file(r.Type, r.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := path + fmt.Sprintf(".%d.tmp", os.Getpid())
	if err := os.WriteFile(temporary, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Get reads one record; ok is false when the cloud has no such thing.
func (s *Store) Get(typ, id string) (r Record, ok bool, err error) {
	r, err = read(s.file(typ, id))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	return r, err == nil, err
}

// Delete removes a record; removing what is gone is no error, as in every cloud API.
func (s *Store) Delete(typ, id string) error {
	err := os.Remove(s.file(typ, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// List gives the records of one type, or all of them for "", by type and ID.
func (s *Store) List(typ string) ([]Record, error) {
	if typ == "" {
		return list(s.dir, "")
	}
	return list(filepath.Join(s.dir, escape(typ)), typ) // and nothing else is read: some ask every second
}

// Lock keeps all other processes of the local engine from what the name stands for, until it is unlocked.
func (s *Store) Lock(name string) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(s.dir, escape(name)+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return func() { file.Close() }, nil
}

// Account gives every record of an account in all its regions, or of all accounts for "".
func Account(account string) ([]Record, error) {
	dir, err := home.Path("cloud", account)
	if err != nil {
		return nil, err
	}
	return list(dir, "")
}

func (s *Store) file(typ, id string) string {
	return filepath.Join(s.dir, escape(typ), escape(id)+".json")
}

// escape makes a name fit for a file and keeps it readable: "aws:ec2/vpc:Vpc" is kept as "aws.ec2.vpc.Vpc".
func escape(name string) string { return strings.NewReplacer("/", ".", ":", ".").Replace(name) }

func list(dir, typ string) ([]Record, error) {
	var records []Record
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		r, err := read(path)
		if errors.Is(err, fs.ErrNotExist) { // deleted by another plugin meanwhile
			return nil
		}
		if err == nil && (typ == "" || r.Type == typ) {
			records = append(records, r)
		}
		return err
	})
	sort.Slice(records, func(i, j int) bool {
		a, b := records[i], records[j]
		return a.Type < b.Type || a.Type == b.Type && a.ID < b.ID
	})
	return records, err
}

func read(path string) (Record, error) {
	var r Record
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading %s: %w", path, err)
	}
	if r.Outputs == nil {
		r.Outputs = map[string]any{}
	}
	for key, value := range r.Inputs {
		if _, ok := r.Outputs[key]; !ok {
			r.Outputs[key] = value
		}
	}
	return r, nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
