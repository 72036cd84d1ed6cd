package generators

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"

	"golang.org/x/crypto/bcrypt"
)

// alphabet is a kind of characters: the switch that allows it, and the property that says how many there must be at least.
type alphabet struct{ flag, least, characters string }

var alphabets = []alphabet{
	{"upper", "minUpper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"lower", "minLower", "abcdefghijklmnopqrstuvwxyz"},
	{"numeric", "minNumeric", "0123456789"},
	{"special", "minSpecial", "!@#$%&*()-_=+[]{}<>:?"}, // unless overrideSpecial is given
}

var stringInputs = []input{
	{name: "length", required: true},
	{name: "upper", fallback: true}, {name: "lower", fallback: true}, {name: "numeric", fallback: true}, {name: "special", fallback: true},
	{name: "minUpper", fallback: 0.0}, {name: "minLower", fallback: 0.0}, {name: "minNumeric", fallback: 0.0}, {name: "minSpecial", fallback: 0.0},
	{name: "overrideSpecial"}, {name: "keepers"},
}

var randomTypes = map[string]kind{
	"random:index/randomPassword:RandomPassword": {
		inputs: stringInputs, outputs: []string{"result", "bcryptHash", "number"}, secrets: []string{"result", "bcryptHash"},
		check: checkString, make: makePassword,
	},
	"random:index/randomString:RandomString": {
		inputs: stringInputs, outputs: []string{"result", "number"}, check: checkString, make: makeString,
	},
	"random:index/randomId:RandomId": {
		inputs:  []input{{name: "byteLength", required: true}, {name: "prefix"}, {name: "keepers"}},
		outputs: []string{"b64Std", "b64Url", "hex", "dec"}, check: checkID, make: makeID,
	},
}

func checkString(in values) error {
	if _, known := in["length"].(float64); !known {
		return nil
	}
	least, possible := 0, false
	for _, a := range alphabets {
		if in.number(a.least) < 0 {
			return fmt.Errorf("attribute %s value must be at least 0, got: %d", a.least, in.number(a.least))
		}
		least += in.number(a.least)
		possible = possible || in[a.flag] != false
	}
	switch length := in.number("length"); {
	case length < 1:
		return fmt.Errorf("attribute length value must be at least 1, got: %d", length)
	case length < least:
		return fmt.Errorf("attribute length value must be at least sum of minUpper + minLower + minNumeric + minSpecial, got: %d", length)
	case !possible:
		return fmt.Errorf("at least one attribute out of [special,upper,lower,numeric] must be specified as `true`")
	}
	return nil
}

// makeString gives every kind of characters its least number, fills up from all that are allowed, and shuffles.
func makeString(in values) (string, map[string]any, error) {
	var result []byte
	all := ""
	for _, a := range alphabets {
		if own := in.text("overrideSpecial"); a.flag == "special" && own != "" {
			a.characters = own
		}
		if in.flag(a.flag) {
			all += a.characters
		}
		result = append(result, draw(a.characters, in.number(a.least))...)
	}
	result = append(result, draw(all, in.number("length")-len(result))...)
	for i := len(result) - 1; i > 0; i-- {
		j := below(i + 1)
		result[i], result[j] = result[j], result[i]
	}
	text := string(result)
	return text, map[string]any{"result": text, "number": in.flag("numeric")}, nil // number is what numeric was called before
}

func makePassword(in values) (string, map[string]any, error) {
	text, out, err := makeString(in)
	if err != nil {
		return "", nil, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(text)[:min(72, len(text))], bcrypt.DefaultCost) // all that bcrypt takes
	if err != nil {
		return "", nil, err
	}
	out["bcryptHash"] = string(hash)
	return "none", out, nil // an ID is no secret
}

func draw(characters string, n int) []byte {
	drawn := make([]byte, max(0, n))
	for i := range drawn {
		drawn[i] = characters[below(len(characters))]
	}
	return drawn
}

// below is a random number from 0 to n-1.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the reader of crypto/rand never fails
	}
	return int(i.Int64())
}

func checkID(in values) error {
	if n, known := in["byteLength"].(float64); known && n < 1 {
		return fmt.Errorf("attribute byteLength value must be at least 1, got: %v", n)
	}
	return nil
}

func makeID(in values) (string, map[string]any, error) {
	bytes := make([]byte, in.number("byteLength"))
	if _, err := rand.Read(bytes); err != nil {
		return "", nil, err
	}
	id, prefix := base64.RawURLEncoding.EncodeToString(bytes), in.text("prefix")
	return id, map[string]any{
		"b64Url": prefix + id,
		"b64Std": prefix + base64.StdEncoding.EncodeToString(bytes),
		"hex":    prefix + hex.EncodeToString(bytes),
		"dec":    prefix + new(big.Int).SetBytes(bytes).String(),
	}, nil
}
