package rules

import "fmt"

const bucket = "aws:s3/bucketV2:BucketV2"

// bucketRules are those of S3 and of its resources in pulumi-aws (D5).
var bucketRules = []Rule{
	{Name: "s3-companions", Types: []string{bucket}, Source: "pulumi-aws docs",
		Check: unset("two owners of one setting undo each other's work", "use the resource of its own, such as BucketVersioningV2",
			"accelerationStatus", "acl", "corsRules", "grants", "lifecycleRules", "loggings", "objectLockConfiguration", "policy",
			"replicationConfigurations", "requestPayer", "serverSideEncryptionConfigurations", "versionings", "websites")},
	{Name: "s3-bucket-v2", Types: []string{"aws:s3/bucket:Bucket"}, Source: "pulumi-aws docs",
		Check: always("bucket", "this type has all settings inside, and fights with resources of their own", "use BucketV2")},
	{Name: "s3-public-access", Guardrail: true, Types: []string{"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"}, Source: "requirement D5",
		Check: all(blocks("blockPublicAcls"), blocks("blockPublicPolicy"), blocks("ignorePublicAcls"), blocks("restrictPublicBuckets"))},
	{Name: "s3-tls-only", Types: []string{"aws:s3/bucketPolicy:BucketPolicy"}, Source: "requirement D5", Check: tlsOnly},
	{Name: "s3-encryption", Types: []string{"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"},
		Source: "AWS docs", Check: each("rules", when("applyServerSideEncryptionByDefault.sseAlgorithm", "AES256",
			unset("AES256 takes no key", "set sseAlgorithm to aws:kms", "applyServerSideEncryptionByDefault.kmsMasterKeyId")))},
	{Name: "s3-versioning", Types: []string{"aws:s3/bucketVersioningV2:BucketVersioningV2"}, Source: "AWS docs",
		Check: oneOf("versioningConfiguration.status", "a state of versioning", "Enabled", "Suspended", "Disabled")},
	{Name: "s3-object-lock", Types: []string{"aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2"}, Source: "AWS docs",
		Check: all(oneOf("rule.defaultRetention.mode", "a mode of object lock", "GOVERNANCE", "COMPLIANCE"), lockPeriod)},
	{Name: "s3-lifecycle", Types: []string{"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"}, Source: "AWS docs",
		Check: each("rules", all(oneOf("status", "a state of a lifecycle rule", "Enabled", "Disabled"), transitions))},
}

func blocks(path string) check {
	return must(path, true, "public access is not blocked", "set it to true")
}

// tlsOnly wants the one form of the denial that S3's documentation shows; a bucket has one policy, so that it stands nowhere else.
func tlsOnly(in Resource) []Finding {
	v := in.At("policy")
	document, err := readPolicy(v)
	if document == nil || err != nil {
		return nil // not known yet, or said by another rule
	}
	for _, s := range document.Statement {
		insecure := s.Condition["Bool"]["aws:SecureTransport"]
		if s.Effect == "Deny" && len(insecure) == 1 && insecure[0] == "false" {
			return nil
		}
	}
	return v.Breaks("requests without TLS are answered", "deny what comes with aws:SecureTransport false")
}

func lockPeriod(in Resource) []Finding {
	retention := in.At("rule.defaultRetention")
	if !retention.IsSet() || !retention.IsKnown() || retention.At("days").IsSet() != retention.At("years").IsSet() {
		return nil
	}
	return retention.Breaks("a default retention is either days or years", "set one of the two")
}

// coldest are storage classes that take no object before its 30th day.
var coldest = set{"STANDARD_IA", "ONEZONE_IA"}

func transitions(in Resource) (found []Finding) {
	end, ends := in.At("expiration.days").Number()
	for _, step := range in.At("transitions").Items() {
		days := step.At("days")
		n, ok := days.Number()
		if class := step.At("storageClass"); ok && n < 30 && len(class.oneOf("", coldest)) == 0 && class.IsKnown() {
			found = append(found, days.Breaks("objects move to this class after 30 days at the earliest", "use 30 or more")...)
		}
		if ok && ends && end <= n {
			found = append(found, days.Breaks(fmt.Sprintf("objects expire after %g days already",
				end), "move them earlier, or let them expire later")...)
		}
	}
	return found
}
