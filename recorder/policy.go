package recorder

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Statement is one statement of an IAM policy document. What may be one string or a list of them is a list here.
type Statement struct {
	Sid, Effect      string
	Action, Resource Strings
	Principal        map[string]Strings
	Condition        map[string]map[string]Strings // operator, key, values
}

// Strings are one or more.
type Strings []string

// UnmarshalJSON reads both spellings.
func (l *Strings) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = Strings{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// Statements reads a policy document as it was recorded.
func Statements(t testing.TB, document any) []Statement {
	t.Helper()
	require.IsType(t, "", document, "a policy document")
	var read struct {
		Version   string
		Statement []Statement
	}
	decoder := json.NewDecoder(strings.NewReader(document.(string)))
	decoder.DisallowUnknownFields() // NotAction and the like would pass unseen
	require.NoError(t, decoder.Decode(&read))
	require.Equal(t, "2012-10-17", read.Version, "IAM reads older documents differently")
	return read.Statement
}
