package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var encryptionCases = []breakage{
	{"database-encrypted", database, `{}`, "storageEncrypted (not set): what it stores is not encrypted", `{"storageEncrypted":true}`},
	{"database-encrypted", database, `{"replicateSourceDb":"main","storageEncrypted":false}`, "with the key of data", `{"replicateSourceDb":"main"}`},
	{"disk-encrypted", "aws:ebs/volume:Volume", `{"size":10}`, "encrypted (not set)", `{"encrypted":true}`},
	{"disk-encrypted", "aws:efs/fileSystem:FileSystem", `{"encrypted":false}`, "encrypted false", `{"encrypted":true}`},
	{"instance-disks-encrypted", "aws:ec2/instance:Instance", `{}`, "rootBlockDevice.encrypted (not set)", `{"rootBlockDevice":{"encrypted":true}}`},
	{"instance-disks-encrypted", "aws:ec2/instance:Instance", `{"rootBlockDevice":{"encrypted":true},"ebsBlockDevices":[{"deviceName":"/dev/sdb"}]}`,
		"ebsBlockDevices[0].encrypted", `{"rootBlockDevice":{"encrypted":true},"ebsBlockDevices":[{"encrypted":true}]}`},
	{"cache-encrypted", "aws:elasticache/replicationGroup:ReplicationGroup", `{}`, "atRestEncryptionEnabled (not set)", `{"atRestEncryptionEnabled":true}`},
	{"logs-encrypted", group, `{"retentionInDays":90}`, "set it to the key of logs", `{"kmsKeyId":"arn:aws:kms:us-east-1:1:key/1"}`},
	{"data-encrypted", "aws:secretsmanager/secret:Secret", `{}`, "nobody can withdraw it", `{"kmsKeyId":"arn:aws:kms:us-east-1:1:key/1"}`},
	{"data-encrypted", "aws:cloudtrail/trail:Trail", `{"kmsKeyId":""}`, "kmsKeyId", `{"kmsKeyId":"arn:aws:kms:us-east-1:1:key/1"}`},
	{"topic-encrypted", "aws:sns/topic:Topic", `{}`, "kmsMasterKeyId (not set)", `{"kmsMasterKeyId":"alias/alphapulse-prod/data"}`},
	{"queue-encrypted", queue, `{}`, "sqsManagedSseEnabled (not set)", `{"kmsMasterKeyId":"alias/alphapulse-prod/data"}`},
	{"queue-encrypted", queue, `{"sqsManagedSseEnabled":false}`, "sqsManagedSseEnabled false", `{"sqsManagedSseEnabled":true}`},
}

const queue = "aws:sqs/queue:Queue"

func TestS4StorageIsEncrypted(t *testing.T) { breakEach(t, encryptionCases) }

func inService(spec, annotations string) string {
	return `{"metadata":{"annotations":{` + annotations + `}},"spec":{` + spec + `}}`
}

