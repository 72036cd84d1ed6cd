// Package scram makes what PostgreSQL keeps of a password (D4).
package scram

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// iterations are PostgreSQL's own number. The passwords are random, so that guessing them is hopeless after one.
const iterations = 4096

// Verifier is what PostgreSQL stores of a password for SCRAM-SHA-256 (RFC 5803, as in pg_authid): enough to check it, not to log in
// with it. The password is letters and digits, which SASLprep leaves alone; the salt is any text.
func Verifier(password, salt string) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, []byte(salt), iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("deriving the verifier of a password: %w", err)
	}
	stored, text := sha256.Sum256(keyed(salted, "Client Key")), base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text([]byte(salt)), text(stored[:]), text(keyed(salted, "Server Key"))), nil
}

func keyed(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
