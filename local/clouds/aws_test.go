package clouds

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/home"
	"github.com/alphapulse/infrastructure/local/inventory"
)

type props = map[string]any

// cloud is an empty account and the provider on it.
type cloud struct {
	*testing.T
	*Provider
}

func newCloud(t *testing.T) cloud {
	t.Setenv(home.DirVariable, t.TempDir())
	p := New("aws")
	_, err := p.Configure(context.Background(), plugin.ConfigureRequest{Inputs: resource.NewPropertyMapFromMap(props{
		"region": "eu-west-1", "allowedAccountIds": `["123456789012"]`, "defaultTags": `{"tags":{"stack":"test"}}`})})
	require.NoError(t, err)
	return cloud{t, p}
}

func urn(typ, name string) resource.URN {
	return resource.NewURN("test", "alphapulse", "", tokens.Type(token(typ)), name)
}

func (c cloud) check(typ, name string, in props) (resource.PropertyMap, []string) {
	resp, err := c.Check(context.Background(), plugin.CheckRequest{URN: urn(typ, name), News: resource.NewPropertyMapFromMap(in), RandomSeed: []byte(name)})
	require.NoError(c, err)
	var reasons []string
	for _, f := range resp.Failures {
		reasons = append(reasons, f.Reason)
	}
	return resp.Properties, reasons
}

func (c cloud) try(typ, name string, in props) (plugin.CreateResponse, error) {
	inputs, reasons := c.check(typ, name, in)
	require.Empty(c, reasons)
	return c.Create(context.Background(), plugin.CreateRequest{URN: urn(typ, name), Properties: inputs})
}

func (c cloud) make(typ, name string, in props) string {
	resp, err := c.try(typ, name, in)
	require.NoError(c, err)
	return string(resp.ID)
}

func (c cloud) destroy(typ, id string) error {
	_, err := c.Delete(context.Background(), plugin.DeleteRequest{URN: urn(typ, "x"), ID: resource.ID(id)})
	return err
}

func (c cloud) diff(typ string, old, now props) plugin.DiffResult {
	a, reasons := c.check(typ, "x", old)
	require.Empty(c, reasons)
	b, reasons := c.check(typ, "x", now)
	require.Empty(c, reasons)
	result, err := c.Diff(context.Background(), plugin.DiffRequest{URN: urn(typ, "x"), OldInputs: a, NewInputs: b})
	require.NoError(c, err)
	return result
}

func TestEveryRowIsConsistent(t *testing.T) {
	var each func(row *Type, fields []field)
	each = func(row *Type, fields []field) {
		for _, f := range fields {
			if f.ref != 0 {
				assert.Contains(t, types, token(f.target), "%s: %s refers to a type without a row", row.Name, f.name)
			}
			each(row, f.fields)
		}
	}
	for _, row := range types {
		each(row, row.fields)
		assert.Contains(t, services, row.module())
		_, keys := row.unique()
		for _, key := range keys {
			_, ok := lookup(row.fields, key)
			assert.True(t, ok, "%s: unique by %s, which is no property", row.Name, key)
		}
		row.preview(resource.PropertyMap{}, nil) // reads every output path
	}
}

func TestEveryAddonIsConsistent(t *testing.T) {
	files, err := addonFiles.ReadDir("addons")
	require.NoError(t, err)
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".yaml")
		a, err := loadAddon(name)
		require.NoError(t, err)
		objects := map[string]bool{}
		for _, o := range a.Objects {
			objects[nameOf(o)] = true
		}
		for key, s := range a.Settings {
			assert.True(t, s.Object == "" || objects[s.Object], "%s: %s", name, key)
			for _, place := range s.At {
				target, path, _ := strings.Cut(place, ":")
				assert.True(t, objects[target], "%s: %s", name, key)
				assert.NotEmpty(t, path, "%s: %s", name, key)
			}
		}
		for _, minor := range []string{"1.34", "1.35", "1.36"} {
			assert.NotEmpty(t, a.Versions[minor], name)
		}
	}
}

