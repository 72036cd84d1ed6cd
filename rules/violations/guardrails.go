package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	helmv4 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v4"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// sin breaks one guardrail, which is also its name, by what it is given; its twin keeps all of them. There is none where the type itself is
// refused.
type sin struct{ rule, typ, bad, good string }

// sins are one for each guardrail; those of pods are in a chart. The stand-in does not model every type of resource: on AWS they are
// registered as components, which no provider sees. The guard stands before any provider, and sees no difference.
var sins = []sin{
	{"database-encrypted", "aws:rds/instance:Instance", database(`"storageEncrypted":false`), database(`"storageEncrypted":true`)},
	{"disk-encrypted", "aws:ebs/volume:Volume", `{}`, `{"encrypted":true}`},
	{"instance-disks-encrypted", "aws:ec2/instance:Instance", `{}`, `{"rootBlockDevice":{"encrypted":true}}`},
	{"cache-encrypted", "aws:elasticache/replicationGroup:ReplicationGroup", `{}`, `{"atRestEncryptionEnabled":true}`},
	{"logs-encrypted", "aws:cloudwatch/logGroup:LogGroup", `{}`, `{"kmsKeyId":"arn:aws:kms:us-east-1:000000000000:key/1"}`},
	{"data-encrypted", "aws:secretsmanager/secret:Secret", `{}`, `{"kmsKeyId":"arn:aws:kms:us-east-1:000000000000:key/1"}`},
	{"topic-encrypted", "aws:sns/topic:Topic", `{}`, `{"kmsMasterKeyId":"alias/data"}`},
	{"queue-encrypted", "aws:sqs/queue:Queue", `{}`, `{"sqsManagedSseEnabled":true}`},
	{"node-disks", "aws:ec2/launchTemplate:LaunchTemplate", template(`"false"`), template(`"true"`)},
	{"public-acl", "aws:s3/bucketAclV2:BucketAclV2", `{"acl":"public-read"}`, `{"acl":"private"}`},
	{"s3-public-access", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", `{"bucket":"elsewhere","blockPublicAcls":false}`,
		`{"bucket":"elsewhere","blockPublicAcls":true,"blockPublicPolicy":true,"ignorePublicAcls":true,"restrictPublicBuckets":true}`},
	{"open-ingress", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", `{"cidrIpv4":"0.0.0.0/0","ipProtocol":"-1"}`, `{"cidrIpv4":"10.0.0.0/8","ipProtocol":"-1"}`},
	{"open-ingress-inline", "aws:ec2/securityGroup:SecurityGroup", `{"ingress":[{"cidrBlocks":["0.0.0.0/0"]}]}`, `{}`},
	{"open-ingress-rule", "aws:ec2/securityGroupRule:SecurityGroupRule", `{"type":"ingress","cidrBlocks":["0.0.0.0/0"]}`, `{"type":"ingress","cidrBlocks":["10.0.0.0/8"]}`},
	{"open-prefix-list", "aws:ec2/managedPrefixList:ManagedPrefixList", `{"entries":[{"cidr":"0.0.0.0/0"}]}`, `{"entries":[{"cidr":"198.51.100.0/24"}]}`},
	{"public-database", "aws:rds/instance:Instance", database(`"storageEncrypted":true,"publiclyAccessible":true`), database(`"storageEncrypted":true`)},
	{"wildcard-action", "aws:iam/rolePolicy:RolePolicy", document(`"Action":"s3:*","Resource":"arn:aws:s3:::a"`), document(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::a/b"`)},
	{"wildcard-principal", "aws:sqs/queuePolicy:QueuePolicy", document(`"Principal":"*","Action":"sqs:SendMessage"`),
		document(`"Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage"`)},
	{"wildcard-resource", "aws:iam/policy:Policy", document(`"Action":"s3:GetObject","Resource":"*"`), document(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::a/b"`)},
	{"managed-policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", `{"role":"a","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`,
		`{"role":"a","policyArn":"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}`},
	{"web-identity-subject", "aws:iam/role:Role", trust(`"StringEquals":{"o:aud":"sts.amazonaws.com"}`), trust(`"StringEquals":{"o:sub":"system:serviceaccount:a:b"}`)},
	{"unprotected", "aws:dynamodb/table:Table", `{}`, `{}`}, // protected where it is clean
	{"database-deletable", "aws:rds/cluster:Cluster", `{"storageEncrypted":true}`, `{"storageEncrypted":true,"deletionProtection":true}`},
	{"emptied-on-deletion", "aws:ecr/repository:Repository", `{"forceDelete":true}`, `{}`},

	{"storage-encrypted", "kubernetes:storage.k8s.io/v1:StorageClass", storage("false"), storage("true")},
	{"node-class-disks", "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", `{"spec":{"blockDeviceMappings":[{"ebs":{"encrypted":false,"volumeType":"gp3"}}]}}`,
		`{"spec":{"blockDeviceMappings":[{"ebs":{"encrypted":true,"volumeType":"gp3"}}]}}`},
	{"open-network-policy", "kubernetes:networking.k8s.io/v1:NetworkPolicy", networkPolicy("0.0.0.0/0"), networkPolicy("198.51.100.0/24")},
	{"unseen-objects", "kubernetes:apps/v1:DeploymentPatch", `{"metadata":{"name":"ours"}}`, ""},
	{"open-load-balancer", "kubernetes:core/v1:Service", service(`[]`), service(`["198.51.100.0/24"]`)},
	{"rbac-wildcard", "kubernetes:rbac.authorization.k8s.io/v1:Role", role("*"), role("get")},
	{"rbac-administrator", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin"), binding("view")},
	{"volumes-deleted", "kubernetes:apps/v1:StatefulSet", set("Delete"), set("Retain")},
}

// guardrails breaks every guardrail once: what S3 wants beside a bucket in what is not there, those of pods in a chart.
func guardrails(ctx *pulumi.Context, clean bool, inside pulumi.ResourceOption) error {
	remote, err := component(ctx, "remote") // whose cluster an earlier run has made
	if err != nil {
		return err
	}
	made, err := cluster(ctx, true, remote, pulumi.Protect(true))
	if err != nil {
		return err
	}
	provider, err := kubernetes.NewProvider(ctx, "inside", &kubernetes.ProviderArgs{
		Kubeconfig: made.KubeconfigJson, EnableServerSideApply: pulumi.Bool(true),
	}, inside)
	if err != nil {
		return err
	}
	for _, s := range append(sins, buckets(clean)...) {
		text := s.bad
		if clean {
			text = s.good
		}
		if text == "" {
			continue
		}
		if err := register(ctx, s, text, inside, pulumi.Provider(provider), pulumi.Protect(clean || s.rule != "unprotected")); err != nil {
			return err
		}
	}
	return balancer(ctx, clean, inside, pulumi.Provider(provider))
}

// alone breaks the first guardrail only.
func alone(ctx *pulumi.Context, _ bool, inside pulumi.ResourceOption) error {
	return register(ctx, sins[0], sins[0].bad, inside, pulumi.Protect(true))
}

// buckets are a bucket and, where it is clean, what belongs to it.
func buckets(clean bool) []sin {
	const settings = `{"bucket":"mine","rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"aws:kms","kmsMasterKeyId":"alias/data"}}]}`
	const closed = `{"bucket":"mine","blockPublicAcls":true,"blockPublicPolicy":true,"ignorePublicAcls":true,"restrictPublicBuckets":true}`
	list := []sin{{"bucket-public", "aws:s3/bucketV2:BucketV2", `{"bucket":"mine"}`, `{"bucket":"mine"}`}} // and bucket-encrypted
	if clean {
		list = append(list, sin{"closed", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "", closed},
			sin{"encrypted", "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "", settings})
	}
	return list
}

func register(ctx *pulumi.Context, s sin, text string, opts ...pulumi.ResourceOption) error {
	var args map[string]any
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		return fmt.Errorf("%s: %w", s.rule, err)
	}
	props := pulumi.Map{}
	for key, value := range args {
		props[key] = pulumi.Any(value)
	}
	// Karpenter's definitions are not in the cluster, and patches no stand-in models.
	if strings.HasPrefix(s.typ, "aws:") || strings.Contains(s.typ, "karpenter") || strings.HasSuffix(s.typ, "Patch") {
		return ctx.RegisterComponentResourceV2(s.typ, s.rule, props, &pulumi.ResourceState{}, opts...)
	}
	return ctx.RegisterResource(s.typ, s.rule, props, &pulumi.CustomResourceState{}, opts...)
}

// balancer is a vendor's chart, with values that nobody should give it.
func balancer(ctx *pulumi.Context, clean bool, opts ...pulumi.ResourceOption) error {
	yes, no := pulumi.Bool(true), pulumi.Bool(false)
	values := pulumi.Map{
		"clusterName": pulumi.String("rules"), "hostNetwork": pulumi.Bool(!clean),
		"image": pulumi.Map{"tag": pulumi.String("latest")},
		"securityContext": pulumi.Map{
			"privileged": yes, "runAsNonRoot": no, "allowPrivilegeEscalation": yes, "capabilities": pulumi.Map{"add": pulumi.ToStringArray([]string{"NET_ADMIN"})},
		},
		"podSecurityContext": pulumi.Map{"runAsNonRoot": no},
	}
	if clean {
		values["image"] = pulumi.Map{"tag": pulumi.String("v" + config.LoadBalancerControllerVersion)}
		values["securityContext"] = pulumi.Map{"runAsNonRoot": yes, "allowPrivilegeEscalation": no, "capabilities": pulumi.Map{"drop": pulumi.ToStringArray([]string{"ALL"})}}
		values["podSecurityContext"] = pulumi.Map{"runAsNonRoot": yes}
		values["resources"] = pulumi.Map{
			"requests": pulumi.ToStringMap(map[string]string{"cpu": "100m", "memory": "128Mi"}), "limits": pulumi.ToStringMap(map[string]string{"memory": "256Mi"}),
		}
	}
	_, err := helmv4.NewChart(ctx, "balancer", &helmv4.ChartArgs{
		Namespace: pulumi.String("default"), Chart: pulumi.String("aws-load-balancer-controller"), Version: pulumi.String(config.LoadBalancerControllerVersion),
		RepositoryOpts: helmv4.RepositoryOptsArgs{Repo: pulumi.String(config.LoadBalancerController.Repository)},
		Values:         values, SkipAwait: yes,
	}, opts...)
	return err
}

func database(more string) string {
	return `{"engine":"postgres","backupRetentionPeriod":7,"finalSnapshotIdentifier":"last","deletionProtection":true,` + more + `}`
}

func template(encrypted string) string {
	return `{"metadataOptions":{"httpTokens":"required","httpPutResponseHopLimit":1},
		"blockDeviceMappings":[{"ebs":{"volumeType":"gp3","encrypted":` + encrypted + `}}]}`
}

func document(statement string) string {
	return `{"policy":` + quoted(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+statement+`}]}`) + `}`
}

func trust(condition string) string {
	return `{"assumeRolePolicy":` + quoted(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::000000000000:oidc-provider/o"},`+
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{`+condition+`}}]}`) + `}`
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

func object(kind, more string) string {
	return `{"apiVersion":"` + kind[:strings.LastIndex(kind, "/")] + `","kind":"` + kind[strings.LastIndex(kind, "/")+1:] + `",
		"metadata":{"name":"ours","annotations":{"pulumi.com/skipAwait":"true"}},` + more + `}`
}

func storage(encrypted string) string {
	return object("storage.k8s.io/v1/StorageClass", `"provisioner":"ebs.csi.aws.com","parameters":{"type":"gp3","encrypted":"`+encrypted+`"}`)
}

func service(ranges string) string {
	return object("v1/Service", `"spec":{"type":"LoadBalancer","ports":[{"port":80}],"loadBalancerSourceRanges":`+ranges+`}`)
}

func networkPolicy(from string) string {
	return object("networking.k8s.io/v1/NetworkPolicy", `"spec":{"podSelector":{},"policyTypes":["Ingress"],"ingress":[{"from":[{"ipBlock":{"cidr":"`+from+`"}}]}]}`)
}

func role(verb string) string {
	return object("rbac.authorization.k8s.io/v1/Role", `"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["`+verb+`"]}]`)
}

func binding(name string) string {
	return object("rbac.authorization.k8s.io/v1/ClusterRoleBinding", `"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"`+name+`"}`)
}

func set(when string) string {
	return object("apps/v1/StatefulSet", `"spec":{"replicas":0,"serviceName":"ours","selector":{"matchLabels":{"app":"ours"}},
		"template":{"metadata":{"labels":{"app":"ours"}},"spec":{"securityContext":{"runAsNonRoot":true},"containers":[
			{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}},
			"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"memory":"1Gi"}}}]}},"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"`+when+`"}}`)
}
