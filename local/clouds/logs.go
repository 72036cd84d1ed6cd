package clouds

var logsTypes = []Type{
	{Name: "cloudwatch.LogGroup", ID: "{name}", Unique: "ResourceAlreadyExistsException name",
		Props: `name@* retentionInDays=0 kmsKeyId~kms.Key logGroupClass*=STANDARD skipDestroy=false tags{}`,
		Out:   `arn=arn:aws:logs:{region}:{account}:log-group:{name}`},
	{Name: "cloudwatch.LogStream", ID: "{name}", Unique: "ResourceAlreadyExistsException logGroupName name",
		Props: `name@* logGroupName!*^cloudwatch.LogGroup`,
		Out:   `arn=arn:aws:logs:{region}:{account}:log-group:{logGroupName}:log-stream:{name}`},
}