func TestAddonConfiguration(t *testing.T) {
	a, err := loadAddon("aws-ebs-csi-driver")
	require.NoError(t, err)
	render := func(values props) (map[string]manifest, error) {
		list, err := a.render("eu-west-1", "v1", values)
		byName := map[string]manifest{}
		for _, o := range list {
			byName[nameOf(o)] = o
		}
		return byName, err
	}
	byName, err := render(props{
		"controller":          props{"replicaCount": 3.0, "nodeSelector": props{"pool": "general"}},
		"node":                props{"tolerateAllTaints": false},
		"sidecars":            props{"provisioner": props{"resources": props{"requests": props{"cpu": "20m"}}}},
		"defaultStorageClass": props{"enabled": true}})
	require.NoError(t, err)
	controller := byName["Deployment/ebs-csi-controller"].Object
	assert.Equal(t, 3.0, at(controller, "spec.replicas"))
	assert.Equal(t, props{"pool": "general"}, at(controller, "spec.template.spec.nodeSelector"))
	assert.Len(t, at(byName["DaemonSet/ebs-csi-node"].Object, "spec.template.spec.tolerations"), 2)
	assert.Contains(t, byName, "StorageClass/ebs-csi-default-sc")

	byName, err = render(nil)
	require.NoError(t, err)
	assert.NotContains(t, byName, "StorageClass/ebs-csi-default-sc")
	assert.Equal(t, 2.0, at(byName["Deployment/ebs-csi-controller"].Object, "spec.replicas"))

	_, err = render(props{"controller": props{"color": "red"}})
	assert.ErrorContains(t, err, "controller.color is not modelled")
	cni, err := loadAddon("vpc-cni")
	require.NoError(t, err)
	_, err = cni.render("eu-west-1", "v1", props{"enableNetworkPolicy": true})
	assert.ErrorContains(t, err, "true is not a string")
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	c := newCloud(t)
	for typ, in := range map[string]props{
		"missing required property vpcId":                     {"cidrBlock": "10.0.0.0/24"},
		"property outpostArn of aws:ec2/subnet:Subnet is not": {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "outpostArn": "x"},
		"is not a valid IPv4 CIDR block":                      {"vpcId": "vpc-1", "cidrBlock": "10.0.0.1/24"},
	} {
		_, reasons := c.check("ec2.Subnet", "s", in)
		assert.Contains(t, strings.Join(reasons, "\n"), typ)
	}
	_, reasons := c.check("ec2.Spaceship", "s", nil)
	assert.Equal(t, []string{"resource type aws:ec2/spaceship:Spaceship is not modelled by the local engine"}, reasons)
	_, reasons = c.check("eks.NodeGroup", "n", props{"clusterName": "c", "nodeRoleArn": "r", "subnetIds": []any{"s"},
		"scalingConfig": props{"desiredSize": 1.0, "maxSize": 1.0, "minSize": 1.0, "spareSize": 1.0}})
	assert.Contains(t, reasons[0], "scalingConfig.spareSize")
}

func TestCheckFillsIn(t *testing.T) {
	c := newCloud(t)
	in, reasons := c.check("cloudwatch.LogGroup", "flow", props{"tags": props{"own": "1"}, "kmsKeyId": resource.MakeComputed(resource.NewProperty(""))})
	require.Empty(t, reasons)
	assert.Regexp(t, "^flow-[0-9a-f]{7}$", in["name"].StringValue())
	assert.Equal(t, 0.0, in["retentionInDays"].NumberValue())
	assert.Equal(t, props{"own": "1", "stack": "test"}, in["tags"].ObjectValue().Mappable())
	assert.True(t, in["kmsKeyId"].IsComputed())
}

