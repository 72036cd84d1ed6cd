// Package rules shows what the real engine makes of a broken rule: the real Pulumi CLI and EKS component run a small program
// (rules/violations) against the stand-in of AWS. `make test` builds what it needs.
package rules

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
	guardrails "github.com/alphapulse/infrastructure/rules"
)

const account = "000000000000" // the stand-in's, when nobody names another

const (
	keyType     = "aws:kms/key:Key"
	groupType   = "aws:cloudwatch/logGroup:LogGroup"
	clusterType = "aws:eks/cluster:Cluster"
)

// engine is a Pulumi of a test's own, with its state, its plugins and its cloud in one folder.
type engine struct{ root, folder, tools string }

func newEngine(t *testing.T) engine {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	standIn, program := os.Getenv(home.EngineVariable), filepath.Join(root, "bin", "violations")
	e := engine{root: root, folder: t.TempDir(), tools: os.Getenv(home.ToolsVariable)}
	require.FileExists(t, program, "this suite is run by `make test`, which builds it first")
	require.FileExists(t, standIn, "this suite is run by `make test`, which builds the engine first")
	t.Setenv(home.DirVariable, e.folder)

	link := func(target string, path ...string) {
		name := filepath.Join(append([]string{e.folder}, path...)...)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.Symlink(target, name))
	}
	link(standIn, "bin", "aws") // the EKS component asks it for its version
	link(standIn, "pulumi", "plugins", "resource-aws-"+version(t, root, "pulumi-aws/sdk/v6"), "pulumi-resource-aws")
	link(standIn, "pulumi", "plugins", "resource-kubernetes-"+version(t, root, "pulumi-kubernetes/sdk/v4"), "pulumi-resource-kubernetes")
	link(filepath.Join(e.tools, "pulumi-resource-eks"), "pulumi", "plugins", "resource-eks-"+version(t, root, "pulumi-eks/sdk/v2"), "pulumi-resource-eks")
	link(e.host(t, program), "pulumi", "plugins", "language-go-v3.0.0", "pulumi-language-go")
	link(os.DevNull, "pulumi", "logs") // no diary, which takes half of the time

	project, err := os.ReadFile(filepath.Join(root, "rules", "violations", "Pulumi.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(e.folder, "Pulumi.yaml"), project, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(e.folder, "state"), 0o700))
	said, err := e.pulumi(t, "stack", "init")
	require.NoError(t, err, said)
	return e
}

// host writes a language host that runs the program that is built already. Its own options reach it by command line only, and the CLI
// does not put them there.
func (e engine) host(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(e.folder, "host")
	script := "#!/bin/sh\nexec '" + filepath.Join(e.tools, "pulumi-language-go") + "' -binary '" + program + "' \"$@\"\n"
	require.NoError(t, os.WriteFile(path, []byte(script), 0o700)) //nolint:gosec // it is run
	return path
}

// version is the one that the program was written against.
func version(t *testing.T, root, module string) string {
	t.Helper()
	path := filepath.Join(root, "go.mod")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	file, err := modfile.ParseLax(path, data, nil)
	require.NoError(t, err)
	for _, require := range file.Require {
		if require.Mod.Path == "github.com/pulumi/"+module {
			return require.Mod.Version
		}
	}
	require.Fail(t, "go.mod has no "+module)
	return ""
}

// pulumi runs one command and gives what it printed. Nothing of the caller's environment that could lead to a real cloud is handed on.
func (e engine) pulumi(t *testing.T, args ...string) (string, error) {
	t.Helper()
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), filepath.Join(e.tools, "pulumi"), append(args, "--stack", "rules", "--non-interactive")...)
	cmd.Dir = e.folder
	cmd.Env = []string{
		"PATH=" + strings.Join([]string{filepath.Join(e.folder, "bin"), e.tools, os.Getenv("PATH")}, string(os.PathListSeparator)),
		"HOME=" + os.Getenv("HOME"),
		home.DirVariable + "=" + e.folder, home.ToolsVariable + "=" + e.tools,
		"PULUMI_HOME=" + filepath.Join(e.folder, "pulumi"), "PULUMI_BACKEND_URL=file://" + filepath.Join(e.folder, "state"),
		"PULUMI_CONFIG_PASSPHRASE=local", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true", "PULUMI_IGNORE_AMBIENT_PLUGINS=true",
		"PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_SKIP_CHECKPOINTS=true", "GOGC=400",
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Logf("pulumi %s: %.1f s", strings.Join(args, " "), time.Since(began).Seconds())
	return out.String(), err
}

