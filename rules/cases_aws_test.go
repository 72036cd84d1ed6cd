package rules

import "testing"

var everyCase = [][]breakage{databaseCases, parameterCases, bucketCases, keyCases, networkCases, logCases, identityCases, clusterCases, nodeCases,
	componentCases, edgeCases, kubernetesCases, ingressCases, encryptionCases, exposureCases, permissionCases, podCases, protectionCases}

var databaseCases = []breakage{
	{"rds-gp3-performance", database, `{"engine":"postgres","storageType":"gp3","allocatedStorage":500,"iops":3000}`, "iops 3000: gp3 with PostgreSQL from 400 GiB starts at 12000 IOPS",
		`{"engine":"postgres","storageType":"gp3","allocatedStorage":500}`},
	{"rds-gp3-performance", database, `{"engine":"postgres","storageType":"gp3","allocatedStorage":400,"storageThroughput":499}`, "starts at 500 MiB/s",
		`{"engine":"postgres","storageType":"gp3","allocatedStorage":400,"storageThroughput":500,"iops":12000}`},
	{"rds-gp3-performance", database, `{"engine":"postgres","storageType":"gp3","allocatedStorage":500,"iops":64001}`, "ends at 64000 IOPS",
		`{"engine":"postgres","storageType":"gp3","allocatedStorage":500,"iops":64000}`},
	{"rds-gp3-performance", database, `{"engine":"postgres","storageType":"gp3","allocatedStorage":399,"iops":12000}`, "below 400 GiB has a fixed performance",
		`{"engine":"postgres","storageType":"gp3","allocatedStorage":399}`},
	{"rds-storage-type", database, `{"storageType":"gp2","iops":3000}`, "iops 3000: storage of this type takes none", `{"storageType":"io2","iops":3000}`},
	{"rds-storage-type", database, `{"storageType":"io2","storageThroughput":500}`, "only gp3 takes it", `{"storageType":"gp3","storageThroughput":500}`},
	{"rds-engine-version", database, `{"engine":"postgres","engineVersion":"14.18"}`, "RDS makes no new instance", `{"engine":"postgres","engineVersion":"14.20"}`},
	{"rds-engine-version", database, `{"engine":"postgres","engineVersion":"14.19"}`, "use 14.20 or later, or 14 for its newest", `{"engine":"postgres","engineVersion":"14"}`},
	{"rds-lifecycle-support", database, `{"engineLifecycleSupport":"open-source-rds-extended-support-disabled"}`, "upgrades the major version by itself",
		`{"engineLifecycleSupport":"open-source-rds-extended-support"}`},
	{"rds-replica-source", database, `{"replicateSourceDb":"main","dbSubnetGroupName":"group"}`, "replicateSourceDb main: with dbSubnetGroupName",
		`{"replicateSourceDb":"arn:aws:rds:us-east-1:222222222222:db:main","dbSubnetGroupName":"group"}`},
	{"rds-replica-inherits", database, `{"replicateSourceDb":"main","username":"root"}`, "username root: a replica has its source's", `{"username":"root"}`},
	{"rds-backups", database, `{"engine":"postgres"}`, "backupRetentionPeriod (not set): there are no backups", `{"engine":"postgres","backupRetentionPeriod":7}`},
	{"rds-backups", database, `{"engine":"postgres","backupRetentionPeriod":0}`, "there are no backups", `{"engine":"postgres","replicateSourceDb":"main","backupRetentionPeriod":0}`},
	{"rds-backups", database, `{"backupRetentionPeriod":36}`, "use 0 to 35", `{"backupRetentionPeriod":35}`},
	{"rds-master-password", database, `{"manageMasterUserPassword":true}`, "changes the password every 7 days", `{"manageMasterUserPassword":false}`},
	{"rds-final-snapshot", database, `{}`, "finalSnapshotIdentifier (not set): the instance cannot be deleted", `{"finalSnapshotIdentifier":"last"}`},
	{"rds-final-snapshot", database, `{"replicateSourceDb":"main","finalSnapshotIdentifier":"last"}`, "no final snapshot of a replica", `{"replicateSourceDb":"main","skipFinalSnapshot":true}`},
	{"rds-monitoring", database, `{"monitoringInterval":20,"monitoringRoleArn":"arn:aws:iam::1:role/m"}`, "use one of 0 1 5 10 15 30 60",
		`{"monitoringInterval":60,"monitoringRoleArn":"arn:aws:iam::1:role/m"}`},
	{"rds-monitoring", database, `{"monitoringInterval":60}`, "needs a role", `{"monitoringInterval":0}`},
	{"rds-insights-retention", database, `{"performanceInsightsEnabled":true,"performanceInsightsRetentionPeriod":30}`, "multiple of 31",
		`{"performanceInsightsEnabled":true,"performanceInsightsRetentionPeriod":62}`},
	{"rds-insights-retention", database, `{"performanceInsightsEnabled":true,"performanceInsightsRetentionPeriod":744}`, "multiple of 31 up to 713",
		`{"performanceInsightsEnabled":true,"performanceInsightsRetentionPeriod":731}`},
	{"rds-insights-retention", database, `{"performanceInsightsRetentionPeriod":7}`, "performanceInsightsEnabled (not set)", `{"performanceInsightsEnabled":true}`},
	{"rds-log-exports", database, `{"engine":"postgres","enabledCloudwatchLogsExports":["postgresql","slowquery"]}`, "enabledCloudwatchLogsExports[1] slowquery",
		`{"engine":"postgres","enabledCloudwatchLogsExports":["postgresql","upgrade"]}`},
	{"rds-encryption-key", database, `{"kmsKeyId":"arn:aws:kms:us-east-1:1:key/a"}`, "storageEncrypted (not set): the key is not used",
		`{"kmsKeyId":"arn:aws:kms:us-east-1:1:key/a","storageEncrypted":true}`},
	{"rds-encryption-key", database, `{"kmsKeyId":"alias/data","storageEncrypted":true}`, "give the key's ARN", `{"replicateSourceDb":"arn:aws:rds:x","kmsKeyId":"arn:aws:kms:x"}`},
	{"rds-multi-az", database, `{"multiAz":true,"availabilityZone":"us-east-1a"}`, "availabilityZone us-east-1a: RDS chooses", `{"multiAz":false,"availabilityZone":"us-east-1b"}`},
	{"rds-subnets", "aws:rds/subnetGroup:SubnetGroup", `{"subnetIds":["subnet-1"]}`, "two zones", `{"subnetIds":["subnet-1","subnet-2"]}`},
}

