package limit

import (
	"net"
	"net/http"
	"strings"
)

// clientOf is who sent a request: the last entry of X-Forwarded-For, which Cloudflare writes. From anybody else Traefik has thrown the header
// away, and the caller's own address counts. What stands before the last entry is the client's word, on whichever line, and an entry that is
// one of Cloudflare's own addresses is a client there: it is not skipped. A client on IPv6 has a whole /64.
func clientOf(r *http.Request) string {
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	last := strings.TrimSpace(entries[len(entries)-1])
	if last == "" {
		last = r.RemoteAddr
		if host, _, err := net.SplitHostPort(last); err == nil {
			last = host
		}
	}
	address := net.ParseIP(last)
	if address == nil {
		return "unknown"
	}
	if four := address.To4(); four != nil {
		return four.String()
	}
	return address.Mask(net.CIDRMask(64, 128)).String()
}