func (e engine) preview(t *testing.T, name, clean string, settings ...string) (string, error) {
	t.Helper()
	return e.pulumi(t, configured([]string{"preview"}, name, clean, settings)...)
}

// up goes without a preview, which would stop it before it makes anything.
func (e engine) up(t *testing.T, name, clean string, settings ...string) (string, error) {
	t.Helper()
	return e.pulumi(t, configured([]string{"up", "--yes", "--skip-preview"}, name, clean, settings)...)
}

func configured(command []string, name, clean string, settings []string) []string {
	for _, setting := range append(settings, "violations:case="+name, "violations:clean="+clean) {
		command = append(command, "-c", setting)
	}
	return command
}

// urns are the resources in the stack's state.
func (e engine) urns(t *testing.T) map[string]bool {
	t.Helper()
	text, err := e.pulumi(t, "stack", "export")
	require.NoError(t, err, text)
	var state struct {
		Deployment struct{ Resources []struct{ URN string } }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &state))
	urns := map[string]bool{}
	for _, one := range state.Deployment.Resources {
		urns[one.URN] = true
	}
	return urns
}

// reset ends the control planes that the test has started.
func (e engine) reset(t *testing.T) {
	t.Helper()
	out, err := exec.Command(os.Getenv(home.EngineVariable), "--root", e.root, "reset").CombinedOutput()
	require.NoError(t, err, string(out))
}

// made counts what the cloud holds of a type.
func made(t *testing.T, typ string) (n int) {
	t.Helper()
	records, err := inventory.Account(account)
	require.NoError(t, err)
	for _, r := range records {
		if r.Type == typ {
			n++
		}
	}
	return n
}

func TestS4SeveralBrokenRules(t *testing.T) {
	e := newEngine(t)
	said, err := e.preview(t, "several", "false")
	require.Error(t, err, said)
	for _, want := range []string{
		"error: aws:kms/key:Key first: enableKeyRotation false: the key would be the same for ever",
		"error: aws:kms/key:Key hidden: deletionWindowInDays [secret]: is not a waiting time of KMS",
		"error: aws:cloudwatch/logGroup:LogGroup waits: retentionInDays 100: is not a retention that CloudWatch has", // it waits for the first key
		"resources break rules, each is named above",
	} {
		assert.Contains(t, said, want)
	}
	assert.NotContains(t, said, "Key clean:")
	assert.NotContains(t, said, "rules:Refusal", "what makes the preview fail is not planned")

	said, err = e.up(t, "several", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, "Key first: enableKeyRotation false")
	assert.LessOrEqual(t, made(t, keyType), 1, "the clean one at most")
	assert.Zero(t, made(t, groupType))

	said, err = e.preview(t, "several", "true")
	require.NoError(t, err, said)
	said, err = e.up(t, "several", "true")
	require.NoError(t, err, said)
	assert.Equal(t, 3, made(t, keyType))
	assert.Equal(t, 1, made(t, groupType))

	said, err = e.up(t, "several", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, "Key first: enableKeyRotation false")
	assert.Equal(t, 3, made(t, keyType), "what is refused is neither changed nor deleted")
	assert.Equal(t, 1, made(t, groupType))
	records, err := inventory.Account(account)
	require.NoError(t, err)
	for _, r := range records {
		assert.NotEqual(t, false, r.Inputs["enableKeyRotation"], r.ID)
	}
}

func TestS4ChildrenOfAnothersComponent(t *testing.T) {
	e := newEngine(t)
	broken := "error: aws:eks/cluster:Cluster cluster-eksCluster: enabledClusterLogTypes [\"api\",\"audit\"]: authenticator is missing (requirement C1)"
	said, err := e.preview(t, "remote", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, broken)

	said, err = e.up(t, "remote", "false")
	require.Error(t, err, said)
	assert.Contains(t, said, broken)
	assert.Contains(t, said, "cluster-eksCluster breaks a rule and was not made")
	assert.Zero(t, made(t, clusterType))
	assert.NotZero(t, made(t, "aws:ec2/securityGroup:SecurityGroup"), "the component got as far as its cluster")
}

