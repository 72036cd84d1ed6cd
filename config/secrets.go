package config

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// Stack config is committed, shown in logs and handed to every program: it holds no secrets (S2). What betrays one is its name, its look,
// or that Pulumi was told so.
var (
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|token|credential|api_?key|access_?key|private_?key)`)
	secretLook = regexp.MustCompile(`://[^/\s:@]+:[^/\s@]+@|\bA(KIA|SIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\b[sr]k_(live|test)_[0-9A-Za-z]{8,}`)
)

const secretRemedy = "is a secret, and stack config holds none: the program generates passwords itself; what only a person has goes into its secret with " +
	"`aws secretsmanager put-secret-value --secret-id /alphapulse/<environment>/<name> --secret-string file://...`, and a provider's token into the " +
	"environment (CLOUDFLARE_API_TOKEN). Remove the key, and change the secret if it was ever committed"

// refuseSecrets finds secrets in the config of every namespace. The report names keys only, never a value.
func refuseSecrets(raw map[string]string, marked []string) (ps Problems) {
	for _, key := range marked {
		ps = append(ps, Problem{Key: key, Want: secretRemedy})
	}
	for _, key := range sortedKeys(raw) {
		var value any = raw[key]
		if json.Unmarshal([]byte(raw[key]), &value) != nil {
			value = raw[key]
		}
		ps = ps.Then(secretsIn(key, key, value))
	}
	return ps
}

// secretsIn looks at one value, and at what is in it. name is the last part of the key.
func secretsIn(key, name string, value any) (ps Problems) {
	if secretName.MatchString(name) {
		return Problems{{Key: key, Want: secretRemedy}}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range sortedKeys(value) {
			ps = append(ps, secretsIn(key+"."+inner, inner, value[inner])...)
		}
	case []any:
		for i, inner := range value {
			ps = append(ps, secretsIn(fmt.Sprintf("%s[%d]", key, i), "", inner)...)
		}
	case string:
		if secretLook.MatchString(value) {
			ps = append(ps, Problem{Key: key, Want: secretRemedy})
		}
	}
	return ps
}
