// Package config turns stack config into plain, validated Go values (E1). Everything that differs between environments is here;
// every problem is found before the first resource is registered, and all are reported at once.
package config

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Namespace is the prefix of our keys in Pulumi.<stack>.yaml; it is the project's name.
const Namespace = "alphapulse"

// Platform is one environment, as its stack file describes it.
type Platform struct {
	// Environment names everything: the namespace alphapulse-<environment>, the cluster, the secrets' paths. It is the stack's name.
	Environment string `json:"environment"`
	// Protect guards what holds data, or what other people depend on, against deletion.
	Protect   bool      `json:"protect"`
	AWS       AWS       `json:"aws"`
	Network   Network   `json:"network"`
	Cluster   Cluster   `json:"cluster"`
	Data      Data      `json:"data"`
	Workloads Workloads `json:"workloads"`
	// Observability is what watches all of it.
	Observability Observability `json:"observability"`
	Ingress       Ingress       `json:"ingress"`
	Edge          Edge          `json:"edge"`
	// Guardrails are exceptions from the rules of package rules.
	Guardrails Guardrails `json:"guardrails"`
}

// switches decide whether data is kept. Left out they would be off, and nobody had said so.
var switches = []string{"protect", "data.postgres.multiAZ", "data.postgres.replica"}

// Name is the prefix of what is made for the environment.
func (p Platform) Name() string { return Namespace + "-" + p.Environment }

// OfStack is the problem with a stack file that was copied for another stack, and still has the first one's environment: where both share
// an account all names exist already, which AWS says half way through.
func (p Platform) OfStack(stack string) (ps Problems) {
	if p.Environment != stack {
		ps.add("environment", p.Environment, "must be the stack's name, %q: whatever is made is named after it, and the stack %q may have it already", stack, p.Environment)
	}
	return ps.under(Namespace + ":")
}

// FromEnvironment reads the stack's config as the Pulumi engine hands it to the program. The SDK's own accessors read one key
// each, so that a misspelt key would never be seen. The second result are the keys that Pulumi was told are secret.
func FromEnvironment() (raw map[string]string, secret []string, err error) {
	for variable, into := range map[string]any{pulumi.EnvConfig: &raw, pulumi.EnvConfigSecretKeys: &secret} {
		if text := os.Getenv(variable); text != "" {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return nil, nil, fmt.Errorf("reading the stack config from %s: %w", variable, err)
			}
		}
	}
	return raw, secret, nil
}

// Load decodes, defaults and validates; secret are keys known to hold secrets, which no stack config may (S2). The platform is filled as
// far as it could be read, also when there are problems, so that later checks can add theirs to the same report.
func Load(raw map[string]string, secret ...string) (Platform, Problems) {
	var p Platform
	problems := refuseSecrets(raw, secret).Then(decode(raw, &p))
	p.Cluster.setDefaults()
	p.Data.setDefaults(p)
	p.Guardrails.readDays()

	var found Problems
	for _, setting := range switches {
		if absent(raw, setting) {
			found.missing(setting, "true or false")
		}
	}
	if !environmentName.MatchString(p.Environment) {
		found.add("environment", p.Environment, "must be 2 to 16 lower-case letters or digits, beginning with a letter")
	}
	found = append(found, p.AWS.validate().under("aws.")...)
	found = append(found, p.Network.validate(p.AWS.Region).under("network.")...)
	found = append(found, p.Cluster.validate(p.AWS).under("cluster.")...)
	found = append(found, p.Data.validate().under("data.")...)
	found = append(found, p.Workloads.validate(p.Cluster.NodePools).under("workloads.")...)
	found = append(found, p.Observability.validate(p.Cluster.NodePools).under("observability.")...)
	found = append(found, p.Ingress.validate().under("ingress.")...)
	found = append(found, p.Edge.validate().under("edge.")...)
	found = append(found, p.Guardrails.validate().under("guardrails.")...)
	return p, problems.Then(found.under(Namespace + ":"))
}
