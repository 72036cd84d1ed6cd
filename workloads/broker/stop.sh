# Before Redis is told to stop. A primary hands over first, and no task is lost: it takes nothing more (who enqueues waits), lets a replica catch
# up, and asks the Sentinel of another pod for the failover; its own goes with it.
. "$BROKER_FILES/common.sh"

leads() { redis "$1" ROLE | head -n 1 | grep -q master; }

# caught_up: every replica that is connected has all there was when writes stopped.
caught_up() {
	redis "$POD_IP" INFO replication | awk -v all="$1" '
		/^slave[0-9]+:/ {
			known++
			if (match($0, /offset=[0-9]+/) && substr($0, RSTART + 7, RLENGTH - 7) + 0 >= all + 0) done++
		}
		END { exit !(known > 0 && done == known) }'
}

# try SECONDS COMMAND...: again and again, until it succeeds.
try() {
	until_then=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $until_then ] || return 1
		sleep 0.1
	done
}

hand_over() {
	for other in $(hosts); do
		if [ "$other" != "$self" ] && sentinel "$other" SENTINEL FAILOVER $group | grep -qE '^OK|^INPROG'; then return 0; fi
	done
	return 1
}

another_leads() {
	survey
	[ "$primary" != "$self" ] && leads "$primary"
}

leads "$POD_IP" || exit 0
redis "$POD_IP" CLIENT PAUSE 40000 WRITE >/dev/null
offset=$(redis "$POD_IP" INFO replication | awk -F: '$1 == "master_repl_offset" { print $2 + 0 }')
if try 5 caught_up "$offset" && try 10 hand_over && try 20 another_leads; then
	say "handed over to $primary"
else
	redis "$POD_IP" CLIENT UNPAUSE >/dev/null
	say "nobody could take over"
fi
exit 0
