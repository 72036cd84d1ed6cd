package generators

import (
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

func TestS2PasswordsAreRandomAndSecret(t *testing.T) {
	resp, err := try(t, password, props{"length": 32.0})
	require.NoError(t, err)
	assert.Equal(t, "none", string(resp.ID))
	assert.True(t, resp.Properties["result"].IsSecret())
	assert.True(t, resp.Properties["bcryptHash"].IsSecret())
	out := plain(resp.Properties)
	assert.Len(t, out.text("result"), 32)
	assert.NoError(t, bcrypt.CompareHashAndPassword([]byte(out.text("bcryptHash")), []byte(out.text("result"))))
	_, again := made(t, password, props{"length": 32.0})
	assert.NotEqual(t, out.text("result"), again.text("result"))
	_, long := made(t, password, props{"length": 100.0})
	assert.NoError(t, bcrypt.CompareHashAndPassword([]byte(long.text("bcryptHash")), []byte(long.text("result"))[:72]))
}

func TestStringsHoldTheirRules(t *testing.T) {
	count := func(text, characters string) (n int) {
		for _, c := range text {
			n += strings.Count(characters, string(c))
		}
		return n
	}
	const str = "random:index/randomString:RandomString"
	digitFirst := 0
	for range 50 {
		id, out := made(t, str, props{"length": 12.0, "upper": false, "minNumeric": 3.0, "minSpecial": 2.0, "overrideSpecial": "-."})
		text := out.text("result")
		assert.Equal(t, id, text)
		assert.Len(t, text, 12)
		assert.GreaterOrEqual(t, count(text, "0123456789"), 3)
		assert.GreaterOrEqual(t, count(text, "-."), 2)
		assert.Equal(t, 12, count(text, "abcdefghijklmnopqrstuvwxyz0123456789-."), text)
		digitFirst += count(text[:1], "0123456789")
	}
	assert.Less(t, digitFirst, 50, "the least numbers are not always in front")
	_, out := made(t, str, props{"length": 4.0, "lower": false, "upper": false, "special": false})
	assert.Equal(t, 4, count(out.text("result"), "0123456789"))
	assert.True(t, out.flag("number"))
}

func TestIDsAreOneNumberInManyForms(t *testing.T) {
	const typ = "random:index/randomId:RandomId"
	id, out := made(t, typ, props{"byteLength": 8.0, "prefix": "db-"})
	bytes, err := base64.RawURLEncoding.DecodeString(id)
	require.NoError(t, err)
	assert.Len(t, bytes, 8)
	assert.Equal(t, "db-"+id, out.text("b64Url"))
	assert.Equal(t, "db-"+base64.StdEncoding.EncodeToString(bytes), out.text("b64Std"))
	assert.Equal(t, "db-"+hex.EncodeToString(bytes), out.text("hex"))
	assert.Equal(t, "db-"+new(big.Int).SetBytes(bytes).String(), out.text("dec"))
}
