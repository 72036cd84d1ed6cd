# Moves one pending creation of an exported stack among its resources: jq -f adopt.jq --arg urn URN --arg id ID state.json
# A resource that is being replaced is there already: the old one is marked for deletion, unless it was deleted before.
(.deployment.pending_operations[] | select(.type == "creating" and .resource.urn == $urn) | .resource + {id: $id}) as $made
| .deployment.resources |= map(select(.urn != $urn or .pendingReplacement != true) | if .urn == $urn then .delete = true else . end)
| .deployment.resources += [$made]
| .deployment.pending_operations |= map(select(.resource.urn != $urn))
