package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Ports of control planes lie below those that the system gives to outgoing connections. kwokctl would take any that is free at the
// moment: two that begin at once would take the same, and one that was stopped would find its own taken when it is started again.
const (
	firstPort = 21000
	lastPort  = 29999

	// A reservation is held without its cluster's folder for as long as making that may take.
	reservationHeld = 5 * time.Minute
)

// reservation is one port in the book that all local engines of this user on this machine share.
type reservation struct {
	Cluster string    `json:"cluster"` // its folder; once that is gone, so is the reservation
	Since   time.Time `json:"since"`
}

// reservePorts gives ports that are a cluster's for as long as its folder exists.
func reservePorts(cluster string, count int) ([]int, error) {
	book := filepath.Join(os.TempDir(), fmt.Sprintf("alphapulse-ports-%d.json", os.Getuid()))
	lock, err := os.OpenFile(book+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("reserving ports: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("reserving ports: %w", err)
	}
	reserved := map[int]reservation{}
	data, err := os.ReadFile(book)
	if err == nil {
		err = json.Unmarshal(data, &reserved)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reserving ports: reading %s, which may be removed when no local engine runs: %w", book, err)
	}
	for port, r := range reserved {
		if _, err := os.Stat(r.Cluster); r.Cluster == cluster || errors.Is(err, fs.ErrNotExist) && time.Since(r.Since) > reservationHeld {
			delete(reserved, port)
		}
	}
	var ports []int
	for port := firstPort; port <= lastPort && len(ports) < count; port++ {
		if _, taken := reserved[port]; taken || !free(port) {
			continue
		}
		reserved[port] = reservation{cluster, time.Now()}
		ports = append(ports, port)
	}
	if len(ports) < count {
		return nil, fmt.Errorf("reserving ports: none is free between %d and %d", firstPort, lastPort)
	}
	if data, err = json.Marshal(reserved); err == nil {
		err = os.WriteFile(book, data, 0o600)
	}
	return ports, err
}

// free tells whether nobody else has the port.
func free(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
