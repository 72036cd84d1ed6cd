#!/bin/sh
# What a Redis pod runs: the server, and beside it keep.sh. The server is the first process, the one that gets signals.
#
#   POD_NAME, POD_IP, ZONE  its own; without a zone the cluster cannot be made
#   DATA, RUN               folders: what stays, and what does not
#   FILES                   folder of these files
#   MAXMEMORY               bytes that keys and clients may take
#   SILENT_SECONDS          how long a master waits that was restarted in its pod
set -eu
: "${POD_NAME:?}" "${POD_IP:?}" "${ZONE?}" "${SERVICE:?}" "${PODS:?}" "${DATA:?}" "${RUN:?}" "${FILES:?}" "${CREDENTIALS:?}" "${MAXMEMORY:?}"
. "$FILES/node.sh"

# A container that was restarted in its pod. While a master loads its data the others hear from it, and its slots are served by nobody; a replica
# that had all of them takes over once it is silent: after 5 s, and up to 4 more (R1). One that had not must not: its data are older than the log here.
if [ -e "$RUN/kept" ]; then
	rm -f "$RUN/stopping"
	if [ -e "$RUN/covered" ] && grep -qs 'myself,master' "$DATA/nodes.conf"; then sleep "${SILENT_SECONDS:-10}"; fi
	rm -f "$RUN/covered"
fi
touch "$RUN/kept"
password=$(newest)
. "$FILES/keep.sh" </dev/null &

# A new master's replicas find what they missed in the backlog, which is within the limit; what a slow one has still to read is not.
exec redis-server "$FILES/redis.conf" - <<CONF
dir "$DATA"
bind $POD_IP
unixsocket $RUN/redis.sock
unixsocketperm 700
cluster-announce-ip $POD_IP
${ZONE:+cluster-announce-hostname $POD_NAME.$ZONE}
requirepass $password
masterauth $password
maxmemory $MAXMEMORY
repl-backlog-size $((MAXMEMORY / 16))
client-output-buffer-limit replica $((MAXMEMORY / 8)) $((MAXMEMORY / 16)) 60
CONF
