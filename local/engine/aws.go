package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/alphapulse/infrastructure/local/controlplane"
)

// awsVersion is what the EKS component is told; it wants 2.7 at least.
const awsVersion = "aws-cli/2.31.0 Python/3.13.0 local-engine"

// AWSCommand plays the two calls of the AWS CLI that entering a cluster takes: its version, and a credential. The credential is the
// cluster creator's client certificate, since there is nobody here who could check an EKS token.
func AWSCommand(args []string) error {
	if slices.Contains(args, "--version") {
		fmt.Println(awsVersion)
		return nil
	}
	i := slices.Index(args, "--cluster-name")
	if len(args) < 2 || args[0] != "eks" || args[1] != "get-token" || i < 0 || i+1 >= len(args) {
		return fmt.Errorf("the local engine's aws knows `--version` and `eks get-token --cluster-name NAME`, not %q", args)
	}
	certificate, key, err := controlplane.AdminCredential(args[i+1])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1beta1",
		"kind":       "ExecCredential",
		"status":     map[string]string{"clientCertificateData": certificate, "clientKeyData": key},
	})
}
