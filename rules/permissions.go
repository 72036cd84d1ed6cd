package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// permissionRules: who may do what is spelled out (S4). What AWS's own managed policies say is not judged, but which of them are attached.
var permissionRules = []Rule{
	guardrail("wildcard-action", inPolicies(wideAction), policyOwners...),
	guardrail("wildcard-principal", inPolicies(widePrincipal), policyOwners...),
	guardrail("wildcard-resource", inPolicies(wideResource), identityPolicies...),
	guardrail("managed-policy", managedPolicies, attachments...),
	guardrail("web-identity-subject", inPolicies(anyPod), iamRole),
	guardrail("rbac-wildcard", each("rules", all(noWildcard("verbs"), noWildcard("resources"))), rbac+":Role", rbac+":ClusterRole"),
	guardrail("rbac-administrator", mustNot("roleRef.name", "cluster-admin", "it may do everything in the cluster", "bind a role with what it needs"),
		rbac+":RoleBinding", rbac+":ClusterRoleBinding"),
}

const rbac = "kubernetes:rbac.authorization.k8s.io/v1"

// identityPolicies say what somebody may do; in a policy of a resource, "*" as the resource is the thing itself.
var identityPolicies = []string{"aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy", iamRole}

var policyOwners = slices.Concat(identityPolicies, []string{
	bucketPolicy, kmsKey, "aws:kms/keyPolicy:KeyPolicy", "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy", "aws:sns/topic:Topic",
	"aws:sns/topicPolicy:TopicPolicy", "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
	"aws:ecr/repositoryPolicy:RepositoryPolicy", "aws:secretsmanager/secretPolicy:SecretPolicy", "aws:secretsmanager/secret:Secret",
})

// attachments give somebody a policy that is kept elsewhere.
var attachments = []string{
	iamRole, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/userPolicyAttachment:UserPolicyAttachment",
	"aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "aws:iam/policyAttachment:PolicyAttachment",
	"aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
	"aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive",
}

// ofAWS is a managed policy of AWS's own. Those of an account are judged where they are made.
var ofAWS = regexp.MustCompile(`^arn:aws[a-z-]*:iam::aws:policy/(.+)$`)

// handed are AWS's policies for the parts of a cluster and of a database, which change with what these are for. The last is the EKS
// component's, for nodes whose role it makes.
var handed = listed([]string{
	"AmazonEKSClusterPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly",
	"AmazonSSMManagedInstanceCore", "AmazonEBSCSIDriverPolicyV2", "service-role/AmazonRDSEnhancedMonitoringRole",
	"AmazonEC2ContainerRegistryReadOnly",
})

func managedPolicies(in Resource) (found []Finding) {
	for _, v := range slices.Concat([]Value{in.At("policyArn")}, in.At("policyArns").Items(), in.At("managedPolicyArns").Items()) {
		text, _ := v.Text()
		if name := ofAWS.FindStringSubmatch(text); name != nil && !slices.Contains(handed, any(name[1])) {
			found = append(found, v.Breaks("it allows what AWS thinks of, today and tomorrow", "write a policy with what is needed; of AWS's own legal: "+
				strings.Trim(fmt.Sprint([]any(handed)), "[]"))...)
		}
	}
	return found
}

// inPolicies checks each statement that allows something. Denials may be as wide as they like.
func inPolicies(one func(in Resource, at Value, s statement) []Finding) check {
	return func(in Resource) (found []Finding) {
		documents := []Value{in.At("policy"), in.At("assumeRolePolicy")}
		for _, inline := range in.At("inlinePolicies").Items() {
			documents = append(documents, inline.At("policy"))
		}
		for _, v := range documents {
			read, err := readPolicy(v)
			if read == nil || err != nil {
				continue // not given, not known yet, or said by another rule
			}
			for i, s := range read.Statement {
				if s.Effect == "Allow" {
					at := Value{path: fmt.Sprintf("%s statement %d", v.path, i+1), secret: v.secret}
					found = append(found, one(in, at, s)...)
				}
			}
		}
		return found
	}
}

