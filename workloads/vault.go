package workloads

import (
	"embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/security"
)

//go:embed vault
var vaultFiles embed.FS

const (
	vaultPort     = 8200
	vaultRaftPort = 8201

	// VaultCertificate is the Secret with the certificate that all of Vault's pods show, kubernetes.io/tls.
	VaultCertificate = config.VaultName + "-tls"
	// VaultInternal is the Service through which the pods have names: <pod>.vault-internal.
	VaultInternal = config.VaultName + "-internal"

	vaultConfigPath = "/vault/config"
	vaultDataPath   = "/vault/data"
	vaultTLSPath    = "/vault/tls"

	// vaultAudience is whom tokens of accounts that log in to Vault are for.
	vaultAudience = "vault"

	// vaultDrain is how long others have to learn that a pod goes. The leader hands over when it is told to stop.
	vaultDrain = 5
)

// VaultToken is the component's type.
const VaultToken = "alphapulse:workloads:Vault"

// VaultArgs are what Vault is made from.
type VaultArgs struct {
	Spec   config.Stateful
	Region string
	// KeyARN is the KMS key that opens its seal, KeysSecret the name of the secret that its recovery keys go into.
	KeyARN     pulumi.StringInput
	KeysSecret string
	// Identity is the ARN of the role that may use both.
	Identity pulumi.StringInput
}

// Vault keeps the platform's credentials.
type Vault struct {
	pulumi.ResourceState

	// Ready are its pods and the Service in front of them, for those who ask it.
	Ready []pulumi.Resource
}

// NewVault runs three pods that agree by Raft and open their seal with KMS (S1). They make themselves, before the first of them answers
// anybody: create.sh and keep-keys.sh in folder vault say how, and why nothing is lost wherever that is interrupted.
func NewVault(ctx *pulumi.Context, place Place, args *VaultArgs, opts ...pulumi.ResourceOption) (*Vault, error) {
	v := &Vault{}
	if err := ctx.RegisterComponentResource(VaultToken, config.VaultName, v, append(opts, pulumi.Provider(place.Provider))...); err != nil {
		return nil, err
	}
	texts, err := readFolder(vaultFiles, "vault")
	if err != nil {
		return nil, err
	}
	// Under the source's name; what runs reads them at its start.
	files, err := newNamedTexts(ctx, place, config.VaultName+"-config", config.VaultName, vaultConfigPath, pulumi.ToStringMap(texts), v)
	if err != nil {
		return nil, err
	}
	files.Name = "config" // the source's name of the volume
	env := vaultEnv(args)
	made, err := NewService(ctx, config.VaultName, place, &ServiceArgs{
		Spec:        args.Spec.Workload(config.VaultPods),
		Labels:      map[string]string{"app": config.VaultName},
		ServiceName: config.VaultName,
		Ports: []Port{
			{Name: "https", Container: vaultPort, Service: []int{vaultPort}},
			{Name: "raft", Container: vaultRaftPort},
		},
		Before: []Container{
			vaultStep("create", args.Spec.Image, config.Amount{CPU: "2", Memory: "1Gi"}, env, files),
			vaultStep("keep-keys", config.AWSCLIImage, config.Amount{CPU: "1", Memory: "512Mi"}, env, files),
		},
		Entrypoint: vaultScript("entrypoint"),
		Env:        env,
		Files:      []Files{files, {Name: "tls", Path: vaultTLSPath, Secret: VaultCertificate}},
		// Who is sealed, has not joined yet, hears of no leader or was put out of the cluster is not ready, but restarting would not help it: one
		// that waits for a majority would be away when it comes.
		Probes: Probes{
			Live:  Probe{Path: "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204&haunhealthycode=204&removedcode=204", HTTPS: true, InitialDelay: 30, Period: 10, Timeout: 5, Failures: 3},
			Ready: Probe{Path: "/v1/sys/health?standbyok=true", HTTPS: true, InitialDelay: 2, Period: 5, Timeout: 3, Failures: 2},
		},
		State:           &State{GiB: args.Spec.StorageGiB, Path: vaultDataPath, Governing: VaultInternal},
		MetricsPath:     "/v1/sys/metrics",
		MetricsHTTPS:    true,
		CallsKubernetes: true, // it asks whose token a client shows
		Identity:        args.Identity,
		Priority:        CustomerFacing,
		DrainSeconds:    vaultDrain,
		StopWithin:      60,
	}, pulumi.Parent(v))
	if err != nil {
		return nil, err
	}
	if _, err := security.NewGrant(ctx, security.Grant{
		Name: config.VaultName, Account: made.Account.Metadata.Name().Elem(), AccountNamespace: place.Namespace,
		Rights: []security.Right{{Group: "authentication.k8s.io", Resources: []string{"tokenreviews"}, Verbs: []string{"create"}}},
	}, pulumi.Parent(v)); err != nil {
		return nil, fmt.Errorf("giving Vault its rights: %w", err)
	}
	v.Ready = []pulumi.Resource{made.Runs, made.Door}
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{})
}

// vaultStep is one of the steps in which the first pod makes Vault, if it has to. Each has to be room for in what Vault itself asks for.
func vaultStep(name, image string, limits config.Amount, env []Env, files Files) Container {
	return Container{
		Name: name, Image: image, Entrypoint: vaultScript(name), Env: env, Files: []Files{files}, Keeps: true,
		Requests: config.Amount{CPU: "100m", Memory: "256Mi"}, Limits: limits,
	}
}

func vaultScript(name string) []string {
	return []string{"/bin/sh", vaultConfigPath + "/" + name + ".sh"}
}

// vaultEnv is what the scripts and Vault itself read. Who asks a standby for what only the leader does is sent to the leader's
// VAULT_API_ADDR: a name that all clients believe. OpenSSL, curl and Node do not take a certificate for *.vault-internal, whose star has one
// dot behind it only; Vault itself, in Go, does.
func vaultEnv(args *VaultArgs) []Env {
	self := "https://$(POD_NAME)." + VaultInternal
	return []Env{
		{Name: "POD_NAME", Field: "metadata.name"},
		{Name: "POD_IP", Field: "status.podIP"},
		{Name: "NAMESPACE", Field: "metadata.namespace"},
		{Name: "CONFIG", Value: vaultConfigPath},
		{Name: "DATA", Value: vaultDataPath},
		{Name: "TLS", Value: vaultTLSPath},
		{Name: "KEYS", Value: "/tmp/keys"},
		{Name: "TMPDIR", Value: "/tmp"},
		{Name: "HOME", Value: "/tmp"},
		{Name: "PRIVATE_IP", Value: "127.0.0.1"},
		{Name: "KEYS_SECRET", Value: args.KeysSecret},
		{Name: "AWS_REGION", Value: args.Region},
		{Name: "AWS_DEFAULT_REGION", Value: args.Region}, // what version 1 of the AWS CLI reads
		{Name: "VAULT_AWSKMS_SEAL_KEY_ID", Input: args.KeyARN},
		{Name: "VAULT_ADDR", Value: self + ":8200"},
		{Name: "VAULT_API_ADDR", Value: self + ".$(NAMESPACE).svc:8200"},
		{Name: "VAULT_CLUSTER_ADDR", Value: self + ":8201"},
		{Name: "VAULT_CACERT", Value: vaultTLSPath + "/" + security.AuthorityKey},
	}
}
