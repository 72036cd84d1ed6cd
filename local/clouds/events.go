package clouds

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// EventBridge, under the names of pulumi-aws.
var eventTypes = []Type{
	{Name: "cloudwatch.EventRule", ID: "{name}", Unique: "ResourceAlreadyExistsException name", check: checkRule, delete: keepRuleWithTargets,
		Props: `name@* description eventPattern scheduleExpression eventBusName*=default state=ENABLED forceDestroy=false tags{}`,
		Out:   `arn=arn:aws:events:{region}:{account}:rule/{name}`},
	{Name: "cloudwatch.EventTarget", ID: "{rule}-{targetId}", Unique: "ResourceAlreadyExistsException rule targetId",
		Props: `targetId@* rule!*~cloudwatch.EventRule arn! eventBusName*=default forceDestroy=false`},
}

// checkRule: a rule has a pattern or a schedule, and a pattern compares with lists.
func checkRule(in map[string]any) error {
	if in["eventPattern"] == nil && in["scheduleExpression"] == nil {
		return fmt.Errorf(`one of "eventPattern,scheduleExpression" must be specified`)
	}
	text, known := in["eventPattern"].(string)
	if !known {
		return nil
	}
	var pattern map[string]any
	if err := json.Unmarshal([]byte(text), &pattern); err != nil {
		return fmt.Errorf(`"eventPattern" contains an invalid JSON: %w`, err)
	}
	return lists("eventPattern", pattern)
}

func lists(path string, pattern map[string]any) error {
	for key, value := range pattern {
		switch value := value.(type) {
		case []any:
		case map[string]any:
			if err := lists(path+"."+key, value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("InvalidEventPatternException: Event pattern is not valid: %s.%s must be an object or an array", path, key)
		}
	}
	return nil
}

// keepRuleWithTargets: EventBridge deletes no rule that still sends somewhere.
func keepRuleWithTargets(_ context.Context, p *Provider, r inventory.Record) error {
	targets, err := p.all(token("cloudwatch.EventTarget"))
	for _, target := range targets {
		if target.Inputs["rule"] == r.ID {
			return apiError("ValidationException", "Rule can't be deleted since it has targets: %s", r.ID)
		}
	}
	return err
}
