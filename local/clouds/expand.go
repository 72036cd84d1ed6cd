package clouds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/alphapulse/infrastructure/local/inventory"
)

var placeholder = regexp.MustCompile(`\{([A-Za-z0-9.]+)\}`)

// expand fills in a template of the tables: {account}, {region}, {id}, {now}, {host} of the property url; {hex} (17 digits), {hash} (32),
// {uuid} and {ip} are made from the seed, so that they stay as they are; {vpcId.arn} is an output of the record that the property refers
// to; any other is a property or an output further left.
func (p *Provider) expand(t *Type, template string, r inventory.Record, seed string) (any, error) {
	digest := sha256.Sum256([]byte(seed))
	digits := hex.EncodeToString(digest[:])
	var failure error
	value := func(name string) any {
		switch name {
		case "account":
			return p.account
		case "region":
			return p.region
		case "id":
			return r.ID
		case "host": // of a url
			_, host, _ := strings.Cut(str(r.Inputs["url"]), "://")
			return host
		case "now":
			return time.Now().UTC().Format(time.RFC3339)
		case "hex":
			return digits[:17]
		case "hash":
			return digits[:32]
		case "uuid":
			return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]}, "-")
		case "ip":
			return fmt.Sprintf("198.18.%d.%d", digest[0], digest[1]) // a range that is nobody's (RFC 2544)
		}
		property, output, isRef := strings.Cut(name, ".")
		if !isRef {
			if v := r.Inputs[name]; v != nil {
				return v
			}
			return r.Outputs[name]
		}
		f, ok := lookup(t.fields, property)
		if !ok || f.ref == 0 {
			failure = fmt.Errorf("%s: {%s} needs a property that refers to a record", t.Name, name)
			return ""
		}
		target, _, err := p.find(f.target, str(r.Inputs[property]))
		if err != nil {
			failure = err
		}
		if output == "id" {
			return target.ID
		}
		return target.Outputs[output]
	}
	if m := placeholder.FindStringSubmatch(template); m != nil && m[0] == template {
		return value(m[1]), failure
	}
	if !strings.Contains(template, "{") {
		return literal(template), nil
	}
	text := placeholder.ReplaceAllStringFunc(template, func(m string) string { return fmt.Sprint(value(m[1 : len(m)-1])) })
	return text, failure
}

// outs splits a row's Out into keys, which may lead into an object ("vpcConfig.vpcId"), and templates.
func (t *Type) outs() [][2]string {
	var outs [][2]string
	for _, word := range strings.Fields(t.Out) {
		key, template, _ := strings.Cut(word, "=")
		outs = append(outs, [2]string{key, template})
	}
	return outs
}

// setOutputs gives a record all that the cloud answers: what was asked for, and what the cloud adds. Values of the hooks and of
// the first hour ({now}) stay as they were before.
func (p *Provider) setOutputs(t *Type, r *inventory.Record, before map[string]any) error {
	r.Outputs = clone(r.Inputs).(map[string]any)
	for _, out := range t.outs() {
		key, template := out[0], out[1]
		if at(r.Outputs, key) != nil {
			continue
		}
		if old := at(before, key); old != nil && (template == "?" || strings.Contains(template, "{now}")) {
			set(r.Outputs, key, old)
			continue
		}
		if template == "?" {
			continue
		}
		v, err := p.expand(t, template, *r, r.ID+key)
		if err != nil {
			return err
		}
		if v != nil {
			set(r.Outputs, key, v)
		}
	}
	return nil
}

func at(m map[string]any, path string) any {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return m[head]
	}
	return at(object(m[head]), rest)
}

func set(m map[string]any, path string, v any) {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		m[head] = v
		return
	}
	inner, ok := m[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[head] = inner
	}
	set(inner, rest, v)
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = clone(e)
		}
		return list
	}
	return v
}
