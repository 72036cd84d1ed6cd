#!/bin/sh
# Runs before a Redis pod is told to stop. A master hands over to its replica first: it waits until that has all, which takes milliseconds,
# while a failover begins after five seconds of silence. Whoever has no replica that keeps up waits for one, but not for ever.
set -u
. "$FILES/node.sh"
: >"$RUN/stopping" # keep.sh takes nothing over any more

# replica is the address of one that is up and in step.
replica() {
	online=$(ask "$POD_IP" INFO replication) || return
	case $online in *state=online*) ;; *) return ;; esac
	printf '%s\n' "$nodes" | awk -v me="$(printf '%s\n' "$nodes" | field 1)" '$6 == me && $9 == "up" { print $2; exit }'
}

asked= tries=0 end=$(($(date +%s) + 20))
while [ "$(date +%s)" -lt "$end" ]; do
	nodes=$(view "$POD_IP") || break
	case $(printf '%s\n' "$nodes" | field 5) in
	replica)
		[ -z "$asked" ] || say "handed over"
		exit 0
		;;
	esac
	[ "$(printf '%s\n' "$nodes" | field 7)" -gt 0 ] || exit 0 # it is nobody's master
	# A failover that does not come about is given up after five seconds.
	if [ $(((tries += 1) % 50)) = 1 ] || [ -z "$asked" ]; then
		to=$(replica)
		[ -z "$to" ] || { ask "$to" CLUSTER FAILOVER >/dev/null && asked=$to; }
	fi
	sleep 0.1
done
say "stops as a master: no replica took over"