func TestDiff(t *testing.T) {
	c := newCloud(t)
	vpc := props{"cidrBlock": "10.0.0.0/16"}
	assert.Equal(t, plugin.DiffNone, c.diff("ec2.Vpc", vpc, vpc).Changes)
	assert.Empty(t, c.diff("ec2.Vpc", vpc, props{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true}).ReplaceKeys)
	replaced := c.diff("ec2.Vpc", vpc, props{"cidrBlock": "10.1.0.0/16"})
	assert.Equal(t, []resource.PropertyKey{"cidrBlock"}, replaced.ReplaceKeys)
	assert.False(t, replaced.DeleteBeforeReplace)

	subnet := props{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"}
	unknownVpc := props{"vpcId": resource.MakeComputed(resource.NewProperty("")), "cidrBlock": "10.0.0.0/24"}
	assert.Equal(t, []resource.PropertyKey{"vpcId"}, c.diff("ec2.Subnet", subnet, unknownVpc).ReplaceKeys)

	group := func(size float64, template props) props {
		in := props{"clusterName": "c", "nodeGroupName": "general", "nodeRoleArn": "r", "subnetIds": []any{"s1", "s2"},
			"scalingConfig": props{"desiredSize": size, "maxSize": 9.0, "minSize": 1.0}}
		if template != nil {
			in["launchTemplate"] = template
		}
		return in
	}
	resized := c.diff("eks.NodeGroup", group(1, nil), group(2, nil))
	assert.Empty(t, resized.ReplaceKeys)
	assert.Contains(t, resized.DetailedDiff, "scalingConfig.desiredSize")
	assert.Empty(t, c.diff("eks.NodeGroup", group(1, props{"id": "lt-1", "version": "1"}), group(1, props{"id": "lt-1", "version": "2"})).ReplaceKeys)
	moved := c.diff("eks.NodeGroup", group(1, props{"id": "lt-1", "version": "1"}), group(1, props{"id": "lt-2", "version": "1"}))
	assert.Equal(t, []resource.PropertyKey{"launchTemplate.id"}, moved.ReplaceKeys)
	assert.True(t, moved.DeleteBeforeReplace, "its name is given: the old one must go first")
	named := c.diff("ec2.Subnet", subnet, props{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1c"})
	assert.False(t, named.DeleteBeforeReplace, "as for real, where the second subnet of one block is then refused")
	reordered := group(1, nil)
	reordered["subnetIds"] = []any{"s2", "s1"}
	assert.Equal(t, plugin.DiffNone, c.diff("eks.NodeGroup", group(1, nil), reordered).Changes)
	preferred := func(types ...any) props { g := group(1, nil); g["instanceTypes"] = types; return g }
	assert.Equal(t, []resource.PropertyKey{"instanceTypes"}, c.diff("eks.NodeGroup", preferred("m6i.large", "m5.large"), preferred("m5.large", "m6i.large")).ReplaceKeys,
		"EC2 tries them in their order")
}

func TestReferencesMakeOrderTrue(t *testing.T) {
	c := newCloud(t)
	_, err := c.try("ec2.Subnet", "s", props{"vpcId": "vpc-0", "cidrBlock": "10.0.0.0/24"})
	assert.ErrorContains(t, err, `InvalidVpcID.NotFound: vpcId: the Vpc "vpc-0" does not exist`)
	vpc := c.make("ec2.Vpc", "v", props{"cidrBlock": "10.0.0.0/16"})
	subnet := c.make("ec2.Subnet", "s", props{"vpcId": vpc, "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1b"})
	assert.Regexp(t, "^vpc-[0-9a-f]{17}$", vpc)
	assert.ErrorContains(t, c.destroy("ec2.Vpc", vpc), "DependencyViolation: Vpc "+vpc+" is in use by aws:ec2/subnet:Subnet "+subnet)

	// A load balancer that a controller made, and nobody declared, holds its subnet.
	store, err := inventory.Open("123456789012", "eu-west-1")
	require.NoError(t, err)
	balancer := inventory.Record{Type: "aws:lb/loadBalancer:LoadBalancer", ID: "net/x", Inputs: props{"subnets": []any{subnet}}}
	require.NoError(t, store.Put(balancer))
	assert.ErrorContains(t, c.destroy("ec2.Subnet", subnet), "aws:lb/loadBalancer:LoadBalancer net/x")
	require.NoError(t, store.Delete(balancer.Type, balancer.ID))

	// The rules of a group go with it; a rule that names it as a peer holds it.
	server := c.make("ec2.SecurityGroup", "server", props{"vpcId": vpc})
	client := c.make("ec2.SecurityGroup", "client", props{"vpcId": vpc})
	rule := c.make("vpc.SecurityGroupIngressRule", "r", props{"securityGroupId": server, "ipProtocol": "tcp", "fromPort": 5432.0, "toPort": 5432.0,
		"referencedSecurityGroupId": client})
	assert.ErrorContains(t, c.destroy("ec2.SecurityGroup", client), "DependencyViolation")
	require.NoError(t, c.destroy("ec2.SecurityGroup", server))
	_, ok, err := c.get(token("vpc.SecurityGroupIngressRule"), rule)
	require.NoError(t, err)
	assert.False(t, ok)
	require.NoError(t, c.destroy("ec2.SecurityGroup", client))
	require.NoError(t, c.destroy("ec2.Subnet", subnet))
	require.NoError(t, c.destroy("ec2.Vpc", vpc))
}

func TestNamesAreUniqueAndRolesGlobal(t *testing.T) {
	c := newCloud(t)
	role := props{"name": "node", "assumeRolePolicy": "{}"}
	assert.Equal(t, "node", c.make("iam.Role", "node", role))
	_, err := c.try("iam.Role", "node", role)
	assert.ErrorContains(t, err, "EntityAlreadyExists")
	c.make("iam.RolePolicyAttachment", "cni", props{"role": "node", "policyArn": "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"})
	assert.ErrorContains(t, c.destroy("iam.Role", "node"), "DeleteConflict")
	dir, err := home.Path("cloud", "123456789012", "global")
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(dir, "aws.iam.role.Role", "node.json"))
	c.make("ec2.InternetGateway", "a", nil)
	c.make("ec2.InternetGateway", "b", nil) // nothing given is not the same thing given twice
	_, err = c.try("kms.Alias", "a", props{"targetKeyId": "no-such-key"})
	assert.ErrorContains(t, err, "NotFoundException")
}

func TestReadShowsDriftAndLoss(t *testing.T) {
	c := newCloud(t)
	made, err := c.try("kms.Key", "data", props{"description": resource.MakeSecret(resource.NewProperty("hush"))})
	require.NoError(t, err)
	assert.True(t, made.Properties["description"].IsSecret())
	assert.Equal(t, "arn:aws:kms:eu-west-1:123456789012:key/"+string(made.ID), made.Properties["arn"].StringValue())
	record, _, err := c.get(token("kms.Key"), string(made.ID))
	require.NoError(t, err)
	record.Inputs["enableKeyRotation"] = true
	require.NoError(t, c.put(record))
	read := func() plugin.ReadResponse {
		resp, err := c.Read(context.Background(), plugin.ReadRequest{URN: urn("kms.Key", "data"), ID: made.ID, State: made.Properties})
		require.NoError(t, err)
		return resp
	}
	assert.True(t, read().Inputs["enableKeyRotation"].BoolValue())
	assert.True(t, read().Outputs["enableKeyRotation"].BoolValue())
	assert.True(t, read().Outputs["description"].IsSecret())
	assert.Equal(t, made.Properties["arn"], read().Outputs["arn"])
	require.NoError(t, os.RemoveAll(os.Getenv(home.DirVariable)))
	assert.Empty(t, read().ID)
}

func TestPreviewKnowsWhatTheProgramSaid(t *testing.T) {
	out := types[token("eks.Cluster")].preview(resource.NewPropertyMapFromMap(props{
		"name": "saas", "vpcConfig": props{"subnetIds": []any{"s1"}}}), nil)
	assert.Equal(t, "saas", out["name"].StringValue())
	assert.True(t, out["endpoint"].IsComputed())
	assert.True(t, out["vpcConfig"].ObjectValue()["clusterSecurityGroupId"].IsComputed())
	assert.Len(t, out["vpcConfig"].ObjectValue()["subnetIds"].ArrayValue(), 1)
}

func TestFunctions(t *testing.T) {
	c := newCloud(t)
	out, err := c.invoke("aws:eks/getAddonVersion:getAddonVersion", props{"addonName": "coredns", "kubernetesVersion": "1.36", "mostRecent": true})
	require.NoError(t, err)
	assert.Equal(t, "v1.14.0-eksbuild.1", out["version"])
	_, err = c.Invoke(context.Background(), plugin.InvokeRequest{Tok: "aws:ec2/getAmi:getAmi"})
	assert.EqualError(t, err, "aws:ec2/getAmi:getAmi: function is not modelled by the local engine")
}
