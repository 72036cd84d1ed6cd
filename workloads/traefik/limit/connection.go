package limit

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// connection speaks Redis's protocol, as much of it as one script needs.
type connection struct {
	wire net.Conn
	in   *bufio.Reader
}

// reply is a number (kind ':'), a line ('+') or an error of Redis's ('-').
type reply struct {
	kind   byte
	number int64
	text   string
}

// useful tells an answer, or where to get it, from what somebody has to look after.
func (r reply) useful() bool { return r.kind == ':' || strings.HasPrefix(r.text, "MOVED ") }

// connect dials and logs in. The password is read each time: the kubelet brings a new one into the file.
func connect(address, passwordFile string, deadline time.Time) (*connection, error) {
	wire, err := net.DialTimeout("tcp", address, time.Until(deadline))
	if err != nil {
		return nil, err
	}
	c := &connection{wire: wire, in: bufio.NewReader(wire)}
	if passwordFile == "" {
		return c, nil
	}
	password, err := os.ReadFile(passwordFile)
	if err != nil {
		c.close()
		return nil, err
	}
	answer, err := c.ask(deadline, []string{"AUTH", strings.TrimSpace(string(password))})
	if err == nil && answer.kind == '-' {
		err = errors.New(answer.text)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) ask(deadline time.Time, command []string) (reply, error) {
	if err := c.wire.SetDeadline(deadline); err != nil {
		return reply{}, err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "*%d\r\n", len(command))
	for _, word := range command {
		fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := c.wire.Write([]byte(text.String())); err != nil {
		return reply{}, err
	}
	line, err := c.in.ReadString('\n')
	if err != nil {
		return reply{}, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return reply{}, errors.New("an empty answer")
	}
	answer := reply{kind: line[0], text: line[1:]}
	switch answer.kind {
	case '+', '-':
		return answer, nil
	case ':':
		answer.number, err = strconv.ParseInt(answer.text, 10, 64)
		return answer, err
	}
	return reply{}, fmt.Errorf("an answer that was not asked for: %s", line)
}

func (c *connection) close() { _ = c.wire.Close() }
