package config

import "regexp"

var (
	environmentName = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)
	accountID       = regexp.MustCompile(`^[0-9]{12}$`)
	regionName      = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[1-9]$`)
	roleARN         = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)
)

// AWS says which account and region the stack may touch (E1). With any other account's credentials the provider refuses to start.
type AWS struct {
	Account string `json:"account"`
	Region  string `json:"region"`
}

func (a AWS) validate() (ps Problems) {
	if !accountID.MatchString(a.Account) {
		ps.add("account", a.Account, "must be the 12 digits of the one AWS account this stack may touch")
	}
	if !regionName.MatchString(a.Region) {
		ps.add("region", a.Region, "must be an AWS region such as us-east-1 or eu-west-1")
	}
	return ps
}
