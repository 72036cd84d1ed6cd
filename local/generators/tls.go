package generators

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

var privateOutputs = []string{"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"}

var tlsTypes = map[string]kind{
	"tls:index/privateKey:PrivateKey": {
		inputs: []input{{name: "algorithm", required: true}, {name: "ecdsaCurve", fallback: "P224"}, {name: "rsaBits", fallback: 2048.0}},
		outputs: append([]string{"publicKeyPem", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"},
			privateOutputs...),
		secrets: privateOutputs, check: checkKey, make: makeKey,
	},
	"tls:index/certRequest:CertRequest": {
		inputs: requestInputs, outputs: []string{"certRequestPem", "keyAlgorithm"}, secrets: []string{"privateKeyPem"},
		make: makeRequest,
	},
	"tls:index/selfSignedCert:SelfSignedCert": {
		inputs:  slices.Concat(requestInputs, certificateInputs, []input{{name: "setAuthorityKeyId", fallback: false}}),
		outputs: append([]string{"keyAlgorithm"}, certificateOutputs...), secrets: []string{"privateKeyPem"},
		check: checkCertificate, make: makeSelfSigned, due: renewalDue,
	},
	"tls:index/locallySignedCert:LocallySignedCert": {
		inputs: append([]input{{name: "caCertPem", required: true}, {name: "caPrivateKeyPem", required: true},
			{name: "certRequestPem", required: true}}, certificateInputs...),
		outputs: append([]string{"caKeyAlgorithm"}, certificateOutputs...), secrets: []string{"caPrivateKeyPem"},
		check: checkCertificate, make: makeLocallySigned, due: renewalDue,
	},
}

var curves = map[string]elliptic.Curve{"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521()}

func checkKey(in values) error {
	if err := oneOf("algorithm", in["algorithm"], "RSA", "ECDSA", "ED25519"); err != nil {
		return err
	}
	return oneOf("ecdsaCurve", in["ecdsaCurve"], slices.Sorted(maps.Keys(curves))...)
}

func oneOf(name string, value any, legal ...string) error {
	if text, ok := value.(string); ok && !slices.Contains(legal, text) {
		return fmt.Errorf("attribute %s value must be one of: %q, got: %q", name, legal, text)
	}
	return nil
}

func makeKey(in values) (string, map[string]any, error) {
	key, block, err := generateKey(in)
	if err != nil {
		return "", nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, err
	}
	if block == nil {
		block = &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", nil, err
	}
	out := map[string]any{
		"privateKeyPem":      encode(block.Type, block.Bytes),
		"privateKeyPemPkcs8": encode("PRIVATE KEY", pkcs8),
		"publicKeyPem":       encode("PUBLIC KEY", public),
		"privateKeyOpenssh":  "", "publicKeyOpenssh": "", "publicKeyFingerprintMd5": "", "publicKeyFingerprintSha256": "",
	}
	sum := sha1.Sum(public)
	id := hex.EncodeToString(sum[:])
	shell, err := ssh.NewPublicKey(key.Public())
	if err != nil { // SSH has no P224: these outputs stay empty then
		return id, out, nil
	}
	private, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return "", nil, err
	}
	maps.Copy(out, map[string]any{
		"privateKeyOpenssh":          string(pem.EncodeToMemory(private)),
		"publicKeyOpenssh":           string(ssh.MarshalAuthorizedKey(shell)),
		"publicKeyFingerprintMd5":    ssh.FingerprintLegacyMD5(shell),
		"publicKeyFingerprintSha256": ssh.FingerprintSHA256(shell),
	})
	return id, out, nil
}

// generateKey makes a key, and the PEM block of its algorithm's own format where it has one.
func generateKey(in values) (crypto.Signer, *pem.Block, error) {
	switch in.text("algorithm") {
	case "RSA":
		key, err := rsa.GenerateKey(rand.Reader, in.number("rsaBits"))
		if err != nil {
			return nil, nil, err
		}
		return key, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}, nil
	case "ECDSA":
		key, err := ecdsa.GenerateKey(curves[in.text("ecdsaCurve")], rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalECPrivateKey(key)
		return key, &pem.Block{Type: "EC PRIVATE KEY", Bytes: der}, err
	default:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, nil, err
	}
}

// parseKey reads any PEM that makeKey writes, and names its algorithm.
func parseKey(property, text string) (crypto.Signer, string, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, "", fmt.Errorf("%s is no PEM", property)
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		err = fmt.Errorf("unable to determine parser for PEM preamble: %s", block.Type)
	}
	if err != nil {
		return nil, "", fmt.Errorf("parsing %s: %w", property, err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, "RSA", nil
	case *ecdsa.PrivateKey:
		return key, "ECDSA", nil
	case ed25519.PrivateKey:
		return key, "ED25519", nil
	}
	return nil, "", fmt.Errorf("parsing %s: unsupported private key type %T", property, key)
}

func encode(block string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}))
}

// parsePEM gives the bytes of a block of a certain type.
func parsePEM(property, block, text string) ([]byte, error) {
	found, _ := pem.Decode([]byte(text))
	if found == nil {
		return nil, fmt.Errorf("%s is no PEM", property)
	}
	if found.Type != block {
		return nil, fmt.Errorf("%s: expected a PEM block %s, got %s", property, block, strings.ToUpper(found.Type))
	}
	return found.Bytes, nil
}
