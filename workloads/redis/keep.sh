# Runs beside the server of a pod, sourced by start.sh, and keeps the node in its cluster:
#
#   - whose address the others have forgotten, or has a new one, they are told it (CLUSTER MEET);
#   - start.sh is told whether a replica has a master's data;
#   - a master comes back into the zone that has lost its last one, so that no zone holds a majority;
#   - a changed password is taken up without a restart.
#
#   QUIET_SECONDS, GRACE_SECONDS  how long all must be well before a master moves; how long the password before the newest is still taken
set +e

# The server knows $password, which start.sh has read. The one before the newest stays good for as long as programs take to be rolled. Replicas
# use the newest at their next connection; one that comes too early is refused, and tries again a second later.
take_password() {
	if [ -n "$expires" ] && [ "$(date +%s)" -ge "$expires" ]; then
		command "CONFIG SET requirepass $password" && expires= && say "the old password is no longer taken"
	fi
	new=$(newest) && [ -n "$new" ] && [ "$new" != "$password" ] || return 0
	command "ACL SETUSER default >$new" && command "CONFIG SET masterauth $new" || return 0
	password=$new expires=$(($(date +%s) + ${GRACE_SECONDS:-900})) reload=yes
	say "took up a new password"
}

# command TEXT: one that holds a secret, by way of the standard input.
command() {
	[ "$(printf '%s\n' "$1" | REDISCLI_AUTH=$password timeout 5 redis-cli -h "$POD_IP" -t 2 2>/dev/null)" = OK ]
}

# The exporter reads its password at the start, and when it is told to.
tell_exporter() {
	[ -n "$reload" ] && wget -q -T 2 -O /dev/null "http://$POD_IP:9121/-/reload" && reload=
}

# meet_others: each peer says itself who and where it is, to those who know the password. An address from the cluster's own memory, or from DNS,
# may be somebody else's by now.
meet_others() {
	i=-1
	while [ $((i += 1)) -lt "$PODS" ]; do
		[ "$SERVICE-$i" != "$POD_NAME" ] || continue
		peer=$(view "$SERVICE-$i.$SERVICE" | awk '$10 == "me" { print $1, $2 }')
		[ -n "$peer" ] || continue
		printf '%s\n' "$nodes" | awk -v peer="$peer" '$1 " " $2 == peer && $9 == "up" { met = 1 } END { exit !met }' && continue
		ask "$POD_IP" CLUSTER MEET "${peer#* }" 6379 >/dev/null && say "met $SERVICE-$i at ${peer#* }"
	done
}

# misplaced: all are up, its master is one of several in a zone, its own zone has none.
misplaced() {
	printf '%s\n' "$nodes" | awk -v pods="$PODS" '
		$9 == "up" { up++ }
		$9 == "up" && $5 == "master" && $7 > 0 { masters[$4]++ }
		{ zone[$1] = $4 }
		$10 == "me" { mine = $4; role = $5; of = $6 }
		END { exit !(up == pods && role == "replica" && mine != "-" && !masters[mine] && masters[zone[of]] > 1) }'
}

# note_replica: $RUN/covered is there while a replica gets what this master writes as it is written. One that still loads its copy is `online`, too,
# with offset 0, and so is one that hangs, for a minute; who has all says so every second.
note_replica() {
	case $(ask "$POD_IP" INFO replication) in
	*role:master*state=online,offset=[1-9]*,lag=[01][!0-9]*) touch "$RUN/covered" ;;
	*role:*) rm -f "$RUN/covered" ;;
	esac
}

in_step() {
	case $(ask "$POD_IP" INFO replication) in
	*master_link_status:up*master_sync_in_progress:0*) ;;
	*) return 1 ;;
	esac
	case $(ask "$POD_IP" CLUSTER INFO) in *cluster_state:ok*) ;; *) return 1 ;; esac
}

take_over() {
	if ! misplaced || ! in_step; then
		since=
		return
	fi
	: "${since:=$(date +%s)}"
	[ $(($(date +%s) - since)) -ge "${QUIET_SECONDS:-30}" ] || return
	since=
	ask "$POD_IP" CLUSTER FAILOVER >/dev/null && say "takes over as master: zone $ZONE has none"
}

# A server that starts anew may have missed that the exporter had to be told.
expires= reload=yes since= pause=1
while sleep "$pause" && kill -0 $$ 2>/dev/null && [ ! -e "$RUN/stopping" ]; do # $$ has become the server
	pause=1
	touch "$RUN/kept" # live.sh looks whether this goes on
	note_replica
	take_password
	tell_exporter
	nodes=$(view "$POD_IP") || continue # it is not up yet
	[ "$(printf '%s\n' "$nodes" | ups)" = "$PODS" ] && pause=3 || meet_others
	take_over
done