func TestD1DatabaseArguments(t *testing.T) { breakEach(t, databaseCases) }

func one(parameter string) string { return `{"parameters":[` + parameter + `]}` }

var parameterCases = []breakage{
	{"rds-parameter-value", parameterGroup, one(`{"name":"shared_buffers","value":"8GB"}`), "parameters[0].value 8GB: RDS takes no units", one(`{"name":"shared_buffers","value":"1048576"}`)},
	{"rds-parameter-value", parameterGroup, one(`{"name":"work_mem","value":"64MB"}`), "in units of kB", one(`{"name":"work_mem","value":"65536"}`)},
	{"rds-parameter-value", parameterGroup, one(`{"name":"maintenance_work_mem","value":"2"}`), "from 1024 to 2147483647, in units of kB", one(`{"name":"maintenance_work_mem","value":"2097152"}`)},
	{"rds-parameter-value", parameterGroup, one(`{"name":"max_connections","value":"200.5"}`), "a whole number from 6", one(`{"name":"max_connections","value":"LEAST({DBInstanceClassMemory/9531392},5000)"}`)},
	{"rds-parameter-value", parameterGroup, one(`{"name":"checkpoint_completion_target","value":"90"}`), "a number from 0 to 1", one(`{"name":"checkpoint_completion_target","value":"0.9"}`)},
	{"rds-parameter-value", parameterGroup, one(`{"name":"rds.force_ssl","value":"on"}`), "is not a number", one(`{"name":"rds.force_ssl","value":"1"}`)},
	{"rds-parameter-apply-method", parameterGroup, one(`{"name":"max_connections","value":"200"}`), "applyMethod (not set): PostgreSQL reads it at its start",
		one(`{"name":"max_connections","value":"200","applyMethod":"pending-reboot"}`)},
	{"rds-parameter-apply-method", parameterGroup, one(`{"name":"shared_preload_libraries","value":"pg_cron","applyMethod":"immediate"}`), "set pending-reboot",
		one(`{"name":"work_mem","value":"65536"}`)},
}

