package data

import (
	"github.com/alphapulse/infrastructure/policy"
	"github.com/alphapulse/infrastructure/security"
)

var anybody = map[string]any{"AWS": "*"}

// overTLSOnly refuses every request that is not encrypted on its way.
func (b *bucketBuilder) overTLSOnly(purpose string) policy.Statement {
	return policy.Statement{
		Sid: "OverTLSOnly", Deny: true,
		Principal: anybody,
		Actions:   []string{"s3:*"}, Resources: []any{b.arn(purpose), b.arn(purpose) + "/*"},
		Conditions: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
	}
}

// keepBackups refuses the two requests that open a lock or remove a version for good, to administrators too: with their credentials stolen
// the backups are still there. Who must, changes this policy first, and is seen doing it. Expiry by lifecycle is no request. Where nothing
// is protected the bucket must be destroyable.
func (b *bucketBuilder) keepBackups() []policy.Statement {
	if !b.args.Protect {
		return nil
	}
	return []policy.Statement{{
		Sid: "KeepVersions", Deny: true,
		Principal: anybody,
		Actions:   []string{"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"}, Resources: []any{b.arn(backups) + "/*"},
	}}
}

// trailWriter lets CloudTrail look at the bucket and write below its prefix, for the environment's own trail.
func (b *bucketBuilder) trailWriter() []policy.Statement {
	trail := security.TrailARN(b.args.Name, b.args.AWS)
	service := map[string]any{"Service": "cloudtrail.amazonaws.com"}
	return []policy.Statement{{
		Sid:       "AuditTrailLooks",
		Principal: service,
		Actions:   []string{"s3:GetBucketAcl"}, Resources: []any{b.arn(logs)},
		Conditions: map[string]map[string]any{"StringEquals": {"aws:SourceArn": trail}},
	}, {
		Sid:       "AuditTrailWrites",
		Principal: service,
		// The last part of the key is CloudTrail's own.
		Actions: []string{"s3:PutObject"}, Resources: []any{b.arn(logs) + "/" + AuditTrail + "AWSLogs/" + b.args.AWS.Account + "/*"},
		Conditions: map[string]map[string]any{"StringEquals": {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}},
	}}
}

// accessLogWriter lets S3 deliver the access logs of the other buckets.
func (b *bucketBuilder) accessLogWriter() policy.Statement {
	return policy.Statement{
		Sid:       "AccessLogs",
		Principal: map[string]any{"Service": "logging.s3.amazonaws.com"},
		Actions:   []string{"s3:PutObject"},
		Resources: []any{b.arn(accessLogs) + "/" + backups + "/*", b.arn(accessLogs) + "/" + logs + "/*"},
		Conditions: map[string]map[string]any{
			"StringEquals": {"aws:SourceAccount": b.args.AWS.Account},
			"ArnLike":      {"aws:SourceArn": []string{b.arn(backups), b.arn(logs)}},
		},
	}
}
