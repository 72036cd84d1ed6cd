package observability

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// network is the cluster's, as Prometheus sees it: pods and nodes of the local engine have addresses that nobody has. It is a proxy that
// answers in their place, and writes down what it was asked.
type network struct {
	address   string
	authority []byte // whose certificates the kubelets show
	// answer gives what is asked for; nil is an exporter with nothing to say.
	answer func(asked *http.Request) string

	signer *x509.Certificate
	key    *ecdsa.PrivateKey

	lock sync.Mutex
	seen map[string]asked // by URL
}

// asked is what came with a question.
type asked struct{ authorization string }

func newNetwork(t *testing.T, address string, answer func(*http.Request) string) *network {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	signer, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	n := &network{
		address: address + ":3128", answer: answer, signer: signer, key: key, seen: map[string]asked{},
		authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}),
	}
	serve(t, n.address, n)
	return n
}

// serve runs an HTTP server until the test ends.
func serve(t *testing.T, address string, handler http.Handler) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		_, _ = io.WriteString(w, n.reply(w.Header(), r))
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	n.speakTLS(conn, r.Host)
}

// speakTLS answers in the place of a host that has a certificate.
func (n *network) speakTLS(conn net.Conn, host string) {
	name, _, _ := net.SplitHostPort(host)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(name)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, n.signer, n.key.Public(), n.key)
	if err != nil {
		return
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: n.key}}, MinVersion: tls.VersionTLS12})
	reader := bufio.NewReader(secure)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		r.URL.Scheme, r.URL.Host = "https", host
		header := http.Header{}
		body := n.reply(header, r)
		response := http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: int64(len(body)), Body: io.NopCloser(stringReader(body)),
		}
		if response.Write(secure) != nil {
			return
		}
	}
}

func (n *network) reply(header http.Header, r *http.Request) string {
	n.lock.Lock()
	n.seen[r.URL.String()] = asked{authorization: r.Header.Get("Authorization")}
	n.lock.Unlock()
	header.Set("Content-Type", "text/plain; version=0.0.4")
	if n.answer == nil {
		return ""
	}
	return n.answer(r)
}

// questions are all that was asked, by address.
func (n *network) questions(t *testing.T) map[*url.URL]asked {
	t.Helper()
	n.lock.Lock()
	defer n.lock.Unlock()
	all := map[*url.URL]asked{}
	for text, a := range n.seen {
		parsed, err := url.Parse(text)
		require.NoError(t, err)
		all[parsed] = a
	}
	return all
}

// startNames is a name server that knows one name; Prometheus asks one, and reads no file.
func startNames(t *testing.T, at, name, address string) {
	t.Helper()
	socket, err := net.ListenPacket("udp", at+":53")
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	ip := [4]byte(net.ParseIP(address).To4())
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			switch q := m.Questions[0]; {
			case q.Name.String() != name:
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}, Body: &dnsmessage.AResource{A: ip},
				}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = socket.WriteTo(out, from)
			}
		}
	}()
}
