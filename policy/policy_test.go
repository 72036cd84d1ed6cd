package policy_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/alphapulse/infrastructure/policy"
)

func text(document pulumi.StringOutput) string {
	known := make(chan string, 1)
	document.ApplyT(func(s string) string { known <- s; return s })
	return <-known
}

func TestS3DocumentAllowsWhatItsStatementsSay(t *testing.T) {
	document := policy.Document(policy.Statement{
		Sid:        "Read",
		Actions:    []string{"s3:GetObject", "s3:ListBucket"},
		Resources:  []any{"arn:aws:s3:::a", pulumi.Sprintf("%s/*", pulumi.String("arn:aws:s3:::a"))},
		Conditions: map[string]map[string]any{"StringEquals": {"aws:SourceAccount": pulumi.String("1")}},
	}, policy.Statement{Principal: map[string]any{"Service": "ec2.amazonaws.com"}, Actions: []string{"sts:AssumeRole"}})
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
		"Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/*"],
		"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}
	}, {
		"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole"]
	}]}`, text(document), "what is not said is not in the document")
}

func TestD5DocumentDeniesWhatItsStatementsForbid(t *testing.T) {
	document := policy.Document(policy.Statement{
		Deny: true, Principal: map[string]any{"AWS": "*"}, Actions: []string{"s3:*"}, Resources: []any{"arn:aws:s3:::a"},
		Conditions: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
	})
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:*"], "Resource": ["arn:aws:s3:::a"],
		"Condition": {"Bool": {"aws:SecureTransport": "false"}}
	}]}`, text(document))
}

func TestS3ServicesAreNobodyElsesDeputy(t *testing.T) {
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": ["sts:AssumeRole"],
		"Condition": {"StringEquals": {"aws:SourceAccount": "222222222222"}}
	}]}`, text(policy.TrustService("eks.amazonaws.com", "222222222222")))
}

func TestS3InstancesAreTrustedWithoutASourceAccount(t *testing.T) {
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole"]
	}]}`, text(policy.TrustInstances()))
}