// refusals are what each guardrail says of what hides in a component, or in a vendor's chart.
var refusals = []string{
	"aws:rds/instance:Instance database-encrypted: storageEncrypted false: what it stores is not encrypted (requirement S4); set it to true, with the key of data [database-encrypted]",
	"aws:ebs/volume:Volume disk-encrypted: encrypted (not set)",
	"aws:ec2/instance:Instance instance-disks-encrypted: rootBlockDevice.encrypted (not set)",
	"aws:elasticache/replicationGroup:ReplicationGroup cache-encrypted: atRestEncryptionEnabled (not set)",
	"aws:cloudwatch/logGroup:LogGroup logs-encrypted: kmsKeyId (not set)",
	"aws:secretsmanager/secret:Secret data-encrypted: kmsKeyId (not set)",
	"aws:sns/topic:Topic topic-encrypted: kmsMasterKeyId (not set)",
	"aws:sqs/queue:Queue queue-encrypted: sqsManagedSseEnabled (not set)",
	"aws:ec2/launchTemplate:LaunchTemplate node-disks: blockDeviceMappings[0].ebs.encrypted false",
	"aws:s3/bucketAclV2:BucketAclV2 public-acl: acl public-read: everybody may read it",
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock s3-public-access: restrictPublicBuckets (not set)",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule open-ingress: cidrIpv4 0.0.0.0/0: the whole internet may come in",
	"aws:ec2/securityGroup:SecurityGroup open-ingress-inline: ingress[0].cidrBlocks[0] 0.0.0.0/0: the whole internet may come in",
	"aws:ec2/securityGroupRule:SecurityGroupRule open-ingress-rule: cidrBlocks[0] 0.0.0.0/0: the whole internet may come in",
	"aws:ec2/managedPrefixList:ManagedPrefixList open-prefix-list: entries[0].cidr 0.0.0.0/0: the whole internet may come in",
	"aws:rds/instance:Instance public-database: publiclyAccessible true",
	"aws:iam/rolePolicy:RolePolicy wildcard-action: policy statement 1 s3:*: it allows also what AWS adds tomorrow",
	"aws:sqs/queuePolicy:QueuePolicy wildcard-principal: policy statement 1 Principal *: it is for everybody",
	"aws:iam/policy:Policy wildcard-resource: policy statement 1 s3:GetObject on *: it is allowed on everything",
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment managed-policy: policyArn arn:aws:iam::aws:policy/AdministratorAccess: it allows what AWS thinks of",
	"aws:iam/role:Role web-identity-subject: assumeRolePolicy statement 1 sts:AssumeRoleWithWebIdentity: every pod",
	"aws:dynamodb/table:Table unprotected: protect false: it holds data",
	"aws:rds/cluster:Cluster database-deletable: deletionProtection (not set)",
	"aws:ecr/repository:Repository emptied-on-deletion: forceDelete true",
	"kubernetes:storage.k8s.io/v1:StorageClass storage-encrypted: parameters.encrypted false",
	"kubernetes:karpenter.k8s.aws/v1:EC2NodeClass node-class-disks: spec.blockDeviceMappings[0].ebs.encrypted false",
	"kubernetes:networking.k8s.io/v1:NetworkPolicy open-network-policy: spec.ingress[0].from[0].ipBlock.cidr 0.0.0.0/0: the whole internet may come in",
	"kubernetes:apps/v1:DeploymentPatch unseen-objects: type kubernetes:apps/v1:DeploymentPatch: no rule judges the objects in it",
	"kubernetes:core/v1:Service open-load-balancer: spec.loadBalancerSourceRanges []: the whole internet may come in",
	`kubernetes:rbac.authorization.k8s.io/v1:Role rbac-wildcard: rules[0].verbs ["*"]`,
	"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding rbac-administrator: roleRef.name cluster-admin",
	"kubernetes:apps/v1:StatefulSet volumes-deleted: spec.persistentVolumeClaimRetentionPolicy.whenDeleted Delete",
	chartPod + ".securityContext.privileged true: the program is root on its node (requirement S4); leave it out [pod-privileged]",
	chartDeployment + "spec.template.spec.hostNetwork true: pods would see what is the node's",
	chartPod + ".securityContext.runAsNonRoot false: the program may be root",
	chartPod + ".securityContext.allowPrivilegeEscalation true",
	chartPod + `.securityContext.capabilities.add ["NET_ADMIN"]`,
	chartPod + ".resources.limits.memory (not set): a leak would take the node's memory",
	chartPod + ".image public.ecr.aws/eks/aws-load-balancer-controller:latest: nobody can say what runs",
}

