#!/bin/sh
# Second step of making Vault: puts the recovery keys into Secrets Manager, and only then makes what create.sh has left the pod's store. The
# third is the label, by which every later run knows that a Vault has been in use, whose keys must never be replaced. Whatever ends this in
# the middle, the next run of both steps goes on, or begins anew where nobody can have used what is lost.
#
# It may write the secret but not read it. That the keys have arrived it knows by writing them twice under one name: Secrets Manager refuses
# the second time if it has something else.
# Needs of the image: sh, cat, rm, mv, sync, aws.
set -eu

case $POD_NAME in
*-0) ;;
*) exit 0 ;;
esac
if [ -e "$DATA/store" ] && [ ! -e "$DATA/store/attempt" ]; then exit 0; fi

label=IN_USE
used=$(aws secretsmanager list-secret-version-ids --secret-id "$KEYS_SECRET" --query "Versions[?contains(VersionStages, '$label')].VersionId" --output text)
[ "$used" != None ] || used=

if [ ! -e "$DATA/store" ]; then
	if [ -n "$used" ]; then
		rm -rf "$DATA/new" "$KEYS"
		echo "keep-keys: $KEYS_SECRET has the keys of a Vault that was in use: this pod, whose volume is new, joins the others." >&2
		echo "keep-keys: if there are no others any more, see docs/runbooks/vault.md" >&2
		exit 0
	fi
	[ -e "$KEYS/complete" ] || { echo "keep-keys: create.sh has not come to its end" >&2; exit 1; }
	attempt=$(cat "$DATA/new/attempt")
	for _ in 1 2; do
		aws secretsmanager put-secret-value --secret-id "$KEYS_SECRET" --client-request-token "$attempt" \
			--secret-string "file://$KEYS/keys.json" >/dev/null
	done
	sync -f "$DATA"
	mv "$DATA/new" "$DATA/store"
	sync -f "$DATA"
fi

attempt=$(cat "$DATA/store/attempt")
case $used in
'') aws secretsmanager update-secret-version-stage --secret-id "$KEYS_SECRET" --version-stage "$label" --move-to-version-id "$attempt" >/dev/null ;;
"$attempt") ;;
*)
	echo "keep-keys: $KEYS_SECRET has the keys of another Vault ($used), not of the one on this volume ($attempt); nothing was changed" >&2
	exit 1
	;;
esac
rm -rf "$KEYS"
rm "$DATA/store/attempt"
echo "keep-keys: the recovery keys are in $KEYS_SECRET" >&2
