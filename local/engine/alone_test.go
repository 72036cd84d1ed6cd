package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
)

func TestCommandsBeginOneAfterTheOther(t *testing.T) {
	t.Setenv(home.DirVariable, t.TempDir())
	done, err := alone(t.Context())
	require.NoError(t, err)

	impatient, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = alone(impatient)
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	turn := make(chan error)
	go func() {
		done, err := alone(t.Context())
		if err == nil {
			done()
		}
		turn <- err
	}()
	done()
	assert.NoError(t, <-turn)
}
