package clouds

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC4QueueOfInterruptionsIsAsSQSHasIt(t *testing.T) {
	c := newCloud(t)
	url := c.make("sqs.Queue", "q", props{"name": "interruptions", "messageRetentionSeconds": 300.0})
	assert.Equal(t, "https://sqs.eu-west-1.amazonaws.com/123456789012/interruptions", url)
	queue := c.record(token("sqs.Queue"), url)
	assert.Equal(t, "arn:aws:sqs:eu-west-1:123456789012:interruptions", queue.Outputs["arn"])
	assert.Equal(t, url, queue.Outputs["url"])
	c.refused("sqs.Queue", "", map[string]refusal{
		"the same name":          {props{"name": "interruptions"}, "QueueAlreadyExists"},
		"a FIFO's name":          {props{"name": "interruptions.fifo"}, "must end with .fifo"},
		"a FIFO without its end": {props{"name": "other", "fifoQueue": true}, "must end with .fifo"},
	})
	for say, in := range map[string]props{
		"expected messageRetentionSeconds to be in the range (60 - 1209600), got 5": {"messageRetentionSeconds": 5.0},
		"conflicts with sqsManagedSseEnabled":                                       {"kmsMasterKeyId": "key", "sqsManagedSseEnabled": true},
	} {
		_, reasons := c.check("sqs.Queue", "q", in)
		require.Len(t, reasons, 1)
		assert.Contains(t, reasons[0], say)
	}

	policy := func(resource string) props {
		return props{"queueUrl": url, "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":["` + resource + `"]}]}`}
	}
	c.refused("sqs.QueuePolicy", "", map[string]refusal{
		"of another queue": {policy("arn:aws:sqs:eu-west-1:123456789012:another"), "Invalid value for the parameter Policy"},
		"of no queue":      {props{"queueUrl": "https://sqs.example/none", "policy": "{}"}, "NonExistentQueue"},
	})
	id := c.make("sqs.QueuePolicy", "p", policy("arn:aws:sqs:eu-west-1:123456789012:interruptions"))
	require.NoError(t, c.destroy("sqs.Queue", url))
	_, found, err := c.get(token("sqs.QueuePolicy"), id)
	require.NoError(t, err)
	assert.False(t, found, "the policy goes with its queue")
}

func TestC4RulesAreAsEventBridgeHasThem(t *testing.T) {
	c := newCloud(t)
	for say, in := range map[string]props{
		`one of "eventPattern,scheduleExpression" must be specified`: {},
		`"eventPattern" contains an invalid JSON`:                    {"eventPattern": "source = aws.ec2"},
		"eventPattern.source must be an object or an array":          {"eventPattern": `{"source":"aws.ec2"}`},
		"eventPattern.detail.state must be an object or an array":    {"eventPattern": `{"detail":{"state":"stopped"}}`},
	} {
		_, reasons := c.check("cloudwatch.EventRule", "r", in)
		require.Len(t, reasons, 1, say)
		assert.Contains(t, reasons[0], say)
	}
	rule := c.make("cloudwatch.EventRule", "r", props{"eventPattern": `{"source":["aws.ec2"],"detail":{"state":["stopped"]}}`})
	assert.Equal(t, "arn:aws:events:eu-west-1:123456789012:rule/"+rule, c.record(token("cloudwatch.EventRule"), rule).Outputs["arn"])
	c.refused("cloudwatch.EventTarget", "", map[string]refusal{
		"of no rule": {props{"rule": "none", "arn": "arn:aws:sqs:eu-west-1:123456789012:q"}, "ResourceNotFoundException"},
	})
	target := c.make("cloudwatch.EventTarget", "t", props{"rule": rule, "arn": "arn:aws:sqs:eu-west-1:123456789012:q"})
	assert.ErrorContains(t, c.destroy("cloudwatch.EventRule", rule), "Rule can't be deleted since it has targets")
	require.NoError(t, c.destroy("cloudwatch.EventTarget", target))
	require.NoError(t, c.destroy("cloudwatch.EventRule", rule))
}
