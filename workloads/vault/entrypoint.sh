#!/bin/sh
# First process of a Vault pod: runs the server, hands on the signal to stop, and has a renewed certificate read without a restart.
# Needs of the image: sh, sed, cat, cksum, mkdir, sleep, vault.
set -eu

mkdir -p "$DATA/store" # where the first pod's was made, or where what the others have comes to

sed -e "s|\${DATA}|$DATA|" -e "s|\${TLS}|$TLS|" -e "s|\${POD_NAME}|$POD_NAME|" -e "s|\${POD_IP}|$POD_IP|" \
	"$CONFIG/vault-config.hcl" >"$TMPDIR/vault.hcl"

vault server -config="$TMPDIR/vault.hcl" &
server=$!
trap 'kill -TERM "$server"' TERM INT

# The kubelet changes both files at once. A pair that does not fit is Vault's to refuse: it keeps the old one.
fingerprint() { cat "$TLS/tls.crt" "$TLS/tls.key" | cksum; }
(
	trap - TERM INT
	read_last=$(fingerprint)
	while sleep 5; do
		there=$(fingerprint) || continue
		[ "$there" != "$read_last" ] || continue
		read_last=$there
		echo "entrypoint: the certificate has changed, Vault reads it" >&2
		kill -HUP "$server"
	done
) &
watcher=$!

# A signal ends the wait, not the server: then it is waited for again.
status=0
while :; do
	wait "$server" && status=0 || status=$?
	kill -0 "$server" 2>/dev/null || break
done
kill "$watcher" 2>/dev/null || true
exit "$status"
