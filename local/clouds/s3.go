package clouds

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

const bucketType = "s3.BucketV2"

// What every part of a bucket's configuration begins with. A bucket has each of them once: two would overwrite each other for ever.
const (
	ofBucket = `bucket!*^s3.BucketV2 `
	ofOwned  = ofBucket + `expectedBucketOwner* `
	once     = "OperationAborted bucket"
)

var s3Types = []Type{
	{Name: bucketType, ID: "{bucket}", Unique: "BucketAlreadyOwnedByYou bucket", check: checkBucketName, admit: claimBucketName,
		Props: `bucket@* objectLockEnabled* forceDestroy=false tags{}`,
		Out: `arn=arn:aws:s3:::{id} bucketDomainName={id}.s3.amazonaws.com bucketRegionalDomainName={id}.s3.{region}.amazonaws.com
			hostedZoneId=Z{hex} region={region} objectLockEnabled=false`},
	{Name: "s3.BucketVersioningV2", ID: "{bucket}", Unique: once, check: checkVersioning,
		admit: lockedStaysVersioned,
		Props: ofOwned + `mfa versioningConfiguration!{status! mfaDelete}`},
	{Name: "s3.BucketServerSideEncryptionConfigurationV2", ID: "{bucket}", Unique: once,
		Props: ofOwned + `rules!{bucketKeyEnabled applyServerSideEncryptionByDefault{sseAlgorithm! kmsMasterKeyId~kms.Key}}`},
	{Name: "s3.BucketLifecycleConfigurationV2", ID: "{bucket}", Unique: once, check: checkLifecycle,
		admit: lifecycleMakesSense,
		Props: ofOwned + `transitionDefaultMinimumObjectSize
			rules!{id! status! prefix abortIncompleteMultipartUpload{daysAfterInitiation} expiration{date days expiredObjectDeleteMarker}
				noncurrentVersionExpiration{newerNoncurrentVersions noncurrentDays!} transitions{date days storageClass!}
				noncurrentVersionTransitions{newerNoncurrentVersions noncurrentDays! storageClass!}
				filter{prefix objectSizeGreaterThan objectSizeLessThan tag{key! value!}
					and{prefix objectSizeGreaterThan objectSizeLessThan tags{}}}}`,
		Out: `transitionDefaultMinimumObjectSize=all_storage_classes_128K`},
	{Name: "s3.BucketPublicAccessBlock", ID: "{bucket}", Unique: once,
		Props: ofBucket + `blockPublicAcls=false blockPublicPolicy=false ignorePublicAcls=false restrictPublicBuckets=false`},
	{Name: "s3.BucketPolicy", ID: "{bucket}", Unique: once, check: checkPolicies,
		Props: ofBucket + `policy!`},
	{Name: "s3.BucketOwnershipControls", ID: "{bucket}", Unique: once,
		Props: ofBucket + `rule!{objectOwnership!}`},
	{Name: "s3.BucketObjectLockConfigurationV2", ID: "{bucket}", Unique: once,
		admit: lockNeedsVersions,
		Props: ofOwned + `objectLockEnabled*=Enabled rule{defaultRetention!{mode days years}} token`},
	{Name: "s3.BucketLoggingV2", ID: "{bucket}", Unique: once,
		Props: ofOwned + `targetBucket!~s3.BucketV2 targetPrefix!
			targetObjectKeyFormat{partitionedPrefix{partitionDateSource!} simplePrefix{}}`},
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	// Names with these ends and beginnings are AWS's own (S3 user guide, "General purpose bucket naming rules").
	bucketPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	bucketSuffixes = []string{"-s3alias", "--ols-s3", ".mrap", "--x-s3", "--table-s3"}
)

func checkBucketName(in map[string]any) error {
	name, ok := in["bucket"].(string)
	if !ok {
		return nil
	}
	_, notAddress := netip.ParseAddr(name)
	reserved := slices.ContainsFunc(bucketPrefixes, func(s string) bool { return strings.HasPrefix(name, s) }) ||
		slices.ContainsFunc(bucketSuffixes, func(s string) bool { return strings.HasSuffix(name, s) })
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || notAddress == nil || reserved {
		return fmt.Errorf("%q is not a valid S3 bucket name: 3 to 63 lower-case letters, digits, hyphens and single dots, "+
			"with a letter or digit at both ends, and none that AWS keeps for itself", name)
	}
	return nil
}

// claimBucketName refuses a name that any account holds: bucket names are one namespace for the whole world.
func claimBucketName(p *Provider, r *inventory.Record) error {
	if _, held, err := p.get(r.Type, r.ID); held || err != nil { // an update; a second bucket here is no longer unique before this
		return err
	}
	if _, mine, err := bucketIn(p.account, r.ID); mine || err != nil {
		return orError(err, "BucketAlreadyOwnedByYou", "you own it already, in another region: %s", r.ID)
	}
	if _, taken, err := bucketIn("", r.ID); taken || err != nil {
		return orError(err, "BucketAlreadyExists", "The requested bucket name is not available: %s", r.ID)
	}
	return nil
}

