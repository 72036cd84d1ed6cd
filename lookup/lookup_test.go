package lookup_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/alphapulse/infrastructure/lookup"
)

func TestOnlyWhatIsMissingIsMissing(t *testing.T) {
	assert.True(t, lookup.Missing(errors.New("reading S3 Bucket (x): couldn't find resource")))
	assert.True(t, lookup.Missing(errors.New("no matching RDS DB Instance found")))
	assert.True(t, lookup.Missing(errors.New("api error ResourceNotFoundException: Secrets Manager can't find the specified secret")))
	assert.False(t, lookup.Missing(errors.New("api error AccessDenied: not authorized")), "who may not look does not know")
	assert.False(t, lookup.Missing(nil))
}
