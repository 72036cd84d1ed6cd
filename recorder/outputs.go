package recorder

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// What the mocks answer where a test wants to see that the answer was used.
const (
	ClusterName     = "recorded-cluster"
	IssuerHost      = "issuer.recorded.example/id/1"
	LookedUpVersion = "v0.0.1-eksbuild.1"
	NodeRelease     = "1.36.0-20261101"
	CertificateEnds = "2027-11-29T00:00:00Z"

	LoadBalancerHost = "recorded.elb.example"

	clusterType  = "aws:eks/cluster:Cluster"
	clusterChild = "recorded-eksCluster"
)

// ARN is the one the mocks give to a resource on AWS.
func ARN(typ, name string) string {
	return "arn:aws:recorded:::" + strings.ReplaceAll(typ, ":", "/") + "/" + name
}

// partsOfSecrets are outputs that secrets are made of: passwords, certificates, where the database is. They are known in previews too, unlike
// all others: the SDK's mocks fail on a secret that is not known.
var partsOfSecrets = map[string]struct{ output, value string }{
	"random:index/randomPassword:RandomPassword":    {"result", "password"},
	"random:index/randomId:RandomId":                {"hex", "hex"},
	"tls:index/privateKey:PrivateKey":               {"privateKeyPem", "key"},
	"tls:index/certRequest:CertRequest":             {"certRequestPem", "request"},
	"tls:index/selfSignedCert:SelfSignedCert":       {"certPem", "certificate"},
	"tls:index/locallySignedCert:LocallySignedCert": {"certPem", "certificate"},
	"aws:rds/instance:Instance":                     {"address", "address"},
}

// outputs are what a resource has beyond its inputs, as far as a program can use it.
func (m *mocks) outputs(args pulumi.MockResourceArgs) resource.PropertyMap {
	if args.TypeToken == "eks:index:Cluster" {
		return m.componentOutputs()
	}
	text := resource.NewProperty[string]
	outputs := resource.PropertyMap{}
	if part, ok := partsOfSecrets[args.TypeToken]; ok {
		outputs[resource.PropertyKey(part.output)] = text(part.value + "-of-" + args.Name)
	}
	if m.mode == Preview {
		return outputs
	}
	if args.TypeToken == "kubernetes:core/v1:Service" {
		return resource.NewPropertyMapFromMap(map[string]any{"status": map[string]any{
			"loadBalancer": map[string]any{"ingress": []any{map[string]any{"hostname": LoadBalancerHost}}},
		}})
	}
	if args.TypeToken == "tls:index/locallySignedCert:LocallySignedCert" {
		outputs["validityEndTime"] = text(CertificateEnds)
	}
	if !strings.HasPrefix(args.TypeToken, "aws:") {
		return outputs
	}
	outputs["arn"], outputs["name"] = text(ARN(args.TypeToken, args.Name)), text(args.Name)
	switch args.TypeToken {
	case "aws:kms/key:Key":
		outputs["keyId"] = text(args.Name + "-key-id")
	case "aws:ec2/eip:Eip":
		outputs["publicIp"] = text("address-of-" + args.Name)
	case "aws:ec2/launchTemplate:LaunchTemplate":
		outputs["latestVersion"] = resource.NewProperty(3.0)
	case "aws:eks/nodeGroup:NodeGroup":
		outputs["releaseVersion"] = text(NodeRelease)
	}
	return outputs
}

// MadeUpName is the name that an object gets of which the program names none.
func MadeUpName(resource string) string { return resource + "-made-up" }

// nameObject gives a Kubernetes object a name where it has none, as its provider does.
func nameObject(args pulumi.MockResourceArgs, state resource.PropertyMap) {
	metadata := state["metadata"]
	if !strings.HasPrefix(args.TypeToken, "kubernetes:") || !metadata.IsObject() || metadata.ObjectValue().HasValue("name") {
		return
	}
	named := metadata.ObjectValue().Copy()
	named["name"] = resource.NewProperty(MadeUpName(args.Name))
	state["metadata"] = resource.NewProperty(named)
}

// registerEKS registers, beside the program, the cluster that the EKS component would make. The component runs in a plugin, and of a
// component's outputs a mock can only answer references to resources that are registered already.
func (m *mocks) registerEKS(ctx *pulumi.Context) error {
	var cluster pulumi.CustomResourceState
	if err := ctx.ReadResource(clusterType, clusterChild, pulumi.ID(ClusterName), nil, &cluster); err != nil {
		return err
	}
	read := make(chan struct{}) // the program's component must find it
	cluster.URN().ApplyT(func(pulumi.URN) error { close(read); return nil })
	<-read
	return nil
}

func (m *mocks) readEKS(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	state := map[string]any{"name": ClusterName}
	if m.mode == Up {
		state["endpoint"] = "https://recorded.example"
		state["certificateAuthority"] = map[string]any{"data": "cmVjb3JkZWQ="}
		state["vpcConfig"] = map[string]any{"clusterSecurityGroupId": "sg-recorded"}
		state["identities"] = []any{map[string]any{"oidcs": []any{map[string]any{"issuer": "https://" + IssuerHost}}}}
	}
	return args.ID, resource.NewPropertyMapFromMap(state), nil
}

// componentOutputs are the EKS component's: the cluster itself and, once there is one, the way in.
func (m *mocks) componentOutputs() resource.PropertyMap {
	cluster := resource.URN(urn("", clusterType, clusterChild))
	outputs := resource.PropertyMap{"eksCluster": resource.MakeCustomResourceReference(cluster, ClusterName, "")}
	if m.mode == Up {
		outputs["kubeconfigJson"] = resource.NewProperty(`{"current-context":"recorded","users":[{"name":"aws","user":{"exec":{"command":"aws","args":["eks","get-token"]}}}]}`)
	}
	return outputs
}