var exposureCases = []breakage{
	{"public-acl", "aws:s3/bucketAclV2:BucketAclV2", `{"acl":"public-read"}`, "acl public-read: everybody may read it", `{"acl":"private"}`},
	{"public-acl", "aws:s3/bucketObjectv2:BucketObjectv2", `{"acl":"authenticated-read"}`, "everybody", `{"acl":"bucket-owner-full-control"}`},
	{"public-acl", "aws:s3/bucketAclV2:BucketAclV2", `{"accessControlPolicy":{"grants":[{"grantee":{"uri":"http://acs.amazonaws.com/groups/global/AllUsers"}}]}}`,
		"grants[0].grantee.uri", `{"accessControlPolicy":{"grants":[{"grantee":{"uri":"http://acs.amazonaws.com/groups/s3/LogDelivery"}}]}}`},
	{"open-ingress", ingressRule, `{"cidrIpv4":"0.0.0.0/0"}`, "cidrIpv4 0.0.0.0/0: the whole internet may come in", `{"cidrIpv4":"10.0.0.0/8"}`},
	{"open-ingress", ingressRule, `{"cidrIpv4":"128.0.0.0/1"}`, "the whole internet", `{"cidrIpv4":"198.51.100.0/24"}`},
	{"open-ingress", ingressRule, `{"cidrIpv6":"::/0"}`, "the security group that may", `{"cidrIpv6":"fc00::/7"}`},
	{"open-ingress-inline", securityGroup, `{"ingress":[{"cidrBlocks":["10.0.0.0/8","0.0.0.0/0"]}]}`, "ingress[0].cidrBlocks[1]", `{"egress":[{"cidrBlocks":["0.0.0.0/0"]}]}`},
	{"open-ingress-inline", securityGroup, `{"ingress":[{"ipv6CidrBlocks":["::/0"]}]}`, "ingress[0].ipv6CidrBlocks[0]", `{"ingress":[{"self":true}]}`},
	{"open-ingress-rule", inlineRule, `{"type":"ingress","cidrBlocks":["0.0.0.0/0"]}`, "cidrBlocks[0] 0.0.0.0/0", `{"type":"egress","cidrBlocks":["0.0.0.0/0"]}`},
	{"open-ingress-rule", inlineRule, `{"type":"ingress","ipv6CidrBlocks":["::/0"]}`, "ipv6CidrBlocks[0]", `{"type":"ingress","cidrBlocks":["10.0.0.0/8"]}`},
	{"open-prefix-list", "aws:ec2/managedPrefixList:ManagedPrefixList", `{"entries":[{"cidr":"198.51.100.0/24"},{"cidr":"0.0.0.0/0"}]}`, "entries[1].cidr 0.0.0.0/0: the whole internet",
		`{"entries":[{"cidr":"198.51.100.0/24"}]}`},
	{"open-prefix-list", "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", `{"cidr":"128.0.0.0/1"}`, "cidr 128.0.0.0/1", `{"cidr":"198.51.100.0/24"}`},
	{"open-network-policy", networkPolicyType, letIn(`{"from":[{"podSelector":{}},{"ipBlock":{"cidr":"0.0.0.0/0"}}]}`), "spec.ingress[0].from[1].ipBlock.cidr",
		letIn(`{"from":[{"podSelector":{}},{"ipBlock":{"cidr":"198.51.100.0/24"}}]}`)},
	{"open-network-policy", networkPolicyType, letIn(`{"ports":[{"port":80}]}`), "spec.ingress[0].from (not set): everybody may come in",
		`{"spec":{"podSelector":{},"egress":[{"to":[{"ipBlock":{"cidr":"0.0.0.0/0"}}]}]}}`},
	{"open-network-policy", networkPolicyType, letIn(`{"from":[]}`), "name the pods or the ranges", letIn(``)},
	{"open-load-balancer", service, inService(`"type":"LoadBalancer"`, ``), "spec.loadBalancerSourceRanges (not set)",
		inService(`"type":"LoadBalancer"`, `"service.beta.kubernetes.io/aws-load-balancer-security-groups":"sg-1"`)},
	{"open-load-balancer", service, inService(`"type":"LoadBalancer","loadBalancerSourceRanges":["0.0.0.0/0"]`, ``), "loadBalancerSourceRanges[0]",
		inService(`"type":"LoadBalancer","loadBalancerSourceRanges":["198.51.100.0/24"]`, ``)},
	{"open-load-balancer", service, inService(`"type":"LoadBalancer"`, `"service.beta.kubernetes.io/aws-load-balancer-scheme":"internet-facing"`), "name a security group",
		inService(`"type":"LoadBalancer"`, `"service.beta.kubernetes.io/aws-load-balancer-scheme":"internal"`)},
	{"open-load-balancer", service, inService(`"type":"LoadBalancer"`, ``), "the whole internet", inService(`"type":"ClusterIP"`, ``)},
	{"public-database", database, `{"publiclyAccessible":true}`, "an address on the internet", `{"publiclyAccessible":false}`},
}

const networkPolicyType = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

// letIn is a network policy with rules for what comes in.
func letIn(rules string) string { return `{"spec":{"podSelector":{},"ingress":[` + rules + `]}}` }

const inlineRule = "aws:ec2/securityGroupRule:SecurityGroupRule"

func TestS4NothingIsOpenToThePublic(t *testing.T) { breakEach(t, exposureCases) }

// trust is a trust policy with one statement.
func trust(statement string) string {
	return strings.Replace(policyOf(statement), `{"policy"`, `{"assumeRolePolicy"`, 1)
}

