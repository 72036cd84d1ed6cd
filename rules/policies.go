package rules

import (
	"encoding/json"
	"errors"
	"fmt"
)

// document is an IAM policy document, as far as rules look at it.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect                  string
	Action, NotAction       words
	Resource, NotResource   words
	Principal, NotPrincipal any
	Condition               map[string]map[string]words
}

// words are one or more.
type words []string

// UnmarshalJSON reads both spellings, and the booleans that some conditions are written with.
func (w *words) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	for _, item := range list {
		*w = append(*w, fmt.Sprint(item))
	}
	return nil
}

// readPolicy reads a policy that was given as text; nil if it is not known, or was given otherwise.
func readPolicy(v Value) (*document, error) {
	text, ok := v.Text()
	if !ok {
		return nil, nil
	}
	read := &document{}
	if err := json.Unmarshal([]byte(text), read); err != nil {
		return nil, err
	}
	if len(read.Statement) == 0 {
		return nil, errors.New("it has no statement")
	}
	return read, nil
}

// identityRules are IAM's (S3).
var identityRules = []Rule{
	{Name: "iam-policy-document", Types: []string{"aws:iam/*", bucketPolicy, queuePolicy, kmsKey, "aws:ec2/vpcEndpoint:VpcEndpoint"}, Source: "AWS docs",
		Check: all(policyDocument("policy"), policyDocument("assumeRolePolicy"))},
	{Name: "iam-trust-principal", Types: []string{iamRole}, Source: "AWS docs", Check: everyStatementNamesPrincipals("assumeRolePolicy")},
	{Name: "iam-oidc-provider", Types: []string{"aws:iam/openIdConnectProvider:OpenIdConnectProvider"},
		Source: "AWS docs, requirement S3", Check: all(
			like("url", https, "an issuer is an https URL", "give the cluster's issuer as it is"), audience)},
}

const (
	iamRole      = "aws:iam/role:Role"
	bucketPolicy = "aws:s3/bucketPolicy:BucketPolicy"
	queuePolicy  = "aws:sqs/queuePolicy:QueuePolicy"
)

func policyDocument(path string) check {
	return func(in Resource) []Finding {
		v := in.At(path)
		read, err := readPolicy(v)
		switch {
		case err != nil:
			return v.Breaks("is no policy document: "+err.Error(), "write it with package policy")
		case read != nil && read.Version != "2012-10-17":
			return v.Breaks(fmt.Sprintf("IAM reads version %q without variables and newer conditions", read.Version), `set "Version": "2012-10-17"`)
		}
		return nil
	}
}

// everyStatementNamesPrincipals: a policy of a resource without them is refused.
func everyStatementNamesPrincipals(path string) check {
	return func(in Resource) []Finding {
		v := in.At(path)
		read, err := readPolicy(v)
		if read == nil || err != nil {
			return nil
		}
		for i, s := range read.Statement {
			if s.Principal == nil && s.NotPrincipal == nil {
				return v.Breaks(fmt.Sprintf("statement %d is for nobody", i+1), "name its Principal")
			}
		}
		return nil
	}
}

func audience(in Resource) []Finding {
	clients := in.At("clientIdLists")
	if found, sure := clients.holds("sts.amazonaws.com"); sure && !found {
		return clients.Breaks("pods' tokens are for sts.amazonaws.com", "name it")
	}
	return nil
}
