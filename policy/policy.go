// Package policy writes IAM policy documents. Statements are plain Go with inputs where a value comes from a resource; the one place
// where they become JSON is here.
package policy

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Statement is one statement of a policy document. Resources are left out in trust policies, principals in permissions.
type Statement struct {
	Sid string
	// Deny forbids what the statement names, to whom it names, whatever else allows it.
	Deny       bool
	Principal  map[string]any // {"Service": "..."}; values are strings, lists or inputs
	Actions    []string
	Resources  []any // strings or inputs
	Conditions map[string]map[string]any
}

// Document makes the JSON of a policy. What no statement allows is denied anyway: Deny is for what must stay forbidden, whoever else
// comes to allow it.
func Document(statements ...Statement) pulumi.StringOutput {
	list := make([]any, 0, len(statements))
	for _, s := range statements {
		one := map[string]any{"Effect": "Allow", "Action": s.Actions}
		if s.Deny {
			one["Effect"] = "Deny"
		}
		if s.Sid != "" {
			one["Sid"] = s.Sid
		}
		if s.Principal != nil {
			one["Principal"] = s.Principal
		}
		if s.Resources != nil {
			one["Resource"] = s.Resources
		}
		if s.Conditions != nil {
			one["Condition"] = s.Conditions
		}
		list = append(list, one)
	}
	return pulumi.JSONMarshal(map[string]any{"Version": "2012-10-17", "Statement": list})
}

// TrustService is the trust policy of a role that an AWS service takes on. The condition keeps other accounts from using the service
// as their deputy.
func TrustService(service, account string) pulumi.StringOutput {
	return Document(Statement{
		Principal:  map[string]any{"Service": service},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: map[string]map[string]any{"StringEquals": {"aws:SourceAccount": account}},
	})
}

// TrustInstances is the trust policy of a role for EC2 instances; EC2 sends no source account.
func TrustInstances() pulumi.StringOutput {
	return Document(Statement{Principal: map[string]any{"Service": "ec2.amazonaws.com"}, Actions: []string{"sts:AssumeRole"}})
}

// TrustFirehose is the trust policy of a role that Firehose takes on. It says whom it works for in the external id, and sends no source
// account that anybody has documented.
func TrustFirehose(account string) pulumi.StringOutput {
	return Document(Statement{
		Principal:  map[string]any{"Service": "firehose.amazonaws.com"},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: map[string]map[string]any{"StringEquals": {"sts:ExternalId": account}},
	})
}
