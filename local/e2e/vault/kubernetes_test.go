package vault

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/e2e/programs"
)

// kubernetes is an API server that knows one thing: whose a token is. Only Vault's account may ask.
type kubernetes struct {
	address string
	run     string // what Vault's pods have under /var/run
}

const reviewer = "token-of-vaults-account"

func newKubernetes(t *testing.T, block int) *kubernetes {
	t.Helper()
	k := &kubernetes{address: programs.AddressesIn(loopback, 100+block, 1)[0], run: t.TempDir()}
	listener, err := net.Listen("tcp", k.address+":443")
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(review), ReadHeaderTimeout: time.Minute}}
	authority := newAuthority(t)
	folder := t.TempDir()
	authority.issueFor(t, folder, "kubernetes.default.svc")
	server.TLS = loadTLS(t, folder)
	server.StartTLS()
	t.Cleanup(server.Close)

	account := filepath.Join(k.run, "secrets/kubernetes.io/serviceaccount")
	require.NoError(t, os.MkdirAll(account, 0o755))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.certificate.Raw})
	require.NoError(t, os.WriteFile(filepath.Join(account, "ca.crt"), ca, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(account, "token"), []byte(reviewer), 0o600))
	return k
}

// token is one that the kubelet would give a pod of an account, for Vault. Nobody looks at its signature but the API server.
func (k *kubernetes) token(t *testing.T, account string) string {
	t.Helper()
	part := func(value any) string {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return strings.Join([]string{
		part(map[string]any{"alg": "RS256", "typ": "JWT"}),
		part(map[string]any{
			"aud": []string{"vault"}, "iss": "https://oidc.example", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Add(-time.Minute).Unix(),
			"nbf": time.Now().Add(-time.Minute).Unix(), "sub": "system:serviceaccount:alphapulse-prod:" + account,
			"kubernetes.io": map[string]any{"namespace": "alphapulse-prod", "serviceaccount": map[string]any{"name": account, "uid": "uid-of-" + account}},
		}),
		part("signature"),
	}, ".")
}

func review(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Spec struct {
			Token     string   `json:"token"`
			Audiences []string `json:"audiences"`
		} `json:"spec"`
	}
	parts := []string{}
	if json.NewDecoder(r.Body).Decode(&asked) == nil {
		parts = strings.Split(asked.Spec.Token, ".")
	}
	if r.URL.Path != "/apis/authentication.k8s.io/v1/tokenreviews" || r.Header.Get("Authorization") != "Bearer "+reviewer ||
		!slices.Contains(asked.Spec.Audiences, "vault") || len(parts) != 3 {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	_ = json.Unmarshal(raw, &claims)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
		"status": map[string]any{"authenticated": true, "audiences": []string{"vault"}, "user": map[string]any{
			"username": claims.Subject, "uid": "uid-of-" + claims.Subject[strings.LastIndex(claims.Subject, ":")+1:],
			"groups": []string{"system:serviceaccounts"},
		}},
	})
}
