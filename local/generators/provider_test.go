package generators

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

type props = map[string]any

const (
	password      = "random:index/randomPassword:RandomPassword"
	privateKey    = "tls:index/privateKey:PrivateKey"
	certRequest   = "tls:index/certRequest:CertRequest"
	selfSigned    = "tls:index/selfSignedCert:SelfSignedCert"
	locallySigned = "tls:index/locallySignedCert:LocallySignedCert"
)

func urn(typ string) resource.URN {
	return resource.NewURN("test", "alphapulse", "", tokens.Type(typ), "x")
}

// of is the provider of a type.
func of(typ string) *Provider {
	name, _, _ := strings.Cut(typ, ":")
	return New(name)
}

func check(t *testing.T, typ string, in props) (resource.PropertyMap, string) {
	t.Helper()
	resp, err := of(typ).Check(context.Background(), plugin.CheckRequest{URN: urn(typ), News: resource.NewPropertyMapFromMap(in)})
	require.NoError(t, err)
	var reasons []string
	for _, f := range resp.Failures {
		reasons = append(reasons, f.Reason)
	}
	return resp.Properties, strings.Join(reasons, "\n")
}

func try(t *testing.T, typ string, in props) (plugin.CreateResponse, error) {
	t.Helper()
	inputs, reasons := check(t, typ, in)
	require.Empty(t, reasons)
	return of(typ).Create(context.Background(), plugin.CreateRequest{URN: urn(typ), Properties: inputs})
}

// made gives the ID and the outputs of a new resource, secret ones too.
func made(t *testing.T, typ string, in props) (string, values) {
	t.Helper()
	resp, err := try(t, typ, in)
	require.NoError(t, err)
	return string(resp.ID), plain(resp.Properties)
}

func diff(t *testing.T, typ string, old, now props, outputs resource.PropertyMap) plugin.DiffResult {
	t.Helper()
	a, reasons := check(t, typ, old)
	require.Empty(t, reasons)
	b, reasons := check(t, typ, now)
	require.Empty(t, reasons)
	result, err := of(typ).Diff(context.Background(), plugin.DiffRequest{URN: urn(typ), OldInputs: a, NewInputs: b, OldOutputs: outputs})
	require.NoError(t, err)
	return result
}

func with(in props, key string, value any) props {
	out := props{key: value}
	for k, v := range in {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func TestVersionsAreThoseOfTheSDKs(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	module, err := modfile.ParseLax("go.mod", data, nil)
	require.NoError(t, err)
	found := 0
	for _, require := range module.Require {
		for name, v := range vendors {
			if strings.HasPrefix(require.Mod.Path, "github.com/pulumi/pulumi-"+name+"/") {
				found++
				assert.Equal(t, require.Mod.Version, "v"+v.version, name)
			}
		}
	}
	assert.Len(t, vendors, found)
}

func TestWhatIsNotModelledIsAnError(t *testing.T) {
	for reason, in := range map[string]props{
		"missing required property length of " + password:             {"special": false},
		"property number of " + password + " is not modelled":         {"length": 8.0, "number": false},
		"attribute length value must be at least 1, got: 0":           {"length": 0.0},
		"at least sum of minUpper + minLower + minNumeric":            {"length": 3.0, "minUpper": 2.0, "minSpecial": 2.0},
		"attribute minLower value must be at least 0":                 {"length": 3.0, "minLower": -1.0},
		"at least one attribute out of [special,upper,lower,numeric]": {"length": 3.0, "upper": false, "lower": false, "numeric": false, "special": false},
	} {
		_, reasons := check(t, password, in)
		assert.Contains(t, reasons, reason)
	}
	_, reasons := check(t, "random:index/randomPet:RandomPet", nil)
	assert.Equal(t, "resource type random:index/randomPet:RandomPet is not modelled by the local engine", reasons)
	_, reasons = check(t, "random:index/randomId:RandomId", props{"byteLength": 0.0})
	assert.Contains(t, reasons, "attribute byteLength value must be at least 1")
	_, err := New("tls").Invoke(context.Background(), plugin.InvokeRequest{Tok: "tls:index/getCertificate:getCertificate"})
	assert.EqualError(t, err, "tls:index/getCertificate:getCertificate: function is not modelled by the local engine")
	resp, err := New("tls").CheckConfig(context.Background(), plugin.CheckConfigRequest{
		News: resource.NewPropertyMapFromMap(props{"version": "5.2.0", "proxy": "{}"})})
	require.NoError(t, err)
	require.Len(t, resp.Failures, 1)
	assert.Equal(t, `tls provider setting "proxy" is not modelled by the local engine`, resp.Failures[0].Reason)
	_, err = New("random").Read(context.Background(), plugin.ReadRequest{URN: urn(password), ID: "none"})
	assert.ErrorContains(t, err, "importing "+password+" is not modelled")
}

func TestAnyChangeMakesANewValue(t *testing.T) {
	in := props{"length": 32.0, "special": false, "keepers": props{"of": "database"}}
	assert.Equal(t, plugin.DiffNone, diff(t, password, in, in, nil).Changes)
	for key, value := range map[string]any{"length": 33.0, "special": true, "minUpper": 1.0, "keepers": props{"of": "redis"}, "overrideSpecial": "-"} {
		assert.Equal(t, []resource.PropertyKey{resource.PropertyKey(key)}, diff(t, password, in, with(in, key, value), nil).ReplaceKeys)
	}
	unknown := with(in, "keepers", props{"of": resource.MakeComputed(resource.NewProperty(""))})
	assert.Equal(t, []resource.PropertyKey{"keepers"}, diff(t, password, in, unknown, nil).ReplaceKeys)
	secret := with(in, "keepers", props{"of": resource.MakeSecret(resource.NewProperty("database"))})
	assert.Equal(t, plugin.DiffNone, diff(t, password, in, secret, nil).Changes)
	key := props{"algorithm": "ECDSA", "ecdsaCurve": "P256"}
	assert.Equal(t, []resource.PropertyKey{"ecdsaCurve"}, diff(t, privateKey, key, with(key, "ecdsaCurve", "P384"), nil).ReplaceKeys)
}

func TestPreviewKnowsNoValueYet(t *testing.T) {
	inputs, _ := check(t, password, props{"length": 32.0})
	resp, err := New("random").Create(context.Background(), plugin.CreateRequest{URN: urn(password), Properties: inputs, Preview: true})
	require.NoError(t, err)
	assert.Empty(t, resp.ID)
	assert.Equal(t, 32.0, resp.Properties["length"].NumberValue())
	require.True(t, resp.Properties["result"].IsSecret())
	assert.True(t, resp.Properties["result"].SecretValue().Element.IsComputed())
}

func TestARefreshChangesNothing(t *testing.T) {
	resp, err := try(t, password, props{"length": 16.0})
	require.NoError(t, err)
	inputs := resource.PropertyMap{"length": resource.NewProperty(16.0)}
	read, err := New("random").Read(context.Background(), plugin.ReadRequest{URN: urn(password), ID: resp.ID, Inputs: inputs, State: resp.Properties})
	require.NoError(t, err)
	assert.Equal(t, resp.Properties, read.Outputs)
	assert.Equal(t, inputs, read.Inputs)
}
