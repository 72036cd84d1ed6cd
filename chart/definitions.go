package chart

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const definition = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"

// withoutProse is a transform that takes the descriptions out of a chart's definitions. They are most of a definition, twice as inputs and
// outputs, and Pulumi writes its whole state after every step: a third of every write was prose. `kubectl explain` says less for it.
func withoutProse(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	if r.Type != definition {
		return nil
	}
	return &pulumi.ResourceTransformResult{Props: strip(r.Props, false), Opts: r.Opts}
}

// strip leaves descriptions out. Under `properties` a key is a field's name, and may well be "description"; a default is a value.
func strip(object pulumi.Map, fields bool) pulumi.Map {
	kept := pulumi.Map{}
	for key, value := range object {
		switch v := value.(type) {
		case pulumi.Map:
			if fields || key != "default" {
				value = strip(v, !fields && key == "properties")
			}
		case pulumi.Array:
			list := make(pulumi.Array, len(v))
			for i, one := range v {
				if inner, ok := one.(pulumi.Map); ok {
					one = strip(inner, false)
				}
				list[i] = one
			}
			value = list
		default:
			if !fields && key == "description" {
				continue
			}
		}
		kept[key] = value
	}
	return kept
}
