// Package e2e shows on the local engine, and so proves, what the requirements say of the whole program.
package e2e

import (
	"os"
	"testing"

	"github.com/alphapulse/infrastructure/local/e2e/suite"
)

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
