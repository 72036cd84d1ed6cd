package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// permissionRules: who may do what is spelled out (S4). AWS's own managed policies, and those of EKS's add-ons, are not judged.
var permissionRules = []Rule{
	guardrail("wildcard-action", inPolicies(wideAction), policyOwners...),
	guardrail("wildcard-principal", inPolicies(widePrincipal), policyOwners...),
	guardrail("wildcard-resource", inPolicies(wideResource), identityPolicies...),
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
	ofTheAccount := (in.Type == kmsKey || in.Type == "aws:kms/keyPolicy:KeyPolicy") && accountRoot.MatchString(strings.Join(principals(s), " "))
	for _, action := range s.Action {
		if strings.ContainsAny(action, "*?") && (!ofTheAccount || action != "kms:*") {
			found = append(found, at.shows(action).Breaks("it allows also what AWS adds tomorrow", "name the actions that are needed")...)
		}
	}
	return found
}

var accountRoot = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:root$`)

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
	const remedy = "name the principals, or say in a condition whose requests are meant"
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
			if slices.Contains(callers, any(strings.ToLower(key))) && !slices.ContainsFunc(values, everyone) {
				return true
			}
		}
	}
	return false
}

func everyone(value string) bool {
	return strings.Trim(value, "*?:") == "" || value == "0.0.0.0/0" || value == "::/0"
}

// unscoped are the actions that know no resource (AWS Service Authorization Reference: "Actions", column "Resource types").
var unscoped = regexp.MustCompile(`^(` + strings.Join([]string{
	`(ec2|elasticloadbalancing|autoscaling):Describe\w+`, `ec2:GetSecurityGroupsForVpc`,
	`ecr:GetAuthorizationToken`, `sts:GetCallerIdentity`, `pricing:(GetProducts|DescribeServices|GetAttributeValues)`,
	`iam:(ListInstanceProfiles|ListRoles|ListPolicies|ListAccountAliases)`, `kms:(ListKeys|ListAliases|GenerateRandom)`,
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
	if !slices.ContainsFunc(s.Resource, func(arn string) bool { return strings.Trim(arn, "*?") == "" || strings.HasPrefix(arn, "arn:*:*") }) {
		return found
	}
	for _, action := range s.Action {
		if !unscoped.MatchString(action) {
			found = append(found, at.shows(action+" on *").Breaks("it is allowed on everything in the account", remedy)...)
		}
	}
	return found
}

// anyPod: without the subject every pod of the cluster gets the role.
func anyPod(_ Resource, at Value, s statement) []Finding {
	if !slices.Contains(s.Action, "sts:AssumeRoleWithWebIdentity") {
		return nil
	}
	for _, operator := range []string{"StringEquals", "StringLike"} {
		for key, subjects := range s.Condition[operator] {
			if strings.HasSuffix(key, ":sub") && !slices.ContainsFunc(subjects, func(subject string) bool { return strings.Contains(subject, "*") }) {
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
