package rules

import (
	"context"
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/recorder"
)

// The recorder's engine runs no transforms, so that the guard is called by hand. What the real engine makes of its answers is shown by
// local/e2e/rules.
func judge(ctx *pulumi.Context, props ...pulumi.Map) (answers []*pulumi.ResourceTransformResult) {
	g := newGuard(ctx)
	for _, p := range props {
		answers = append(answers, g.check(context.Background(), &pulumi.ResourceTransformArgs{Custom: true, Type: kmsKey, Name: "data", Props: p}))
	}
	return answers
}

func TestS4PreviewGoesOnAndFailsAtItsEnd(t *testing.T) {
	var answers []*pulumi.ResourceTransformResult
	run, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		answers = judge(ctx, pulumi.Map{}, pulumi.Map{}, pulumi.Map{"enableKeyRotation": pulumi.Bool(true)})
		return nil
	})
	require.ErrorContains(t, err, "resources break rules, each is named above")
	assert.Equal(t, []*pulumi.ResourceTransformResult{nil, nil, nil}, answers, "what comes after it is planned and checked as well")
	assert.Empty(t, run.Resources, "the refusal itself is no resource")
}

func TestS4UpdateMakesNothingThatBreaksARule(t *testing.T) {
	var answers []*pulumi.ResourceTransformResult
	recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		answers = judge(ctx, pulumi.Map{}, pulumi.Map{"enableKeyRotation": pulumi.Bool(true)})
		return nil
	})
	require.NotNil(t, answers[0])
	_, err := plain(t.Context(), answers[0].Props)
	require.ErrorContains(t, err, "aws:kms/key:Key data breaks a rule and was not made")
	assert.Nil(t, answers[1], "what keeps the rules stays as it is")
}

func TestS4WhatCannotBeReadIsRefused(t *testing.T) {
	_, err := recorder.Try(recorder.Preview, func(ctx *pulumi.Context) error {
		broken, _, reject := ctx.NewOutput()
		reject(errors.New("lost"))
		answers := judge(ctx, pulumi.Map{"enableKeyRotation": pulumi.Bool(true), "tags": pulumi.Map{"a": broken}})
		assert.Nil(t, answers[0])
		return nil
	})
	assert.ErrorContains(t, err, "resources break rules")
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
