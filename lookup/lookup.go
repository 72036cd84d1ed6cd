// Package lookup reads what a provider answers when it is asked for something that may not exist.
package lookup

import "strings"

// Missing says that there is no such thing. Pulumi's AWS provider has no code for it, only these words.
func Missing(err error) bool {
	if err == nil {
		return false
	}
	for _, words := range []string{"couldn't find resource", "no matching RDS DB Instance found", "Secrets Manager can't find the specified secret"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
