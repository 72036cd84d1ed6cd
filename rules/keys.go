package rules

import (
	"regexp"
	"slices"
	"strings"
)

const kmsKey = "aws:kms/key:Key"

// keyRules are those of KMS (D6).
var keyRules = []Rule{
	{Name: "kms-rotation", Types: []string{kmsKey}, Source: "requirement D6",
		Check: must("enableKeyRotation", true, "the key would be the same for ever", "set it to true")},
	{Name: "kms-periods", Types: []string{kmsKey}, Source: "AWS docs", Check: all(
		between("deletionWindowInDays", 7, 30, "a waiting time of KMS"), between("rotationPeriodInDays", 90, 2560, "a rotation period of KMS"))},
	{Name: "kms-policy-principal", Types: []string{kmsKey}, Source: "AWS docs", Check: everyStatementNamesPrincipals("policy")},
	{Name: "kms-policy-lockout", Types: []string{kmsKey}, Source: "AWS docs", Check: lockout},
	{Name: "kms-alias", Types: []string{"aws:kms/alias:Alias"}, Source: "AWS docs",
		Check: aliasName},
}

func aliasName(in Resource) []Finding {
	v := in.At("name")
	if name, ok := v.Text(); ok && (!strings.HasPrefix(name, "alias/") || strings.HasPrefix(name, "alias/aws/")) {
		return v.Breaks("is not a name that KMS gives", "begin with alias/, and not with alias/aws/, which is AWS's own")
	}
	return nil
}

// lockout: KMS refuses a policy with which nobody could change the policy again.
func lockout(in Resource) []Finding {
	v := in.At("policy")
	read, err := readPolicy(v)
	if read == nil || err != nil || in.At("bypassPolicyLockoutSafetyCheck").Is(true) {
		return nil
	}
	for _, s := range read.Statement {
		if s.Effect == "Allow" && slices.ContainsFunc(s.Action, func(action string) bool {
			return action == "*" || action == "kms:*" || action == "kms:Put*" || action == "kms:PutKeyPolicy"
		}) {
			return nil
		}
	}
	return v.Breaks("nobody could ever change this policy", "let the account's own IAM policies decide, as security.Keys does")
}

// logRules are those of CloudWatch Logs (N4, C1).
var logRules = []Rule{
	{Name: "logs-retention", Types: []string{"aws:cloudwatch/logGroup:LogGroup"}, Source: "AWS docs",
		Check: oneOf("retentionInDays", "a retention that CloudWatch has", 0., 1., 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
			1096, 1827, 2192, 2557, 2922, 3288, 3653)},
	{Name: "logs-key", Types: []string{"aws:cloudwatch/logGroup:LogGroup"}, Source: "AWS docs",
		Check: like("kmsKeyId", arn, "CloudWatch takes a key's ARN only", "give the key's ARN")},
	{Name: "logs-group-name", Types: []string{"aws:cloudwatch/logGroup:LogGroup"}, Source: "AWS docs",
		Check: like("name", logGroupName, "has a character that no log group's name has", "use letters, digits and . - _ / # only")},
}

var logGroupName = regexp.MustCompile(`^[\w./#-]{1,512}$`)

// https begins what must be one.
var https = regexp.MustCompile(`^https://`)
