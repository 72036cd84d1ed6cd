package clouds

import (
	"fmt"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

var sqsTypes = []Type{
	{Name: "sqs.Queue", ID: "https://sqs.{region}.amazonaws.com/{account}/{name}", Unique: "QueueAlreadyExists name", check: checkQueue, admit: admitQueue,
		Props: `name@* fifoQueue*=false delaySeconds=0 maxMessageSize=262144 messageRetentionSeconds=345600 receiveWaitTimeSeconds=0
			visibilityTimeoutSeconds=30 kmsMasterKeyId~kms.Key kmsDataKeyReusePeriodSeconds=300 sqsManagedSseEnabled tags{}`,
		Out: `url={id} arn=arn:aws:sqs:{region}:{account}:{name} sqsManagedSseEnabled=true`},
	{Name: "sqs.QueuePolicy", ID: "{queueUrl}", check: checkPolicies, admit: admitQueuePolicy, Props: `queueUrl!*^sqs.Queue policy!`},
}

// checkQueue has the bounds of SetQueueAttributes, as the provider checks them in a preview.
func checkQueue(in map[string]any) error {
	for property, bounds := range map[string][2]float64{
		"delaySeconds": {0, 900}, "messageRetentionSeconds": {60, 1209600}, "receiveWaitTimeSeconds": {0, 20}, "visibilityTimeoutSeconds": {0, 43200},
	} {
		if n, ok := in[property].(float64); ok && (n < bounds[0] || n > bounds[1]) {
			return fmt.Errorf("expected %s to be in the range (%.0f - %.0f), got %v", property, bounds[0], bounds[1], n)
		}
	}
	if key, _ := in["kmsMasterKeyId"].(string); key != "" && in["sqsManagedSseEnabled"] == true {
		return fmt.Errorf(`"kmsMasterKeyId": conflicts with sqsManagedSseEnabled`)
	}
	return nil
}

// admitQueue refuses a first-in-first-out queue without, and another one with, the ending of their names.
func admitQueue(_ *Provider, r *inventory.Record) error {
	if name := str(r.Inputs["name"]); strings.HasSuffix(name, ".fifo") != (r.Inputs["fifoQueue"] == true) {
		return apiError("InvalidParameterValue", "The name of a FIFO queue, and of no other, must end with .fifo: %s", name)
	}
	return nil
}

// admitQueuePolicy refuses a policy that is about something else than its queue.
func admitQueuePolicy(p *Provider, r *inventory.Record) error {
	queue, _, err := p.find("sqs.Queue", str(r.Inputs["queueUrl"]))
	if err != nil {
		return err
	}
	if !strings.Contains(str(r.Inputs["policy"]), `"`+str(queue.Outputs["arn"])+`"`) {
		return apiError("InvalidAttributeValue", "Invalid value for the parameter Policy: it does not name %s", str(queue.Outputs["arn"]))
	}
	return nil
}
