package data_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/data"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/security"
)

const (
	instance       = "aws:rds/instance:Instance"
	parameterGroup = "aws:rds/parameterGroup:ParameterGroup"
	subnetGroup    = "aws:rds/subnetGroup:SubnetGroup"
	securityGroup  = "aws:ec2/securityGroup:SecurityGroup"
	ingressRule    = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRule     = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	logGroup       = "aws:cloudwatch/logGroup:LogGroup"
	role           = "aws:iam/role:Role"
	rolePolicy     = "aws:iam/rolePolicy:RolePolicy"
	attachment     = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	secretType     = "aws:secretsmanager/secret:Secret"
	versionType    = "aws:secretsmanager/secretVersion:SecretVersion"
	randomID       = "random:index/randomId:RandomId"

	account = "222222222222"
)

var aws = config.AWS{Account: account, Region: "us-east-1"}

// prod is the source's database.
var prod = config.Postgres{Version: "14", InstanceType: "db.r5.xlarge", StorageGiB: 500, MultiAZ: true, Replica: true, BackupDays: 7}

func keys() *security.Keys {
	return &security.Keys{Data: pulumi.String("key-of-data").ToStringOutput(), Logs: pulumi.String("key-of-logs").ToStringOutput()}
}

func newPostgres(ctx *pulumi.Context, spec config.Postgres, protect bool) (*data.Postgres, error) {
	return data.NewPostgres(ctx, "postgres", &data.PostgresArgs{
		Name: "alphapulse-prod", Environment: "prod", AWS: aws, Spec: spec, Zones: []string{"us-east-1c", "us-east-1b", "us-east-1a"},
		VpcID: pulumi.String("vpc"), SubnetIDs: pulumi.ToStringArray([]string{"database-a", "database-b", "database-c"}),
		ClientSecurityGroupID: pulumi.String("sg-cluster"), Keys: keys(), LogDays: 365, Protect: protect,
	})
}

func postgres(t *testing.T, spec config.Postgres, protect bool) (*recorder.Run, map[string]any) {
	t.Helper()
	got := map[string]any{}
	run := recorder.Record(t, recorder.Up, func(ctx *pulumi.Context) error {
		p, err := newPostgres(ctx, spec, protect)
		if err != nil {
			return err
		}
		pulumi.Map{
			"address": p.Address, "replica": p.ReplicaAddress, "port": p.Port, "database": p.Database,
			"group": p.SecurityGroupID, "master": p.MasterSecretARN, "application": p.ApplicationSecretARN, "url": p.URLSecretARN, "digest": p.VerifierDigest,
			"monitoring": p.MonitoringSecretARN, "monitoringDigest": p.MonitoringDigest,
		}.ToMapOutput().ApplyT(func(known map[string]any) error { got = known; return nil })
		return nil
	})
	return run, got
}

func up(t *testing.T) *recorder.Run {
	t.Helper()
	run, _ := postgres(t, prod, true)
	return run
}

func newBuckets(ctx *pulumi.Context, retention config.Retention, protect bool) (*data.Buckets, error) {
	return data.NewBuckets(ctx, "buckets", &data.BucketsArgs{
		Name: "alphapulse-prod", Prefix: "acme", AWS: aws, Retention: retention, Keys: keys(), Protect: protect,
	})
}

// everything is the whole package at once, as the program puts it together.
func everything(ctx *pulumi.Context) error {
	if _, err := newPostgres(ctx, prod, true); err != nil {
		return err
	}
	buckets, err := newBuckets(ctx, retention, true)
	if err != nil {
		return err
	}
	return newAudit(ctx, buckets.Logs)
}

// raw keeps inputs as they come in, with what is secret marked; the recorder shows them bare.
type raw struct {
	lock   sync.Mutex
	inputs map[string]resource.PropertyMap // by type and name
}

func (r *raw) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.inputs[args.TypeToken+" "+args.Name] = args.Inputs
	outputs := args.Inputs.Copy()
	if strings.HasSuffix(args.TypeToken, ":RandomPassword") {
		outputs["result"] = resource.NewProperty("generated-" + args.Name)
	}
	return args.Name, outputs, nil
}

func (r *raw) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func asked(t *testing.T) *raw {
	t.Helper()
	seen := &raw{inputs: map[string]resource.PropertyMap{}}
	require.NoError(t, pulumi.RunErr(everything, pulumi.WithMocks("alphapulse", "raw", seen)))
	return seen
}

func TestD1InstancesMayTakeAnHour(t *testing.T) {
	run := up(t)
	for _, name := range []string{"postgres", "postgres-replica"} {
		assert.Equal(t, "60m", run.Find(t, instance, name).Timeouts[0], "the provider gives up after 40 minutes")
	}
}

func TestS2NoPasswordIsAnInputThatIsNotSecret(t *testing.T) {
	seen := asked(t)
	held := map[string]bool{}
	for name, inputs := range seen.inputs {
		for key, value := range inputs {
			if value.IsSecret() {
				held[name+" "+string(key)] = true
				continue
			}
			assert.NotContains(t, value.String(), "generated-", "%s: %s", name, key)
		}
	}
	assert.Equal(t, map[string]bool{
		instance + " postgres password":                           true,
		versionType + " postgres-master-secret secretString":      true,
		versionType + " postgres-application-secret secretString": true,
		versionType + " postgres-monitoring-secret secretString":  true,
		versionType + " postgres-url-secret secretString":         true,
	}, held)
}

func TestS2NoOutputOfTheDatabaseIsAPassword(t *testing.T) {
	_, got := postgres(t, prod, true)
	for name, value := range got {
		assert.NotContains(t, fmt.Sprint(value), "password", name)
	}
	assert.Equal(t, map[string]any{
		"address": "address-of-postgres", "replica": "address-of-postgres-replica", "port": 5432, "database": "alphapulse",
		"group": "postgres-id", "master": recorder.ARN(versionType, "postgres-master-secret"), "url": recorder.ARN(versionType, "postgres-url-secret"),
		"application": recorder.ARN(versionType, "postgres-application-secret"), "digest": "8dd298b2f712a55330bf2756e823e9d064a8c7d4275003b6d22247c5d0350e01",
		"monitoring": recorder.ARN(versionType, "postgres-monitoring-secret"), "monitoringDigest": "17af353f913b55969c3320896da7b0082b2c745ab395433e16ebc706194abaab",
	}, got)
}

func TestDataIsTheSameInPreviewAndUp(t *testing.T) {
	names := map[recorder.Mode][]string{}
	for _, mode := range []recorder.Mode{recorder.Preview, recorder.Up} {
		for _, one := range recorder.Record(t, mode, everything).Resources {
			names[mode] = append(names[mode], one.URN)
		}
	}
	assert.ElementsMatch(t, names[recorder.Preview], names[recorder.Up])
}
