package workloads

import (
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
)

// rdsRootCertificates are the authorities that sign the certificates of RDS, one for each region and kind of key: those of AWS's
// global-bundle.pem that are still valid. Debian's own list does not have them.
//
//go:embed pgbouncer/rds-roots.pem
var rdsRootCertificates string

// RDSRootsFile is the name of the file in which programs find them.
const RDSRootsFile = "rds-roots.pem"

// RDSRoots are the authorities of one region, in PEM: whoever has a certificate of another region's is not our database.
func RDSRoots(region string) (string, error) {
	var own strings.Builder
	for rest := []byte(rdsRootCertificates); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return "", fmt.Errorf("reading RDS's authorities: %w", err)
		}
		if strings.HasPrefix(certificate.Subject.CommonName, "Amazon RDS "+region+" Root CA") {
			own.Write(pem.EncodeToMemory(block))
		}
	}
	if own.Len() == 0 {
		return "", fmt.Errorf("no authority of RDS for the region %q in workloads/pgbouncer/%s: add it from AWS's global-bundle.pem", region, RDSRootsFile)
	}
	return own.String(), nil
}

// digest changes when one of the texts does.
func digest(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:8])
}
