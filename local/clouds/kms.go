package clouds

var kmsTypes = []Type{
	{Name: "kms.Key", ID: "{uuid}", check: checkPolicies,
		Props: `description keyUsage*=ENCRYPT_DECRYPT customerMasterKeySpec*=SYMMETRIC_DEFAULT multiRegion* policy enableKeyRotation=false
			isEnabled=true deletionWindowInDays rotationPeriodInDays bypassPolicyLockoutSafetyCheck=false tags{}`,
		Out: `keyId={id} arn=arn:aws:kms:{region}:{account}:key/{id} multiRegion=false`},
	{Name: "kms.Alias", ID: "{name}", Unique: "AlreadyExistsException name",
		Props: `name@* targetKeyId!^kms.Key`,
		Out:   `arn=arn:aws:kms:{region}:{account}:{name} targetKeyArn={targetKeyId.arn}`},
}