// bucketIn finds a bucket in any region of an account, or of all accounts for "".
func bucketIn(account, name string) (inventory.Record, bool, error) {
	records, err := inventory.Account(account)
	for _, r := range records {
		if r.Type == token(bucketType) && r.ID == name {
			return r, true, nil
		}
	}
	return inventory.Record{}, false, err
}

func checkVersioning(in map[string]any) error {
	return oneOf("versioningConfiguration.status", at(in, "versioningConfiguration.status"), "Enabled", "Suspended", "Disabled")
}

func checkLifecycle(in map[string]any) error {
	for _, r := range objects(in["rules"]) {
		if err := oneOf("rules.status", r["status"], "Enabled", "Disabled"); err != nil {
			return err
		}
	}
	return nil
}

// lockedStaysVersioned: a bucket with Object Lock cannot go without versions.
func lockedStaysVersioned(p *Provider, r *inventory.Record) error {
	if at(r.Inputs, "versioningConfiguration.status") == "Enabled" {
		return nil
	}
	bucket, _, err := p.get(token(bucketType), r.ID)
	if err != nil {
		return err
	}
	_, locked, err := p.get(token("s3.BucketObjectLockConfigurationV2"), r.ID)
	if err != nil {
		return err
	}
	if locked || bucket.Outputs["objectLockEnabled"] == true {
		return apiError("InvalidBucketState",
			"An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	return nil
}

// lockNeedsVersions: Object Lock is for versions. A bucket that is made with it has them; any other needs them first.
func lockNeedsVersions(p *Provider, r *inventory.Record) error {
	bucket, _, err := p.get(token(bucketType), r.ID)
	if err != nil {
		return err
	}
	versioning, _, err := p.get(token("s3.BucketVersioningV2"), r.ID)
	if err != nil {
		return err
	}
	if bucket.Outputs["objectLockEnabled"] != true && at(versioning.Inputs, "versioningConfiguration.status") != "Enabled" {
		return apiError("InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
	}
	retention := object(at(r.Inputs, "rule.defaultRetention"))
	if retention != nil && (retention["mode"] == nil || (retention["days"] == nil) == (retention["years"] == nil)) {
		return apiError("MalformedXML", "rule.defaultRetention needs a mode, and either days or years")
	}
	return nil
}

// lifecycleActions are what a lifecycle rule can do, one of which it must.
var lifecycleActions = []string{"abortIncompleteMultipartUpload", "expiration", "transitions",
	"noncurrentVersionExpiration", "noncurrentVersionTransitions"}

func lifecycleMakesSense(_ *Provider, r *inventory.Record) error {
	seen := map[string]bool{}
	for _, rule := range objects(r.Inputs["rules"]) {
		id := str(rule["id"])
		if seen[id] {
			return apiError("InvalidArgument", "RuleId must be unique. Found same ID for more than one rule: %s", id)
		}
		seen[id] = true
		if !slices.ContainsFunc(lifecycleActions, func(action string) bool { return rule[action] != nil }) {
			return apiError("InvalidRequest", "At least one action needs to be specified in a rule: %s", id)
		}
		expiry := number(at(rule, "expiration.days"))
		for _, transition := range objects(rule["transitions"]) {
			days, class := number(transition["days"]), str(transition["storageClass"])
			// The two infrequent-access classes take objects of 30 days and more only.
			if strings.HasSuffix(class, "_IA") && days < 30 && transition["date"] == nil {
				return apiError("InvalidArgument",
					"'Days' in Transition action must be greater than or equal to 30 for storageClass '%s': rule %s", class, id)
			}
			if expiry != 0 && expiry <= days {
				return apiError("InvalidArgument", "'Days' in the Expiration action must be greater than 'Days' in the Transition action: rule %s", id)
			}
		}
	}
	return nil
}

// lookupBucket is getBucket. Whether a name is another account's or nobody's can be told from the error, as for real.
func (p *Provider) lookupBucket(args map[string]any) (map[string]any, error) {
	name := str(args["bucket"])
	mine, ok, err := bucketIn(p.account, name)
	if err != nil {
		return nil, err
	}
	if ok {
		out := map[string]any{"id": mine.ID}
		for _, key := range []string{"arn", "bucket", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "region"} {
			out[key] = mine.Outputs[key]
		}
		return out, nil
	}
	_, taken, err := bucketIn("", name)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, fmt.Errorf("reading S3 Bucket (%s): operation error S3: HeadBucket, https response error StatusCode: 403, %w",
			name, apiError("Forbidden", "Forbidden"))
	}
	return nil, fmt.Errorf("reading S3 Bucket (%s): couldn't find resource", name)
}

// oneOf refuses a value, once it is known, that is none of the legal ones.
func oneOf(name string, value any, legal ...string) error {
	if text, ok := value.(string); ok && !slices.Contains(legal, text) {
		return fmt.Errorf("expected %s to be one of %s, got %s", name, strings.Join(legal, ", "), text)
	}
	return nil
}
