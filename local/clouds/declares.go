package clouds

// Declares tells whether a program can declare resources of a type. What is in the inventory beside those was made by a cloud itself:
// machines of node groups, volumes of claims, snapshots.
func Declares(token string) bool {
	_, found := types[token]
	return found
}