func TestD2ParametersHaveRDSUnitsAndTheRightApplyMethod(t *testing.T) { breakEach(t, parameterCases) }

// The source's ten settings, in the units that RDS takes.
func TestD2SourceSettingsKeepTheRules(t *testing.T) {
	list := ""
	for name, value := range map[string]string{"max_connections": "200", "shared_buffers": "1048576", "effective_cache_size": "3145728", "work_mem": "65536",
		"maintenance_work_mem": "2097152", "checkpoint_completion_target": "0.9", "wal_buffers": "2048", "default_statistics_target": "100",
		"random_page_cost": "1.1", "effective_io_concurrency": "200"} {
		method := "immediate"
		if parameters[name].static {
			method = "pending-reboot"
		}
		list += `,{"name":"` + name + `","value":"` + value + `","applyMethod":"` + method + `"}`
	}
	if found := Check(NewResource(parameterGroup, "postgres", args(t, one(list[1:])))); len(found) > 0 {
		t.Error(found)
	}
}

const tls = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Principal\":\"*\",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":`

var bucketCases = []breakage{
	{"s3-companions", bucket, `{"acl":"private"}`, "use the resource of its own", `{"bucket":"b","forceDestroy":false,"objectLockEnabled":true,"tags":{"a":"b"}}`},
	{"s3-companions", bucket, `{"versionings":[{"enabled":true}]}`, "two owners of one setting", `{}`},
	{"s3-companions", bucket, `{"lifecycleRules":[]}`, "lifecycleRules []", `{}`},
	{"s3-bucket-v2", "aws:s3/bucket:Bucket", `{}`, "use BucketV2", ""},
	{"s3-public-access", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", `{"blockPublicAcls":true,"blockPublicPolicy":true,"ignorePublicAcls":true}`,
		"restrictPublicBuckets (not set): public access", `{"blockPublicAcls":true,"blockPublicPolicy":true,"ignorePublicAcls":true,"restrictPublicBuckets":true}`},
	{"s3-tls-only", bucketPolicy, `{"policy":"` + tls + `\"true\"}}}]}"}`, "requests without TLS", `{"policy":"` + tls + `\"false\"}}}]}"}`},
	{"s3-tls-only", bucketPolicy, `{"policy":"{\"Statement\":[{\"Effect\":\"Allow\"}]}"}`, "requests without TLS", `{"policy":"` + tls + `false}}}]}"}`},
	{"s3-encryption", "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		`{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"AES256","kmsMasterKeyId":"k"}}]}`, "AES256 takes no key",
		`{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"aws:kms","kmsMasterKeyId":"k"}}]}`},
	{"s3-versioning", "aws:s3/bucketVersioningV2:BucketVersioningV2", `{"versioningConfiguration":{"status":"enabled"}}`, "use one of Enabled",
		`{"versioningConfiguration":{"status":"Enabled"}}`},
	{"s3-object-lock", lockType, `{"rule":{"defaultRetention":{"mode":"GOVERNANCE","days":1,"years":1}}}`, "either days or years", `{"rule":{"defaultRetention":{"mode":"GOVERNANCE","days":35}}}`},
	{"s3-object-lock", lockType, `{"rule":{"defaultRetention":{"mode":"governance","days":35}}}`, "use one of GOVERNANCE", `{"objectLockEnabled":"Enabled"}`},
	{"s3-lifecycle", lifecycleType, `{"rules":[{"status":"Enabled","transitions":[{"days":7,"storageClass":"STANDARD_IA"}]}]}`, "rules[0].transitions[0].days 7: ",
		`{"rules":[{"status":"Enabled","transitions":[{"days":7,"storageClass":"GLACIER_IR"}],"expiration":{"days":90}}]}`},
	{"s3-lifecycle", lifecycleType, `{"rules":[{"status":"Enabled","transitions":[{"days":90,"storageClass":"GLACIER"}],"expiration":{"days":90}}]}`, "expire after 90 days",
		`{"rules":[{"status":"Enabled","transitions":[{"days":30,"storageClass":"STANDARD_IA"}],"expiration":{"days":90}}]}`},
	{"s3-lifecycle", lifecycleType, `{"rules":[{"status":"on"}]}`, "use one of Enabled", `{"rules":[{"status":"Disabled"}]}`},
}

const (
	lockType      = "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2"
	lifecycleType = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
)

func TestD5BucketArguments(t *testing.T) { breakEach(t, bucketCases) }

func policyOf(statement string) string {
	return `{"policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",` + statement + `}]}"}`
}

