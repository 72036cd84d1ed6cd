package generators

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/url"
	"slices"
	"time"
)

var requestInputs = []input{
	{name: "privateKeyPem", required: true}, {name: "dnsNames"}, {name: "ipAddresses"}, {name: "uris"},
	{name: "subject", fields: []string{"commonName", "country", "emailAddress", "locality", "organization", "organizationalUnit", "postalCode",
		"province", "serialNumber", "streetAddresses"}},
}

var certificateInputs = []input{
	{name: "validityPeriodHours", required: true}, {name: "earlyRenewalHours", fallback: 0.0, inPlace: true},
	{name: "allowedUses", required: true}, {name: "isCaCertificate", fallback: false}, {name: "setSubjectKeyId", fallback: false},
}

var certificateOutputs = []string{"certPem", "readyForRenewal", "validityStartTime", "validityEndTime"}

// The uses are written with underscores, whatever the comments of the SDK say.
var keyUsages = map[string]x509.KeyUsage{
	"digital_signature": x509.KeyUsageDigitalSignature, "content_commitment": x509.KeyUsageContentCommitment,
	"key_encipherment": x509.KeyUsageKeyEncipherment, "data_encipherment": x509.KeyUsageDataEncipherment,
	"key_agreement": x509.KeyUsageKeyAgreement, "cert_signing": x509.KeyUsageCertSign, "crl_signing": x509.KeyUsageCRLSign,
	"encipher_only": x509.KeyUsageEncipherOnly, "decipher_only": x509.KeyUsageDecipherOnly,
}

var extendedKeyUsages = map[string]x509.ExtKeyUsage{
	"any_extended": x509.ExtKeyUsageAny, "server_auth": x509.ExtKeyUsageServerAuth, "client_auth": x509.ExtKeyUsageClientAuth,
	"code_signing": x509.ExtKeyUsageCodeSigning, "email_protection": x509.ExtKeyUsageEmailProtection,
	"ipsec_end_system": x509.ExtKeyUsageIPSECEndSystem, "ipsec_tunnel": x509.ExtKeyUsageIPSECTunnel, "ipsec_user": x509.ExtKeyUsageIPSECUser,
	"timestamping": x509.ExtKeyUsageTimeStamping, "ocsp_signing": x509.ExtKeyUsageOCSPSigning,
	"microsoft_server_gated_crypto":     x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	"netscape_server_gated_crypto":      x509.ExtKeyUsageNetscapeServerGatedCrypto,
	"microsoft_commercial_code_signing": x509.ExtKeyUsageMicrosoftCommercialCodeSigning,
	"microsoft_kernel_code_signing":     x509.ExtKeyUsageMicrosoftKernelCodeSigning,
}

func checkCertificate(in values) error {
	legal := slices.Sorted(maps.Keys(keyUsages))
	legal = append(legal, slices.Sorted(maps.Keys(extendedKeyUsages))...)
	for i, use := range in.texts("allowedUses") {
		if err := oneOf(fmt.Sprintf("allowedUses[%d]", i), use, legal...); err != nil {
			return err
		}
	}
	for _, name := range []string{"validityPeriodHours", "earlyRenewalHours"} {
		if in.number(name) < 0 {
			return fmt.Errorf("attribute %s value must be at least 0, got: %d", name, in.number(name))
		}
	}
	return nil
}

func makeRequest(in values) (string, map[string]any, error) {
	key, algorithm, err := parseKey("privateKeyPem", in.text("privateKeyPem"))
	if err != nil {
		return "", nil, err
	}
	template, err := in.subjects()
	if err != nil {
		return "", nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: template.Subject, DNSNames: template.DNSNames,
		IPAddresses: template.IPAddresses, URIs: template.URIs}, key)
	if err != nil {
		return "", nil, err
	}
	text := encode("CERTIFICATE REQUEST", der)
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:]), map[string]any{"certRequestPem": text, "keyAlgorithm": algorithm}, nil
}

func makeSelfSigned(in values) (string, map[string]any, error) {
	key, algorithm, err := parseKey("privateKeyPem", in.text("privateKeyPem"))
	if err != nil {
		return "", nil, err
	}
	template, err := in.subjects()
	if err != nil {
		return "", nil, err
	}
	id, out, err := in.sign(template, nil, key.Public(), key)
	if err != nil {
		return "", nil, err
	}
	out["keyAlgorithm"] = algorithm
	return id, out, nil
}

