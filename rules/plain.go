package rules

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
)

// plain makes the inputs that the engine hands to a transform plain values. The engine sends what it has, so that nothing is waited for:
// an output is here already, or is unknown.
func plain(ctx context.Context, input any) (any, error) {
	switch v := input.(type) {
	case nil:
		return nil, nil
	case pulumi.Bool:
		return bool(v), nil
	case pulumi.Float64:
		return float64(v), nil
	case pulumi.String:
		return string(v), nil
	case bool, float64, string:
		return v, nil
	case pulumi.Output:
		return plainOutput(ctx, v)
	case pulumi.Map:
		return plainMap(ctx, v)
	case map[string]any:
		return plainMap(ctx, v)
	case pulumi.Array:
		return plainList(ctx, v)
	case []any:
		return plainList(ctx, v)
	default:
		return Unknown{}, nil // a resource or an asset: nothing that a rule could judge
	}
}

func plainOutput(ctx context.Context, output pulumi.Output) (any, error) {
	result, err := internals.UnsafeAwaitOutput(ctx, output)
	if err != nil {
		return nil, err
	}
	if !result.Known {
		return Unknown{}, nil
	}
	value, err := plain(ctx, result.Value)
	if result.Secret {
		value = Secret{value}
	}
	return value, err
}

func plainMap[V any](ctx context.Context, values map[string]V) (map[string]any, error) {
	made := make(map[string]any, len(values))
	for key, value := range values {
		one, err := plain(ctx, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		made[key] = one
	}
	return made, nil
}

func plainList[V any](ctx context.Context, values []V) ([]any, error) {
	made := make([]any, 0, len(values))
	for i, value := range values {
		one, err := plain(ctx, value)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		made = append(made, one)
	}
	return made, nil
}
