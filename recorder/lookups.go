package recorder

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Answers are what look-ups give in one run, by token, where the usual answer is not what a test needs: the answer as plain values, or
// the error that the look-up is to fail with, or a function that gives one of the two for what is asked.
type Answers map[string]any

// The look-ups that tests answer in their own way.
const (
	GetZone     = "cloudflare:index/getZone:getZone"
	GetRulesets = "cloudflare:index/getRulesets:getRulesets"
	GetIPRanges = "cloudflare:index/getIpRanges:getIpRanges"
	GetBucket   = "aws:s3/getBucket:getBucket"
	GetInstance = "aws:rds/getInstance:getInstance"
	GetCluster  = "aws:eks/getCluster:getCluster"
	GetCaller   = "aws:index/getCallerIdentity:getCallerIdentity"

	GetSecretVersions = "aws:secretsmanager/getSecretVersions:getSecretVersions"
)

// usual are the answers that every run gets. A zone is on the plan that the committed stacks name, and nobody's; nothing of ours is on AWS.
var usual = Answers{
	"aws:eks/getAddonVersion:getAddonVersion": map[string]any{"version": LookedUpVersion},
	GetZone:           map[string]any{"id": "zone-id", "zoneId": "zone-id", "plan": "Pro Website", "status": "active"},
	GetRulesets:       map[string]any{"rulesets": []any{}},
	GetBucket:         errors.New("reading S3 Bucket: couldn't find resource"),
	GetCluster:        errors.New("reading EKS Cluster: couldn't find resource"),
	GetInstance:       errors.New("no matching RDS DB Instance found"),
	GetSecretVersions: errors.New("ResourceNotFoundException: Secrets Manager can't find the specified secret"),
	GetIPRanges:       map[string]any{"ipv4CidrBlocks": []any{"198.51.100.0/24", "192.0.2.0/24"}},
}

// answer gives what was asked for back, with the answer added to it.
func (m *mocks) answer(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answer, ok := m.answers[args.Token]
	if !ok {
		answer = usual[args.Token]
	}
	if chosen, ok := answer.(func(asked map[string]any) any); ok {
		answer = chosen(plain(args.Args))
	}
	switch answer := answer.(type) {
	case error:
		return nil, answer
	case map[string]any:
		result := args.Args.Copy()
		for key, value := range resource.NewPropertyMapFromMap(answer) {
			result[key] = value
		}
		return result, nil
	}
	return nil, fmt.Errorf("the recorder has no answer to %s", args.Token)
}
