package clouds

import (
	"encoding/json"
	"fmt"
)

var iamTypes = []Type{
	{Name: "iam.Role", ID: "{name}", Unique: "EntityAlreadyExists name", check: checkPolicies,
		Props: `name@* path*=/ assumeRolePolicy! description forceDetachPolicies=false maxSessionDuration=3600 permissionsBoundary
			managedPolicyArns~iam.Policy inlinePolicies{name policy} tags{}`,
		Out: `arn=arn:aws:iam::{account}:role{path}{name} uniqueId=AROA{hex} createDate={now}`},
	{Name: "iam.RolePolicy", ID: "{role}:{name}", Unique: "EntityAlreadyExists role name", check: checkPolicies,
		Props: `name@* role!*>iam.Role policy!`},
	{Name: "iam.Policy", ID: "arn:aws:iam::{account}:policy{path}{name}", Unique: "EntityAlreadyExists name", check: checkPolicies,
		Props: `name@* path*=/ description* policy! tags{}`,
		Out:   `arn={id} policyId=ANPA{hex} attachmentCount=0`},
	{Name: "iam.RolePolicyAttachment", ID: "{role}-{hex}", Unique: "EntityAlreadyExists role policyArn",
		Props: `role!*>iam.Role policyArn!*>iam.Policy`},
	{Name: "iam.OpenIdConnectProvider", ID: "arn:aws:iam::{account}:oidc-provider/{host}", Unique: "EntityAlreadyExists url",
		Props: `url!* clientIdLists! thumbprintLists tags{}`,
		Out:   `arn={id} thumbprintLists=[]`},
	{Name: "iam.InstanceProfile", ID: "{name}", Unique: "EntityAlreadyExists name",
		Props: `name@* path*=/ role>iam.Role tags{}`,
		Out:   `arn=arn:aws:iam::{account}:instance-profile{path}{name} uniqueId=AIPA{hex} createDate={now}`},
}

// checkPolicies refuses a policy document that is no JSON object; so does the real provider, in preview.
func checkPolicies(in map[string]any) error {
	for _, property := range []string{"policy", "assumeRolePolicy"} {
		text, ok := in[property].(string)
		if !ok {
			continue
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			return fmt.Errorf("%q contains an invalid JSON policy: %w", property, err)
		}
	}
	return nil
}
