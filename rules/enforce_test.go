package rules

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/recorder"
)

// today is the day of every test here.
var today = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// judge shows a guard some keys and has it finish. The recorder's engine runs no transforms, so that the guard is called by hand; what the
// real engine makes of its answers is shown by local/e2e/rules.
func judge(ctx *pulumi.Context, platform config.Platform, props ...pulumi.Map) (answers []*pulumi.ResourceTransformResult, g *guard, err error) {
	g = newGuard(ctx, platform, today)
	for _, p := range props {
		answers = append(answers, g.check(context.Background(), &pulumi.ResourceTransformArgs{Custom: true, Type: kmsKey, Name: "data", Props: p}))
	}
	return answers, g, g.finish()
}

var rotated = pulumi.Map{"enableKeyRotation": pulumi.Bool(true)}

func TestS4PreviewGoesOnAndFailsAtItsEnd(t *testing.T) {
	recorder.Record(t, recorder.Preview, func(ctx *pulumi.Context) error {
		answers, _, err := judge(ctx, config.Platform{}, pulumi.Map{}, pulumi.Map{}, rotated)
		require.ErrorContains(t, err, "resources break rules, each is named above")
		assert.Equal(t, []*pulumi.ResourceTransformResult{nil, nil, nil}, answers, "what comes after it is planned and checked as well")
		return nil
	})
}

func TestS4UpdateMakesNothingThatBreaksARule(t *testing.T) {
	recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		answers, _, err := judge(ctx, config.Platform{}, pulumi.Map{}, rotated)
		require.Error(t, err)
		require.NotNil(t, answers[0])
		_, err = plain(t.Context(), answers[0].Props)
		require.ErrorContains(t, err, "aws:kms/key:Key data breaks a rule and was not made")
		assert.Nil(t, answers[1], "what keeps the rules stays as it is")
		return nil
	})
}

func TestS4WhatCannotBeReadIsRefused(t *testing.T) {
	_, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		broken, _, reject := ctx.NewOutput()
		reject(errors.New("lost"))
		answers, _, err := judge(ctx, config.Platform{}, pulumi.Map{"enableKeyRotation": pulumi.Bool(true), "tags": pulumi.Map{"a": broken}})
		assert.Nil(t, answers[0])
		return err
	})
	assert.ErrorContains(t, err, "resources break rules")
}

func TestS4AKeyIsLeftToTheStacksOwnAccount(t *testing.T) {
	leftTo := func(account string) pulumi.Map {
		return pulumi.Map{"enableKeyRotation": pulumi.Bool(true), "policy": policy.Document(policy.Statement{
			Principal: map[string]any{"AWS": "arn:aws:iam::" + account + ":root"}, Actions: []string{"kms:*"},
		})}
	}
	recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		answers, _, err := judge(ctx, config.Platform{AWS: config.AWS{Account: "222222222222"}}, leftTo("222222222222"), leftTo("999999999999"))
		require.Error(t, err)
		assert.Nil(t, answers[0])
		assert.NotNil(t, answers[1], "another's")
		return nil
	})
}

func TestS4WhatIsMissingIsSaidAtTheEnd(t *testing.T) {
	_, err := recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		g := newGuard(ctx, config.Platform{}, today)
		answer := g.check(context.Background(), &pulumi.ResourceTransformArgs{Type: bucket, Name: "open", Props: pulumi.Map{"bucket": pulumi.String("b")}})
		assert.Nil(t, answer, "by itself nothing is wrong with it")
		return g.finish()
	})
	assert.ErrorContains(t, err, "resources break rules")
}

func TestS4ExceptionsAreOfOneRuleForSomeResourcesForATime(t *testing.T) {
	exception := config.Exception{Rule: "unprotected", Resource: kmsKey + " data", Reason: "it is a test.", Expires: "2026-11-23"}
	for name, c := range map[string]struct {
		change func(*config.Exception)
		passes bool
	}{
		"on its last day":      {func(*config.Exception) {}, true},
		"with an asterisk":     {func(e *config.Exception) { e.Resource = kmsKey + " d*" }, true},
		"expired":              {func(e *config.Exception) { e.Expires = "2026-11-22" }, false},
		"for another resource": {func(e *config.Exception) { e.Resource = kmsKey + " database" }, false},
		"for another type":     {func(e *config.Exception) { e.Resource = bucket + " data" }, false},
		"from another rule":    {func(e *config.Exception) { e.Rule = "wildcard-action" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			platform := config.Platform{Protect: true, Guardrails: config.Guardrails{Exceptions: []config.Exception{exception}}}
			c.change(&platform.Guardrails.Exceptions[0])
			recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
				answers, g, err := judge(ctx, platform, rotated)
				assert.Equal(t, c.passes, answers[0] == nil)
				assert.Equal(t, c.passes, err == nil)
				assert.Equal(t, c.passes, len(g.excuses.used) == 1)
				for text := range g.said {
					assert.Equal(t, c.passes, strings.HasPrefix(text, "excepted until 2026-11-23 because it is a test: aws:kms/key:Key data: protect false"), text)
				}
				return nil
			})
		})
	}
}

func TestS4NothingIsExceptedFromWhatACloudRefuses(t *testing.T) {
	platform := config.Platform{Guardrails: config.Guardrails{Exceptions: []config.Exception{
		{Rule: "kms-rotation", Resource: kmsKey + " data", Reason: "it is a test", Expires: "2027-01-01"},
	}}}
	recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		_, g, err := judge(ctx, platform, pulumi.Map{})
		require.Error(t, err)
		assert.Equal(t, []string{"alphapulse:guardrails.exceptions: nothing that was looked at breaks kms-rotation in aws:kms/key:Key data: " +
			"take the exception out, unless a chart is not shown yet"}, g.excuses.unused())
		return nil
	})
}

func TestInputsAreReadAsTheEngineSendsThem(t *testing.T) {
	recorder.Record(t, recorder.Preview, func(ctx *pulumi.Context) error {
		known, resolve, _ := ctx.NewOutput()
		resolve(map[string]any{"a": []any{1., nil}})
		got, err := plainMap(ctx.Context(), pulumi.Map{
			"text": pulumi.String("a"), "number": pulumi.Float64(1), "yes": pulumi.Bool(true), "nothing": nil,
			"list":    pulumi.Array{pulumi.String("b"), pulumi.UnsafeUnknownOutput(nil)},
			"output":  known,
			"unknown": pulumi.UnsafeUnknownOutput(nil),
			"secret":  pulumi.ToSecret(pulumi.String("hidden")),
			"file":    pulumi.NewStringAsset("data"),
		})
		require.NoError(t, err)
		assert.Equal(t, map[string]any{
			"text": "a", "number": 1., "yes": true, "nothing": nil,
			"list":    []any{"b", Unknown{}},
			"output":  map[string]any{"a": []any{1., nil}},
			"unknown": Unknown{},
			"secret":  Secret{"hidden"},
			"file":    Unknown{},
		}, got)
		return nil
	})
}
