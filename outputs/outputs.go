// Package outputs is what a stack promises to other teams (E3): typed, versioned, and free of secrets. Import it, and read a stack with
//
//	stack, err := pulumi.NewStackReference(ctx, "organization/alphapulse/prod", nil)
//	platform := outputs.Read(stack)
//
// Whoever adds a field raises Version's minor; whoever removes or changes one raises its major, and Read refuses stacks of another major.
package outputs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Version is that of the contract.
const Version = "1.1"

// Name is the stack output that holds the contract.
const Name = "platform"

// Platform is one environment, as other programs may rely on it.
type Platform struct {
	ContractVersion string `json:"contractVersion"`
	Environment     string `json:"environment"`
	Account         string `json:"account"`
	Region          string `json:"region"`

	Network    Network           `json:"network"`
	Cluster    Cluster           `json:"cluster"`
	Database   Database          `json:"database"`
	Buckets    Buckets           `json:"buckets"`
	Registries map[string]string `json:"registries"` // repository URLs by image, such as "alphapulse/api"
	Keys       Keys              `json:"keys"`
	Edge       Edge              `json:"edge"`
}

// Network is where things stand.
type Network struct {
	VpcID string `json:"vpcId"`
	// Subnets are in the alphabetical order of their zones.
	PublicSubnetIDs   []string `json:"publicSubnetIds"`
	PrivateSubnetIDs  []string `json:"privateSubnetIds"`
	DatabaseSubnetIDs []string `json:"databaseSubnetIds"`
	// EgressIPs are the addresses that the outside sees: what partners allow-list.
	EgressIPs []string `json:"egressIps"`
}

// Cluster is the EKS cluster.
type Cluster struct {
	Name string `json:"name"`
	// Version is the minor of Kubernetes, "1.36".
	Version  string `json:"version"`
	Endpoint string `json:"endpoint"`
	// CertificateAuthority is whom to trust at the endpoint: a certificate, base64-encoded as a kubeconfig has it.
	CertificateAuthority string `json:"certificateAuthority"`
	// SecurityGroupID is the group that nodes and pods are in.
	SecurityGroupID string `json:"securityGroupId"`
	// OIDCProviderARN is what roles of service accounts trust; OIDCIssuer, without "https://", begins the keys of their conditions: "<issuer>:sub".
	OIDCProviderARN string `json:"oidcProviderArn"`
	OIDCIssuer      string `json:"oidcIssuer"`
	// Namespace is the platform's own.
	Namespace string `json:"namespace"`
	// AddOnVersions are the versions that run, by EKS add-on; NodePoolStartSizes the nodes that a pool always has:
	// what pods need beyond them is made for them.
	AddOnVersions      map[string]string `json:"addOnVersions"`
	NodePoolStartSizes map[string]int    `json:"nodePoolStartSizes"`
}

// Database is the PostgreSQL instance. Credentials are in the secret, never here.
type Database struct {
	Host string `json:"host"`
	// ReaderHost is the read replica's, or empty where there is none.
	ReaderHost string `json:"readerHost"`
	Port       int    `json:"port"`
	Name       string `json:"name"`
	// URLSecret is the path in Secrets Manager of the applications' connection URL.
	URLSecret string `json:"urlSecret"`
}

// Buckets are names of S3 buckets.
type Buckets struct {
	Backups    string `json:"backups"`
	Logs       string `json:"logs"`
	AccessLogs string `json:"accessLogs"`
}

// Keys are ARNs of KMS keys, by purpose.
type Keys struct {
	VaultUnseal    string `json:"vaultUnseal"`
	Data           string `json:"data"`
	ClusterSecrets string `json:"clusterSecrets"`
	Disks          string `json:"disks"`
	Logs           string `json:"logs"`
}

// Edge is the way in.
type Edge struct {
	// Host is what customers use, LoadBalancer where it leads.
	Host         string `json:"host"`
	LoadBalancer string `json:"loadBalancer"`
}

// Read gives the contract of another stack, as an output of Platform.
func Read(stack *pulumi.StackReference) PlatformOutput {
	return stack.GetOutput(pulumi.String(Name)).ApplyT(parse).(PlatformOutput)
}

// parse turns what a stack exported into the contract, strictly: what is missing or of another major is an error.
func parse(exported any) (Platform, error) {
	if exported == nil {
		return Platform{}, fmt.Errorf("the stack has no output %q: it is not a stack of the platform, or was never brought up", Name)
	}
	values, _ := exported.(map[string]any)
	theirs, _ := values["contractVersion"].(string)
	if major(theirs) != major(Version) { // before all else: another major may have other types
		return Platform{}, fmt.Errorf("the stack's contract is %q, and this program reads %s.x: import the package at the stack's version", theirs, major(Version))
	}
	var platform Platform
	text, err := json.Marshal(exported)
	if err == nil {
		err = json.Unmarshal(text, &platform)
	}
	if err != nil {
		return Platform{}, fmt.Errorf("reading the stack output %q: %w", Name, err)
	}
	if lacking := absent(reflect.TypeFor[Platform](), exported, ""); len(lacking) > 0 {
		return Platform{}, fmt.Errorf("the stack's contract %s lacks %s, which this program's %s has: bring the stack up with this version, or import the package at the stack's",
			platform.ContractVersion, strings.Join(lacking, ", "), Version)
	}
	return platform, nil
}

// absent are the keys of the contract that a stack has not exported. One whose value is empty is there.
func absent(t reflect.Type, exported any, at string) (keys []string) {
	values, _ := exported.(map[string]any)
	for i := range t.NumField() {
		field := t.Field(i)
		key := field.Tag.Get("json")
		value, there := values[key]
		switch {
		case !there:
			keys = append(keys, at+key)
		case field.Type.Kind() == reflect.Struct:
			keys = append(keys, absent(field.Type, value, at+key+".")...)
		}
	}
	return keys
}

func major(version string) string {
	number, _, _ := strings.Cut(version, ".")
	return number
}