const account = `\"Principal\":{\"AWS\":\"arn:aws:iam::222222222222:root\"}`

var keyCases = []breakage{
	{"kms-rotation", kmsKey, `{}`, "enableKeyRotation (not set)", `{"enableKeyRotation":true}`},
	{"kms-rotation", kmsKey, `{"enableKeyRotation":false}`, "enableKeyRotation false", `{"enableKeyRotation":true}`},
	{"kms-periods", kmsKey, `{"deletionWindowInDays":5}`, "use 7 to 30", `{"deletionWindowInDays":30}`},
	{"kms-periods", kmsKey, `{"rotationPeriodInDays":30}`, "use 90 to 2560", `{"rotationPeriodInDays":365}`},
	{"kms-policy-principal", kmsKey, policyOf(`\"Action\":\"kms:*\"`), "statement 1 is for nobody", policyOf(account + `,\"Action\":\"kms:*\"`)},
	{"kms-policy-lockout", kmsKey, policyOf(account + `,\"Action\":[\"kms:Encrypt\",\"kms:Decrypt\"]`), "nobody could ever change", policyOf(account + `,\"Action\":[\"kms:PutKeyPolicy\"]`)},
	{"kms-alias", "aws:kms/alias:Alias", `{"name":"data"}`, "begin with alias/", `{"name":"alias/alphapulse-prod/data"}`},
	{"kms-alias", "aws:kms/alias:Alias", `{"name":"alias/aws/rds"}`, "AWS's own", `{"name":"alias/awsome"}`},
}

func TestD6KeyArguments(t *testing.T) { breakEach(t, keyCases) }

