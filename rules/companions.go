package rules

import "strings"

// companions are the resources of a type that name a bucket in an argument. What S3 calls settings of a bucket are resources of their own,
// and each names it. The answer is sure unless one of them names a bucket that is not known yet.
func companions(of Resource, typ, argument string, all []Resource) (found []Resource, sure bool) {
	sure = true
	for _, other := range all {
		if other.Type != typ {
			continue
		}
		name := other.At(argument)
		if !name.IsKnown() {
			sure = false
		} else if text, ok := name.Text(); ok && namedAs(of, text) {
			found = append(found, other)
		}
	}
	return found, sure || len(found) > 0
}

// namedAs says whether a resource has this name on AWS. Without one in its arguments Pulumi adds random letters to its own.
func namedAs(of Resource, name string) bool {
	given := of.At("bucket")
	if text, ok := given.Text(); ok {
		return text == name
	}
	return !given.IsKnown() || strings.HasPrefix(name, of.Name+"-")
}
