package chart

import (
	"context"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
)

func TestC4DefinitionsLoseTheirProseAndNothingElse(t *testing.T) {
	text := func(s string) pulumi.Input { return pulumi.String(s) }
	schema := func(prose bool) pulumi.Map {
		made := pulumi.Map{
			"type": text("object"),
			"properties": pulumi.Map{
				"description": pulumi.Map{"type": text("string"), "default": text("none")},
				"properties":  pulumi.Map{"type": text("object"), "default": pulumi.Map{"description": text("a value")}},
			},
			"anyOf": pulumi.Array{pulumi.Map{"required": pulumi.Array{text("description")}}},
		}
		if prose {
			made["description"] = text("What it is for")
			made["properties"].(pulumi.Map)["description"].(pulumi.Map)["description"] = text("A description")
			made["anyOf"].(pulumi.Array)[0].(pulumi.Map)["description"] = text("One of them")
		}
		return pulumi.Map{"spec": pulumi.Map{"versions": pulumi.Array{pulumi.Map{"schema": pulumi.Map{"openAPIV3Schema": made}}}}}
	}
	answer := withoutProse(context.Background(), &pulumi.ResourceTransformArgs{Type: definition, Props: schema(true)})
	assert.Equal(t, schema(false), answer.Props)
	assert.Nil(t, withoutProse(context.Background(), &pulumi.ResourceTransformArgs{Type: "kubernetes:core/v1:ConfigMap", Props: schema(true)}))
}