var networkCases = []breakage{
	{"sg-inline-rules", "aws:ec2/securityGroup:SecurityGroup", `{"egress":[{"protocol":"-1"}]}`, "use SecurityGroupIngressRule", `{"vpcId":"vpc-1"}`},
	{"sg-inline-rules", "aws:ec2/securityGroup:SecurityGroup", `{"ingress":[]}`, "ingress []", `{}`},
	{"sg-default", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", `{"ingress":[{"self":true}]}`, "whatever names no group", `{"ingress":[],"egress":[]}`},
	{"sg-description", ingressRule, `{"description":"the cluster's pods"}`, "a character that EC2 refuses", `{"description":"HTTPS from the VPC"}`},
	{"sg-rule-peer", ingressRule, `{"cidrIpv4":"10.0.0.0/8","cidrIpv6":"fd00::/8"}`, "one peer", `{"cidrIpv4":"10.0.0.0/8"}`},
	{"sg-rule-peer", egressRule, `{}`, "one peer", `{"referencedSecurityGroupId":"sg-1"}`},
	{"sg-rule-ports", ingressRule, `{"ipProtocol":"-1","fromPort":0,"toPort":0}`, "all protocols have no ports", `{"ipProtocol":"-1"}`},
	{"sg-rule-ports", ingressRule, `{"ipProtocol":"tcp"}`, "the protocol has ports", `{"ipProtocol":"tcp","fromPort":443,"toPort":443}`},
	{"sg-rule-ports", ingressRule, `{"ipProtocol":"tcp","fromPort":443,"toPort":80}`, "is before fromPort", `{"ipProtocol":"tcp","fromPort":80,"toPort":443}`},
	{"sg-rule-range", ingressRule, `{"cidrIpv4":"10.0.0.1/8"}`, "cidrIpv4 10.0.0.1/8: is not a range", `{"cidrIpv4":"10.0.0.0/8"}`},
	{"sg-rule-range", ingressRule, `{"cidrIpv4":"fd00::/8"}`, "is not a range", `{"cidrIpv6":"fd00::/8"}`},
	{"eip-domain", "aws:ec2/eip:Eip", `{"vpc":true}`, `set domain to "vpc"`, `{"domain":"vpc"}`},
	{"eks-zone", "aws:ec2/subnet:Subnet", `{"availabilityZoneId":"use1-az3"}`, "EKS has no control planes", `{"availabilityZoneId":"use1-az1"}`},
}

func TestN3NetworkArguments(t *testing.T) { breakEach(t, networkCases) }

const group = "aws:cloudwatch/logGroup:LogGroup"

var logCases = []breakage{
	{"logs-retention", group, `{"retentionInDays":100}`, "use one of 0 1 3 5 7", `{"retentionInDays":90}`},
	{"logs-key", group, `{"kmsKeyId":"1234"}`, "a key's ARN only", `{"kmsKeyId":"arn:aws:kms:us-east-1:1:key/1234"}`},
	{"logs-group-name", group, `{"name":"/alphapulse:prod"}`, "a character", `{"name":"/aws/eks/alphapulse-prod/cluster"}`},
}

func TestN4LogGroupArguments(t *testing.T) { breakEach(t, logCases) }

var identityCases = []breakage{
	{"iam-policy-document", "aws:iam/rolePolicy:RolePolicy", `{"policy":"{"}`, "is no policy document: unexpected end", policyOf(`\"Action\":[]`)},
	{"iam-policy-document", "aws:iam/policy:Policy", `{"policy":"{\"Statement\":[{}]}"}`, `IAM reads version ""`, policyOf(`\"Action\":[]`)},
	{"iam-policy-document", iamRole, `{"assumeRolePolicy":"{}"}`, "it has no statement", `{"assumeRolePolicy":{"Version":"2012-10-17"}}`},
	{"iam-trust-principal", iamRole, `{"assumeRolePolicy":"{\"Statement\":[{\"Action\":\"sts:AssumeRole\"}]}"}`, "statement 1 is for nobody",
		`{"assumeRolePolicy":"{\"Statement\":[{\"Principal\":{\"Service\":\"ec2.amazonaws.com\"}}]}"}`},
	{"iam-oidc-provider", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", `{"url":"oidc.eks/id/1","clientIdLists":["sts.amazonaws.com"]}`, "an https URL",
		`{"url":"https://oidc.eks/id/1","clientIdLists":["sts.amazonaws.com"]}`},
	{"iam-oidc-provider", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", `{"url":"https://oidc.eks/id/1","clientIdLists":["sts"]}`, "for sts.amazonaws.com (AWS docs, requirement S3); name it",
		`{"url":"https://oidc.eks/id/1","clientIdLists":["sts.amazonaws.com"]}`},
}

func TestS3IdentityArguments(t *testing.T) { breakEach(t, identityCases) }