func makeLocallySigned(in values) (string, map[string]any, error) {
	der, err := parsePEM("certRequestPem", "CERTIFICATE REQUEST", in.text("certRequestPem"))
	if err != nil {
		return "", nil, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return "", nil, fmt.Errorf("parsing certRequestPem: %w", err)
	}
	if der, err = parsePEM("caCertPem", "CERTIFICATE", in.text("caCertPem")); err != nil {
		return "", nil, err
	}
	authority, err := x509.ParseCertificate(der)
	if err != nil {
		return "", nil, fmt.Errorf("parsing caCertPem: %w", err)
	}
	key, algorithm, err := parseKey("caPrivateKeyPem", in.text("caPrivateKeyPem"))
	if err != nil {
		return "", nil, err
	}
	template := &x509.Certificate{Subject: request.Subject, DNSNames: request.DNSNames, IPAddresses: request.IPAddresses, URIs: request.URIs}
	id, out, err := in.sign(template, authority, request.PublicKey, key)
	if err != nil {
		return "", nil, err
	}
	out["caKeyAlgorithm"] = algorithm
	return id, out, nil
}

// subjects reads whom a certificate is for.
func (in values) subjects() (*x509.Certificate, error) {
	subject := values(in.object("subject"))
	list := func(name string) []string {
		if s := subject.text(name); s != "" {
			return []string{s}
		}
		return nil
	}
	template := &x509.Certificate{DNSNames: in.texts("dnsNames"), Subject: pkix.Name{
		CommonName: subject.text("commonName"), SerialNumber: subject.text("serialNumber"),
		Country: list("country"), Organization: list("organization"), OrganizationalUnit: list("organizationalUnit"), Locality: list("locality"),
		Province: list("province"), PostalCode: list("postalCode"), StreetAddress: subject.texts("streetAddresses"),
	}}
	if email := subject.text("emailAddress"); email != "" {
		template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: email}}
	}
	for _, text := range in.texts("ipAddresses") {
		address := net.ParseIP(text)
		if address == nil {
			return nil, fmt.Errorf("invalid IP address: failed to parse %q", text)
		}
		template.IPAddresses = append(template.IPAddresses, address)
	}
	for _, text := range in.texts("uris") {
		uri, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("invalid URI: %w", err)
		}
		template.URIs = append(template.URIs, uri)
	}
	return template, nil
}

// sign makes the certificate of a template; without an authority it signs itself.
func (in values) sign(template, authority *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (string, map[string]any, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return "", nil, err
	}
	template.SerialNumber, template.BasicConstraintsValid = serial, true
	template.NotBefore = time.Now().UTC()
	template.NotAfter = template.NotBefore.Add(time.Duration(in.number("validityPeriodHours")) * time.Hour)
	template.IsCA = in.flag("isCaCertificate")
	if template.IsCA && len(template.Subject.ToRDNSequence()) == 0 {
		return "", nil, fmt.Errorf("invalid certificate subject: must contain at least one Distinguished Name when creating Certificate Authority (CA)")
	}
	for _, use := range in.texts("allowedUses") {
		template.KeyUsage |= keyUsages[use]
		if extended, ok := extendedKeyUsages[use]; ok {
			template.ExtKeyUsage = append(template.ExtKeyUsage, extended)
		}
	}
	if template.IsCA || in.flag("setSubjectKeyId") {
		if template.SubjectKeyId, err = keyID(public); err != nil {
			return "", nil, err
		}
	}
	if authority == nil {
		authority = template
	}
	if in.flag("setAuthorityKeyId") {
		if len(authority.SubjectKeyId) == 0 {
			return "", nil, fmt.Errorf("invalid certificate authority: could not determine Authority Key Identifier")
		}
		template.AuthorityKeyId = bytes.Clone(authority.SubjectKeyId)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, public, key)
	if err != nil {
		return "", nil, err
	}
	return serial.String(), map[string]any{
		"certPem": encode("CERTIFICATE", der), "readyForRenewal": false,
		"validityStartTime": template.NotBefore.Format(time.RFC3339), "validityEndTime": template.NotAfter.Format(time.RFC3339),
	}, nil
}

// keyID is the hash that names a public key (RFC 5280, 4.2.1.2).
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha1.Sum(info.Key.Bytes)
	return sum[:], nil
}

// renewalDue tells whether a certificate has expired, or comes within the hours of early renewal.
func renewalDue(old, in values) bool {
	end, err := time.Parse(time.RFC3339, old.text("validityEndTime"))
	return err == nil && !time.Now().Before(end.Add(-time.Duration(in.number("earlyRenewalHours"))*time.Hour))
}
