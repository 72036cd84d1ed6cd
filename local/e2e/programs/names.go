package programs

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names are what a test's programs get from DNS: a file in the place of /etc/hosts that only they see. It may change while they run, as the
// addresses behind a headless Service do. A name that is not in it is not there: no name server is asked.
type Names struct{ path, servers string }

// NewNames knows localhost.
func NewNames(t *testing.T) *Names {
	t.Helper()
	folder := t.TempDir()
	n := &Names{filepath.Join(folder, "hosts"), filepath.Join(folder, "resolv.conf")}
	require.NoError(t, os.WriteFile(n.servers, []byte("nameserver 127.255.255.254\noptions timeout:1 attempts:1\n"), 0o644)) // nobody listens there
	n.Set(t, nil)
	return n
}

// Ask has programs ask a name server for the names that are not in the file; some never look into the file.
func (n *Names) Ask(t *testing.T, server string) {
	t.Helper()
	require.NoError(t, os.WriteFile(n.servers, []byte("nameserver "+server+"\noptions timeout:1 attempts:1\n"), 0o644))
}

// Set says which addresses stand behind each name, and forgets what was said before. The file stays the same, since programs have it mounted, and
// is never empty, since they may read it at any time: what is left of a longer text is overwritten with empty lines.
func (n *Names) Set(t *testing.T, addresses map[string][]string) {
	t.Helper()
	text := "127.0.0.1 localhost\n"
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		for _, address := range addresses[name] {
			text += fmt.Sprintln(address, name)
		}
	}
	file, err := os.OpenFile(n.path, os.O_WRONLY|os.O_CREATE, 0o644)
	require.NoError(t, err)
	defer file.Close()
	before, err := file.Stat()
	require.NoError(t, err)
	_, err = file.WriteString(text + strings.Repeat("\n", max(0, int(before.Size())-len(text))))
	require.NoError(t, err)
}

// resolve is the command line that runs another one with these names.
func (n *Names) resolve(args []string) []string {
	return mounted(n.path, "/etc/hosts", mounted(n.servers, "/etc/resolv.conf", args))
}

// mounted is the command line that runs another one with a file or folder in the place of one that is there. Only the process and its
// children see the mount.
func mounted(from, at string, args []string) []string {
	return append([]string{"sh", "-c", `from=$0 at=$1; shift; mount --bind "$from" "$at" && exec "$@"`, from, at}, args...)
}

// AddressesIn gives n addresses, ten at most, of the loopback range 127.<network>.<block>.0/24, for pods of their own each. A later block has new
// ones, and so has another run of the tests beside this one: programs that meet by mistake become one cluster.
func AddressesIn(network, block, n int) (addresses []string) {
	for i := range n {
		addresses = append(addresses, fmt.Sprintf("127.%d.%d.%d", network, block, share().number*pods+i+1))
	}
	return addresses
}

// NetworkIn gives the first three numbers of such a range as a whole, to a test whose addresses have to be in networks: 127.<network>.x.0/24.
// There are ten blocks, and each is another one in another run.
func NetworkIn(network, block int) string {
	return fmt.Sprintf("127.%d.%d", network, share().number*pods+block)
}

// pods is how many addresses, or whole ranges, each run has, runs how many can share one.
const pods, runs = 10, 25

// place is which of them a run has. It is taken for as long as the run listens there.
type place struct {
	number int
	taken  net.Listener
}

var share = sync.OnceValue(func() place {
	for number := range runs {
		if taken, err := net.Listen("tcp", fmt.Sprintf("127.60.0.%d:9999", number+1)); err == nil {
			return place{number, taken}
		}
	}
	panic(fmt.Sprintf("%d runs of such tests go on beside this one already", runs))
})

// Has tells whether a text has all of some parts; for conditions that are waited for.
func Has(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}
