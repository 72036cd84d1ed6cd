package clouds

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// What EKS answers when a minimum is raised above the size that a program ignores changes of: the case of docs/runbooks.
func TestSizeOutOfBoundsIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		low, desired, high float64
		want               string
	}{
		"within":              {3, 4, 6, ""},
		"below a new minimum": {8, 4, 9, "InvalidParameterException: Minimum capacity 8 can't be greater than desired size 4"},
		"above a new maximum": {1, 4, 3, "InvalidParameterException: desired capacity 4 can't be greater than max size 3"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := desiredSize(inventory.Record{Inputs: map[string]any{
				"scalingConfig": map[string]any{"minSize": c.low, "desiredSize": c.desired, "maxSize": c.high},
			}})
			if c.want == "" {
				require.NoError(t, err)
				assert.Equal(t, 4, n)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}
