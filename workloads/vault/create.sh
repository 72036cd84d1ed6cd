#!/bin/sh
# First step of making Vault, in the first pod, when it has no data yet: a Vault of its own on this pod's volume, initialised and set up
# while nobody can reach it. It leaves the recovery keys in $KEYS for keep-keys.sh, which alone can make it the pod's store. Whatever ends
# this in the middle, the next run throws away what it finds and begins anew: nobody has seen it, so nothing is lost.
# Needs of the image: sh, sed, cat, rm, mkdir, touch, sleep, vault.
set -eu
umask 077

case $POD_NAME in
*-0) ;;
*) exit 0 ;; # the others join it
esac
[ ! -e "$DATA/store" ] || exit 0

rm -rf "$DATA/new" "$KEYS"
mkdir "$DATA/new" "$KEYS"
cat /proc/sys/kernel/random/uuid >"$DATA/new/attempt"

sed -e "s|\${DATA}|$DATA|" -e "s|\${POD_NAME}|$POD_NAME|" -e "s|\${PRIVATE_IP}|$PRIVATE_IP|" "$CONFIG/create.hcl" >"$TMPDIR/create.hcl"
unset VAULT_CACERT
export VAULT_ADDR="http://$PRIVATE_IP:8200" VAULT_SKIP_VERIFY=false
vault server -config="$TMPDIR/create.hcl" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT

# until_ SECONDS COMMAND...: tries until it succeeds.
until_() {
	left=$1
	shift
	until "$@" >/dev/null 2>&1; do
		kill -0 "$server" || exit 1 # its log says why
		left=$((left - 1))
		[ "$left" -gt 0 ] || { echo "create: \`$*\` still fails" >&2; exit 1; }
		sleep 1
	done
}
answers() { vault status || [ $? = 2 ]; } # 2: sealed
until_ 120 answers

vault operator init -format=json -recovery-shares=5 -recovery-threshold=3 >"$KEYS/init.json"
VAULT_TOKEN=$(sed -n 's/^ *"root_token": "\([^"]*\)".*/\1/p' "$KEYS/init.json")
export VAULT_TOKEN
sed -n -e '/"recovery_keys_b64"/,/\]/{' -e 's/.*"recovery_keys_b64".*/{"threshold": 3, "recovery_keys": [/' -e 's/^ *\],*$/]}/' -e 'p' -e '}' \
	"$KEYS/init.json" >"$KEYS/keys.json"
rm "$KEYS/init.json" # the root token lives as long as this script
until_ 120 vault token lookup

vault audit enable file file_path=stdout >/dev/null
vault secrets enable -path=secret -version=2 kv >/dev/null
vault auth enable kubernetes >/dev/null
vault write auth/kubernetes/config kubernetes_host=https://kubernetes.default.svc >/dev/null
for policy in api snapshots; do
	vault policy write "$policy" "$CONFIG/policy-$policy.hcl" >/dev/null
done
vault write auth/kubernetes/role/api bound_service_account_names=api bound_service_account_namespaces="$NAMESPACE" \
	audience=vault token_policies=api token_ttl=1h >/dev/null
vault write auth/kubernetes/role/snapshots bound_service_account_names=vault-snapshots bound_service_account_namespaces="$NAMESPACE" \
	audience=vault token_policies=snapshots token_ttl=15m >/dev/null
vault token revoke -self >/dev/null

kill "$server"
wait "$server" || true
trap - EXIT
touch "$KEYS/complete"
echo "create: a Vault is made; nobody has it before its keys are kept" >&2