const (
	rolePolicy = "aws:iam/rolePolicy:RolePolicy"
	anybody    = `\"Principal\":{\"AWS\":\"*\"},`
	webToken   = `\"Principal\":{\"Federated\":\"arn:aws:iam::222222222222:oidc-provider/o\"},\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":`
)

var permissionCases = []breakage{
	{"wildcard-action", rolePolicy, policyOf(`\"Action\":\"*\"`), "policy statement 1 *: it allows also", policyOf(`\"Action\":\"s3:GetObject\"`)},
	{"wildcard-action", "aws:iam/policy:Policy", policyOf(`\"Action\":[\"s3:GetObject\",\"s3:*\"]`), "statement 1 s3:*", policyOf(`\"Action\":[\"s3:GetObject\"]`)},
	{"wildcard-action", rolePolicy, policyOf(`\"Action\":\"s3:Get*\"`), "name the actions", `{"policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\"}]}"}`},
	{"wildcard-action", rolePolicy, policyOf(`\"NotAction\":\"iam:CreateUser\"`), "statement 1 NotAction", policyOf(`\"Action\":\"iam:GetUser\"`)},
	{"wildcard-action", kmsKey, policyOf(`\"Principal\":{\"AWS\":\"arn:aws:iam::222222222222:role/a\"},\"Action\":\"kms:*\"`), "kms:*", policyOf(account + `,\"Action\":\"kms:*\"`)},
	{"wildcard-action", kmsKey, policyOf(`\"Principal\":{\"AWS\":\"arn:aws:iam::999999999999:root\"},\"Action\":\"kms:*\"`), "kms:*", policyOf(account + `,\"Action\":\"kms:*\"`)},
	{"wildcard-action", iamRole, `{"inlinePolicies":[` + policyOf(`\"Action\":\"*\"`) + `]}`, "inlinePolicies[0].policy statement 1", `{"inlinePolicies":[` + policyOf(`\"Action\":\"s3:GetObject\"`) + `]}`},
	{"wildcard-principal", bucketPolicy, policyOf(`\"Principal\":\"*\",\"Action\":\"s3:GetObject\"`), "for everybody, in every account",
		policyOf(account + `,\"Action\":\"s3:GetObject\"`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Action\":\"sqs:SendMessage\"`), "name the principals",
		policyOf(anybody + `\"Condition\":{\"ArnEquals\":{\"aws:SourceArn\":\"arn:aws:events:us-east-1:1:rule/a\"}}`)},
	{"wildcard-principal", "aws:ec2/vpcEndpoint:VpcEndpoint", policyOf(anybody + `\"Condition\":{\"StringEquals\":{\"aws:PrincipalAccount\":\"*\"}}`), "Principal *",
		policyOf(anybody + `\"Condition\":{\"StringEquals\":{\"AWS:principalaccount\":\"222222222222\"}}`)},
	{"wildcard-principal", "aws:ecr/repositoryPolicy:RepositoryPolicy", policyOf(anybody + `\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"true\"}}`), "Principal *",
		`{"policy":"` + tls + `\"false\"}}}]}"}`},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"ArnLike\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/*\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"ArnLike\":{\"aws:PrincipalArn\":\"arn:aws:iam::222222222222:role/*\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"${aws:PrincipalArn}\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::222222222222:role/a\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:s3:::*\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:s3:::a\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"StringLike\":{\"aws:PrincipalOrgID\":\"o-*\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":\"o-a1b2c3d4e5\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"StringLike\":{\"aws:SourceVpc\":\"vpc-*\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"StringLike\":{\"aws:PrincipalAccount\":\"2*\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"StringLike\":{\"aws:PrincipalAccount\":\"222222222222\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"StringLike\":{\"aws:userid\":\"AROA*\"}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"StringLike\":{\"aws:userid\":\"AROAEXAMPLE:*\"}}`)},
	{"wildcard-principal", queue, policyOf(anybody + `\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"0.0.0.0/1\",\"128.0.0.0/1\"]}}`), "without wildcards and variables",
		policyOf(anybody + `\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"198.51.100.0/24\",\"203.0.113.7\"]}}`)},
	{"wildcard-principal", kmsKey, policyOf(`\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::222222222222:root\"}`), "NotPrincipal", policyOf(account)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":[\"ec2:DescribeSubnets\",\"ec2:RunInstances\"],\"Resource\":\"*\"`), "ec2:RunInstances on *",
		policyOf(`\"Action\":[\"ec2:DescribeSubnets\",\"pricing:GetProducts\"],\"Resource\":\"*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"s3:GetObject\",\"Resource\":[\"arn:aws:s3:::a/*\",\"*\"]`), "name the ARNs",
		policyOf(`\"Action\":\"s3:GetObject\",\"Resource\":[\"arn:aws:s3:::a/*\"]`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"s3:GetObject\",\"NotResource\":\"arn:aws:s3:::a\"`), "NotResource",
		policyOf(`\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::a\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::*\"`), "everything in the account",
		policyOf(`\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::a/*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:aws:sqs:us-east-1:222222222222:*\"`), "everything in the account",
		policyOf(`\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:aws:sqs:us-east-1:222222222222:a-*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"iam:GetRole\",\"Resource\":\"arn:aws:iam::222222222222:*\"`), "everything in the account",
		policyOf(`\"Action\":\"iam:GetRole\",\"Resource\":\"arn:aws:iam::222222222222:role/*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"iam:ListInstanceProfiles\",\"Resource\":\"*\"`), "everything in the account",
		policyOf(`\"Action\":\"iam:ListInstanceProfiles\",\"Resource\":\"arn:aws:iam::222222222222:instance-profile/*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"arn:aws:secretsmanager:us-east-1:222222222222:secret:*\"`), "everything of its kind",
		policyOf(`\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"arn:aws:secretsmanager:us-east-1:222222222222:secret:prod/*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"kms:Decrypt\",\"Resource\":\"arn:aws:kms:us-east-1:222222222222:key/*\"`), "or a tag in a StringEquals condition",
		policyOf(`\"Action\":\"kms:Decrypt\",\"Resource\":\"arn:aws:kms:us-east-1:222222222222:key/*\",\"Condition\":{\"StringEquals\":{\"aws:ResourceTag/of\":\"us\"}}`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"iam:PassRole\",\"Resource\":\"arn:aws:iam::222222222222:role/*\"`), "iam:PassRole on arn:aws:iam::222222222222:role/*",
		policyOf(`\"Action\":\"iam:PassRole\",\"Resource\":\"arn:aws:iam::222222222222:role/nodes-*\"`)},
	{"wildcard-resource", rolePolicy, policyOf(`\"Action\":\"sts:AssumeRole\",\"Resource\":\"arn:aws:iam::222222222222:role*\"`), "everything of its kind",
		policyOf(`\"Action\":\"sts:AssumeRole\",\"Resource\":\"arn:aws:iam::222222222222:role/a\"`)},
	{"managed-policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", `{"policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, "policyArn arn:aws:iam::aws:policy/AdministratorAccess: it allows",
		`{"policyArn":"arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"}`},
	{"managed-policy", "aws:iam/userPolicyAttachment:UserPolicyAttachment", `{"policyArn":"arn:aws-us-gov:iam::aws:policy/PowerUserAccess"}`, "write a policy with what is needed",
		`{"policyArn":"arn:aws:iam::222222222222:policy/AdministratorAccess"}`},
	{"managed-policy", iamRole, `{"managedPolicyArns":["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy","arn:aws:iam::aws:policy/IAMFullAccess"]}`, "managedPolicyArns[1]",
		`{"managedPolicyArns":["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]}`},
	{"managed-policy", "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", `{"policyArns":["arn:aws:iam::aws:policy/IAMFullAccess"]}`, "policyArns[0]",
		`{"policyArns":["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"]}`},
	{"web-identity-subject", iamRole, trust(webToken + `{\"StringEquals\":{\"o:aud\":\"sts.amazonaws.com\"}}`), "every pod of the cluster may take it",
		trust(webToken + `{\"StringEquals\":{\"o:sub\":\"system:serviceaccount:a:b\"}}`)},
	{"web-identity-subject", iamRole, trust(webToken + `{\"StringLike\":{\"o:sub\":\"system:serviceaccount:*\"}}`), "which service account",
		trust(`\"Principal\":{\"Service\":\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"`)},
	{"web-identity-subject", iamRole, trust(strings.Replace(webToken, "sts:A", "sts:a", 1) + `{\"StringEquals\":{\"o:aud\":\"sts.amazonaws.com\"}}`), "every pod",
		trust(webToken + `{\"StringEquals\":{\"o:sub\":\"system:serviceaccount:a:b\"}}`)},
	{"web-identity-subject", iamRole, trust(webToken + `{\"StringLike\":{\"o:sub\":\"system:serviceaccount:a:?\"}}`), "which service account",
		trust(webToken + `{\"StringLike\":{\"o:sub\":\"system:serviceaccount:a:b\"}}`)},
	{"web-identity-subject", iamRole, trust(webToken + `{\"StringEquals\":{\"o:sub\":\"${o:sub}\"}}`), "which service account", ""},
	{"rbac-wildcard", rbac + ":ClusterRole", `{"rules":[{"resources":["pods"],"verbs":["*"]}]}`, "rules[0].verbs", `{"rules":[{"resources":["pods"],"verbs":["get"]}]}`},
	{"rbac-wildcard", rbac + ":Role", `{"rules":[{"resources":["*"],"verbs":["get"]}]}`, "rules[0].resources", `{"rules":[{"resources":["*/scale"],"verbs":["get"]}]}`},
	{"rbac-administrator", rbac + ":ClusterRoleBinding", `{"roleRef":{"kind":"ClusterRole","name":"cluster-admin"}}`, "everything in the cluster", `{"roleRef":{"kind":"ClusterRole","name":"view"}}`},
}

func TestS4PermissionsAreSpelledOut(t *testing.T) { breakEach(t, permissionCases) }

// careful is a container that keeps every rule.
const careful = `{"image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"runAsNonRoot":true,"capabilities":{"drop":["ALL"]}},
	"resources":{"requests":{"cpu":"100m","memory":"128Mi"},"limits":{"memory":"256Mi"}}}`

// but is the careful container with one thing changed.
func but(old, changed string) string {
	return template(`{"containers":[` + strings.Replace(careful, old, changed, 1) + `]}`)
}

// logsMount is a pod that has the logs of its node.
func logsMount(how string) string {
	return template(`{"volumes":[{"name":"logs","hostPath":{"path":"/var/log/pods"}}],"containers":[{"volumeMounts":[{"name":"logs","mountPath":"/logs"` + how + `}]}]}`)
}

var clean = template(`{"containers":[` + careful + `]}`)

var podCases = []breakage{
	{"pod-privileged", deployment, but(`"securityContext":{`, `"securityContext":{"privileged":true,`), "containers[0].securityContext.privileged true", clean},
	{"pod-host", "kubernetes:apps/v1:DaemonSet", template(`{"hostNetwork":true}`), "spec.template.spec.hostNetwork true", clean},
	{"pod-host", deployment, template(`{"hostPID":true}`), "hostPID", clean},
	{"pod-host", deployment, template(`{"hostIPC":true}`), "hostIPC", clean},
	{"pod-host", deployment, template(`{"volumes":[{"hostPath":{"path":"/"}}]}`), "volumes[0].hostPath", template(`{"volumes":[{"emptyDir":{}}]}`)},
	{"pod-host", deployment, template(`{"volumes":[{"hostPath":{"path":"/var/log"}}]}`), "volumes[0].hostPath", template(`{"volumes":[{"hostPath":{"path":"/var/log/pods"}}]}`)},
	{"pod-host", "kubernetes:apps/v1:DaemonSet", logsMount(``), "volumeMounts[0]", logsMount(`,"readOnly":true`)},
	{"pod-host", deployment, but(`"image":"a:1"`, `"ports":[{"containerPort":80},{"containerPort":81,"hostPort":81}]`), "containers[0].ports[1].hostPort 81: whoever reaches the node",
		but(`"image":"a:1"`, `"ports":[{"containerPort":80,"hostPort":0}]`)},
	{"pod-root", deployment, but(`"runAsNonRoot":true,`, ``), "containers[0].securityContext.runAsNonRoot (not set)", clean},
	{"pod-root", deployment, template(`{"securityContext":{"runAsNonRoot":true},"containers":[{"securityContext":{"runAsNonRoot":false}}]}`), "runAsNonRoot false",
		template(`{"securityContext":{"runAsNonRoot":true},"containers":[{}]}`)},
	{"pod-root", deployment, template(`{"securityContext":{"runAsNonRoot":false},"containers":[{}]}`), "spec.template.spec.securityContext.runAsNonRoot false", clean},
	{"pod-root", deployment, but(`"runAsNonRoot":true`, `"runAsNonRoot":true,"runAsUser":0`), "name another user", but(`"runAsNonRoot":true`, `"runAsNonRoot":true,"runAsUser":65534`)},
	{"pod-root", podType, `{"spec":{"initContainers":[{}]}}`, "spec.initContainers[0]", `{"spec":{"initContainers":[` + careful + `]}}`},
	{"pod-escalation", deployment, but(`"allowPrivilegeEscalation":false,`, ``), "allowPrivilegeEscalation (not set)", clean},
	{"pod-escalation", cronJob, `{"spec":{"jobTemplate":` + but(`Escalation":false`, `Escalation":true`) + `}}`, "spec.jobTemplate.spec.template.spec.containers[0]",
		`{"spec":{"jobTemplate":` + clean + `}}`},
	{"pod-capabilities", deployment, but(`"drop":["ALL"]`, `"drop":["ALL"],"add":["NET_ADMIN"]`), `add ["NET_ADMIN"]`, but(`"drop":["ALL"]`, `"drop":["ALL"],"add":["NET_BIND_SERVICE"]`)},
	{"pod-capabilities", deployment, but(`,"capabilities":{"drop":["ALL"]}`, ``), "drop (not set): the program keeps", clean},
	{"pod-resources", deployment, but(`"cpu":"100m",`, ``), "requests.cpu (not set)", clean},
	{"pod-resources", deployment, but(`,"memory":"128Mi"`, ``), "requests.memory (not set)", clean},
	{"pod-resources", deployment, but(`,"limits":{"memory":"256Mi"}`, ``), "limits.memory (not set): a leak", clean},
}

func TestS4PodsHaveNoPowerOverTheirNode(t *testing.T) { breakEach(t, podCases) }

var protectionCases = []breakage{
	{"database-deletable", database, `{}`, "deletionProtection (not set)", `{"deletionProtection":true}`},
	{"database-deletable", database, `{"deletionProtection":false}`, "set it to true", `{"replicateSourceDb":"main"}`},
	{"emptied-on-deletion", bucket, `{"forceDestroy":true}`, "forceDestroy true", `{"forceDestroy":false}`},
	{"emptied-on-deletion", repository, `{"forceDelete":true}`, "forceDelete true", `{}`},
	{"volumes-deleted", "kubernetes:apps/v1:StatefulSet", `{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}}`, "whenDeleted Delete",
		`{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain"}}}`},
	{"volumes-deleted", "kubernetes:apps/v1:StatefulSet", `{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete"}}}`, "whenScaled Delete", `{"spec":{}}`},
}

func TestS4WhatHoldsDataStays(t *testing.T) {
	breakEach(t, protectionCases)
	for _, c := range protectionCases {
		assert.Empty(t, of(c.rule, Check(NewResource(c.typ, "it", args(t, c.bad)))), "%s, in a stack that protects nothing", c.rule)
	}
}

func TestS4WhatHoldsDataIsProtected(t *testing.T) {
	for _, typ := range []string{database, bucket, kmsKey, eksCluster, repository, "kubernetes:core/v1:PersistentVolumeClaim"} {
		in := NewResource(typ, "it", map[string]any{})
		found := of("unprotected", (&Book{Protect: true}).Check(in))
		require.Len(t, found, 1, typ)
		assert.Contains(t, found[0].String(), typ+" it: protect false: it holds data")
		assert.Contains(t, found[0].String(), "pass pulumi.Protect(true) [unprotected]")
		assert.Empty(t, of("unprotected", Check(in)), "in a stack that protects nothing")
		in.Protected = true
		assert.Empty(t, of("unprotected", (&Book{Protect: true}).Check(in)))
	}
	assert.Empty(t, of("unprotected", judgeAlone(database, "replica", args(t, `{"replicateSourceDb":"main"}`))))
}

// S3's settings are resources of their own, so that one is missing is known at the end.
func TestS4EveryBucketIsClosedAndEncrypted(t *testing.T) {
	const ours = `{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"aws:kms","kmsMasterKeyId":"arn:aws:kms:us-east-1:1:key/1"}}],"bucket":`
	const theirs = `{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"AES256"}}],"bucket":`
	type registered struct{ typ, props string }
	for name, c := range map[string]struct {
		bucket string
		others []registered
		rule   string // that is broken
	}{
		"alone":        {`{"bucket":"a"}`, nil, "bucket-public"},
		"not said how": {`{"bucket":"a"}`, nil, "bucket-encrypted"},
		"another's":    {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"b"}`}, {bucketEncryption, ours + `"a"}`}}, "bucket-public"},
		"another's settings, its own name from Pulumi": {`{}`, []registered{{accessBlock, `{"bucket":"b-1"}`}, {bucketEncryption, ours + `"it-1"}`}}, "bucket-public"},
		"its own":                   {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"a"}`}, {bucketEncryption, ours + `"a"}`}}, ""},
		"its own name, from Pulumi": {`{}`, []registered{{accessBlock, `{"bucket":"it-1234567"}`}, {bucketEncryption, ours + `"it-1234567"}`}}, ""},
		"AWS's key":                 {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"a"}`}, {bucketEncryption, theirs + `"a"}`}}, "bucket-encrypted"},
		"AWS's key of KMS": {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"a"}`},
			{bucketEncryption, `{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"aws:kms"}}],"bucket":"a"}`}}, "bucket-encrypted"},
		"AWS's key of KMS, by its name": {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"a"}`}, {bucketEncryption,
			`{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"aws:kms","kmsMasterKeyId":"alias/aws/s3"}}],"bucket":"a"}`}}, "bucket-encrypted"},
		"no rule": {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"a"}`}, {bucketEncryption, `{"rules":[],"bucket":"a"}`}}, "bucket-encrypted"},
		"AWS's key, for access logs": {`{"bucket":"a"}`, []registered{{accessBlock, `{"bucket":"a"}`}, {bucketEncryption, theirs + `"a"}`},
			{bucketLogging, `{"bucket":"b","targetBucket":"a"}`}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			book := &Book{}
			book.Check(NewResource(bucket, "it", args(t, c.bucket)))
			for _, other := range c.others {
				book.Check(NewResource(other.typ, "beside", args(t, other.props)))
			}
			found := book.Close()
			if c.rule == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, of(c.rule, found), 1)
			assert.Contains(t, of(c.rule, found)[0].String(), bucket+" it: bucket")
		})
	}
	t.Run("of a bucket not known yet", func(t *testing.T) {
		book := &Book{}
		book.Check(NewResource(bucket, "it", args(t, `{"bucket":"a"}`)))
		for _, typ := range []string{accessBlock, bucketEncryption} {
			book.Check(NewResource(typ, "beside", map[string]any{"bucket": Unknown{}}))
		}
		assert.Empty(t, book.Close(), "it may be this one's")
	})
	t.Run("with a key not known yet", func(t *testing.T) {
		settings := args(t, ours+`"a"}`)
		settings["rules"].([]any)[0].(map[string]any)["applyServerSideEncryptionByDefault"].(map[string]any)["kmsMasterKeyId"] = Unknown{}
		book := &Book{}
		book.Check(NewResource(bucket, "it", args(t, `{"bucket":"a"}`)))
		book.Check(NewResource(bucketEncryption, "beside", settings))
		assert.Empty(t, of("bucket-encrypted", book.Close()))
	})
}

// What AWS and Kubernetes refuse they refuse: only rules of our own have exceptions.
func TestS4OnlyRulesOfOurOwnHaveExceptions(t *testing.T) {
	names := Guardrails()
	assert.IsIncreasing(t, names)
	assert.Subset(t, names, []string{"image-pinned", "open-ingress", "pod-root", "s3-public-access", "storage-encrypted", "unprotected", "wildcard-action"})
	for _, rule := range table {
		if rule.Guardrail {
			assert.Contains(t, rule.Source, "requirement", rule.Name)
		}
	}
	for _, theirs := range []string{"rds-gp3-performance", "kms-policy-lockout", "removed-pod-security-policy", "service-ports"} {
		assert.NotContains(t, names, theirs)
	}
}