// shows is the statement with what of it is meant.
func (v Value) shows(part string) Value {
	v.raw = part
	return v
}

// wideAction: a key's policy has to leave the key to its own account, or nobody could ever change it.
func wideAction(in Resource, at Value, s statement) (found []Finding) {
	if len(s.NotAction) > 0 {
		found = at.shows("NotAction").Breaks("it allows what is not named", "name what is needed in Action")
	}
	root := accountRoot.FindStringSubmatch(strings.Join(principals(s), " "))
	ofTheAccount := (in.Type == kmsKey || in.Type == "aws:kms/keyPolicy:KeyPolicy") && root != nil && root[1] == in.account
	for _, action := range s.Action {
		if strings.ContainsAny(action, "*?") && (!ofTheAccount || action != "kms:*") {
			found = append(found, at.shows(action).Breaks("it allows also what AWS adds tomorrow", "name the actions that are needed")...)
		}
	}
	return found
}

var accountRoot = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):root$`)

// principals are whom a statement is for.
func principals(s statement) (list []string) {
	switch who := s.Principal.(type) {
	case string:
		list = append(list, who)
	case map[string]any:
		for _, names := range who {
			switch names := names.(type) {
			case string:
				list = append(list, names)
			case []any:
				for _, name := range names {
					list = append(list, fmt.Sprint(name))
				}
			}
		}
	}
	return list
}

func widePrincipal(_ Resource, at Value, s statement) []Finding {
	const remedy = "name the principals, or say in a condition whose requests are meant, without wildcards and variables"
	if s.NotPrincipal != nil {
		return at.shows("NotPrincipal").Breaks("it is for everybody who is not named", remedy)
	}
	if !slices.Contains(principals(s), "*") || narrowed(s) {
		return nil
	}
	return at.shows("Principal *").Breaks("it is for everybody, in every account", remedy)
}

// callers are condition keys that say who a request comes from, in lower case, which IAM does not look at (AWS docs, "AWS global condition
// context keys" and "The meaning of public").
var callers = set{"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:sourcearn", "aws:sourceaccount",
	"aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:userid", "kms:calleraccount"}

// narrowed says whether a condition leaves some callers only. Conditions that hold when the key is not there do not.
func narrowed(s statement) bool {
	for _, operator := range []string{"StringEquals", "StringLike", "ArnEquals", "ArnLike", "IpAddress"} {
		for key, values := range s.Condition[operator] {
			key = strings.ToLower(key)
			if slices.Contains(callers, any(key)) && !slices.ContainsFunc(values, func(value string) bool { return !names(key, value) }) {
				return true
			}
		}
	}
	return false
}

// names says whether a value of a caller's key is somebody: a variable may be the caller's own, and a wildcard stands for strangers too.
func names(key, value string) bool {
	switch key {
	case "aws:principalarn", "aws:sourcearn":
		if parts := strings.SplitN(value, ":", 6); len(parts) == 6 && parts[4] != "" {
			value = strings.Join(parts[:5], ":") // the account is somebody, whatever of it is meant
		}
	case "aws:userid":
		value, _, _ = strings.Cut(value, ":") // a role's id, before the names of its sessions
	case "aws:sourceip":
		if len(Value{raw: value}.public()) > 0 {
			return false
		}
	}
	return value != "" && !strings.ContainsAny(value, "*?$")
}

// unscoped are the actions that know no resource (AWS Service Authorization Reference: "Actions", column "Resource types").
var unscoped = regexp.MustCompile(`^(` + strings.Join([]string{
	`(ec2|elasticloadbalancing|autoscaling):Describe\w+`, `ec2:GetSecurityGroupsForVpc`,
	`ecr:GetAuthorizationToken`, `sts:GetCallerIdentity`, `pricing:(GetProducts|DescribeServices|GetAttributeValues)`,
	`iam:(ListRoles|ListPolicies|ListAccountAliases)`, `kms:(ListKeys|ListAliases|GenerateRandom)`,
	`s3:ListAllMyBuckets`, `logs:DescribeLogGroups`, `cloudwatch:(PutMetricData|GetMetricData|ListMetrics)`,
	`secretsmanager:(ListSecrets|GetRandomPassword|BatchGetSecretValue)`, `route53:(ListHostedZones|ListHostedZonesByName|GetHostedZoneCount)`,
	`ssm:DescribeParameters`, `tag:GetResources`, `ce:GetCostAndUsage`,
}, "|") + `)$`)

func wideResource(in Resource, at Value, s statement) (found []Finding) {
	if in.Type == iamRole && len(s.Resource)+len(s.NotResource) == 0 {
		return nil // whom the role trusts
	}
	const remedy = "name the ARNs"
	if len(s.NotResource) > 0 {
		found = at.shows("NotResource").Breaks("it allows what is not named", remedy+" in Resource")
	}
	for _, arn := range s.Resource {
		for _, action := range s.Action {
			switch {
			case everything(arn) && !unscoped.MatchString(action):
				found = append(found, at.shows(action+" on "+arn).Breaks("it is allowed on everything in the account", remedy)...)
			case allOfAKind(arn) && sensitive.MatchString(action) && !tagged(s):
				found = append(found, at.shows(action+" on "+arn).Breaks("it is allowed on everything of its kind",
					remedy+", or a tag in a StringEquals condition on aws:ResourceTag/... or aws:RequestTag/...")...)
			}
		}
	}
	return found
}

// everything says whether an ARN stands for all that a service has, or for more.
func everything(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return strings.Trim(parts[len(parts)-1], "*?:/") == "" || strings.HasPrefix(arn, "arn:*:*")
}

// allOfAKind says whether an ARN stands for all resources of one type, as role/* and secret:* do.
func allOfAKind(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	kind := strings.TrimRight(parts[len(parts)-1], "*?")
	return kind != parts[len(parts)-1] && !strings.ContainsAny(strings.TrimRight(kind, ":/"), ":/*?")
}

// sensitive are the actions that read what is kept, or become somebody else: no controller does that to whatever it finds. S3 is not among
// them, where bucket/* are one bucket's objects, nor SQS, whose ARNs have no type.
var sensitive = regexp.MustCompile(`(?i)^(iam:PassRole|sts:AssumeRole|(secretsmanager|kms|ssm|dynamodb):\w+)$`)

// tagged says whether a condition leaves only what carries a tag.
func tagged(s statement) bool {
	for key := range s.Condition["StringEquals"] {
		if key = strings.ToLower(key); strings.HasPrefix(key, "aws:resourcetag/") || strings.HasPrefix(key, "aws:requesttag/") {
			return true
		}
	}
	return false
}

// anyPod: without the subject every pod of the cluster gets the role.
func anyPod(_ Resource, at Value, s statement) []Finding {
	if !slices.ContainsFunc(s.Action, func(action string) bool { return strings.EqualFold(action, "sts:AssumeRoleWithWebIdentity") }) {
		return nil
	}
	for _, operator := range []string{"StringEquals", "StringLike"} {
		for key, subjects := range s.Condition[operator] {
			if strings.HasSuffix(key, ":sub") && !slices.ContainsFunc(subjects, func(subject string) bool { return strings.ContainsAny(subject, "*?$") }) {
				return nil
			}
		}
	}
	return at.shows("sts:AssumeRoleWithWebIdentity").Breaks("every pod of the cluster may take it",
		"say in a condition on the issuer's :sub which service account may")
}

func noWildcard(path string) check {
	return func(rule Resource) []Finding {
		if v := rule.At(path); slices.ContainsFunc(v.Items(), func(item Value) bool { return item.Is("*") }) {
			return v.Breaks("it allows also what an operator adds tomorrow", "name them")
		}
		return nil
	}
}
