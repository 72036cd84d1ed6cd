package security

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documented is the part of docs/secrets.md that follows from the table, for the environment `<environment>`.
func documented() string {
	var out strings.Builder
	fmt.Fprint(&out, "| Secret | namespace | from | who knows the value | who reads it |\n|---|---|---|---|---|\n")
	for _, s := range secretTable {
		namespace := string(s.space)
		if s.space == InPlatform {
			namespace = "alphapulse-&lt;environment&gt;"
		}
		knows := map[origin]string{fromData: "nobody: generated with the database", generated: "nobody: generated", byPerson: "**a person**"}[s.origin]
		fmt.Fprintf(&out, "| `%s` | %s | `%s` | %s | %s |\n", s.name, namespace, strings.Join(s.paths(), "`, `"), knows, s.readers)
	}
	for _, s := range secretTable {
		if s.origin != byPerson {
			continue
		}
		fmt.Fprintf(&out, "\n### %s\n\nFor %s: %s. While it is missing, %s.\n\n```\n%s\n```\n\nwith `%s.json` (all keys, the names as they are):\n\n```json\n%s\n```\n",
			s.name, s.readers, s.value, s.missing, s.command("<environment>"), strings.ReplaceAll(s.path, "/", "-"), s.shape())
	}
	return out.String()
}

func TestS2EverySecretIsDocumentedWithItsCommand(t *testing.T) {
	text, err := os.ReadFile("../" + SecretsGuide)
	require.NoError(t, err)
	assert.Contains(t, string(text), documented(), "what the table says is not what the document says")
}

func TestS2EveryRowOfAPersonSaysWhatItIsAndHowItShows(t *testing.T) {
	for _, s := range secretTable {
		assert.NotEmpty(t, s.readers, s.name)
		assert.Equal(t, s.origin == byPerson, s.value != "" && s.missing != "", s.name)
		assert.Equal(t, s.origin == generated && s.space == InPlatform, s.url != "" || s.template["url"] != "", s.name)
	}
}