// missing are what guardrails say at the end, when it has not come.
var missing = []string{
	"aws:s3/bucketV2:BucketV2 bucket-public: bucket mine: nothing keeps the public out (requirement S4); make a BucketPublicAccessBlock with all four settings [bucket-public]",
	"aws:s3/bucketV2:BucketV2 bucket-public: bucket mine: without a key of ours nobody can withdraw it, or see who used it (requirement S4); " +
		"make a BucketServerSideEncryptionConfigurationV2 with the key of data [bucket-encrypted]",
}

const (
	chartDeployment = "kubernetes:apps/v1:Deployment balancer:default/balancer-aws-load-balancer-controller: "
	chartPod        = chartDeployment + "spec.template.spec.containers[0]"
	protecting      = "alphapulse:protect=true"
)

func TestS4EveryGuardrailStopsWhatHidesInAComponentOrAChart(t *testing.T) {
	e := newEngine(t)
	t.Cleanup(func() { e.reset(t) })
	said, err := e.up(t, "remote", "true") // the clean twin; and a chart is shown once there is a cluster to ask
	require.NoError(t, err, said)

	said, err = e.preview(t, "guardrails", "false", protecting)
	require.Error(t, err, said)
	for _, want := range slices.Concat(refusals, missing) {
		assert.Contains(t, said, "error: "+want)
	}
	named := map[string]bool{}
	for _, rule := range ruleName.FindAllStringSubmatch(said, -1) {
		named[rule[1]] = true
	}
	for _, rule := range guardrails.Guardrails() {
		assert.True(t, named[rule], "nothing hidden breaks %s", rule)
	}

	before := e.urns(t)
	said, err = e.up(t, "guardrails", "false", protecting)
	require.Error(t, err, said)
	for _, want := range refusals {
		assert.Contains(t, said, "error: "+want)
	}
	for urn := range e.urns(t) {
		typ, name, _ := strings.Cut(urn[strings.LastIndex(urn, "$")+1:], "::")
		refused := strings.Contains(strings.Join(refusals, "\n"), typ+" "+name+": ")
		assert.False(t, refused && !before[urn], "%s was made", urn)
	}

	said, err = e.preview(t, "guardrails", "true", protecting)
	require.NoError(t, err, said)
}

var ruleName = regexp.MustCompile(`(?m)error: .* \[([a-z0-9-]+)\]$`)

func TestS4AnExceptionHoldsForItsTime(t *testing.T) {
	e := newEngine(t)
	excepted := func(expires time.Time) string {
		return `alphapulse:guardrails={"exceptions":[{"rule":"database-encrypted","resource":"aws:rds/instance:Instance database-*",` +
			`"reason":"it is a test","expires":"` + expires.Format(time.DateOnly) + `"}]}`
	}
	today := time.Now().UTC()
	said, err := e.preview(t, "alone", "false", excepted(today))
	require.NoError(t, err, said)
	assert.Contains(t, said, "excepted until "+today.Format(time.DateOnly)+" because it is a test: aws:rds/instance:Instance database-encrypted: storageEncrypted false")

	said, err = e.preview(t, "alone", "false", excepted(today.AddDate(0, 0, -1)))
	require.Error(t, err, said)
	assert.Contains(t, said, "error: "+refusals[0])

	said, err = e.preview(t, "several", "true", excepted(today))
	require.NoError(t, err, said)
	assert.Contains(t, said, "warning: alphapulse:guardrails.exceptions: nothing that was looked at breaks database-encrypted")
}
